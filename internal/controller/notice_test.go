package controller

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// logged is a Report and the lines that it logs.
type logged struct {
	*Report
	log locked
}

// locked is a text that one goroutine writes while another reads it.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take returns the text since the last call.
func (l *locked) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func newLogged() *logged {
	l := &logged{}
	plain := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	l.Report = &Report{
		Metrics: uncounted{}, Events: &recorded{}, History: new(Changes),
		Log: slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{ReplaceAttr: plain})),
	}
	return l
}

// told are the Events on the ConfigMap for a reason.
func (l *logged) told(reason string) []string { return l.Events.(*recorded).of(reason) }

// lines are those that were logged since the last call and contain text.
func (l *logged) lines(text string) (list []string) {
	for line := range strings.Lines(l.log.take()) {
		if strings.Contains(line, text) {
			list = append(list, strings.TrimSuffix(line, "\n"))
		}
	}
	return list
}

// TestAllUnreachableIsTold once, and again only after a backend was reached in between.
func TestAllUnreachableIsTold(t *testing.T) {
	t.Attr("req", "DTS-PRB-3")
	found := func(name string, outcome backend.Outcome) *backend.Finding {
		f := finding(prometheus(name), "grafana")
		f.Verdict = backend.Unavailable
		f.Observation = backend.Observation{Outcome: outcome, Seen: backend.Seen{Code: backend.CodeConnectionRefused}}
		return f
	}
	unproven := found("u", backend.Unprobed)
	unproven.Candidate.Unproven = true
	nothing := &backend.Finding{Ref: backend.Ref{Namespace: "ns", Name: "shop"}, Verdict: backend.Rejected}
	const gone, empty = backend.Unreachable, backend.NoEndpoints
	const warning = `level=WARN msg="no backend reachable"` +
		` namespace=ns service=a type=grafana backends=2 err="connection refused: nothing listens on that port, or no ready pod is behind the Service"` +
		` advice="check the NetworkPolicies, and that the cluster's addresses can be reached from where this process runs"`
	l := newLogged()
	for _, step := range []struct {
		name     string
		findings []*backend.Finding
		want     []string
	}{
		{"nothing there", []*backend.Finding{nothing}, nil},
		{"one has not been probed yet", []*backend.Finding{found("a", gone), found("b", backend.Unprobed)}, nil},
		{"nobody was asked", []*backend.Finding{found("a", empty), unproven}, nil},
		{"none can be reached", []*backend.Finding{found("a", gone), found("b", gone), found("c", empty), unproven, nothing}, []string{warning}},
		{"still", []*backend.Finding{found("a", gone)}, nil},
		{"they are gone", nil, nil},
		{"still", []*backend.Finding{found("a", gone), found("b", gone)}, nil},
		{"one answers", []*backend.Finding{found("a", gone), found("b", backend.WrongIdentity)}, []string{`level=INFO msg="backends reachable again"`}},
		{"it still does", []*backend.Finding{found("a", gone), found("b", backend.Ready)}, nil},
		{"none again", []*backend.Finding{found("a", gone), found("b", gone)}, []string{warning}},
	} {
		l.Cycle(&Snapshot{Findings: step.findings})
		if diff := cmp.Diff(step.want, l.lines("reachable")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// Overrides that become invalid are reported once, again by a new leader, and when they are valid.
func TestInvalidOverridesAreReported(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	l := newLogged()
	invalid := errors.New("overrides.yaml:1:2: no")
	const warning = `level=WARN msg="overrides invalid" err="overrides.yaml:1:2: no"`
	for _, step := range []struct {
		name     string
		snapshot Snapshot
		want     []string
	}{
		{"valid", Snapshot{}, nil},
		{"invalid", Snapshot{Overrides: invalid}, []string{warning}},
		{"still", Snapshot{Overrides: invalid}, nil},
		{"a new leader", Snapshot{Leading: true, Overrides: invalid}, []string{warning}},
		{"it still leads", Snapshot{Leading: true, Overrides: invalid}, nil},
		{"valid again", Snapshot{Leading: true}, []string{`level=INFO msg="overrides valid again"`}},
	} {
		l.Cycle(&step.snapshot)
		if diff := cmp.Diff(step.want, l.lines("msg=\"overrides ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	want := []ChangeKind{ChangeOverridesInvalid, ChangeLeadership, ChangeOverridesInvalid, ChangeOverridesValid}
	var kinds []ChangeKind
	for _, c := range l.History.Since(0) {
		kinds = append(kinds, c.Kind)
	}
	slices.Sort(want)
	slices.Sort(kinds)
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if n := len(l.Events.(*recorded).configMap); n != 3 {
		t.Errorf("%d Events, want 3", n)
	}
}

func TestWarningsAreToldOnce(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	l := newLogged()
	line := func(text string) string {
		return `level=WARN msg="ConfigMap warning" code=entry-doubtful warning=` + text
	}
	warn := func(texts ...string) *toolset.Document {
		d := &toolset.Document{}
		for _, text := range texts {
			d.Warnings = append(d.Warnings, toolset.Warning{Code: toolset.WarningEntryDoubtful, Because: text})
		}
		return d
	}
	for _, step := range []struct {
		name     string
		snapshot Snapshot
		want     []string
	}{
		{"who follows does not write", Snapshot{Document: warn("a")}, nil},
		{"two", Snapshot{Leading: true, Document: warn("a", "b")}, []string{line("a"), line("b")}},
		{"one stays, one comes", Snapshot{Leading: true, Document: warn("b", "c")}, []string{line("c")}},
		{"no document", Snapshot{Leading: true, Err: errors.New("x")}, nil},
		{"the first is back", Snapshot{Leading: true, Document: warn("a")}, []string{line("a")}},
	} {
		l.Cycle(&step.snapshot)
		if diff := cmp.Diff(step.want, l.lines("ConfigMap warning")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestRepairsAreTold(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	l := newLogged()
	for _, tt := range []struct {
		name      string
		result    publish.Result
		want      []string
		remembers string
	}{
		{"made for the first time", publish.Result{Written: true, Created: true, Changed: []string{"a", "b"}}, nil, "a, b"},
		{
			"deleted", publish.Result{Written: true, Created: true, Changed: []string{"a", "b"}, Drifted: []publish.Drift{{Key: "a"}, {Key: "b"}}},
			[]string{`level=INFO msg="deleted ConfigMap restored" keys=2`}, "the whole ConfigMap, which was deleted",
		},
		{
			"a key removed", publish.Result{Written: true, Changed: []string{"a"}, Drifted: []publish.Drift{{Key: "a"}}},
			[]string{`level=INFO msg="removed key restored" key=a`}, "a, which was removed",
		},
		{
			"a key changed", publish.Result{Written: true, Changed: []string{"a"}, Drifted: []publish.Drift{{Key: "a", Manager: "kubectl-edit"}}},
			[]string{`level=INFO msg="changed key repaired" key=a manager=kubectl-edit`}, "a, which was changed by kubectl-edit",
		},
	} {
		l.Cycle(&Snapshot{Write: &Write{Result: tt.result}})
		var got []string
		for _, line := range l.lines("") {
			if !strings.Contains(line, `msg="ConfigMap published" `) {
				got = append(got, line)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if changes := l.History.Since(0); len(changes) == 0 || changes[len(changes)-1].Message != tt.remembers {
			t.Errorf("%s: remembered is %+v, want %q", tt.name, changes, tt.remembers)
		}
	}
}

// A list without anything in it is one in JSON, too.
func TestPublishedIsLogged(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	l := newLogged()
	l.Log = slog.New(slog.NewJSONHandler(&l.log, nil))
	l.Cycle(&Snapshot{Write: &Write{Result: publish.Result{Written: true, Changed: []string{"a"}, Bytes: 7}}})
	if got := l.lines(`"changed":["a"],"removed":[],"repaired":0,"bytes":7`); len(got) != 1 {
		t.Errorf("logged %q", got)
	}
}

// A primary of the configuration that is not there is told once, and when it is over; its Service's owner cannot have
// it told without end.
func TestMisnamedPrimaryIsTold(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	l := newLogged()
	events := l.Events.(*recorded)
	gone := []inventory.Misnamed{{Type: "prometheus", Ref: backend.Ref{Namespace: "m", Name: "gone"}}}
	cycle := func(leading, discovered bool, list []inventory.Misnamed) {
		l.Cycle(&Snapshot{Leading: leading, Discovered: discovered, Misnamed: list})
	}
	cycle(false, true, gone)
	cycle(true, false, nil)
	if n := len(events.configMap); n > 0 {
		t.Fatalf("told by one that does not lead: %q", events.configMap)
	}
	for range 3 {
		cycle(true, true, gone)
	}
	if got := l.lines("configured primary missing"); len(got) != 1 || !strings.Contains(got[0], "service=m/gone") {
		t.Errorf("log: %q", got)
	}
	cycle(true, false, nil)                                                    // a new look has not ended
	l.Cycle(&Snapshot{Leading: true, Discovered: true, Frozen: []string{"m"}}) // nothing is known of it
	if got := l.lines("primary found"); len(got) > 0 {
		t.Errorf("log: %q", got)
	}
	cycle(true, true, nil)
	if got := l.lines("primary found"); len(got) != 1 {
		t.Errorf("log: %q", got)
	}
	want := []string{
		"PrimaryMissing: primary: {prometheus: m/gone}: there is no such Service among those that are read; until it is corrected, no prometheus is the primary",
		"PrimaryFound: the primary prometheus that the configuration names is there",
	}
	ofNamespaces := func(event string) bool { return strings.HasPrefix(event, "Namespace") }
	if d := cmp.Diff(want, slices.DeleteFunc(events.all(), ofNamespaces)); d != "" {
		t.Error(d)
	}
	for range 50 {
		cycle(true, true, gone)
		cycle(true, true, nil)
	}
	if n := len(events.configMap); n > 20 {
		t.Errorf("%d Events", n)
	}
}

// uncounted is a Metrics that counts nothing.
type uncounted struct{}

func (uncounted) Cycle(*Snapshot)           {}
func (uncounted) Discovered(string)         {}
func (uncounted) Withdrawn(string)          {}
func (uncounted) AgentLoaded(time.Duration) {}
func (uncounted) BadAnnotation(string)      {}
func (uncounted) Error(string)              {}

// recorded are Events as they are recorded.
type recorded struct {
	mu              sync.Mutex
	list, configMap []string
}

func (r *recorded) ConfigMap(_ bool, reason, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.configMap = append(r.configMap, reason+": "+note)
}

// take returns those on Services since the last call.
func (r *recorded) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.list = nil }()
	return r.list
}

// all are those on the ConfigMap.
func (r *recorded) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.configMap)
}

// of are those on the ConfigMap for a reason.
func (r *recorded) of(reason string) (list []string) {
	for _, one := range r.all() {
		if strings.HasPrefix(one, reason+": ") {
			list = append(list, one)
		}
	}
	return list
}

func (r *recorded) Service(s *backend.Service, _ bool, reason, note string) {
	r.service(s.Name + " " + reason + ": " + note)
}
func (r *recorded) Clear(s *backend.Service) { r.service(s.Name + " clear") }
func (r *recorded) service(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, event)
}

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
		r.Cycle(&step.s)
		if d := cmp.Diff(step.want, events.take()); d != "" {
			t.Errorf("%s: -want +got:\n%s", step.name, d)
		}
	}
}
