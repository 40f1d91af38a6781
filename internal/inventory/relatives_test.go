package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// observed decides about Services whose observations are given.
func observed(t *testing.T, o inventory.Options, list []svc, seen []backend.Observation) map[string]*backend.Finding {
	t.Helper()
	list = slices.Clone(list)
	for i := range list {
		list[i].seen = &seen[i]
	}
	return build(t, o, list...)
}

// What a probe has shown to be a relative becomes that type, under the rules that hold for it.
func TestRelatives(t *testing.T) {
	t.Attr("req", "DTS-PRB-10")
	ready := backend.Observation{Outcome: backend.Ready, Identity: true}
	become := func(typ string, o backend.Observation) backend.Observation {
		o.Type = typ
		return o
	}
	t.Run("its type, strength and reason", func(t *testing.T) {
		for _, strength := range []backend.Strength{backend.Weak, backend.Strong, backend.Explicit} {
			f := observed(t, inventory.Options{}, []svc{{ref: at("m", "prom"), strength: strength}},
				[]backend.Observation{become("victoriametrics", ready)})["m/prom"]
			if f.Verdict != backend.Accepted || f.Type != "victoriametrics" || f.Candidate.Type != "victoriametrics" ||
				f.Candidate.Strength != strength || !f.Primary {
				t.Errorf("%s: %s as %s, strength %s, primary %t", strength, f.Verdict, f.Type, f.Candidate.Strength, f.Primary)
			}
			if !strings.Contains(view.Reason(f), "detected as prometheus") || !strings.Contains(view.Reason(f), "victoriametrics") {
				t.Errorf("%s: the reason does not say so: %s", strength, view.Reason(f))
			}
		}
	})
	t.Run("no place of another", func(t *testing.T) {
		recorded := inventory.Options{
			Recorded: map[string]backend.Ref{"victoriametrics": at("m", "vm")}, TrustedNamespaces: []string{"m"}, FirstRoundOver: true,
		}
		refuses := backend.Observation{Outcome: backend.AuthRequired}
		got := observed(t, recorded, []svc{
			{ref: at("m", "vm"), typ: "victoriametrics", strength: backend.Strong, day: 9},
			{ref: at("evil", "prom"), strength: backend.Strong, day: 1},
		}, []backend.Observation{refuses, become("victoriametrics", refuses)})
		if f := got["m/vm"]; !f.Primary || len(f.Credentials) == 0 {
			t.Errorf("the recorded primary: %s, primary %t, credentials %v", f.Verdict, f.Primary, f.Credentials)
		}
		if f := got["evil/prom"]; f.Primary || len(f.Credentials) > 0 || f.Verdict != backend.Unavailable {
			t.Errorf("the one that became its relative: %s, primary %t, credentials %v", f.Verdict, f.Primary, f.Credentials)
		}
	})
	t.Run("no credentials of the type that it was taken for", func(t *testing.T) {
		o := inventory.Options{
			Credentials: map[string]map[backend.Ref]map[string]string{"opensearch": {at("m", "other"): {"username": "OTHER"}}},
		}
		f := observed(t, o, []svc{{ref: at("m", "es"), typ: "elasticsearch", strength: backend.Strong}},
			[]backend.Observation{become("opensearch", backend.Observation{Outcome: backend.AuthRequired})})["m/es"]
		if f.Verdict != backend.Unavailable || len(f.Remedies) == 0 || !strings.Contains(f.Remedies[0], "opensearch: {m/es:") {
			t.Errorf("%s, %q", f.Verdict, f.Remedies)
		}
	})
}

// Of two candidates of one Service that turn out to be the same type, one is left.
func TestRelativeBesideItself(t *testing.T) {
	t.Attr("req", "DTS-PRB-10")
	c := builtin(t)
	d := svc{ref: at("m", "vm"), strength: backend.Strong}.detection()
	second := *d.Candidates[0]
	second.Type, second.PortNumber, second.Port.Number = "victoriametrics", 8428, 8428
	for name, ports := range map[string]int32{"one port": 9090, "two ports": 8428} {
		own := second
		own.PortNumber, own.Port.Number = ports, ports
		d.Candidates = []*backend.Candidate{d.Candidates[0], &own}
		all := inventory.Build([]inventory.Detection{d}, map[backend.Key]backend.Observation{
			d.Candidates[0].Key(): {Outcome: backend.Ready, Identity: true, Type: "victoriametrics"},
			own.Key():             {Outcome: backend.Ready, Identity: true},
		}, inventory.Options{Type: c.Lookup})
		if len(all) != 1 || all[0].Type != "victoriametrics" || all[0].Verdict != backend.Accepted {
			t.Errorf("%s: %d findings, the first: %+v", name, len(all), all[0])
		}
		if name == "two ports" && all[0].Candidate.Detected != "" {
			t.Error("of two ports the one that detection took for the type is the better")
		}
	}
}

// What has no data is published, and is the primary only where nothing else has some that may stand for it: a younger one is it
// for now, and a stranger's never in the place of what is recorded or trusted.
func TestPrimaryHasData(t *testing.T) {
	t.Attr("req", "DTS-PRB-12")
	empty := backend.Observation{Outcome: backend.Ready, Identity: true, NoData: true, Warnings: []string{"it has no series"}}
	full := backend.Observation{Outcome: backend.Ready, Identity: true}
	list := []svc{{ref: at("old", "trial"), strength: backend.Strong, day: 1}, {ref: at("m", "prom"), strength: backend.Strong, day: 9}}
	trial := map[string]backend.Ref{"prometheus": at("old", "trial")}
	tests := map[string]struct {
		o           inventory.Options
		seen        []backend.Observation
		primary     string
		provisional bool
	}{
		"the younger has data, for now":              {inventory.Options{}, []backend.Observation{empty, full}, "m/prom", true},
		"the younger is trusted":                     {inventory.Options{TrustedNamespaces: []string{"m"}}, []backend.Observation{empty, full}, "m/prom", false},
		"the older is trusted":                       {inventory.Options{TrustedNamespaces: []string{"old"}}, []backend.Observation{empty, full}, "old/trial", false},
		"both are trusted":                           {inventory.Options{TrustedNamespaces: []string{"old", "m"}}, []backend.Observation{empty, full}, "m/prom", true},
		"the older has data":                         {inventory.Options{}, []backend.Observation{full, empty}, "old/trial", false},
		"neither has":                                {inventory.Options{}, []backend.Observation{empty, empty}, "old/trial", false},
		"a recorded one and a stranger":              {inventory.Options{Recorded: trial}, []backend.Observation{empty, full}, "old/trial", false},
		"a recorded one, trusted, likewise":          {inventory.Options{Recorded: trial, TrustedNamespaces: []string{"old"}}, []backend.Observation{empty, full}, "old/trial", false},
		"the recorded one keeps its place, not more": {inventory.Options{Recorded: trial, TrustedNamespaces: []string{"m"}}, []backend.Observation{empty, full}, "m/prom", true},
		"the recorded one, and neither has":          {inventory.Options{Recorded: trial}, []backend.Observation{empty, empty}, "old/trial", false},
		"the configuration decides":                  {inventory.Options{Primary: map[string]backend.Ref{"prometheus": at("old", "trial")}}, []backend.Observation{empty, full}, "old/trial", false},
	}
	for name, tt := range tests {
		tt.o.FirstRoundOver = true
		for ref, f := range observed(t, tt.o, list, tt.seen) {
			if f.Verdict != backend.Accepted || f.Primary != (ref == tt.primary) || f.Primary && f.Provisional != tt.provisional {
				t.Errorf("%s: %s is %s, primary %t, provisional %t", name, ref, f.Verdict, f.Primary, f.Provisional)
			}
			if f.Observation.NoData && !strings.Contains(view.Reason(f), "no series") {
				t.Errorf("%s: the reason of %s does not warn: %s", name, ref, view.Reason(f))
			}
		}
	}
}

// Beside the recorded primary without data stands one of its own namespace, the older of two strangers or not.
func TestPrimaryWithoutDataStandsBackAtHome(t *testing.T) {
	t.Attr("req", "DTS-PRB-12 DTS-SEC-3")
	empty := backend.Observation{Outcome: backend.Ready, Identity: true, NoData: true}
	full := backend.Observation{Outcome: backend.Ready, Identity: true}
	list := []svc{
		{ref: at("m", "prom"), strength: backend.Strong, day: 1},
		{ref: at("evil", "prom"), strength: backend.Strong, day: 2},
		{ref: at("m", "other"), strength: backend.Strong, day: 3},
	}
	o := inventory.Options{Recorded: map[string]backend.Ref{"prometheus": at("m", "prom")}, FirstRoundOver: true}
	for ref, f := range observed(t, o, list, []backend.Observation{empty, full, full}) {
		if f.Primary != (ref == "m/other") || f.Primary != f.Provisional {
			t.Errorf("%s: primary %t, provisional %t", ref, f.Primary, f.Provisional)
		}
	}
}

// What turns out to be of a type that the configuration switches off is not published, whatever it looked like.
func TestRelativeIsSwitchedOff(t *testing.T) {
	t.Attr("req", "DTS-DET-12")
	for name, tt := range map[string]struct {
		tuning catalog.Tuning
		want   backend.Verdict
	}{
		"not":       {catalog.Tuning{}, backend.Accepted},
		"off":       {catalog.Tuning{Off: true}, backend.Rejected},
		"elsewhere": {catalog.Tuning{Namespaces: []string{"other-*"}}, backend.Rejected},
		"here":      {catalog.Tuning{Namespaces: []string{"m*"}}, backend.Accepted},
	} {
		c, err := catalog.Builtin() // not the shared one, which it changes
		if err != nil {
			t.Fatal(err)
		}
		c.Tune(map[string]catalog.Tuning{"victoriametrics": tt.tuning})
		d := svc{ref: at("m", "vm"), strength: backend.Strong}.detection()
		all := inventory.Build([]inventory.Detection{d}, map[backend.Key]backend.Observation{
			d.Candidates[0].Key(): {Outcome: backend.Ready, Identity: true, Type: "victoriametrics"},
		}, inventory.Options{Type: c.Lookup})
		if len(all) != 1 || all[0].Type != "victoriametrics" || all[0].Verdict != tt.want {
			t.Errorf("%s: %+v", name, all[0])
		}
	}
}
