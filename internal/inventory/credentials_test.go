package inventory_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

const wants, works, down = backend.AuthRequired, backend.Ready, backend.Unreachable

// The configuration names the monitoring team's Grafana as the primary, trusts its namespace, or names its credentials.
var (
	configured = inventory.Options{FirstRoundOver: true, Primary: map[string]backend.Ref{"grafana": at("monitoring", "grafana")}}
	trusting   = inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{"monitoring"}}
	keyed      = inventory.Options{FirstRoundOver: true, Credentials: map[string]map[backend.Ref]map[string]string{
		"grafana": {at("monitoring", "grafana"): {"api_key": "GRAFANA_API_KEY"}},
	}}
)

// The monitoring team's Grafana, and one that a stranger made in a namespace of their own.
func theirs(day int, outcome backend.Outcome) svc {
	return svc{ref: at("monitoring", "grafana"), typ: "grafana", strength: backend.Strong, day: day, outcome: outcome, identity: true}
}

func strangers(day int, outcome backend.Outcome) svc {
	return svc{ref: at("evil", "grafana"), typ: "grafana", strength: backend.Strong, day: day, outcome: outcome, identity: true}
}

// Who gets the reference {{ env.GRAFANA_API_KEY }}: only whom the configuration names or trusts.
func TestNoReferenceByLuck(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	recordedStranger := trusting
	recordedStranger.Recorded = map[string]backend.Ref{"grafana": at("evil", "grafana")}
	recordedReal := trusting
	recordedReal.Recorded = configured.Primary
	firstRound := trusting
	firstRound.FirstRoundOver, firstRound.MustProve = false, true
	recordedFirst, recordedNone := firstRound, recordedStranger
	recordedFirst.Recorded, recordedNone.TrustedNamespaces = recordedStranger.Recorded, nil
	other := strangers(2, wants)
	other.ref = at("evil", "other")
	unproven := strangers(1, "")
	unproven.strength, unproven.unproven = backend.Explicit, true
	renamed := strangers(1, wants)
	renamed.strength, renamed.instance = backend.Explicit, "monitoring/grafana"
	twin := strangers(9, works)
	twin.ref, twin.selector, twin.headless = at("monitoring", "grafana-twin"), "grafana", true
	ours := unproven
	ours.ref = at("monitoring", "grafana")
	var unprobed backend.Outcome

	tests := map[string]struct {
		options inventory.Options
		list    []svc
		want    string // who has a reference
	}{
		"alone, nothing configured":                {inventory.Options{FirstRoundOver: true}, []svc{strangers(1, wants)}, ""},
		"alone and unproven":                       {inventory.Options{FirstRoundOver: true}, []svc{unproven}, ""},
		"alone and not probed":                     {inventory.Options{}, []svc{strangers(1, unprobed)}, ""},
		"the configured one is absent":             {configured, []svc{strangers(1, wants)}, ""},
		"the configured one is absent, unproven":   {configured, []svc{unproven}, ""},
		"the configured one is down":               {configured, []svc{strangers(1, wants), theirs(2, down)}, ""},
		"the configured one is up":                 {configured, []svc{strangers(1, wants), theirs(2, wants)}, "monitoring/grafana"},
		"the configured one works without":         {configured, []svc{strangers(1, wants), theirs(2, works)}, ""},
		"the trusted one is absent":                {trusting, []svc{strangers(1, wants)}, ""},
		"the trusted one is down":                  {trusting, []svc{strangers(1, wants), theirs(2, down)}, ""},
		"the trusted one is slow at a first start": {firstRound, []svc{strangers(1, wants), theirs(2, unprobed)}, ""},
		"the trusted one is younger":               {trusting, []svc{strangers(1, wants), theirs(2, wants)}, "monitoring/grafana"},
		"the trusted one is older":                 {trusting, []svc{strangers(2, wants), theirs(1, wants)}, "monitoring/grafana"},
		"the trusted one, beside a dead older one": {trusting, []svc{strangers(1, down), theirs(2, wants)}, "monitoring/grafana"},
		"the trusted one, first round":             {firstRound, []svc{strangers(1, unprobed), theirs(2, wants)}, "monitoring/grafana"},
		"the trusted one, not probed":              {trusting, []svc{theirs(2, unprobed)}, "monitoring/grafana"},
		"the trusted one, itself unproven":         {trusting, []svc{ours}, ""},
		"the named one, itself unproven":           {keyed, []svc{ours}, ""},
		"a stranger is recorded, and works":        {recordedStranger, []svc{strangers(1, works), theirs(2, wants)}, ""},
		"a stranger is recorded, and wants some":   {recordedStranger, []svc{strangers(1, wants), theirs(2, wants)}, "monitoring/grafana"},
		"a stranger is recorded, and lets none in": {recordedStranger, []svc{strangers(1, backend.Forbidden), theirs(2, wants)}, "monitoring/grafana"},
		"a stranger is recorded, and down":         {recordedStranger, []svc{strangers(1, down), theirs(2, wants)}, "monitoring/grafana"},
		"a stranger is recorded, and was deleted":  {recordedStranger, []svc{theirs(2, wants)}, "monitoring/grafana"},
		"a stranger is recorded, all are down":     {recordedStranger, []svc{strangers(1, down), theirs(2, down)}, ""},
		"a stranger is recorded, another is up":    {recordedStranger, []svc{strangers(1, down), other, theirs(3, wants)}, "monitoring/grafana"},
		"a stranger is recorded, and not asked":    {recordedFirst, []svc{strangers(1, unprobed), theirs(2, wants)}, ""},
		"a stranger is recorded, ours is unproven": {recordedStranger, []svc{strangers(1, down), ours}, ""},
		"a stranger is recorded, none is trusted":  {recordedNone, []svc{strangers(1, down), theirs(2, wants)}, ""},
		"reinstalled: its place is kept":           {recordedReal, []svc{strangers(1, wants)}, ""},
		"reinstalled: it is back":                  {recordedReal, []svc{strangers(1, wants), theirs(9, wants)}, "monitoring/grafana"},
		"renamed by an annotation":                 {keyed, []svc{renamed}, ""},
		"renamed, beside the one of that name":     {keyed, []svc{renamed, theirs(2, wants)}, "monitoring/grafana"},
		"the named one, beside a headless twin":    {keyed, []svc{theirs(2, wants), twin}, "monitoring/grafana"},
		"named, whatever else works":               {keyed, []svc{strangers(1, works), theirs(2, wants)}, "monitoring/grafana"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for ref, f := range build(t, tc.options, tc.list...) {
				if len(f.Credentials) > 0 {
					got = append(got, ref)
				}
			}
			if text := strings.Join(got, " "); text != tc.want {
				t.Errorf("the reference goes to %q, want %q", text, tc.want)
			}
		})
	}
}

// Who may get a credential that the overrides hold for a whole toolset: whom the configuration names or trusts, whether or not
// it wants one.
func TestEntitled(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-OUT-6")
	unproven := theirs(1, "")
	unproven.strength, unproven.unproven = backend.Explicit, true
	for name, tc := range map[string]struct {
		options inventory.Options
		list    []svc
		want    string
	}{
		"alone, nothing configured":             {inventory.Options{FirstRoundOver: true}, []svc{strangers(1, works)}, ""},
		"configured":                            {configured, []svc{strangers(1, works), theirs(2, works)}, "monitoring/grafana"},
		"configured, and down":                  {configured, []svc{strangers(1, works), theirs(2, down)}, ""},
		"the primary in a trusted namespace":    {trusting, []svc{theirs(1, works), strangers(2, works)}, "monitoring/grafana"},
		"in a trusted namespace, not primary":   {trusting, []svc{strangers(1, works), theirs(2, works)}, ""},
		"in a trusted namespace, and it wants":  {trusting, []svc{theirs(1, wants)}, "monitoring/grafana"},
		"it has credentials":                    {keyed, []svc{strangers(1, works), theirs(2, works)}, "monitoring/grafana"},
		"it has credentials, and is unproven":   {keyed, []svc{unproven}, ""},
		"it is configured, and is unproven":     {configured, []svc{unproven}, ""},
		"a stranger beside the one that is not": {keyed, []svc{strangers(1, works)}, ""},
	} {
		var got []string
		for ref, f := range build(t, tc.options, tc.list...) {
			if f.Entitled && f.Verdict == backend.Accepted {
				got = append(got, ref)
			}
		}
		if text := strings.Join(got, " "); text != tc.want {
			t.Errorf("%s: %q, want %q", name, text, tc.want)
		}
	}
}

// No reference goes to what answers plain HTTP where TLS is expected: somebody on the way to it could read the credentials.
func TestNoReferenceInPlainText(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	openShift := inventory.Options{TrustedNamespaces: []string{"monitoring"}, OpenShift: func([]*backend.Finding) bool { return true }}
	for name, tc := range map[string]struct {
		candidate   backend.Candidate
		observation backend.Observation
		plain       bool
	}{
		"plain from the start":       {backend.Candidate{Scheme: "http", SchemeTold: true}, backend.Observation{Scheme: "http"}, false},
		"TLS is only usual":          {backend.Candidate{Scheme: "https"}, backend.Observation{Scheme: "http"}, false},
		"its port says TLS":          {backend.Candidate{Scheme: "https", SchemeTold: true}, backend.Observation{Scheme: "http"}, true},
		"its port says TLS, it has":  {backend.Candidate{Scheme: "https", SchemeTold: true}, backend.Observation{Scheme: "https"}, false},
		"the probe found TLS":        {backend.Candidate{Scheme: "http"}, backend.Observation{Scheme: "https"}, false},
		"the probe found TLS before": {backend.Candidate{Scheme: "http"}, backend.Observation{Scheme: "http", LostTLS: true}, true},
		"its owner says plain":       {backend.Candidate{Scheme: "http", FixedScheme: true}, backend.Observation{Scheme: "http"}, false},
	} {
		for options, o := range map[string]inventory.Options{"credentials": keyed, "primary": configured, "trusted": trusting, "OpenShift": openShift} {
			for _, outcome := range []backend.Outcome{wants, works} {
				s := theirs(1, outcome)
				if options == "OpenShift" {
					s.typ = "prometheus"
				}
				d := s.detection()
				c := d.Candidates[0]
				c.Scheme, c.SchemeTold, c.FixedScheme = tc.candidate.Scheme, tc.candidate.SchemeTold, tc.candidate.FixedScheme
				tc.observation.Outcome, tc.observation.Identity = outcome, true
				o.FirstRoundOver, o.Type = true, builtin(t).Lookup
				f := inventory.Build([]inventory.Detection{d}, map[backend.Key]backend.Observation{c.Key(): tc.observation}, o)[0]
				gets := !tc.plain && (outcome == wants || options == "credentials")
				if given := len(f.Credentials) > 0 || f.AgentToken; given != (gets) {
					t.Errorf("%s, %s, %s: a reference is given: %t", name, options, outcome, given)
				}
				if f.Entitled == tc.plain {
					t.Errorf("%s, %s, %s: entitled to what the overrides hold: %t", name, options, outcome, f.Entitled)
				}
				if f.KeepToken != (tc.plain && options == "OpenShift" && outcome == works) {
					t.Errorf("%s, %s, %s: HolmesGPT's own token is kept back: %t", name, options, outcome, f.KeepToken)
				}
				said := f.Reason.Code == backend.CodeCredentialsPlain && len(f.Remedies) == 0
				if withheld := tc.plain && (outcome == wants || options == "credentials"); said != withheld {
					t.Errorf("%s, %s, %s: the reason is %s, the lines to add %q", name, options, outcome, f.Reason.Code, f.Remedies)
				}
				if (f.Verdict == backend.Accepted) != (outcome == works || gets) {
					t.Errorf("%s, %s, %s: %s", name, options, outcome, f.Verdict)
				}
			}
		}
	}
}

// Which instances the configuration vouches for: the answers of any other stay out of what HolmesGPT asks when it loads a toolset.
func TestVouched(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for name, o := range map[string]inventory.Options{
		"":            {},
		"trusted":     trusting,
		"primary":     configured,
		"credentials": keyed,
		// What the configuration says of one type says nothing of another that the same Service may be.
		"another type": {Primary: map[string]backend.Ref{"prometheus": at("monitoring", "grafana")}},
	} {
		o.FirstRoundOver = true
		for ref, f := range build(t, o, strangers(1, works), theirs(2, works)) {
			want := ref == "monitoring/grafana" && name != "" && name != "another type"
			if f.Verdict != backend.Accepted || f.Vouched != want {
				t.Errorf("%s: %s is %s, vouched for: %t, want %t", name, ref, f.Verdict, f.Vouched, want)
			}
		}
	}
}

// HolmesGPT fails all of a toolset for one missing variable, so that no reference stands beside what works without.
func TestNoReferenceEndangersWhatWorks(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	known := builtin(t)
	own := *known.Lookup("prometheus")
	own.Type = "coroot"
	metrics := func(name, typ string, day int, outcome backend.Outcome) svc {
		return svc{ref: at("ns", name), typ: typ, strength: backend.Strong, day: day, outcome: outcome, identity: true}
	}
	locked := metrics("locked", "prometheus", 1, backend.AuthRequired)
	for _, typ := range []string{"prometheus", "thanos", "victoriametrics", "mimir", "coroot"} {
		for _, o := range []inventory.Options{
			{FirstRoundOver: true},
			{FirstRoundOver: true, TrustedNamespaces: []string{"ns"}},
			{FirstRoundOver: true, Primary: map[string]backend.Ref{"prometheus": locked.ref}},
		} {
			o.Type = func(name string) *catalog.Type {
				if name == own.Type {
					return &own
				}
				return known.Lookup(name)
			}
			got := build(t, o, locked, metrics("open", typ, 2, backend.Ready))
			f := got["ns/locked"]
			if f.Credentials != nil || f.Verdict != backend.Unavailable || len(f.Remedies) == 0 || !strings.Contains(view.Reason(f), f.Remedies[0]) {
				t.Errorf("beside a working %s: %s, %v: %s", typ, f.Verdict, f.Credentials, view.Reason(f))
			}
			if open := got["ns/open"]; open.Verdict != backend.Accepted {
				t.Errorf("the working %s is %s: %s", typ, open.Verdict, view.Reason(open))
			}
		}
	}
	// All Jaegers are one HTTP toolset, like the instances of any type without a toolset of HolmesGPT's own.
	traces := metrics("locked", "jaeger", 1, backend.AuthRequired)
	for open, want := range map[backend.Outcome]bool{backend.Ready: false, backend.AuthRequired: true} {
		got := build(t, inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{"ns"}},
			traces, metrics("second", "jaeger", 2, open))
		if f := got["ns/locked"]; (f.Credentials["token"] == "JAEGER_BEARER_TOKEN") != want {
			t.Errorf("a Jaeger beside one that is %s: %s, %v: %s", open, f.Verdict, f.Credentials, view.Reason(f))
		}
	}
	// A toolset of another name is not endangered.
	got := build(t, inventory.Options{FirstRoundOver: true, TrustedNamespaces: []string{"ns"}},
		locked, metrics("loki", "loki", 2, backend.Ready), metrics("jaeger", "jaeger", 3, backend.Ready))
	if f := got["ns/locked"]; f.Credentials["bearer_token"] != "PROMETHEUS_BEARER_TOKEN" {
		t.Errorf("beside other toolsets: %s: %s", f.Verdict, view.Reason(f))
	}
}

// What would give an instance its credentials is said in lines to add. A line that is copied gives a stranger no key that
// another has: the variable is named after the Service, unless the usual one is this Service's by the configuration.
func TestRemedies(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	second := theirs(3, wants)
	second.ref = at("monitoring", "second")
	dashed, other := strangers(1, wants), strangers(2, wants)
	dashed.ref, other.ref = at("team-a", "grafana"), at("team", "a-grafana")
	line := func(ref, variable string) string {
		return "credentials: {grafana: {" + ref + ": {api_key: " + variable + "}}}"
	}
	for name, tc := range map[string]struct {
		options inventory.Options
		list    []svc
		want    map[string][]string
	}{
		"nothing is configured": {inventory.Options{}, []svc{theirs(1, wants), strangers(2, wants)}, map[string][]string{
			"monitoring/grafana": {line("monitoring/grafana", "GRAFANA_API_KEY_MONITORING_GRAFANA"), "security: {trustedNamespaces: [monitoring]}"},
			"evil/grafana":       {line("evil/grafana", "GRAFANA_API_KEY_EVIL_GRAFANA")},
		}},
		"a stranger's comes first": {inventory.Options{}, []svc{strangers(1, wants)}, map[string][]string{
			"evil/grafana": {line("evil/grafana", "GRAFANA_API_KEY_EVIL_GRAFANA"), "security: {trustedNamespaces: [evil]}"},
		}},
		"a stranger's alone, others are trusted": {trusting, []svc{strangers(1, wants)}, map[string][]string{
			"evil/grafana": {line("evil/grafana", "GRAFANA_API_KEY_EVIL_GRAFANA")},
		}},
		"trusted, beside one that works": {trusting, []svc{theirs(1, wants), strangers(2, works)}, map[string][]string{
			"monitoring/grafana": {line("monitoring/grafana", "GRAFANA_API_KEY_MONITORING_GRAFANA")},
		}},
		"configured, beside one that works": {configured, []svc{theirs(1, wants), strangers(2, works)}, map[string][]string{
			"monitoring/grafana": {line("monitoring/grafana", "GRAFANA_API_KEY")},
		}},
		"trusted, beside the primary": {trusting, []svc{theirs(1, wants), second}, map[string][]string{
			"monitoring/second": {line("monitoring/second", "GRAFANA_API_KEY_MONITORING_SECOND")},
		}},
		"names that differ by a dash": {inventory.Options{}, []svc{dashed, other}, map[string][]string{
			"team-a/grafana": {line("team-a/grafana", "GRAFANA_API_KEY_TEAM__A_GRAFANA"), "security: {trustedNamespaces: [team-a]}"},
			"team/a-grafana": {line("team/a-grafana", "GRAFANA_API_KEY_TEAM_A__GRAFANA")},
		}},
	} {
		tc.options.FirstRoundOver = true
		for ref, f := range build(t, tc.options, tc.list...) {
			if d := cmp.Diff(tc.want[ref], f.Remedies); d != "" || len(f.Remedies) > 0 && (f.Verdict != backend.Unavailable || f.Primary) {
				t.Errorf("%s: %s is %s, primary %t:\n%s", name, ref, f.Verdict, f.Primary, d)
			}
		}
	}
	// Not probed, it is written without a reference, and the lines are shown all the same.
	if f := build(t, inventory.Options{}, theirs(1, ""))["monitoring/grafana"]; f.Verdict != backend.Accepted || f.Credentials != nil || len(f.Remedies) != 2 {
		t.Errorf("not probed: %s, %v, %q", f.Verdict, f.Credentials, f.Remedies)
	}
}
