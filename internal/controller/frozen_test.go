package controller

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// A namespace that becomes forbidden while it is watched stays as it is published then, and nothing else waits for it.
func TestNamespaceFrozenLater(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	other, silent := in("elsewhere", prometheus("other")), unprovenOf(plain("silent"), "grafana")
	left := map[bool]map[string]string{} // by whether the replica leads
	start(t, nil, []string{"a", "former"}, true, Options{}, func(r *rig) {
		r.world.Service(silent)
		pass(time.Second)
		left[true] = r.output.Live().Data
		r.expect(t, "to begin with", "name: ns/a\n", "name: ns/former\n", "ns/silent")
		r.remove("ns", "former")
		pass(time.Minute)
		left[false] = r.output.Live().Data
	})
	for _, leading := range []bool{true, false} {
		start(t, maps.Clone(left[leading]), []string{"a"}, leading, Options{}, func(r *rig) {
			r.world.Service(silent)
			if leading {
				r.world.Service(other)
			}
			pass(2 * time.Minute) // "former" was deleted before the leader started
			keys := func() map[string]string { return r.Snapshot().Keys }
			before := keys()
			r.world.Freeze("ns")
			r.prober.set(map[string]backend.Outcome{"a": backend.Unreachable})
			r.add("b")
			pass(time.Hour)
			if diff := cmp.Diff(before, keys()); diff != "" {
				t.Fatalf("leading %t: frozen (-before +after):\n%s", leading, diff)
			}
			if s := r.Snapshot(); !slices.Equal(s.Frozen, []string{"ns"}) {
				t.Errorf("leading %t: frozen: %q", leading, s.Frozen)
			}
			if told := r.report.told("NamespaceForbidden"); (len(told) == 1) != leading {
				t.Errorf("leading %t: told: %q", leading, told)
			}
			if !leading {
				return
			}
			r.world.DeleteService(other.Ref)
			pass(time.Minute)
			r.expect(t, "another namespace goes on", "-elsewhere/other", "name: ns/a\n", "ns/silent", "-name: ns/b\n")

			r.world.Thaw("ns")
			pass(time.Second)
			r.expect(t, "allowed again, and not checked yet", "name: ns/a\n", "ns/silent", "name: ns/b\n")
			pass(5 * time.Minute)
			r.expect(t, "after three failures", "-name: ns/a\n", "ns/silent", "name: ns/b\n")

			r.world.Freeze("ns") // for the second time, with what is published by now
			pass(time.Minute)
			r.remove("ns", "b")
			pass(time.Minute)
			r.expect(t, "frozen again", "-name: ns/a\n", "ns/silent", "name: ns/b\n")
			r.world.Thaw("ns")
			pass(time.Minute)
			r.expect(t, "allowed again", "-name: ns/a\n", "ns/silent", "-name: ns/b\n")
		})
	}
}

// A namespace that may not be watched from the start keeps what is published of it, and nothing else waits for it.
func TestFrozenNamespace(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	var left map[string]string
	start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
		books := plain("runbooks")
		books.Annotations = map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "runbooks", "kubernaut.io/toolset-name": "books",
			"kubernaut.io/toolset-health-path": "/healthz", "kubernaut.io/toolset-description": `what to do at "night"`,
			"kubernaut.io/toolset-path": "/api",
		}
		r.world.Service(books)
		r.world.Service(unprovenOf(plain("silent"), "grafana"))
		pass(time.Second)
		left = r.output.Live().Data
	})
	start(t, maps.Clone(left), []string{"forbidden: ns"}, true, Options{}, func(r *rig) {
		if n := r.output.count(); n != 0 {
			t.Errorf("%d writes, and nothing has changed:\n%s", n, r.document())
		}
		r.add("b") // seen in part
		r.world.Service(in("elsewhere", prometheus("other")))
		pass(time.Second)
		r.expect(t, "while it is forbidden", "name: ns/a\n", "custom/ns/books", "elsewhere/other", "-name: ns/b\n")
		if got := r.output.Live().Data["prometheus-toolset.yaml"]; !strings.Contains(got, "\n  url: http://a.ns") {
			t.Errorf("the primary moved:\n%s", got)
		}
		if s := r.Snapshot(); !slices.Equal(s.Frozen, []string{"ns"}) {
			t.Errorf("frozen: %q", s.Frozen)
		}
		pass(10 * time.Minute)
		r.expect(t, "for long", "name: ns/a\n", "custom/ns/books")
		r.add("a")
		r.world.Thaw("ns")
		pass(time.Second)
		r.expect(t, "when it is allowed", "name: ns/a\n", "ns/b", "-custom/ns/books", "elsewhere/other")
	})
	left[toolset.KeyState] = strings.Replace(left[toolset.KeyState], `"name": "ns/books"`, `"name": "books"`, 1)
	start(t, left, []string{"forbidden: ns"}, true, Options{}, func(r *rig) {
		r.expect(t, "recorded by an older version", "name: ns/a\n", "custom/ns/books", "-custom/books")
	})
}

// What was published as a relative of the type that detection took it for is published still after a restart.
func TestRestartKeepsRelatives(t *testing.T) {
	t.Attr("req", "DTS-PRB-10 DTS-OUT-10")
	const key = "victoriametrics-toolset.yaml"
	var left map[string]string
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.prober.change(func(p *fakeProber) { p.relative = "victoriametrics" })
		r.add("slow") // its probes take a minute
		pass(2 * time.Minute)
		left = r.output.Live().Data
		if !strings.Contains(left[key], "http://slow.ns") || left["prometheus-toolset.yaml"] != "" {
			t.Fatalf("published: %q, %q", left[key], left["prometheus-toolset.yaml"])
		}
	})
	start(t, maps.Clone(left), []string{"slow"}, true, Options{}, func(r *rig) {
		r.prober.set(map[string]backend.Outcome{"slow": backend.Unreachable})
		pass(20 * time.Second)
		if n := r.output.count(); n != 0 || r.output.Live().Data[key] == "" {
			t.Errorf("a restart led to %d writes:\n%s", n, cmp.Diff(left, r.output.Live().Data))
		}
		if got := r.report.lines("backend withdrawn"); len(got) > 0 {
			t.Errorf("reported as withdrawn: %q", got)
		}
		pass(6 * time.Minute)
		if r.output.Live().Data[key] != "" {
			t.Error("it is published still after three failures")
		}
		got := r.report.lines("backend withdrawn")
		if len(got) != 1 || !strings.Contains(got[0], "type=victoriametrics") || strings.Contains(got[0], "Service is gone") {
			t.Errorf("reported as withdrawn: %q, want it once, and not as deleted", got)
		}
	})
	start(t, maps.Clone(left), []string{"forbidden: ns"}, true, Options{}, func(r *rig) {
		if n := r.output.count(); n != 0 {
			t.Errorf("a namespace that may not be watched led to %d writes:\n%s", n, cmp.Diff(left, r.output.Live().Data))
		}
	})
}

// outranked returns a Prometheus that belongs to Kubecost and a headless Service, which are primaries only for the time
// being, and a twin of the headless one.
func outranked() (kubecosts, headless, twin backend.Service) {
	kubecosts = in("kubecost", prometheus("p"))
	kubecosts.Labels = maps.Clone(kubecosts.Labels)
	kubecosts.Labels["app.kubernetes.io/instance"] = "kubecost"
	headless, twin = prometheus("headless"), prometheus("chosen")
	headless.ClusterIP, headless.Selector = "None", map[string]string{"app": "prometheus"}
	twin.Selector = headless.Selector
	return kubecosts, headless, twin
}

// A primary for the time being stays what it is while the namespace of one of the two cannot be read, and afterwards:
// what is recorded, and so the credentials, does not move to it.
func TestStandInOfFrozenNamespace(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-OUT-4")
	kubecosts, headless, twin := outranked()
	old := aged(in("other", prometheus("old")), 1)
	chosen := aged(prometheus("chosen"), 2)
	for name, tt := range map[string]struct {
		first    backend.Service
		outcome  backend.Outcome // of the first
		then     []backend.Service
		empty    string // has no data in the end
		trusted  []string
		frozen   string
		recorded string
	}{
		"of a twin": {first: headless, then: []backend.Service{twin}, frozen: "ns", recorded: "ns/headless"},
		"of a twin, beside a trusted one": {
			first: headless, then: []backend.Service{twin, in("monitoring", prometheus("other"))}, trusted: []string{"monitoring"},
			frozen: "ns", recorded: "ns/headless",
		},
		"of a product's own":                {first: kubecosts, then: []backend.Service{chosen}, frozen: "kubecost", recorded: "kubecost/p"},
		"of one without data":               {first: old, then: []backend.Service{chosen}, empty: "old", trusted: []string{"ns"}, frozen: "other", recorded: "other/old"},
		"of one that is down":               {first: old, outcome: backend.Unreachable, then: []backend.Service{chosen}, frozen: "other"},
		"frozen itself, with a younger one": {first: kubecosts, then: []backend.Service{chosen, aged(prometheus("a"), 3)}, frozen: "ns", recorded: "kubecost/p"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Inventory: inventory.Options{TrustedNamespaces: tt.trusted}}
			start(t, nil, nil, true, o, func(r *rig) {
				r.prober.set(map[string]backend.Outcome{tt.first.Name: tt.outcome})
				r.world.Service(tt.first)
				pass(time.Minute)
				for _, s := range tt.then {
					r.world.Service(s)
				}
				pass(time.Minute)
				r.prober.change(func(p *fakeProber) { p.empty = tt.empty })
				pass(time.Minute)
				expect := func(when string) {
					t.Helper()
					if got := r.recorded(t)["prometheus"]; got != tt.recorded || r.primary("prometheus") != chosen.Ref {
						t.Fatalf("%s: the primary is %s, recorded is %q", when, r.primary("prometheus"), got)
					}
				}
				expect("to begin with")
				before := r.Snapshot().Keys
				r.world.Freeze(tt.frozen)
				for _, outcome := range []backend.Outcome{backend.Ready, backend.Unreachable, backend.Ready} {
					r.prober.set(map[string]backend.Outcome{tt.first.Name: tt.outcome, chosen.Name: outcome})
					pass(time.Hour)
				}
				if diff := cmp.Diff(before, r.Snapshot().Keys); diff != "" {
					t.Errorf("frozen (-before +after):\n%s", diff)
				}
				written := r.output.count()
				r.prober.change(func(p *fakeProber) { p.takes = 3 * time.Second })
				r.world.Thaw(tt.frozen)
				pass(time.Minute)
				expect("allowed again")
				if n := r.output.count() - written; n > 0 {
					t.Errorf("%d writes when it is allowed again", n)
				}
			})
		})
	}
}

// One that lacks credentials, because an older one may become the primary instead, gets none while that cannot be read.
func TestFrozenNamespaceGivesNoCredential(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-OUT-4")
	o := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"monitoring", "ns"}}}
	boards := grafana("ns")
	boards.Name = "boards"
	var left map[string]string
	start(t, nil, nil, true, o, func(r *rig) {
		r.prober.set(map[string]backend.Outcome{"grafana": backend.Unreachable, "boards": backend.AuthRequired})
		r.world.Service(aged(grafana("monitoring"), 1))
		r.world.Service(aged(boards, 2))
		pass(time.Minute)
		r.expect(t, "the older one is down", "-GRAFANA_API_KEY")
		r.world.Freeze("monitoring")
		pass(time.Hour)
		r.expect(t, "and cannot be read", "-GRAFANA_API_KEY")
		left = r.output.Live().Data
	})
	start(t, left, []string{"forbidden: monitoring"}, true, o, func(r *rig) {
		r.prober.set(map[string]backend.Outcome{"boards": backend.AuthRequired, "charts": backend.AuthRequired})
		r.world.Service(aged(boards, 2))
		pass(time.Hour)
		r.expect(t, "after a restart", "-GRAFANA_API_KEY")
		charts := boards
		charts.Name = "charts"
		r.world.Service(aged(charts, 3))
		r.world.DeleteService(boards.Ref)
		pass(time.Hour)
		r.expect(t, "and nor does the next", "-GRAFANA_API_KEY")
	})
}
