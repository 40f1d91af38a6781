package inventory_test

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Where the usual credentials are withheld, or the place of the primary is kept, the reason names the Service that stands in the way.
func TestBlockerIsNamed(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	first := svc{ref: at("monitoring", "grafana-first"), typ: "grafana", strength: backend.Strong, day: 1, outcome: down}
	recorded := trusting
	recorded.Recorded = map[string]backend.Ref{"grafana": at("monitoring", "grafana-gone")}
	configured := trusting
	configured.Primary = recorded.Recorded
	annotated, unproven, unprovenRecorded := first, first, trusting
	annotated.primary = true
	unproven.unproven, unproven.strength, unproven.outcome = true, backend.Explicit, ""
	unprovenRecorded.Recorded = map[string]backend.Ref{"grafana": first.ref}
	for name, tc := range map[string]struct {
		options inventory.Options
		list    []svc
		want    string // part of the reason of monitoring/grafana
		kept    backend.Ref
	}{
		"an older one is down": {trusting, []svc{first, theirs(2, wants)}, "but monitoring/grafana-first may become the primary instead", backend.Ref{}},
		"the recorded one was deleted": {recorded, []svc{theirs(2, wants)},
			"kept for monitoring/grafana-gone, which was the primary so far and which does not exist, cannot be read, or is not grafana any more", at("monitoring", "grafana-gone")},
		"the configured one is not there": {configured, []svc{theirs(2, wants)},
			"kept for monitoring/grafana-gone, which the configuration names and which does not exist", at("monitoring", "grafana-gone")},
		"the annotated one is down": {trusting, []svc{annotated, theirs(2, wants)},
			"kept for monitoring/grafana-first, whose owner annotated it as the primary and which does not work now", at("monitoring", "grafana-first")},
		"the recorded one is unproven": {unprovenRecorded, []svc{unproven, theirs(2, wants)},
			"kept for monitoring/grafana-first, which was the primary so far and which is published without proof", at("monitoring", "grafana-first")},
	} {
		t.Run(name, func(t *testing.T) {
			f := build(t, tc.options, tc.list...)["monitoring/grafana"]
			if f.Verdict != backend.Unavailable || !strings.Contains(view.Reason(f), tc.want) || f.Kept.For != tc.kept {
				t.Errorf("%s, kept for %s: %s; want %q", f.Verdict, f.Kept.For, view.Reason(f), tc.want)
			}
		})
	}
	for name, list := range map[string][]svc{"alone": {theirs(2, wants)}, "open": {theirs(2, backend.Ready), strangers(3, wants)}} {
		if f := build(t, trusting, list...)["monitoring/grafana"]; f.Kept.For != (backend.Ref{}) || f.Blocker != (backend.Ref{}) || !f.Primary {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Where the recorded primary is a stranger's and does not work, one that the configuration vouches for takes its place, and is
// recorded; of the others none does, so that a primary which is restarted or installed again loses its place to nobody.
func TestVouchedTakesTheDeadStrangersPlace(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	bundled := theirs(2, works)
	bundled.bundled = "Kubecost"
	older := theirs(1, down)
	older.ref = at("monitoring", "older")
	both := inventory.Options{TrustedNamespaces: []string{"monitoring", "evil"}}
	unproven, annotated := strangers(1, ""), theirs(1, "")
	for _, s := range []*svc{&unproven, &annotated} {
		s.strength, s.unproven = backend.Explicit, true
	}
	annotated.ref, annotated.primary = at("monitoring", "annotated"), true
	for name, tc := range map[string]struct {
		options  inventory.Options
		recorded svc
		list     []svc
		want     string
	}{
		"down":                            {trusting, strangers(1, down), []svc{strangers(1, down), theirs(2, works)}, "monitoring/grafana"},
		"deleted":                         {trusting, strangers(1, down), []svc{theirs(2, works)}, "monitoring/grafana"},
		"withheld":                        {trusting, strangers(1, wants), []svc{strangers(1, wants), theirs(2, works)}, "monitoring/grafana"},
		"one with credentials of its own": {keyed, strangers(1, down), []svc{strangers(1, down), theirs(2, wants)}, "monitoring/grafana"},
		"an older trusted one is down":    {trusting, strangers(1, down), []svc{strangers(1, down), older, theirs(2, works)}, "monitoring/grafana for now"},
		"published without proof":         {trusting, unproven, []svc{unproven, theirs(2, works)}, "monitoring/grafana"},
		"an unproven one is annotated":    {trusting, unproven, []svc{annotated, theirs(2, works)}, "monitoring/grafana"},
		"it works":                        {trusting, strangers(1, works), []svc{strangers(3, works), theirs(2, works)}, "evil/grafana"},
		"the trusted one is down":         {trusting, strangers(1, down), []svc{strangers(1, down), theirs(2, down)}, ""},
		"the trusted one is bundled":      {trusting, strangers(1, down), []svc{strangers(1, down), bundled}, ""},
		"it is trusted as well":           {both, strangers(1, down), []svc{strangers(1, down), theirs(2, works)}, ""},
		"a stranger's, ours is down":      {trusting, theirs(1, down), []svc{theirs(1, down), strangers(2, works)}, ""},
		"it is back":                      {trusting, theirs(2, works), []svc{strangers(1, works), theirs(2, works)}, "monitoring/grafana"},
	} {
		t.Run(name, func(t *testing.T) {
			o := tc.options
			o.FirstRoundOver, o.Recorded = true, map[string]backend.Ref{"grafana": tc.recorded.ref}
			got := ""
			for ref, f := range build(t, o, tc.list...) {
				if f.Primary {
					got += ref + map[bool]string{true: " for now"}[f.Provisional]
				}
			}
			if got != tc.want {
				t.Errorf("the primary is %q, want %q", got, tc.want)
			}
		})
	}
	// OpenShift's own works by the agent's token, without a word of the configuration.
	platform := svc{ref: at("openshift-monitoring", "prometheus"), strength: backend.Strong, day: 1, outcome: wants, identity: true}
	o := inventory.Options{
		FirstRoundOver: true, TrustedNamespaces: []string{"monitoring"}, Recorded: map[string]backend.Ref{"prometheus": platform.ref},
		OpenShift: inventory.OpenShiftNamespaces,
	}
	ours := svc{ref: at("monitoring", "prometheus"), strength: backend.Strong, day: 2, outcome: works, identity: true}
	if f := build(t, o, platform, ours)["openshift-monitoring/prometheus"]; !f.Primary || f.Verdict != backend.Accepted {
		t.Errorf("OpenShift's is %s, primary: %t", f.Verdict, f.Primary)
	}
}

// A configured primary that none can be is found, and nothing else is.
func TestMisnamedPrimaries(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	ready := func(name, typ string) svc {
		return svc{ref: at("m", name), typ: typ, strength: backend.Strong, outcome: backend.Ready, identity: true}
	}
	twin := ready("p-headless", "")
	twin.headless, twin.selector = true, "p"
	down := ready("down", "")
	down.outcome = backend.Unreachable
	other := ready("other", "")
	other.outcome = backend.WrongIdentity
	unproven := svc{ref: at("m", "unproven"), strength: backend.Explicit, unproven: true}
	var all []*backend.Finding
	for _, f := range build(t, inventory.Options{FirstRoundOver: true}, ready("p", ""), ready("v", "victoriametrics"), twin, down, other, unproven) {
		all = append(all, f)
	}
	all = append(all, &backend.Finding{Ref: at("m", "bare"), Type: "prometheus", Verdict: backend.Rejected, Reason: backend.Reason{Code: backend.CodeNoPorts}})
	known := func(ref backend.Ref) (exists, sure bool) { return ref.Name == "shop", ref.Namespace != "frozen" }
	for ref, want := range map[backend.Ref]string{
		at("m", "p"):          "",
		at("m", "down"):       "",
		at("frozen", "p"):     "",
		at("m", "gone"):       "primary: {prometheus: m/gone}: there is no such Service among those that are read; until it is corrected, no prometheus is the primary",
		at("m", "shop"):       "that Service is not prometheus: nothing about it looks like",
		at("m", "v"):          "that Service is victoriametrics, not prometheus",
		at("m", "p-headless"): "that Service is a duplicate: name m/p instead",
		at("m", "other"):      "that Service is not prometheus: the probe's words",
		at("m", "bare"):       "that Service is not prometheus: it has no ports",
		at("m", "unproven"):   "that Service is published without a probe",
	} {
		var got []string
		for _, m := range inventory.MisnamedPrimaries(all, map[string]backend.Ref{"prometheus": ref}, known) {
			got = append(got, view.MisnamedLine(m.Type, m.Ref, m.Finding))
		}
		if text := strings.Join(got, "\n"); (want == "") != (text == "") || !strings.Contains(text, want) {
			t.Errorf("%s: %q, want %q", ref, text, want)
		}
	}
}

// While the recorded primary is a duplicate, the Service that is used instead of it is the primary: both lead to one installation.
// The place stays recorded, no reference moves, and a trusted instance takes the place only if none of the two works.
func TestUsedInsteadOfTheRecorded(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-DET-6")
	prometheus := func(ref backend.Ref, day int, outcome backend.Outcome) svc {
		return svc{ref: ref, selector: "p", strength: backend.Strong, day: day, outcome: outcome, identity: true}
	}
	headless := func(s svc) svc { s.headless = true; return s }
	a, b, other := at("ns", "a"), at("ns", "b"), at("monitoring", "prometheus")
	trusting := func(namespace string) inventory.Options {
		return inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{namespace}}
	}
	for name, tc := range map[string]struct {
		options inventory.Options
		list    []svc
		want    string
	}{
		"both work":               {inventory.Options{FirstRoundOver: true}, []svc{prometheus(a, 9, works), headless(prometheus(b, 5, works)), prometheus(other, 1, works)}, "ns/a for ns/b"},
		"only the other works":    {inventory.Options{FirstRoundOver: true}, []svc{prometheus(a, 9, works), prometheus(b, 5, down), prometheus(other, 1, works)}, "ns/a for ns/b"},
		"it is used itself":       {inventory.Options{FirstRoundOver: true}, []svc{headless(prometheus(a, 9, works)), prometheus(b, 5, works), prometheus(other, 1, works)}, "ns/b"},
		"none works":              {inventory.Options{FirstRoundOver: true}, []svc{prometheus(a, 9, down), headless(prometheus(b, 5, down)), prometheus(other, 1, works)}, ""},
		"beside a trusted one":    {trusting("monitoring"), []svc{prometheus(a, 9, works), headless(prometheus(b, 5, works)), prometheus(other, 1, works)}, "ns/a for ns/b"},
		"none works, trusted":     {trusting("monitoring"), []svc{prometheus(a, 9, down), headless(prometheus(b, 5, down)), prometheus(other, 1, works)}, "monitoring/prometheus"},
		"it requires credentials": {trusting("ns"), []svc{prometheus(a, 9, wants), headless(prometheus(b, 5, wants))}, ""},
		"first round, as trusted": {inventory.Options{TrustedNamespaces: []string{"ns"}}, []svc{prometheus(a, 9, works), headless(prometheus(b, 5, works))}, "ns/a for ns/b"},
	} {
		t.Run(name, func(t *testing.T) {
			o := tc.options
			o.Recorded = map[string]backend.Ref{"prometheus": b}
			got, found := "", build(t, o, tc.list...)
			for ref, f := range found {
				if f.Primary {
					got += ref
				}
				if f.Provisional {
					got += " for " + f.Blocker.String()
				}
				if len(f.Credentials) > 0 || f.Provisional && f.Entitled {
					t.Errorf("%s gets %v, entitled: %t", ref, f.Credentials, f.Entitled)
				}
			}
			if got != tc.want {
				t.Errorf("the primary is %q, want %q", got, tc.want)
			}
			const kept = "the place of the primary is kept for ns/b, which was the primary so far and which is a duplicate of ns/a"
			if f := found["ns/a"]; f.Observation.Outcome == wants && !strings.Contains(view.Reason(f), kept) {
				t.Errorf("the reason is %q", view.Reason(f))
			}
		})
	}
}

// A stranger's Service with the addresses of a trusted one, recorded before that one worked, keeps no place from it.
func TestRecordedAliasOfATrustedOne(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	var detections []inventory.Detection
	observations := map[backend.Key]backend.Observation{}
	for _, namespace := range []string{"evil", "monitoring"} {
		f := fronted{svc: svc{ref: at(namespace, "prometheus"), strength: backend.Strong, day: 1}, slices: "10.1.0.1"}
		d := f.detection(t)
		detections = append(detections, d)
		observations[d.Candidates[0].Key()] = backend.Observation{Outcome: backend.AuthRequired, Identity: true}
	}
	for _, f := range inventory.Build(detections, observations, inventory.Options{
		FirstRoundOver: true, TrustedNamespaces: []string{"monitoring"}, Type: builtin(t).Lookup,
		Recorded: map[string]backend.Ref{"prometheus": at("evil", "prometheus")},
	}) {
		trusted := f.Namespace == "monitoring"
		if f.Primary != trusted || f.Provisional || len(f.Credentials) > 0 != trusted {
			t.Errorf("%s is %s, primary %t, provisional %t, %v", f.Ref, f.Verdict, f.Primary, f.Provisional, f.Credentials)
		}
	}
}
