package controller

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// uncounted is a Metrics that counts nothing.
type uncounted struct{}

func (uncounted) Cycle(*Snapshot)           {}
func (uncounted) Discovered(string)         {}
func (uncounted) Withdrawn(string)          {}
func (uncounted) AgentLoaded(time.Duration) {}
func (uncounted) BadAnnotation(string)      {}
func (uncounted) Error(string)              {}

// recorded are Events as they are recorded.
type recorded struct{ list, configMap []string }

func (r *recorded) ConfigMap(_ bool, reason, note string) {
	r.configMap = append(r.configMap, reason+": "+note)
}

// of are those on the ConfigMap for a reason.
func (r *recorded) of(reason string) (list []string) {
	for _, one := range r.configMap {
		if strings.HasPrefix(one, reason+": ") {
			list = append(list, one)
		}
	}
	return list
}

func (r *recorded) Service(s *backend.Service, _ bool, reason, note string) {
	r.list = append(r.list, s.Name+" "+reason+": "+note)
}
func (r *recorded) Clear(s *backend.Service) { r.list = append(r.list, s.Name+" clear") }

// Of two Services with one name the younger one's owner is told, once, and again by a new leader.
func TestNameClashIsTold(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	r := newLogged()
	events := r.Events.(*recorded)
	told := func(by string) []string {
		return []string{`b BadAnnotation: annotation kubernaut.io/toolset-name: "x" is the name of Service ns/` + by + ", which keeps it: choose another"}
	}
	clash := func(name, by string) *backend.Finding {
		ref := backend.Ref{Namespace: "ns", Name: name}
		return &backend.Finding{
			Ref: ref, Service: &backend.Service{Ref: ref}, Type: "prometheus", Verdict: backend.Rejected,
			Reason: backend.Reason{Code: backend.CodeNameTaken, Details: backend.Details{
				Annotation: "kubernaut.io/toolset-name", Value: "x", Other: backend.Ref{Namespace: "ns", Name: by},
			}},
		}
	}
	steps := []struct {
		name string
		s    Snapshot
		want []string
	}{
		{"two of one name", Snapshot{Leading: true, Findings: []*backend.Finding{clash("b", "a")}}, told("a")},
		{"still", Snapshot{Leading: true, Findings: []*backend.Finding{clash("b", "a")}}, nil},
		{"by another", Snapshot{Leading: true, Findings: []*backend.Finding{clash("b", "c")}}, told("c")},
		{"another leads", Snapshot{Findings: []*backend.Finding{clash("b", "c")}}, told("c")},
		{"its namespace cannot be read", Snapshot{Frozen: []string{"ns"}}, nil},
		{"over", Snapshot{}, []string{"b clear"}},
	}
	for _, step := range steps {
		events.list = nil
		r.Cycle(&step.s)
		if d := cmp.Diff(step.want, slices.Clip(events.list)); d != "" {
			t.Errorf("%s: -want +got:\n%s", step.name, d)
		}
	}
}
