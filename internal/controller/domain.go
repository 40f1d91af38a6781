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

// Resolver looks a host up, as net.Resolver does.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// nameCheck is how far the one look at the written names is.
type nameCheck struct {
	state atomic.Int32
	now   atomic.Pointer[[]writtenName] // those of the last cycle
}

const (
	namesUnchecked = iota
	namesInCheck
	namesChecked
)

const (
	checkedNames = 3 // so many of those that are written
	checkTimeout = 10 * time.Second
	secondLook   = 30 * time.Second // DNS remembers for a while that it did not know a name of a new Service
	lastLook     = 5 * time.Second  // after it, whether the Services were there: a cycle sees late that one was deleted
)

// writtenName is the host of a published Service.
type writtenName struct {
	backend.Ref
	uid, host string
}

// checkNames looks, after the first publication, whether names that were written resolve: with a wrong clusterDomain
// none of them does, and the agent would be given a document of dead names. It does not wait for the answers. DNS
// that does not answer says nothing, nor do names of Services that were deleted meanwhile; the next publication asks
// again.
func (r *Report) checkNames(s *Snapshot) {
	if r.Resolver == nil || r.checked.state.Load() == namesChecked {
		return
	}
	written := writtenNames(s.Findings)
	r.checked.now.Store(&written)
	if !s.InForce || !s.Leading || s.DryRun {
		return
	}
	names := r.sample(written)
	if len(names) == 0 || !r.checked.state.CompareAndSwap(namesUnchecked, namesInCheck) {
		return
	}
	go func() {
		wrong, sure := allUnknown(r.Resolver, names)
		if wrong {
			<-time.After(secondLook)
			names = r.stillWritten(names)
			wrong, sure = allUnknown(r.Resolver, names)
		}
		if wrong {
			<-time.After(lastLook)
			names = r.stillWritten(names)
		}
		if !sure || len(names) == 0 {
			r.checked.state.Store(namesUnchecked)
			return
		}
		r.checked.state.Store(namesChecked)
		if wrong {
			r.Log.Warn("published names do not resolve", "host", names[0].host, "names", len(names))
			r.Events.ConfigMap(true, "ClusterDomainWrong", fmt.Sprintf("%s is written, and is no name that the cluster's DNS knows: "+
				"clusterDomain in the configuration is wrong; the search line in a pod's /etc/resolv.conf has the right one", names[0].host))
		}
	}()
}

// writtenNames are full names of published Services with a ClusterIP, which DNS knows whether their pods run or not.
// Shorter ones, which a certificate or an annotation may ask for, say nothing about the domain.
func writtenNames(findings []*backend.Finding) (names []writtenName) {
	for _, f := range findings {
		c := f.Candidate
		if f.Verdict == backend.Accepted && !f.Stays && !c.ForeignHost && fullName(c.Host) && c.Service.ClusterIP != "" &&
			!c.Service.Headless() {
			names = append(names, writtenName{c.Service.Ref, c.Service.UID, c.Host})
		}
	}
	return names
}

// fullName: NAME.NAMESPACE.svc and the cluster's domain.
func fullName(host string) bool {
	parts := strings.SplitN(host, ".", 4)
	return len(parts) == 4 && parts[2] == "svc"
}

// sample is a few of the names, of as many namespaces as there are, so that no owner's names decide alone: first of
// trusted ones.
func (r *Report) sample(names []writtenName) []writtenName {
	trusted, others := map[int][]writtenName{}, map[int][]writtenName{} // the first of each namespace, the second ones, …
	count := map[string]int{}
	for _, n := range names {
		of := others
		if r.Trusted != nil && r.Trusted(n.Namespace) {
			of = trusted
		}
		round := count[n.Namespace]
		of[round] = append(of[round], n)
		count[n.Namespace]++
	}
	var list []writtenName
	for round := 0; len(list) < min(checkedNames, len(names)); round++ {
		list = append(append(list, trusted[round]...), others[round]...)
	}
	return list[:min(checkedNames, len(list))]
}

// stillWritten are those of the names that are still written, of the same Services.
func (r *Report) stillWritten(names []writtenName) []writtenName {
	now := *r.checked.now.Load()
	return slices.DeleteFunc(slices.Clone(names), func(n writtenName) bool { return !slices.Contains(now, n) })
}

// allUnknown reports whether DNS knows none of the names; sure is false where it did not answer for each of them.
func allUnknown(resolver Resolver, names []writtenName) (unknown, sure bool) {
	ctx, stop := context.WithTimeout(context.Background(), checkTimeout)
	defer stop()
	sure = true
	for _, n := range names {
		_, err := resolver.LookupHost(ctx, strings.TrimSuffix(n.host, ".")+".") // in full, so that nothing is added to it
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
