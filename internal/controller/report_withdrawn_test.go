package controller

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// counted counts withdrawals.
type counted struct {
	uncounted
	withdrawn int
}

func (c *counted) Withdrawn(string) { c.withdrawn++ }

func events(l *logged) []string { return l.Events.(*recorded).all() }

// What is no longer published has a line in the log, is counted, and is named in an Event: one for all of a namespace
// at once, and as many as its budget allows; the others come with the next one.
func TestWithdrawn(t *testing.T) {
	t.Attr("req", "DTS-QA-5 DTS-MET-1")
	found := func(namespace, name string) *backend.Finding {
		return finding(in(namespace, prometheus(name)), "grafana")
	}
	synctest.Test(t, func(t *testing.T) {
		l, count := newLogged(), &counted{}
		l.Metrics = count
		cycle := func(leading bool, list ...*backend.Finding) {
			l.Cycle(&Snapshot{InForce: true, Leading: leading, Findings: list})
		}
		cycle(true, found("a", "x"), found("a", "y"), found("b", "z"))
		cycle(true, found("b", "z"))
		if n := len(l.lines("backend withdrawn")); n != 2 || count.withdrawn != 2 {
			t.Errorf("%d lines, %d counted, want 2", n, count.withdrawn)
		}
		want := "BackendsWithdrawn: no longer published of namespace a: x, y: its Service is gone, or no longer looks like a backend"
		if got := events(l); len(got) != 1 || got[0] != want {
			t.Errorf("Events %q, want %q", got, want)
		}

		down := found("b", "z")
		down.Verdict, down.Reason = backend.Unavailable, backend.Reason{Code: backend.CodeChangesTooOften}
		cycle(true, down, found("b", "y"))
		cycle(true, down)
		want = "BackendsWithdrawn: no longer published of namespace b: z: it changes too often"
		if got := events(l); len(got) != 3 || !strings.HasPrefix(got[1], want) {
			t.Errorf("Events %q", got)
		}

		before := len(events(l))
		for i := range 100 { // an owner who makes and deletes all the time
			cycle(true, found("c", fmt.Sprint("n", i)))
		}
		if n := len(events(l)) - before; n != ownerBurst {
			t.Errorf("%d Events about one owner at once, want %d", n, ownerBurst)
		}
		pass(ownerWait)
		cycle(true)
		last := events(l)[len(events(l))-1]
		if !strings.Contains(last, "namespace c: ") || !strings.Contains(last, "n99") || !strings.Contains(last, "n50") {
			t.Errorf("the last Event names not all that was held back: %s", last)
		}
		if len(l.withdrawn) != 0 {
			t.Errorf("%v is kept", l.withdrawn)
		}

		cycle(false, found("d", "x"))
		before = len(events(l))
		cycle(false)
		cycle(true)
		if n := len(events(l)); n != before || count.withdrawn != 105 {
			t.Errorf("%d Events for what another replica recorded; %d counted", n-before, count.withdrawn)
		}
	})
}

// An owner whose annotation is always wrong in another way does not keep the Events about a namespace's backends from
// being recorded.
func TestWithdrawnBesideComplaints(t *testing.T) {
	t.Attr("req", "DTS-QA-5 DTS-SEC-3")
	good := finding(in("shared", prometheus("good")), "grafana")
	odd := &backend.Service{Ref: backend.Ref{Namespace: "shared", Name: "odd"}}
	synctest.Test(t, func(t *testing.T) {
		l := newLogged()
		for i := range 300 {
			l.BadAnnotation(odd, "", fmt.Sprint("wrong ", i))
			s := &Snapshot{InForce: true, Leading: true, Findings: []*backend.Finding{good}}
			if i >= 200 {
				s.Findings = nil
			}
			l.Cycle(s)
			pass(time.Second)
			if n := len(events(l)); i > 260 && n != 1 {
				t.Fatalf("Events %q a minute after a withdrawal, want one", events(l))
			}
		}
	})
}

// Names come before reasons, what does not fit is a number, and what waits for an Event is bounded.
func TestWithdrawnText(t *testing.T) {
	t.Attr("req", "DTS-QA-5 DTS-SEC-3")
	for reasons, want := range map[int]string{2: " more: reason 0; service-001 and ", 1000: " more: service-000: reason 0; "} {
		var w withdrawals
		for i := range 1000 {
			key := backend.Key{Ref: backend.Ref{Namespace: "ns", Name: fmt.Sprintf("service-%03d", i)}}
			for range 2 {
				w.add(key, fmt.Sprint("reason ", i%reasons))
			}
		}
		got := w["ns"].text()
		if n := len(w["ns"].names); n > maxWithdrawn/len("service-000, ") || reasons == 2 && len(got) > 1000 || !strings.Contains(got, want) {
			t.Errorf("%d reasons are kept; %d bytes: %s", n, len(got), got)
		}
	}
}

// What was deleted while no process looked is reported by the next one.
func TestWithdrawnWhileNobodyLooked(t *testing.T) {
	t.Attr("req", "DTS-OUT-10 DTS-QA-5")
	var left map[string]string
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.add("a")
		r.add("b")
		pass(time.Second)
		left = r.output.Live().Data
	})
	start(t, maps.Clone(left), []string{"b"}, true, Options{}, func(r *rig) {
		pass(10 * time.Second)
		r.expect(t, "after the restart", "-ns/a", "ns/b")
		if got := r.report.lines("backend withdrawn"); len(got) != 1 || !strings.Contains(got[0], "service=a ") {
			t.Errorf("lines %q", got)
		}
		if got := events(r.report); len(got) != 1 || !strings.Contains(got[0], "namespace ns: a: ") {
			t.Errorf("Events %q", got)
		}
	})
}
