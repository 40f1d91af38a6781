package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// unproven is an API of a stranger's own that is published without a probe.
func unproven(name string) backend.Service { return unprovenOf(in("evil", plain(name)), "custom") }

// fifty are made, one after the other, and then each is done away with in some way: the document changes eight times
// in the first minute, twice in each later one, and nothing that is gone stays for more than half a minute.
func TestOneOwnerKeepsNobodyWriting(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-SEC-3")
	const every = 1100 * time.Millisecond
	ref := func(name string) backend.Ref { return backend.Ref{Namespace: "evil", Name: name} }
	with := func(name, key, value string) backend.Service {
		s := unproven(name)
		s.Annotations["kubernaut.io/"+key] = value
		return s
	}
	stays := map[string]bool{"moved": true, "of another type": true} // under the same name
	for how, away := range map[string]func(r *rig, name string){
		"deleted":   func(r *rig, name string) { r.world.DeleteService(ref(name)) },
		"opted out": func(r *rig, name string) { r.world.Service(with(name, "toolset", "false")) },
		"annotated wrongly": func(r *rig, name string) {
			r.world.Service(with(name, "toolset-scheme", "gopher"))
		},
		"moved":           func(r *rig, name string) { r.world.Service(with(name, "toolset-path", "/elsewhere")) },
		"of another type": func(r *rig, name string) { r.world.Service(with(name, "toolset-type", "wiki")) },
		"without a label": func(r *rig, name string) {
			s := unproven(name)
			s.Annotations = nil
			r.world.Service(s)
		},
		"made again as nothing": func(r *rig, name string) {
			s := unproven(name)
			s.Annotations, s.UID, s.ClusterIP = nil, "another", "10.0.0.2"
			r.world.DeleteService(ref(name))
			r.world.Service(s)
		},
		"renamed": func(r *rig, name string) { r.world.Service(with(name, "toolset-name", name+"-two")) },
	} {
		t.Run(how, func(t *testing.T) {
			start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
				name := func(i int) string { return fmt.Sprintf("x%02d", i) }
				r.busy(t, 5, every, func(i int) {
					gone := i - 105
					if i < 50 {
						r.world.Service(unproven(name(i)))
					}
					if gone == 0 {
						r.expect(t, "all are published in the end", "custom/evil/x00:", "custom/evil/x49:")
					}
					if old := gone - 32; old >= 0 && old < 50 && !stays[how] {
						r.expect(t, "half a minute later", "-custom/evil/"+name(old)+":")
					}
					if gone >= 0 && gone < 50 {
						away(r, name(gone))
					}
				})
				if !stays[how] {
					r.expect(t, "in the end", "-custom/evil/x49:")
				}
			})
		})
	}
}

// While a namespace has no turn, others are not delayed, and what is dangerous or dead goes at once.
func TestNobodyWaitsForAnothersTurn(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-PRB-5 DTS-SEC-3")
	o := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"platform"}}}
	start(t, nil, []string{"a"}, true, o, func(r *rig) {
		for _, name := range []string{"dead", "gone", "plain", "renamed", "kept"} {
			r.world.Service(in("evil", prometheus(name)))
		}
		pass(time.Second)
		for i := range 20 {
			r.world.Service(custom("evil", fmt.Sprint("x", i), ""))
			pass(2 * time.Second)
		}
		if r.damper.turns.wait("evil", time.Now()) == 0 {
			t.Fatal("it has a turn left")
		}
		r.add("b")
		r.world.Service(in("platform", prometheus("p")))
		pass(time.Second)
		r.expect(t, "others are published", "name: ns/b\n", "name: platform/p\n")
		r.remove("ns", "b")
		r.remove("platform", "p")
		r.remove("evil", "gone")
		pass(time.Second)
		r.expect(t, "and withdrawn, while its own waits", "-name: ns/b\n", "-name: platform/p\n", "name: evil/gone\n")
		for _, f := range r.Snapshot().Findings {
			if f.Name == "gone" && !strings.Contains(view.Reason(f), "still published") {
				t.Errorf("what is gone is %s: %s", f.Verdict, view.Reason(f))
			}
		}
		// Made again, it may lead anywhere: where it is known to lead to nothing bad, it waits; else it goes at once.
		r.prober.change(func(p *fakeProber) { p.denylist = append(p.denylist, "gone") })
		s := in("evil", plain("gone"))
		s.UID = "another"
		r.world.Service(s)
		s = in("evil", plain("plain"))
		s.Type, s.ExternalName, s.ClusterIP = "ExternalName", "metadata.example", ""
		r.world.Service(s)
		r.prober.change(func(p *fakeProber) { p.denylist = append(p.denylist, "renamed") })
		s = in("evil", prometheus("renamed"))
		s.Annotations = map[string]string{"kubernaut.io/toolset": "false"}
		r.world.Service(s)
		pass(time.Second)
		r.expect(t, "what leads to a denied address or another name", "-name: evil/gone\n", "-name: evil/plain\n", "-name: evil/renamed\n", "name: evil/kept\n")
	})
}

// A backend that dies is withdrawn by the threshold, whatever its namespace has changed before, also if the probe has
// found a related type.
func TestTheDeadWaitForNoTurn(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-PRB-10")
	for _, relative := range []string{"", "victoriametrics"} {
		start(t, nil, nil, true, Options{}, func(r *rig) {
			r.prober.change(func(p *fakeProber) { p.relative = relative })
			r.world.Service(in("evil", prometheus("dead")))
			pass(time.Second)
			r.expect(t, "at first", "name: evil/dead\n")
			r.prober.set(map[string]backend.Outcome{"dead": backend.Unreachable})
			for i := range 110 { // less than three and a half intervals
				r.world.Service(custom("evil", fmt.Sprint("x", i), ""))
				pass(time.Second)
			}
			r.expect(t, "after three failures", "-name: evil/dead\n")
		})
	}
}

// What a person or a chart does is published and withdrawn within moments.
func TestChartsTakeNoTurns(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		each := func(do func(name string)) {
			for i := range 10 {
				do(fmt.Sprint(i))
				pass(300 * time.Millisecond)
			}
			pass(turnGap)
		}
		each(func(n string) { r.world.Service(prometheus("old" + n)) })
		r.expect(t, "a chart is installed", "name: ns/old0\n", "name: ns/old9\n")
		pass(time.Minute)
		each(func(n string) {
			r.world.Service(prometheus("new" + n))
			r.remove("ns", "old"+n)
		})
		r.expect(t, "upgraded", "name: ns/new0\n", "name: ns/new9\n", "-name: ns/old")
		pass(time.Minute)
		each(func(n string) { r.remove("ns", "new"+n) })
		r.expect(t, "and removed", "-name: ns/new")
	})
}

// However many changes could not wait, a namespace is not shut out for ever.
func TestTurnsOwed(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	const evil = "evil"
	now, u := time.Now(), newTurns()
	for range 100 {
		u.take(evil, now)
		now = now.Add(time.Second)
	}
	if wait := u.wait(evil, now); wait > 3*time.Minute || wait < 2*time.Minute-time.Second {
		t.Errorf("after a hundred changes it waits %s", wait)
	}
	now = now.Add(u.wait(evil, now))
	for range 5 {
		if u.wait(evil, now) != 0 {
			t.Fatalf("it waits %s more", u.wait(evil, now))
		}
		u.take(evil, now)
		if wait := u.wait(evil, now); wait != turnWait {
			t.Errorf("then it waits %s, want %s", wait, turnWait)
		}
		now = now.Add(turnWait)
	}
	if u.wait("other", now) != 0 {
		t.Error("another namespace waits")
	}
	now = now.Add(time.Hour)
	if u.take("other", now); len(u.last) != 1 || len(u.budget.of) != 1 || u.wait(evil, now) != 0 {
		t.Error("it is never forgotten")
	}
}

// Three changes go without any wait; before the others of a burst, what else changes is gathered.
func TestTurnsAreGathered(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	now, u := time.Now(), newTurns()
	for i := range turnBurst {
		want := time.Duration(0)
		if i >= turnQuick {
			want = turnGap - time.Second
		}
		if wait := u.wait("ns", now); wait != want {
			t.Errorf("before change %d it waits %s, want %s", i+1, wait, want)
		}
		now = now.Add(want)
		u.take("ns", now)
		now = now.Add(time.Second)
	}
	if wait := u.wait("ns", now); wait < turnGap {
		t.Errorf("after all of them it waits %s", wait)
	}
}
