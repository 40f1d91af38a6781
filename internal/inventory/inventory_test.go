package inventory_test

import (
	"cmp"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// svc is a Service with one candidate, and what its probe saw.
type svc struct {
	ref      backend.Ref
	typ      string // prometheus unless set
	strength backend.Strength
	day      int // created then; 0 is not known
	headless bool
	selector string // "" is its own name
	instance string
	outcome  backend.Outcome
	wants    backend.Kind
	identity bool
	unproven bool
	primary  bool                 // annotated
	seen     *backend.Observation // instead of what outcome, wants and identity say
	bundled  string               // whose it is
}

func at(namespace, name string) backend.Ref { return backend.Ref{Namespace: namespace, Name: name} }

// builtinCatalog is read once: the tests decide often.
var builtinCatalog = sync.OnceValues(catalog.Builtin)

// build decides about the Services and returns what became of each.
func build(t *testing.T, o inventory.Options, list ...svc) map[string]*backend.Finding {
	t.Helper()
	var detections []inventory.Detection
	observations := map[backend.Key]backend.Observation{}
	for _, s := range list {
		d := s.detection()
		detections = append(detections, d)
		switch {
		case s.seen != nil:
			observations[d.Candidates[0].Key()] = *s.seen
		case s.outcome != "":
			observations[d.Candidates[0].Key()] = backend.Observation{
				Outcome: s.outcome, Wants: s.wants, Identity: s.identity, Seen: backend.Seen{Code: backend.CodeUnreachable, Value: "the probe's words"},
				At: time.Unix(1, 0),
			}
		}
	}
	if o.Type == nil {
		o.Type = builtin(t).Lookup
	}
	out := map[string]*backend.Finding{}
	for _, f := range inventory.Build(detections, observations, o) {
		if view.Reason(f) == "" {
			t.Errorf("%s: no reason is given", f.Ref)
		}
		out[f.Ref.String()] = f
	}
	return out
}

func (s svc) detection() inventory.Detection {
	typ, selector := cmp.Or(s.typ, "prometheus"), cmp.Or(s.selector, s.ref.Name)
	service := &backend.Service{Ref: s.ref, ClusterIP: "10.0.0.1", Selector: map[string]string{"app": selector}}
	if s.headless {
		service.ClusterIP = "None"
	}
	if s.day > 0 {
		service.Created = time.Date(2026, 1, s.day, 0, 0, 0, 0, time.UTC)
	}
	c := &backend.Candidate{
		Service: service, Type: typ, Instance: s.ref.String(), Host: s.ref.Name, Scheme: "http", Strength: s.strength,
		Port: backend.Port{Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(9090)}, PortNumber: 9090, Signs: []backend.Sign{{Code: backend.SignName}},
	}
	if s.instance != "" {
		c.Instance = s.instance
	}
	c.Unproven, c.Primary, c.Bundled = s.unproven, s.primary, s.bundled
	return inventory.Detection{Service: service, Result: detect.Result{Candidates: []*backend.Candidate{c}}}
}

func TestVerdicts(t *testing.T) {
	t.Attr("req", "DTS-PRB-3 DTS-DET-3 DTS-PRB-2")
	tests := map[string]struct {
		strength  backend.Strength
		outcome   backend.Outcome
		identity  bool
		mustProve bool
		want      backend.Verdict
	}{
		"strong, not probed":                 {backend.Strong, "", false, false, backend.Accepted},
		"strong, to be probed":               {backend.Strong, "", false, true, backend.Unavailable},
		"weak, not probed":                   {backend.Weak, "", false, false, backend.Unconfirmed},
		"weak, proven":                       {backend.Weak, backend.Ready, true, false, backend.Accepted},
		"strong, requires credentials":       {backend.Strong, backend.AuthRequired, false, false, backend.Accepted},
		"weak, a 401 confirms nothing":       {backend.Weak, backend.AuthRequired, false, false, backend.Unconfirmed},
		"weak, proven, requires credentials": {backend.Weak, backend.AuthRequired, true, false, backend.Accepted},
		"strong, something else":             {backend.Strong, backend.WrongIdentity, false, false, backend.Rejected},
		"explicit, something else":           {backend.Explicit, backend.WrongIdentity, false, false, backend.Rejected},
		"strong, not ready":                  {backend.Strong, backend.NotReady, true, false, backend.Unavailable},
		"strong, no endpoints":               {backend.Strong, backend.NoEndpoints, false, false, backend.Unavailable},
		"strong, unreachable":                {backend.Strong, backend.Unreachable, false, false, backend.Unavailable},
		"strong, untrusted certificate":      {backend.Strong, backend.UntrustedTLS, false, false, backend.Unavailable},
		"weak, unreachable":                  {backend.Weak, backend.Unreachable, false, false, backend.Unconfirmed},
		"weak, known for what it is, down":   {backend.Weak, backend.NotReady, true, false, backend.Unavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := build(t, inventory.Options{MustProve: tc.mustProve, TrustedNamespaces: []string{"ns"}},
				svc{ref: at("ns", "a"), strength: tc.strength, outcome: tc.outcome, identity: tc.identity})["ns/a"]
			if got.Verdict != tc.want {
				t.Errorf("%s (%s), want %s", got.Verdict, view.Reason(got), tc.want)
			}
		})
	}
}

// A denied address goes before all that speaks for a Service.
func TestDeniedIsRejected(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	for _, strength := range []backend.Strength{backend.Weak, backend.Strong, backend.Explicit} {
		for _, unproven := range []bool{true, false} {
			for _, mustProve := range []bool{true, false} {
				d := svc{ref: at("ns", "a"), strength: strength}.detection()
				d.Candidates[0].Unproven = unproven
				o := backend.Observation{Outcome: backend.Unreachable, Cause: backend.CauseDenied, Seen: backend.Seen{Code: backend.CodeUnreachable, Value: "it is in that network"}, Identity: true}
				got := inventory.Build([]inventory.Detection{d}, map[backend.Key]backend.Observation{d.Candidates[0].Key(): o},
					inventory.Options{MustProve: mustProve, Type: func(string) *catalog.Type { return nil }})[0]
				if got.Verdict != backend.Rejected || view.Reason(got) != o.Seen.Value || got.Primary || got.Credentials != nil {
					t.Errorf("%s, unproven %t, mustProve %t: %s (%s)", strength, unproven, mustProve, got.Verdict, view.Reason(got))
				}
			}
		}
	}
}

func TestPrimary(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	a, b, c := svc{ref: at("ns", "a"), strength: backend.Strong, day: 5}, svc{ref: at("ns", "b"), strength: backend.Strong, day: 2}, svc{ref: at("ns", "c"), strength: backend.Strong, day: 9}
	down := b
	down.outcome = backend.Unreachable
	deadA, locked, unproven, ready, readyC := a, b, b, b, c
	deadA.outcome, locked.outcome, unproven.unproven = backend.Unreachable, backend.AuthRequired, true
	ready.outcome, readyC.outcome = backend.Ready, backend.Ready
	annotated, bundled := c, b
	annotated.primary, bundled.bundled = true, "it is Kubecost's own"
	annotatedDown := annotated
	annotatedDown.outcome = backend.Unreachable
	twin, wrong, undated := b, b, a
	twin.ref, twin.headless, twin.selector, twin.primary = at("ns", "b-headless"), true, "b", true
	wrong.outcome, wrong.primary, undated.day = backend.WrongIdentity, true, 0
	gone := map[string]backend.Ref{"prometheus": at("ns", "gone")}
	standIn := func(o inventory.Options, other backend.Ref) inventory.Options {
		o.StandIns = map[string]backend.StandIn{"prometheus": {By: a.ref, For: other}}
		return o
	}
	tests := map[string]struct {
		options inventory.Options
		list    []svc
		want    string
	}{
		"a duplicate is annotated":               {inventory.Options{}, []svc{a, b, twin}, "ns/b oldest"},
		"a duplicate and another are annotated":  {inventory.Options{}, []svc{b, twin, annotated}, "ns/c annotated"},
		"a rejected one is annotated":            {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": c.ref}}, []svc{a, wrong, c}, "ns/c recorded"},
		"alone, and requires credentials":        {inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{"ns"}}, []svc{locked}, "ns/b oldest-locked"},
		"no age is known":                        {inventory.Options{}, []svc{undated}, "ns/a first"},
		"the annotated one":                      {inventory.Options{}, []svc{a, b, annotated}, "ns/c annotated"},
		"annotated beats recorded":               {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": a.ref}}, []svc{a, b, annotated}, "ns/c annotated"},
		"configured beats annotated":             {inventory.Options{Primary: map[string]backend.Ref{"prometheus": a.ref}}, []svc{a, b, annotated}, "ns/a configured"},
		"annotated, down: nobody takes over":     {inventory.Options{}, []svc{a, b, annotatedDown}, ""},
		"bundled is last, the oldest or not":     {inventory.Options{}, []svc{a, bundled, c}, "ns/a oldest"},
		"bundled, recorded, stands back":         {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": b.ref}}, []svc{a, bundled}, "ns/a oldest for now"},
		"bundled, configured":                    {inventory.Options{Primary: map[string]backend.Ref{"prometheus": b.ref}}, []svc{a, bundled}, "ns/b configured"},
		"bundled alone":                          {inventory.Options{}, []svc{bundled}, "ns/b oldest"},
		"the oldest":                             {inventory.Options{}, []svc{a, b, c}, "ns/b oldest"},
		"the configured one":                     {inventory.Options{Primary: map[string]backend.Ref{"prometheus": c.ref}}, []svc{a, b, c}, "ns/c configured"},
		"the recorded one":                       {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": a.ref}}, []svc{a, b, c}, "ns/a recorded"},
		"configured beats recorded":              {inventory.Options{Primary: map[string]backend.Ref{"prometheus": c.ref}, Recorded: map[string]backend.Ref{"prometheus": a.ref}}, []svc{a, b, c}, "ns/c configured"},
		"recorded, its Service is gone":          {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": at("ns", "gone")}}, []svc{a, b, c}, ""},
		"configured, its Service is gone":        {inventory.Options{Primary: map[string]backend.Ref{"prometheus": at("ns", "gone")}}, []svc{a, b, c}, ""},
		"configured, down":                       {inventory.Options{Primary: map[string]backend.Ref{"prometheus": b.ref}}, []svc{a, down, c}, ""},
		"the oldest is down: for now":            {inventory.Options{}, []svc{a, down, c}, "ns/a oldest for now"},
		"the oldest is older than a dead one":    {inventory.Options{}, []svc{b, deadA, c}, "ns/b oldest"},
		"one that requires credentials is older": {inventory.Options{TrustedNamespaces: []string{"ns"}}, []svc{a, locked, c}, "ns/a oldest"},
		"unproven is never the primary":          {inventory.Options{}, []svc{unproven, c}, "ns/c oldest"},
		"not asked yet, in the first round":      {inventory.Options{MustProve: true}, []svc{ready, c}, "ns/b oldest for now"},
		"not asked yet, after it":                {inventory.Options{MustProve: true, FirstRoundOver: true}, []svc{ready, c}, "ns/b oldest"},
		"an older one not asked yet":             {inventory.Options{MustProve: true, FirstRoundOver: true}, []svc{readyC, a}, "ns/c oldest for now"},
		"recorded, down: nobody takes over":      {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": b.ref}}, []svc{a, down, c}, ""},
		"for now, of one that is not read":       {standIn(inventory.Options{}, at("ns", "gone")), []svc{a, b, c}, "ns/a oldest for now"},
		"for now, of the recorded one":           {standIn(inventory.Options{Recorded: gone}, at("ns", "gone")), []svc{a, b, c}, "ns/a oldest for now"},
		"for now, of another than the recorded":  {standIn(inventory.Options{Recorded: gone}, at("ns", "other")), []svc{a, b, c}, ""},
		"for now, of the configured one":         {standIn(inventory.Options{Primary: gone}, at("ns", "gone")), []svc{a, b, c}, ""},
		"a new Service does not take it over":    {inventory.Options{Recorded: map[string]backend.Ref{"prometheus": c.ref}}, []svc{a, b, c}, "ns/c recorded"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			for ref, f := range build(t, tc.options, tc.list...) {
				if f.Primary {
					got += ref + " " + string(f.PrimaryBy)
				}
				if f.Provisional {
					got += " for now"
				}
			}
			if got != tc.want {
				t.Errorf("primary is %q, want %q", got, tc.want)
			}
		})
	}
}
