package controller

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A namespace that becomes forbidden while it is watched stays as it is published then, and nothing else waits for it.
func TestNamespaceFrozenLater(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	other := prometheus("other")
	other.Namespace = "elsewhere"
	silent := prometheus("silent")
	silent.Labels = nil
	silent.Annotations = map[string]string{
		"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "grafana", "kubernaut.io/toolset-health-endpoint": "none",
	}
	left := map[bool]map[string]string{} // by whether the replica leads
	start(t, nil, []string{"a", "former"}, true, Options{}, func(r *rig) {
		r.world.Service(silent)
		pass(time.Second)
		left[true] = r.output.Live().Data
		r.expect(t, "to begin with", "name: ns/a\n", "name: ns/former\n", "ns/silent")
		r.world.DeleteService(backend.Ref{Namespace: "ns", Name: "former"})
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
			if told := r.notes.report.Events.(*recorded).of("NamespaceForbidden"); (len(told) == 1) != leading {
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
			r.world.DeleteService(backend.Ref{Namespace: "ns", Name: "b"})
			pass(time.Minute)
			r.expect(t, "frozen again", "-name: ns/a\n", "ns/silent", "name: ns/b\n")
			r.world.Thaw("ns")
			pass(time.Minute)
			r.expect(t, "allowed again", "-name: ns/a\n", "ns/silent", "-name: ns/b\n")
		})
	}
}
