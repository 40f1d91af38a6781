package controller

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What was published as a relative of the type that detection took it for is published still after a restart.
func TestRestartKeepsRelatives(t *testing.T) {
	t.Attr("req", "DTS-PRB-10")
	t.Attr("req", "DTS-OUT-10")
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
		if got := r.notes.report.lines("backend withdrawn"); len(got) > 0 {
			t.Errorf("reported as withdrawn: %q", got)
		}
		pass(6 * time.Minute)
		if r.output.Live().Data[key] != "" {
			t.Error("it is published still after three failures")
		}
		got := r.notes.report.lines("backend withdrawn")
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
