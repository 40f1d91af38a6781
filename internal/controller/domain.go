package controller

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Resolver looks a host up, as net.Resolver does.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// nameCheck is how far the one look at the written names is.
type nameCheck struct{ state atomic.Int32 }

const (
	namesUnchecked = iota
	namesInCheck
	namesChecked
)

const (
	checkedNames = 3 // so many of those that are written
	checkTimeout = 10 * time.Second
	secondLook   = 30 * time.Second // DNS remembers for a while that it did not know a name of a new Service
)

// checkNames looks, after the first publication, whether names that were written resolve: with a wrong clusterDomain none of
// them does, and the agent would be given a document of dead names. It does not wait for the answers. DNS that does not
// answer says nothing; the next publication asks again.
func (r *Report) checkNames(s *Snapshot) {
	if r.Resolver == nil || !s.InForce || !s.Leading || s.DryRun {
		return
	}
	hosts := writtenNames(s.Findings)
	if len(hosts) == 0 || !r.checked.state.CompareAndSwap(namesUnchecked, namesInCheck) {
		return
	}
	go func() {
		wrong, sure := allUnknown(r.Resolver, hosts)
		if wrong {
			<-time.After(secondLook)
			wrong, sure = allUnknown(r.Resolver, hosts)
		}
		if !sure {
			r.checked.state.Store(namesUnchecked)
			return
		}
		r.checked.state.Store(namesChecked)
		if wrong {
			r.Log.Warn("names that are written do not resolve", "hosts", hosts)
			r.Events.ConfigMap(true, "ClusterDomainWrong", fmt.Sprintf("%s is written, and is no name that the cluster's DNS knows: "+
				"clusterDomain in the configuration is wrong; the search line in a pod's /etc/resolv.conf has the right one", hosts[0]))
		}
	}()
}

// writtenNames are full names of published Services with a ClusterIP, which DNS knows whether their pods run or not. Shorter
// ones, which a certificate or an annotation may ask for, say nothing about the domain.
func writtenNames(findings []*backend.Finding) (hosts []string) {
	for _, f := range findings {
		c := f.Candidate
		if f.Verdict == backend.Accepted && !c.ForeignHost && fullName(c.Host) && c.Service.ClusterIP != "" && !c.Service.Headless() {
			if hosts = append(hosts, c.Host); len(hosts) == checkedNames {
				break
			}
		}
	}
	return hosts
}

// fullName: NAME.NAMESPACE.svc and the cluster's domain.
func fullName(host string) bool {
	parts := strings.SplitN(host, ".", 4)
	return len(parts) == 4 && parts[2] == "svc"
}

// allUnknown reports whether DNS knows none of the hosts; sure is false where it did not answer for each of them.
func allUnknown(resolver Resolver, hosts []string) (unknown, sure bool) {
	ctx, stop := context.WithTimeout(context.Background(), checkTimeout)
	defer stop()
	sure = true
	for _, host := range hosts {
		_, err := resolver.LookupHost(ctx, strings.TrimSuffix(host, ".")+".") // in full, so that nothing is added to it
		var dns *net.DNSError
		switch {
		case err == nil:
			return false, true
		case !errors.As(err, &dns) || !dns.IsNotFound:
			sure = false
		}
	}
	return sure, sure
}
