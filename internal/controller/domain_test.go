package controller

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// dns answers for names that end in one of its domains; it hangs where it has none.
type dns struct {
	domain string
	mu     sync.Mutex
	asked  []string
}

func (d *dns) LookupHost(ctx context.Context, host string) ([]string, error) {
	d.mu.Lock()
	d.asked = append(d.asked, host)
	d.mu.Unlock()
	switch {
	case d.domain == "":
		<-ctx.Done()
		return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
	case strings.HasSuffix(host, "."+d.domain+"."):
		return []string{"10.0.0.1"}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// writtenAt is a snapshot of what is written, one host for each name.
func writtenAt(leading bool, hosts ...string) *Snapshot {
	s := &Snapshot{InForce: true, Leading: leading}
	for i, host := range hosts {
		f := finding(in("obs", prometheus(fmt.Sprint("p", i))), "prometheus")
		f.Service.UID, f.Candidate.Host = fmt.Sprint("u", i), host
		s.Findings = append(s.Findings, f)
	}
	return s
}

// A wrong clusterDomain is an Event at the first publication, and nothing waits for DNS.
func TestClusterDomainWrong(t *testing.T) {
	t.Attr("req", "DTS-DET-7")
	const host = "p.obs.svc.cluster.local"
	silent := writtenAt(true,
		"kb.example.org", "headless.obs.svc.x", "down.obs.svc.x", "deleted.obs.svc.x", "p.obs.svc", "p.svc.svc", "p.obs")
	silent.Findings[0].Candidate.ForeignHost = true
	silent.Findings[1].Service.ClusterIP = "None"
	silent.Findings[2].Verdict = backend.Unavailable
	silent.Findings[3].Stays = true
	tests := map[string]struct {
		resolver *dns
		s        *Snapshot
		event    bool
		asked    int
	}{
		"wrong":          {&dns{domain: "k8s.example.com"}, writtenAt(true, host), true, 1},
		"right":          {&dns{domain: "cluster.local"}, writtenAt(true, host), false, 1},
		"one is enough":  {&dns{domain: "k8s.example.com"}, writtenAt(true, host, host), true, 1},
		"DNS is away":    {&dns{}, writtenAt(true, host), false, 1},
		"not the leader": {&dns{domain: "k8s.example.com"}, writtenAt(false, host), false, 0},
		"nothing yet":    {&dns{domain: "k8s.example.com"}, writtenAt(true), false, 0},
		"other names":    {&dns{domain: "k8s.example.com"}, silent, false, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newLogged()
				r.Resolver = tt.resolver
				begin := time.Now()
				for range 3 {
					r.Cycle(tt.s)
				}
				if took := time.Since(begin); took > 0 {
					t.Errorf("the cycle waited %s", took)
				}
				pass(time.Minute)
				synctest.Wait()
				if got := len(r.told("ClusterDomainWrong")) > 0; got != tt.event {
					t.Errorf("Event: %t, want %t", got, tt.event)
				}
				if len(tt.resolver.asked) != tt.asked {
					t.Errorf("asked for %q, want %d questions", tt.resolver.asked, tt.asked)
				}
				before := len(tt.resolver.asked)
				r.Cycle(tt.s)
				pass(time.Minute)
				if again := len(tt.resolver.asked) > before; again != (name == "DNS is away") {
					t.Errorf("the next publication asks again: %t", again)
				}
			})
		})
	}
}

// Who has names looked up and deletes their Services at once causes no warning, and no end of the check.
func TestDeletedNamesSayNothing(t *testing.T) {
	t.Attr("req", "DTS-DET-7 DTS-SEC-3")
	for name, tt := range map[string]struct {
		before time.Duration // the Service goes
		then   *Snapshot
	}{
		"deleted before the lookup":    {nameWait - time.Second, writtenAt(true)},
		"made again before the lookup": {nameWait - time.Second, writtenAt(true, "a.evil.svc.x")},
		"deleted right after":          {nameWait + time.Second, writtenAt(true)},
		"others are written by then":   {nameWait - time.Second, writtenAt(true, "good.obs.svc.x")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newLogged()
				r.Resolver = &dns{domain: "k8s.example.com"}
				r.Cycle(writtenAt(true, "a.evil.svc.x", "b.evil.svc.x", "c.evil.svc.x"))
				pass(tt.before)
				then := *tt.then
				for _, f := range then.Findings {
					f.Service.UID += " another"
				}
				r.Cycle(&then)
				pass(time.Minute)
				if got := r.told("ClusterDomainWrong"); len(got) > 0 {
					t.Errorf("warned: %q", got)
				}
				r.Cycle(writtenAt(true, "real.obs.svc.x")) // the check is not over
				pass(time.Minute)
				if got := r.told("ClusterDomainWrong"); len(got) != 1 || !strings.Contains(got[0], "real.obs.svc.x") {
					t.Errorf("what is wrong is not told: %q", got)
				}
			})
		})
	}
}
