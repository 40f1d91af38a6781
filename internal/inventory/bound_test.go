package inventory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Of the candidates of one namespace, tenants counted, only so many are compared and asked.
func TestCandidatesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	t.Attr("req", "DTS-SEC-3")
	const services, tenants = 300, 50
	var all []inventory.Detection
	for i := range services {
		d := svc{ref: at("evil", fmt.Sprintf("loki-%03d", i)), typ: "loki", strength: backend.Strong}.detection()
		d.Service.Created = time.Unix(int64(1000-i), 0) // the last is the oldest
		for j := range tenants {
			d.Candidates[0].Spread = append(d.Candidates[0].Spread, fmt.Sprintf("t%d", j))
		}
		all = append(all, d)
	}
	weak := svc{ref: at("evil", "weak"), strength: backend.Weak}.detection()
	weak.Service.Created = time.Unix(1, 0)
	all = append(all, weak, svc{ref: at("good", "prometheus"), strength: backend.Strong}.detection())
	count := func(list []inventory.Detection) map[string]int {
		n := map[string]int{}
		for _, d := range list {
			n[d.Service.Namespace] += len(d.Candidates)
			if len(d.Candidates) > 0 {
				n[d.Service.Ref.String()]++
			}
		}
		return n
	}
	for name, tc := range map[string]struct {
		change      func(*inventory.Options)
		evil        int
		first, last int // whether the youngest and the oldest are looked at
	}{
		"the oldest":   {func(*inventory.Options) {}, 1000, 0, 1},
		"named":        {func(o *inventory.Options) { o.Primary = map[string]backend.Ref{"loki": at("evil", "loki-000")} }, 1000, 1, 1},
		"trusted":      {func(o *inventory.Options) { o.TrustedNamespaces = []string{"evil"} }, services*tenants + 1, 1, 1},
		"without":      {func(o *inventory.Options) { o.MaxPerNamespace = 0 }, services*tenants + 1, 1, 1},
		"more of them": {func(o *inventory.Options) { o.MaxPerNamespace = 100 }, 2000, 0, 1},
	} {
		o := inventory.Options{MaxPerNamespace: 50, Type: builtin(t).Lookup}
		tc.change(&o)
		bounded, _ := inventory.PerTenant(inventory.Bound(all, o), nil)
		n := count(bounded)
		if n["evil"] != tc.evil || n["evil/loki-000"] != tc.first || n["evil/loki-299"] != tc.last || n["good"] != 1 {
			t.Errorf("%s: %d of evil's are looked at, the youngest: %d, the oldest: %d", name, n["evil"], n["evil/loki-000"], n["evil/loki-299"])
		}
		rejected := 0
		for _, f := range inventory.Build(bounded, nil, o) {
			if f.Candidate == nil {
				rejected++
				if f.Verdict != backend.Rejected || f.Reason.Code.Limit() != backend.LimitNamespace || !strings.Contains(view.Reason(f), "15001 candidates") || f.Type == "" {
					t.Errorf("%s: %s, %s, limit %q: %s", name, f.Ref, f.Verdict, f.Reason.Code.Limit(), view.Reason(f))
				}
			}
		}
		if tc.evil < 15000 && rejected != services+1-tc.evil/tenants {
			t.Errorf("%s: %d Services are rejected", name, rejected)
		}
	}
	if n := count(all); n["evil"] != services+1 {
		t.Error("what it is given is changed")
	}
}

// Where not all of a namespace are published, what the configuration names is, whatever its type and its age.
func TestNamedAreLeftOutLast(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	loki := at("team", "loki")
	for name, tc := range map[string]struct {
		options inventory.Options
		want    bool
	}{
		"not named":             {inventory.Options{}, false},
		"primary":               {inventory.Options{Primary: map[string]backend.Ref{"loki": loki}}, true},
		"with credentials":      {inventory.Options{Credentials: map[string]map[backend.Ref]map[string]string{"loki": {loki: {"tenant": "T"}}}}, true},
		"as what it is not":     {inventory.Options{Primary: map[string]backend.Ref{"tempo": loki}}, false},
		"its namespace, wholly": {inventory.Options{TrustedNamespaces: []string{"team"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			list := []svc{{ref: loki, typ: "loki", strength: backend.Strong, day: 30, outcome: backend.Ready, identity: true}}
			for i := range 50 {
				list = append(list, svc{ref: at("team", fmt.Sprintf("p%02d", i)), strength: backend.Strong, day: 1 + i/2, outcome: backend.Ready, identity: true})
			}
			o := tc.options
			o.MaxPerNamespace, o.FirstRoundOver = 50, true
			if f := build(t, o, list...)["team/loki"]; (f.Verdict == backend.Accepted) != tc.want {
				t.Errorf("%s: %s", f.Verdict, view.Reason(f))
			}
			o.MaxPerNamespace = 0
			var all []*backend.Finding
			found := build(t, o, list...)
			for _, f := range found {
				all = append(all, f)
			}
			o.Type = builtin(t).Lookup
			inventory.LeaveOut(all, 50, func(*backend.Finding) int { return 1 }, o)
			if f := found["team/loki"]; (f.Verdict == backend.Accepted) != (tc.want && len(o.TrustedNamespaces) == 0) {
				t.Errorf("too large a document: %s: %s", f.Verdict, view.Reason(f))
			}
		})
	}
}
