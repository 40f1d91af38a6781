package inventory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// HolmesGPT repeats a toolset's instructions for each instance: fifty Tempos of one owner would be 135,000 tokens with each request of
// everybody's. Those of one namespace take a bounded room, the oldest first, and nobody else's less.
func TestWhatHolmesGPTSaysIsBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	t.Attr("req", "DTS-OUT-11")
	known := builtin(t)
	for name, tc := range map[string]struct {
		typ       string
		trusted   bool
		published int
	}{
		"Tempo": {"tempo", false, 15}, "Prometheus": {"prometheus", false, 40}, "Loki": {"loki", false, 50}, "HTTP APIs": {"books", false, 50},
		"Jaeger": {"jaeger", false, 50}, "Elasticsearch": {"elasticsearch", false, 50}, "trusted": {"tempo", true, 50},
	} {
		t.Run(name, func(t *testing.T) {
			var detections []inventory.Detection
			observations := map[backend.Key]backend.Observation{}
			add := func(namespace string, i int) {
				s := &backend.Service{Ref: backend.Ref{Namespace: namespace, Name: fmt.Sprintf("x%02d", i)}, Created: time.Unix(int64(100+i), 0)}
				c := &backend.Candidate{Service: s, Type: tc.typ, Custom: tc.typ == "books", Instance: s.Ref.String(), Strength: backend.Explicit, Signs: []backend.Sign{{Code: backend.SignName}}}
				detections = append(detections, inventory.Detection{Service: s, Result: detect.Result{Candidates: []*backend.Candidate{c}}})
				observations[c.Key()] = backend.Observation{Outcome: backend.Ready, Scheme: "http"}
			}
			for i := range 50 {
				add("evil", i)
			}
			add("good", 90)
			o := inventory.Options{MaxPerNamespace: 50, Type: known.Lookup}
			if tc.trusted {
				o.TrustedNamespaces = []string{"evil"}
			}
			published := map[string]int{}
			for _, f := range inventory.Build(detections, observations, o) {
				switch {
				case f.Verdict == backend.Accepted:
					published[f.Namespace]++
					if f.Namespace == "evil" && f.Name >= fmt.Sprintf("x%02d", tc.published) {
						t.Errorf("%s is published, which is not among the oldest", f.Ref)
					}
				case f.Reason.Code != backend.CodeNamespaceRead || f.Reason.Code.Limit() != backend.LimitNamespace || !strings.Contains(view.Reason(f), "40000 tokens"):
					t.Errorf("%s is left out: %s", f.Ref, view.Reason(f))
				}
			}
			if published["evil"] != tc.published || published["good"] != 1 {
				t.Errorf("%v are published, want %d of evil and one of good", published, tc.published)
			}
		})
	}
}
