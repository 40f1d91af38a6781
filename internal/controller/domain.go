package controller

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Resolver looks up a host like net.Resolver.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// nameCheck is the state of the check of the published names, which is made once.
type nameCheck struct {
	begun atomic.Bool
	now   atomic.Pointer[[]writtenName] // the names in the last cycle
}

const (
	checkTimeout = 10 * time.Second
	nameWait     = 30 * time.Second // until the lookup: DNS caches that it did not know a name
	lastLook     = 5 * time.Second  // then until the check that the Service still exists: a cycle sees a deletion late
)

// writtenName is the host of a published Service.
type writtenName struct {
	backend.Ref
	uid, host string
}

// checkNames checks after the first publication whether a published name resolves. With a wrong clusterDomain none
// does, and the agent could reach no backend. If DNS does not answer, or the Service was deleted in the meantime, the
// next publication repeats the check.
func (r *Report) checkNames(s *Snapshot) {
	if r.Resolver == nil {
		return
	}
	names := writtenNames(s.Findings)
	r.checked.now.Store(&names)
	if !s.InForce || !s.Leading || s.DryRun || len(names) == 0 || !r.checked.begun.CompareAndSwap(false, true) {
		return
	}
	go func() {
		<-time.After(nameWait)
		unknown, sure := r.lookUp(names[0].host)
		if unknown {
			<-time.After(lastLook)
		}
		switch {
		case !sure, unknown && !slices.Contains(*r.checked.now.Load(), names[0]):
			r.checked.begun.Store(false)
		case unknown:
			r.Log.Warn("published name does not resolve", "host", names[0].host)
			r.Events.ConfigMap(true, "ClusterDomainWrong",
				fmt.Sprintf("%s is published, but the cluster's DNS does not know this name: "+
					"clusterDomain in the configuration is wrong; "+
					"the search line in a pod's /etc/resolv.conf has the right one", names[0].host))
		}
	}()
}

// writtenNames returns the full names of published Services with a ClusterIP, which DNS knows even if no pod runs.
// Shorter names, which a certificate or an annotation may require, do not contain the domain.
func writtenNames(findings []*backend.Finding) (names []writtenName) {
	for _, f := range findings {
		c := f.Candidate
		if f.Verdict == backend.Accepted && !f.Stays && !c.ForeignHost && fullName(c.Host) &&
			c.Service.ClusterIP != "" && !c.Service.Headless() {
			names = append(names, writtenName{c.Service.Ref, c.Service.UID, c.Host})
		}
	}
	return names
}

// fullName reports whether a host is NAME.NAMESPACE.svc with the cluster's domain.
func fullName(host string) bool {
	parts := strings.SplitN(host, ".", 4)
	return len(parts) == 4 && parts[2] == "svc"
}

// lookUp reports whether DNS does not know a host. sure is false if DNS did not answer.
func (r *Report) lookUp(host string) (unknown, sure bool) {
	ctx, stop := context.WithTimeout(context.Background(), checkTimeout)
	defer stop()
	absolute := strings.TrimSuffix(host, ".") + "." // so that no search domain is added
	_, err := r.Resolver.LookupHost(ctx, absolute)
	var dns *net.DNSError
	unknown = errors.As(err, &dns) && dns.IsNotFound
	return unknown, unknown || err == nil
}
