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
	checkedNames = 3 // how many published names are looked up
	checkTimeout = 10 * time.Second
	nameWait     = 30 * time.Second // until the lookup: DNS caches that it did not know a name
	lastLook     = 5 * time.Second  // then until the check that the Services still exist: a cycle sees a deletion late
)

// writtenName is the host of a published Service.
type writtenName struct {
	backend.Ref
	uid, host string
}

// checkNames checks after the first publication whether some published names resolve. With a wrong clusterDomain none
// does, and the agent could reach no backend. checkNames does not wait for the responses. If DNS does not answer, or
// the Services were deleted in the meantime, the next publication repeats the check.
func (r *Report) checkNames(s *Snapshot) {
	if r.Resolver == nil {
		return
	}
	written := writtenNames(s.Findings)
	r.checked.now.Store(&written)
	if !s.InForce || !s.Leading || s.DryRun {
		return
	}
	names := written[:min(checkedNames, len(written))]
	if len(names) == 0 || !r.checked.begun.CompareAndSwap(false, true) {
		return
	}
	go func() {
		<-time.After(nameWait)
		wrong, sure := allUnknown(r.Resolver, names)
		if wrong {
			<-time.After(lastLook)
			names = r.stillWritten(names)
		}
		if !sure || len(names) == 0 {
			r.checked.begun.Store(false)
			return
		}
		if wrong {
			r.Log.Warn("published names do not resolve", "host", names[0].host, "names", len(names))
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

// stillWritten returns the names that are still published for the same Services.
func (r *Report) stillWritten(names []writtenName) []writtenName {
	now := *r.checked.now.Load()
	return slices.DeleteFunc(slices.Clone(names), func(n writtenName) bool { return !slices.Contains(now, n) })
}

// allUnknown reports whether DNS knows none of the names. sure is false if DNS did not answer for all of them.
func allUnknown(resolver Resolver, names []writtenName) (unknown, sure bool) {
	ctx, stop := context.WithTimeout(context.Background(), checkTimeout)
	defer stop()
	sure = true
	for _, n := range names {
		absolute := strings.TrimSuffix(n.host, ".") + "." // so that no search domain is added
		_, err := resolver.LookupHost(ctx, absolute)
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
