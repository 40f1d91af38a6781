package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// custom is a Service of a stranger's that is published as an API of their own.
func custom(namespace, name, note string) backend.Service {
	s := in(namespace, plain(name))
	s.Annotations = map[string]string{
		"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-description": note,
	}
	return s
}

// busy takes a step after each wait, for some minutes. The document may change eight times in the first minute, and twice
// in each later one.
func (r *rig) busy(t *testing.T, minutes int, every time.Duration, step func(i int)) {
	t.Helper()
	perMinute := int(time.Minute / every)
	for m := range minutes {
		before := r.output.count()
		for i := range perMinute {
			step(m*perMinute + i)
			pass(every)
		}
		if n := r.output.count() - before; n > 8 || m > 0 && n > 2 {
			t.Errorf("%d changes of the document in minute %d", n, m+1)
		}
	}
}

// An owner that changes a Service all the time cannot keep the document changing, and delays nobody.
func TestFlapping(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-SEC-3")
	const every = 400 * time.Millisecond
	evil := backend.Ref{Namespace: "evil", Name: "x"}
	kinds := map[string]func(r *rig, i int){
		"an annotation": func(r *rig, i int) { r.world.Service(custom("evil", "x", fmt.Sprint("note ", i))) },
		"a path": func(r *rig, i int) {
			s := custom("evil", "x", "")
			s.Annotations["kubernaut.io/toolset-path"] = fmt.Sprint("/", i)
			r.world.Service(s)
		},
		"in and out": func(r *rig, i int) {
			if i%2 == 0 {
				r.world.Service(custom("evil", "x", ""))
			} else {
				r.world.DeleteService(evil)
			}
		},
		"a label": func(r *rig, i int) {
			s := in("evil", prometheus("x"))
			if i%2 == 1 {
				s.Labels = map[string]string{"app": "nothing"}
			}
			r.world.Service(s)
		},
		"names in turn": func(r *rig, i int) {
			r.remove("evil", fmt.Sprint("x", i-1))
			r.world.Service(custom("evil", fmt.Sprint("x", i), ""))
		},
		"the same names in turn": func(r *rig, i int) {
			r.remove("evil", fmt.Sprint("x", (i+9)%10))
			r.world.Service(custom("evil", fmt.Sprint("x", i%10), ""))
		},
		"types in turn": func(r *rig, i int) {
			s := custom("evil", "x", "")
			s.Annotations["kubernaut.io/toolset-type"] = fmt.Sprint("own-", i%7)
			r.world.Service(s)
		},
		"versions": func(r *rig, i int) {
			r.prober.change(func(p *fakeProber) { p.version = fmt.Sprint("1.", i) })
			s := in("evil", prometheus("x"))
			s.UID = fmt.Sprint(i / 50) // so that it is asked at once, now and then
			s.Annotations = map[string]string{"touched": fmt.Sprint(i)}
			r.world.Service(s)
		},
		"answers": func(r *rig, i int) {
			outcomes := map[string]backend.Outcome{"x": backend.Ready}
			if i%2 == 1 {
				outcomes["x"] = backend.AuthRequired
			}
			r.prober.set(outcomes)
			s := custom("evil", "x", "")
			s.UID = fmt.Sprint(i) // so that it is asked at once
			r.world.Service(s)
		},
	}
	for name, flap := range kinds {
		t.Run(name, func(t *testing.T) {
			start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
				before := r.output.count()
				r.busy(t, 4, every, func(i int) { flap(r, i) })
				if r.output.count() == before {
					t.Error("it was never published")
				}
				flap(r, 600)
				r.add("b")
				pass(time.Second)
				r.expect(t, "another namespace is not delayed", "name: ns/b\n")
				r.remove("ns", "a")
				pass(time.Second)
				r.expect(t, "nor is a withdrawal", "-name: ns/a\n")
				pass(longQuiet + time.Minute)
				r.expect(t, "what stays as it is, is published in the end", "evil")
			})
		})
	}
}

// A Service that an owner corrects a few times is published at once each time.
func TestHonestChangesAreNotDelayed(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		for i := range flapLimit {
			r.world.Service(custom("ns", "x", fmt.Sprint("note ", i)))
			pass(5 * time.Second)
			r.expect(t, "a correction", fmt.Sprint("note ", i))
		}
	})
}

// Names that come and go in turn, many at a time and each for more than a minute, are held back as well.
func TestStaggeredNames(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
		const every, alive, perMinute = 2 * time.Second, 32, 30
		before := 0
		for turn := range 11 * perMinute {
			if turn == 10*perMinute {
				before = r.output.count()
			}
			r.world.Service(custom("evil", fmt.Sprint("x", turn), ""))
			r.remove("evil", fmt.Sprint("x", turn-alive))
			pass(every)
		}
		if n := r.output.count() - before; n > 8 {
			t.Errorf("%d changes of the document in the eleventh minute", n)
		}
	})
}

// A Service that fronts two backends changes once at a time.
func TestTwoBackendsOfOneServiceChangeOnce(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	d := newDamper(func(string) bool { return false }, func(*backend.Candidate) bool { return true }, 0)
	findings := func(note string) (list []*backend.Finding) {
		for _, typ := range []string{"tempo", "jaeger"} {
			f := finding(prometheus("tempo"), typ)
			f.Candidate.Description = note
			list = append(list, f)
		}
		return list
	}
	now := time.Now()
	for i := range flapLimit {
		list := findings(fmt.Sprint(i))
		if d.hold(now, list); list[0].Verdict != backend.Accepted || list[1].Verdict != backend.Accepted {
			t.Fatalf("change %d is held back: %s", i, view.Reason(list[0]))
		}
		d.enter(now, list)
		now = now.Add(10 * time.Second)
	}
}

// The publications of one namespace have a budget, those of a trusted one have none.
func TestBudget(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	many := func(r *rig, namespace string, n int) {
		for i := range n {
			r.world.Service(custom(namespace, fmt.Sprintf("x%03d", i), ""))
		}
	}
	o := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"platform"}}}
	start(t, nil, nil, true, o, func(r *rig) {
		many(r, "evil", 80)
		many(r, "platform", 80)
		pass(time.Second)
		count := func(namespace string) int { return strings.Count(r.document(), "\n  custom/"+namespace+"/") }
		if n := count("platform"); n != 80 {
			t.Errorf("%d backends of the trusted namespace are published, want all 80", n)
		}
		if n := count("evil"); n != budgetBurst {
			t.Errorf("%d backends of the other namespace are published at once, want %d", n, budgetBurst)
		}
		pass(10 * time.Second)
		if n := count("evil"); n < budgetBurst+4 || n > budgetBurst+6 {
			t.Errorf("%d after ten seconds more, want one more every two seconds", n)
		}
		pass(time.Minute)
		if n := count("evil"); n != 80 {
			t.Errorf("%d in the end, want all 80", n)
		}
	})
}

// Neither a restart nor another leader counts what is published already.
func TestRestartTakesNoBudget(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-OUT-10")
	var left map[string]string
	there := make([]string, 100)
	for i := range there {
		there[i] = fmt.Sprintf("p%03d", i)
	}
	start(t, nil, there, true, Options{}, func(r *rig) {
		pass(3 * time.Minute)
		left = r.output.Live().Data
		if n := strings.Count(left[toolset.KeyHolmesGPT], "name: ns/p"); n != 100 {
			t.Fatalf("%d are published, want 100", n)
		}
	})
	start(t, left, there, true, Options{}, func(r *rig) {
		pass(time.Minute)
		if n := r.output.count(); n != 0 {
			t.Errorf("a restart writes %d times", n)
		}
	})
}

// A Service that was published three times within a minute must stay as it is before it is published again, and twice
// as long each further time.
func TestQuietIsDoubled(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	var f flapping
	now := time.Now()
	for i, want := range []time.Duration{
		0, 0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 10 * time.Minute, 10 * time.Minute,
	} {
		f.enter(now)
		if got := f.quiet(now); got != want {
			t.Errorf("after %d publications it must be quiet for %s, want %s", i+1, got, want)
		}
		now = now.Add(max(want, 20*time.Second))
	}
	if got := f.quiet(now.Add(forgotten)); got != 0 {
		t.Errorf("long afterwards it must still be quiet for %s", got)
	}
}
