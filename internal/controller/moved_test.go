package controller

import (
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A chart's upgrade gives the Service another port, and its endpoints and pods follow later: in between what was
// published stays as it was, nothing is written, and then it is published as it is.
func TestMovedStaysPublished(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-QA-5")
	upgraded := prometheus("a")
	upgraded.Labels = map[string]string{"app": "prometheus", "component": "server"}
	upgraded.Ports[0].Number, upgraded.Ports[0].Name = 80, "http-web"
	away := map[string]backend.Outcome{"a": backend.NoEndpoints}
	begin := func(t *testing.T, body func(r *rig)) {
		t.Helper()
		start(t, nil, []string{"a", "b"}, true, Options{}, func(r *rig) {
			pass(time.Second)
			r.expect(t, "at first", "//a.ns.svc.cluster.local:9090", "//b.ns")
			body(r)
		})
	}
	works := func(t *testing.T, relative string) {
		t.Helper()
		begin(t, func(r *rig) {
			r.prober.change(func(p *fakeProber) { p.relative = relative })
			pass(time.Minute)
			r.report.lines("") // what it became is no news here
			written := r.output.count()
			r.prober.set(away)
			r.world.Service(upgraded)
			pass(20 * time.Second)
			r.expect(t, "before its endpoints", "//a.ns.svc.cluster.local:9090", "//b.ns")
			if n := r.output.count() - written; n != 0 {
				t.Errorf("%d writes meanwhile", n)
			}
			r.prober.set(nil)
			pass(40 * time.Second)
			r.expect(t, "with them", "//a.ns.svc.cluster.local:80", "-//a.ns.svc.cluster.local:9090")
			if n := r.output.count() - written; n != 1 {
				t.Errorf("%d writes, want one", n)
			}
			if got := r.report.lines("backend withdrawn"); len(got) > 0 {
				t.Errorf("withdrawn: %q", got)
			}
		})
	}
	t.Run("and works", func(t *testing.T) { works(t, "") })
	t.Run("and is a relative", func(t *testing.T) { works(t, "victoriametrics") })
	t.Run("and its probe takes long", func(t *testing.T) {
		begin(t, func(r *rig) {
			r.prober.change(func(p *fakeProber) { p.takes = 4 * time.Second })
			r.world.Service(upgraded)
			pass(2 * time.Second)
			r.expect(t, "while it is asked", "//a.ns.svc.cluster.local:9090")
			pass(4 * time.Second)
			r.expect(t, "then", "//a.ns.svc.cluster.local:80", "-//a.ns.svc.cluster.local:9090")
		})
	})
	t.Run("and never works", func(t *testing.T) {
		begin(t, func(r *rig) {
			r.prober.set(away)
			r.world.Service(upgraded)
			pass(80 * time.Second)
			r.expect(t, "as long as any other", "//a.ns.svc.cluster.local:9090")
			pass(15 * time.Second)
			r.expect(t, "then no longer", "-//a.ns")
		})
	})
	t.Run("and is something else", func(t *testing.T) {
		begin(t, func(r *rig) {
			r.prober.set(map[string]backend.Outcome{"a": backend.WrongIdentity})
			r.world.Service(upgraded)
			pass(2 * time.Second)
			r.expect(t, "at once", "-//a.ns", "//b.ns")
		})
	})
	t.Run("and is made again", func(t *testing.T) {
		begin(t, func(r *rig) {
			r.prober.set(away)
			another := upgraded
			another.UID = "another"
			r.world.Service(another)
			pass(2 * time.Second)
			r.expect(t, "at once", "-//a.ns", "//b.ns")
		})
	})
	t.Run("and holds a credential", func(t *testing.T) {
		ref := backend.Ref{Namespace: "ns", Name: "a"}
		var options Options
		options.Inventory.Credentials = map[string]map[backend.Ref]map[string]string{"prometheus": {ref: {"bearer_token": "TOKEN"}}}
		start(t, nil, []string{"a"}, true, options, func(r *rig) {
			pass(time.Second)
			r.expect(t, "at first", "//a.ns", "{{ env.TOKEN }}")
			r.prober.set(away)
			r.world.Service(upgraded)
			pass(2 * time.Second)
			r.expect(t, "at once", "-//a.ns", "-TOKEN")
		})
	})
	t.Run("and moves on and on", func(t *testing.T) {
		begin(t, func(r *rig) {
			r.prober.set(away)
			for i := range 10 {
				upgraded.Ports[0].Number = int32(80 + i)
				r.world.Service(upgraded)
				pass(10 * time.Second)
			}
			r.expect(t, "no longer than once", "-//a.ns")
		})
	})
}

// An owner whose namespace has no turn left keeps what is published a little longer. That does not begin the time anew that
// a backend may be away.
func TestMovedIsTimedOnce(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-SEC-3")
	service := in("evil", prometheus("a"))
	found := func(port int32, verdict backend.Verdict, outcome backend.Outcome) *backend.Finding {
		f := finding(service, "jaeger")
		f.Verdict, f.Observation.Outcome = verdict, outcome
		f.Candidate.Host, f.Candidate.PortNumber = "a.evil.svc", port
		return f
	}
	for name, meanwhile := range map[string][]*backend.Finding{
		"it is something else":    {found(80, backend.Rejected, backend.WrongIdentity)},
		"it is not recognised":    nil,
		"it is where it was":      {found(9090, backend.Unavailable, backend.NoEndpoints)},
		"it has another identity": {{Ref: service.Ref, Service: &service, Verdict: backend.Rejected}},
	} {
		d := newDamper(func(string) bool { return false }, func(*backend.Candidate) bool { return true }, 90*time.Second)
		was, begun := found(9090, backend.Accepted, backend.Ready), time.Now()
		d.published = map[backend.Key]publication{was.Candidate.Key(): {text: "x", finding: was}}
		stays := func(after time.Duration) bool {
			f := found(80, backend.Unavailable, backend.NoEndpoints)
			d.keepMoved(begun.Add(after), []*backend.Finding{f})
			return f.Verdict == backend.Accepted
		}
		if !stays(0) || !stays(80*time.Second) {
			t.Errorf("%s: it goes at once", name)
		}
		d.keepMoved(begun.Add(85*time.Second), meanwhile)
		if stays(95 * time.Second) {
			t.Errorf("%s for a moment: its time begins anew", name)
		}
		d.keepMoved(begun.Add(100*time.Second), []*backend.Finding{found(80, backend.Accepted, backend.Ready)})
		if !stays(110 * time.Second) {
			t.Errorf("%s: it worked in between, and goes at once", name)
		}
		d.published = nil
		if d.keepMoved(begun.Add(time.Hour), nil); len(d.moved) > 0 {
			t.Errorf("%s: %v is kept of what is gone", name, d.moved)
		}
	}
}
