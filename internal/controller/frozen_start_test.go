package controller

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// A primary for the time being stays what it is also if the service starts while the other's namespace cannot be read.
func TestStandInOfFrozenNamespaceAfterRestart(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-OUT-4 DTS-OUT-10")
	kubecosts, headless, twin := outranked()
	for name, tt := range map[string]struct {
		first, then backend.Service
		empty       string // has no data in the end
		there       []string
	}{
		"of a twin":           {headless, twin, "", []string{"forbidden: ns"}},
		"of a product's own":  {kubecosts, prometheus("chosen"), "", []string{"forbidden: kubecost", "chosen"}},
		"of one without data": {in("other", prometheus("old")), prometheus("chosen"), "old", []string{"forbidden: other", "chosen"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"ns"}}}
			var left map[string]string
			start(t, nil, nil, true, o, func(r *rig) {
				r.world.Service(tt.first)
				pass(time.Minute)
				r.world.Service(tt.then)
				pass(time.Minute)
				r.prober.change(func(p *fakeProber) { p.empty = tt.empty })
				pass(time.Minute)
				left = r.output.Live().Data
				if got := r.recorded(t)["prometheus"]; got != tt.first.Ref.String() || r.primary("prometheus") != twin.Ref {
					t.Fatalf("the primary is %s, recorded is %q", r.primary("prometheus"), got)
				}
			})
			start(t, maps.Clone(left), tt.there, true, o, func(r *rig) {
				pass(time.Hour)
				now := r.output.Live().Data
				if tt.first.Namespace == "kubecost" { // that it is Kubecost's own is not recorded, and no more said to the agent
					now[toolset.KeyHolmesGPT] = left[toolset.KeyHolmesGPT]
				}
				if diff := cmp.Diff(left, now); diff != "" || r.primary("prometheus") != twin.Ref {
					t.Errorf("after a restart the primary is %s:\n%s", r.primary("prometheus"), diff)
				}
			})
		})
	}
}

// What is published of a frozen namespace stays only as far as the configuration of the present process allows it: the
// admin may have stopped trusting the namespace.
func TestFrozenNamespaceFollowsTheConfiguration(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-ANN-3 DTS-SEC-3")
	with := func(name string, annotations ...string) backend.Service {
		s := plain(name)
		s.Annotations = map[string]string{"kubernaut.io/toolset": "true"}
		for i := 0; i < len(annotations); i += 2 {
			s.Annotations["kubernaut.io/toolset-"+annotations[i]] = annotations[i+1]
		}
		return s
	}
	detector := func(o detect.Options) *detect.Detector {
		c, _ := builtin(t)
		d, err := detect.New(c, o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	trusting := detector(detect.Options{
		TrustedNamespaces: []string{"ns"}, OnlyTrusted: true, AllowedEndpointHosts: []string{"old.example.com"},
	})
	var left map[string]string
	all := []string{"ns/tools", "ns/books", "ns/silent", "ns/away", "ns/metrics", "what it is for", "https://people.example.com"}
	start(t, nil, nil, true, Options{Detector: trusting}, func(r *rig) {
		for _, s := range []backend.Service{
			with("tools", "type", "mcp"), with("books", "type", "custom"), with("silent", "type", "grafana", "health-endpoint", "none"),
			with("away", "type", "prometheus", "endpoint", "http://old.example.com:9090"),
			with("metrics", "type", "loki", "description", "what it is for", "link", "https://people.example.com"),
		} {
			r.world.Service(s)
		}
		pass(time.Minute)
		r.expect(t, "to begin with", all...)
		left = r.output.Live().Data
	})
	start(t, maps.Clone(left), []string{"forbidden: ns"}, true, Options{Detector: trusting}, func(r *rig) {
		if n := r.output.count(); n != 0 {
			t.Errorf("%d writes, and nothing has changed:\n%s", n, r.document())
		}
	})
	start(t, maps.Clone(left), []string{"forbidden: ns"}, true, Options{Detector: detector(detect.Options{OnlyTrusted: true})}, func(r *rig) {
		pass(time.Minute)
		r.expect(t, "not trusted any more", "ns/metrics", "-ns/tools", "-ns/books", "-ns/silent", "-ns/away", "-what it is for",
			"-people.example.com")
		if got := r.report.lines("backend withdrawn"); len(got) != 4 || strings.Contains(strings.Join(got, ""), "Service is gone") {
			t.Errorf("reported as withdrawn: %q", got)
		}
	})
}
