package toolset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func entitled(f *backend.Finding) { f.Entitled = true }

func down(f *backend.Finding) {
	f.Verdict, f.Primary = backend.Unavailable, false
	f.Observation.Outcome = backend.Unreachable
}

func verdict(v backend.Verdict) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Verdict = v }
}

func keepsToken(f *backend.Finding) { f.KeepToken = true }

// with builds with overrides as the service does.
func with(t *testing.T, findings []*backend.Finding, text string, old *Overrides) (*Document, error) {
	t.Helper()
	o, opts := parse(t, text), options(t)
	if err := o.Shared(findings, opts.Types, o.Fresh(old, opts.Types)); err != nil {
		return nil, err
	}
	opts.InForce = old != nil
	return Build(findings, opts, o)
}

// accepted is with, where the overrides are to be accepted.
func accepted(t *testing.T, findings []*backend.Finding, text string, old *Overrides) *Document {
	t.Helper()
	d, err := with(t, findings, text, old)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

const bearer = `toolsets: {prometheus/metrics: {config: {additional_headers: {Authorization: "Bearer {{ env.TOKEN }}"}}}}`

// who are the instances, or entries, that have TOKEN.
func who(d *Document) (list []string) {
	for _, v := range d.Variables() {
		if v.Name == "TOKEN" {
			list = append(list, cmp.Or(v.Instance, v.Toolset))
		}
	}
	return slices.Compact(list)
}

// A credential at the top of a toolset goes to what the configuration names or trusts, and to nothing for being the only one.
func TestCredentialAtTheTop(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	ours := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("prometheus", "ours/p", 9090, change...)
	}
	evil := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("prometheus", "evil/p", 9090, change...)
	}
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		want     []string
	}{
		"the only one":                        {[]*backend.Finding{evil(primary)}, nil},
		"an unproven one":                     {[]*backend.Finding{evil(unproven)}, nil},
		"ours is down":                        {[]*backend.Finding{evil(primary), ours(entitled, down)}, nil},
		"ours is unconfirmed":                 {[]*backend.Finding{evil(primary), ours(entitled, verdict(backend.Unconfirmed))}, nil},
		"ours is a duplicate":                 {[]*backend.Finding{evil(primary), ours(entitled, verdict(backend.Duplicate))}, nil},
		"ours is rejected":                    {[]*backend.Finding{evil(primary), ours(entitled, verdict(backend.Rejected))}, nil},
		"there is none":                       {nil, nil},
		"ours":                                {[]*backend.Finding{ours(entitled)}, []string{"ours/p"}},
		"a second one":                        {[]*backend.Finding{ours(primary, entitled), evil()}, []string{"ours/p"}},
		"a second one, older":                 {[]*backend.Finding{evil(primary), ours(entitled)}, []string{"ours/p"}},
		"a second one, unproven":              {[]*backend.Finding{ours(primary, entitled), evil(unproven)}, []string{"ours/p"}},
		"a relative":                          {[]*backend.Finding{ours(primary, entitled), found("thanos", "evil/t", 9090, primary)}, []string{"ours/p"}},
		"ours is unproven by now":             {[]*backend.Finding{ours(unproven, entitled)}, nil},
		"the configuration names another too": {[]*backend.Finding{found("thanos", "ours/t", 9090, entitled), ours(entitled), evil()}, []string{"ours/p", "ours/t"}},
		"it keeps the agent's token at home":  {[]*backend.Finding{ours(primary, entitled, keepsToken), evil(keepsToken)}, []string{"ours/p"}},
	} {
		d := accepted(t, tt.findings, bearer, nil)
		if diff := gocmp.Diff(tt.want, who(d)); diff != "" {
			t.Errorf("%s: who has the credential (-want +got):\n%s", name, diff)
		}
		warnings := brief(d.Warnings)
		if strings.Contains(warnings, string(WarningCredentialWithheld)) != (tt.want == nil) {
			t.Errorf("%s: warnings %q", name, warnings)
		}
		if tt.want == nil && !strings.Contains(warnings, "type=prometheus") &&
			!strings.Contains(warnings, "type=mimir") {
			t.Errorf("%s: no type to name it for in %q", name, warnings)
		}
		keys := keysOf(t, d)
		if n := strings.Count(keys[KeyHolmesGPT], "env.TOKEN"); n != len(tt.want) {
			t.Errorf("%s: %d references:\n%s", name, n, keys[KeyHolmesGPT])
		}
	}
}

// A header is a credential whatever it is called, and so is a setting that is not known to be none.
func TestAnyHeaderMayBeACredential(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	evil := []*backend.Finding{found("prometheus", "evil/p", 9090, primary)}
	named := []*backend.Finding{found("prometheus", "ours/p", 9090, entitled)}
	for setting, withheld := range map[string]bool{
		"additional_headers: {X-Auth-Key: VALUE}":                 true,
		"additional_headers: {Bearer: VALUE}":                     true,
		"additional_headers: {X-Anything: VALUE}":                 true,
		"additional_headers: {X-Anything: 1234, Accept: VALUE}":   true,
		"additional_headers: {x-scope-orgid: '{{ env.VALUE }}'}":  true,
		"headers: {X-Auth-Key: VALUE}":                            true, // its former name
		"aws_region: VALUE":                                       true, // HolmesGPT would sign requests
		"azure_use_managed_id: VALUE":                             true, // or fetch a token
		"a_later_setting: {of: [VALUE]}":                          true,
		"verify_ssl: '{{ env.VALUE }}'":                           true,
		"additional_headers: {Accept: a, X-Scope-OrgID: VALUE}":   false,
		"additional_headers: {x-scope-orgid: VALUE, X-Key: null}": false,
		"headers: {User-Agent: VALUE}":                            false,
		"additional_labels: {cluster: VALUE}":                     false,
		"query_timeout_seconds_default: VALUE":                    false,
	} {
		overrides := "toolsets: {prometheus/metrics: {config: {" + setting + "}}}"
		for _, tt := range []struct {
			findings []*backend.Finding
			want     bool
		}{{evil, !withheld}, {named, true}} {
			d := accepted(t, tt.findings, overrides, nil)
			keys := keysOf(t, d)
			if got := strings.Contains(keys[KeyHolmesGPT], "VALUE"); got != tt.want {
				t.Errorf("%s: %s has it: %t, want %t", setting, tt.findings[0].Ref, got, tt.want)
			}
			if got := len(d.Warnings) > 0; got == tt.want {
				t.Errorf("%s: warnings %q", setting, brief(d.Warnings))
			}
		}
	}
}

// So it is beside the url of the compact form.
func TestCompactHeaders(t *testing.T) {
	t.Attr("req", "DTS-OUT-3 DTS-SEC-3")
	for setting, want := range map[string]bool{
		"headers: {X-Auth: VALUE}": false, "customHeaders: {X-Auth: VALUE}": false, "accessKey: VALUE": false, "passwd: VALUE": false,
		"headers: {X-Scope-OrgID: VALUE}": true, "extra: VALUE": true,
	} {
		d := accepted(t, []*backend.Finding{found("grafana", "evil/g", 80, primary)}, "compact: {grafana: {config: {"+setting+"}}}", nil)
		if got := strings.Contains(fmt.Sprint(d.Compact["grafana"]), "VALUE"); got != want {
			t.Errorf("%s: it stands beside a stranger's url: %t", setting, got)
		}
	}
}

// What an instance says itself wins, as it does in HolmesGPT where it inherits.
func TestInheritedBelow(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	type m = map[string]any
	for name, tt := range map[string]struct {
		overrides string
		find      *backend.Finding
		want      m
	}{
		"headers": {
			`toolsets: {prometheus/metrics: {config: {verify_ssl: false, additional_headers: {authorization: "{{ env.A }}", X-Scope-OrgID: a}}}}`,
			found("prometheus", "a/b", 9090, entitled, credentials("bearer_token", "B")),
			m{"additional_headers": m{"Authorization": "Bearer {{ env.B }}", "X-Scope-OrgID": "a"}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"a patch of the instance": {
			`{toolsets: {prometheus/metrics: {config: {additional_headers: {Authorization: "{{ env.A }}", X-Scope-OrgID: a}}}}, ` +
				`instances: {prometheus: {a/b: {additional_headers: {X-Scope-OrgID: b}}}}}`,
			found("prometheus", "a/b", 9090, entitled),
			m{"additional_headers": m{"Authorization": "{{ env.A }}", "X-Scope-OrgID": "b"}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"nothing where its own token is kept at home": {
			`toolsets: {prometheus/metrics: {config: {api_key: "{{ env.A }}"}}}`,
			found("prometheus", "a/b", 9090, entitled, keepsToken),
			m{"api_key": "{{ env.A }}", "additional_headers": m{"Authorization": "Basic Og=="}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"instead of what says nothing": {
			bearer, found("prometheus", "a/b", 9090, entitled, keepsToken),
			m{"additional_headers": m{"Authorization": "Bearer {{ env.TOKEN }}"}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"one way to log in": {
			`toolsets: {grafana/loki: {config: {username: a, password: "{{ env.A }}", client_cert: c}}}`,
			found("loki", "a/b", 3100, entitled, credentials("api_key", "B")),
			m{
				"api_key": "{{ env.B }}", "client_cert": "c", "api_url": "http://b.a.svc.cluster.local:3100", "max_retries": 1,
				"timeout_seconds": 15,
			},
		},
		"both halves": {
			`toolsets: {grafana/loki: {config: {username: a, password: "{{ env.A }}"}}}`,
			found("loki", "a/b", 3100, entitled),
			m{"username": "a", "password": "{{ env.A }}", "api_url": "http://b.a.svc.cluster.local:3100", "max_retries": 1, "timeout_seconds": 15},
		},
	} {
		d := accepted(t, []*backend.Finding{tt.find}, tt.overrides, nil)
		tt.want["name"] = "a/b"
		for toolset, entry := range d.HolmesGPT["toolsets"].(m) {
			if list := listIn(entry, "instances"); len(list) == 1 {
				if diff := gocmp.Diff(fmt.Sprint(tt.want), fmt.Sprint(list[0])); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", name, toolset, diff)
				}
			}
		}
	}
}

// What the admin addresses is as the admin wrote it, and what is found does not push it out.
func TestAdminsOwnBackend(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	evil := []*backend.Finding{found("prometheus", "evil/p", 9090, primary)}
	const url = `prometheus_url: "https://metrics.example.com"`
	const headers = `additional_headers: {Authorization: "Bearer {{ env.TOKEN }}"}`
	for name, tt := range map[string]struct {
		text     string
		findings []*backend.Finding
		want     string // instances, and which has the credential
	}{
		"a list":                      {"{config: {instances: [{name: mine, " + url + ", " + headers + "}]}}", evil, "mine*"},
		"a list, inherited":           {"{config: {" + headers + ", instances: [{name: mine, " + url + "}]}}", evil, "mine top*"},
		"a URL, and nothing is found": {"{enabled: true, config: {" + url + ", " + headers + "}}", nil, "top*"},
		"a URL, and another is found": {"{enabled: true, config: {" + url + ", " + headers + "}}", evil, "evil/p default*"},
		"no URL, and none is found":   {"{enabled: true, config: {" + headers + "}}", nil, ""},
	} {
		d := accepted(t, tt.findings, "toolsets: {prometheus/metrics: "+tt.text+"}", nil)
		var got []string
		for _, i := range listIn(d.HolmesGPT["toolsets"].(map[string]any)["prometheus/metrics"], "instances") {
			got = append(got, configName(i))
		}
		for _, v := range d.Variables() {
			if i := slices.Index(got, v.Instance); i >= 0 {
				got[i] += "*"
			} else {
				got = append(got, "top*")
			}
		}
		if diff := gocmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// So it is where the admin uses a former name of a setting, which HolmesGPT still accepts.
func TestAdminsOwnBackendByFormerNames(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	type m = map[string]any
	ours := []*backend.Finding{
		found("grafana", "ours/g", 80, primary, entitled), found("loki", "ours/l", 3100, primary, entitled),
		found("tempo", "ours/t", 3200, primary, entitled), found("elasticsearch", "ours/e", 9200, primary, entitled),
	}
	for _, name := range []string{"grafana/dashboards", "grafana/loki", "grafana/tempo", "elasticsearch/data", "elasticsearch/cluster"} {
		text := "toolsets: {" + name + `: {enabled: true, config: {url: "https://mine.example.com", api_key: "{{ env.TOKEN }}"}}}`
		d := accepted(t, ours, text, nil)
		if got := who(d); !slices.Equal(got, []string{"default"}) {
			t.Errorf("%s: %q have the credential, want the admin's own alone", name, got)
		}
		config := configOf(d.HolmesGPT["toolsets"].(m)[name])
		list := config["instances"].([]any)
		want := m{"name": "default", "api_url": "https://mine.example.com", "api_key": "{{ env.TOKEN }}"}
		if diff := gocmp.Diff(want, list[len(list)-1]); diff != "" || len(list) != 2 || len(config) != 1 {
			t.Errorf("%s: %v (-want +got):\n%s", name, config, diff)
		}
	}
}

// A setting under its former name is not lost to the one of the instance under the present name, which HolmesGPT would use.
func TestFormerNamesOfSettings(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	type m = map[string]any
	tenant := func(f *backend.Finding) { f.Candidate.TenantHeader, f.Candidate.Tenant = "X-Scope-OrgID", "a" }
	for name, tt := range map[string]struct {
		overrides string
		find      *backend.Finding
		want      m
	}{
		"headers at the top": {
			`toolsets: {grafana/loki: {config: {headers: {Authorization: "{{ env.A }}"}}}}`,
			found("loki", "a/b", 3100, entitled, tenant),
			m{"additional_headers": m{"Authorization": "{{ env.A }}", "X-Scope-OrgID": "a"}},
		},
		"headers instead of those that say nothing": {
			`toolsets: {prometheus/metrics: {config: {headers: {Authorization: "{{ env.A }}"}}}}`,
			found("prometheus", "a/b", 9090, entitled, keepsToken),
			m{"additional_headers": m{"Authorization": "{{ env.A }}"}},
		},
		"headers of an instance": {
			"instances: {loki: {a/b: {headers: {X-Scope-OrgID: b}}}}",
			found("loki", "a/b", 3100, tenant),
			m{"additional_headers": m{"X-Scope-OrgID": "b"}},
		},
		"the URL of an instance": {
			"instances: {elasticsearch: {a/b: {url: 'http://mine'}}}",
			found("elasticsearch", "a/b", 9200),
			m{"api_url": "http://mine"},
		},
		"both names, as in HolmesGPT": {
			"instances: {elasticsearch: {a/b: {url: 'http://former', api_url: 'http://present'}}}",
			found("elasticsearch", "a/b", 9200),
			m{"api_url": "http://present"},
		},
		"the former name instead of the present one": {
			"instances: {elasticsearch: {a/b: {url: 'http://former', api_url: null}}}",
			found("elasticsearch", "a/b", 9200),
			m{"api_url": "http://former"},
		},
		"nothing to remove": {
			"instances: {elasticsearch: {a/b: {url: null}}}",
			found("elasticsearch", "a/b", 9200),
			m{"api_url": "http://b.a.svc.cluster.local:9200"},
		},
		"unchecked certificates": {
			"instances: {prometheus: {a/b: {prometheus_ssl_enabled: true}}}",
			found("prometheus", "a/b", 9090, unverified),
			m{"verify_ssl": true},
		},
	} {
		d := accepted(t, []*backend.Finding{tt.find}, tt.overrides, nil)
		for toolset, entry := range d.HolmesGPT["toolsets"].(m) {
			for _, i := range listIn(entry, "instances") {
				got := i.(m)
				for key, want := range tt.want {
					if diff := gocmp.Diff(want, got[key]); diff != "" {
						t.Errorf("%s: %s of %s (-want +got):\n%s", name, key, toolset, diff)
					}
				}
				if hasAny(got, []string{"url", "headers", "prometheus_ssl_enabled"}) {
					t.Errorf("%s: a former name in %s: %v", name, toolset, got)
				}
			}
		}
	}
}

// A text that brings a credential for all of several instances is refused, as long as the configuration names none of them.
func TestSharedCredential(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	p := func(ref string, change ...func(*backend.Finding)) *backend.Finding {
		return found("prometheus", ref, 9090, change...)
	}
	rotated := strings.ReplaceAll(bearer, "TOKEN", "OTHER")
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		old      *Overrides
		refused  bool
	}{
		"one":                       {[]*backend.Finding{p("a/p")}, nil, false},
		"two":                       {[]*backend.Finding{p("a/p"), p("b/p")}, nil, true},
		"two, one named":            {[]*backend.Finding{p("a/p", entitled), p("b/p")}, nil, false},
		"two, one named, and down":  {[]*backend.Finding{p("a/p", entitled, down), p("b/p")}, nil, false},
		"two, and it was there":     {[]*backend.Finding{p("a/p"), p("b/p")}, parse(t, rotated), false},
		"two, and another was":      {[]*backend.Finding{p("a/p"), p("b/p")}, parse(t, "toolsets: {helm/core: {enabled: true}}"), true},
		"two in different toolsets": {[]*backend.Finding{p("a/p"), found("loki", "b/l", 3100)}, nil, false},
	} {
		if _, err := with(t, tt.findings, bearer, tt.old); (err != nil) != tt.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// In the compact form url is the primary's, and a key stands beside no other's.
func TestCompactNamesNoOther(t *testing.T) {
	t.Attr("req", "DTS-OUT-3 DTS-OUT-4")
	const key = `compact: {grafana: {config: {apiKey: "${GRAFANA}", extra: 1}}}`
	ours := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("grafana", "ours/g", 80, change...)
	}
	evil := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("grafana", "evil/g", 80, change...)
	}
	const oursURL, evilURL = "http://g.ours.svc.cluster.local:80", "http://g.evil.svc.cluster.local:80"
	for name, tt := range map[string]struct {
		findings  []*backend.Finding
		overrides string
		want      map[string]any
	}{
		"the primary":                                 {[]*backend.Finding{ours(primary), evil()}, "", map[string]any{"url": oursURL}},
		"the primary, keyed":                          {[]*backend.Finding{ours(primary, credentials("api_key", "K")), evil()}, "", map[string]any{"url": oursURL, "apiKey": "${K}"}},
		"it is down":                                  {[]*backend.Finding{ours(down), evil()}, "", map[string]any{}},
		"it is down, one keyed":                       {[]*backend.Finding{ours(down), evil(credentials("api_key", "K"))}, "", map[string]any{}},
		"an unproven one":                             {[]*backend.Finding{evil(unproven)}, "", map[string]any{}},
		"overrides: the only one":                     {[]*backend.Finding{evil(primary)}, key, map[string]any{"url": evilURL, "extra": 1}},
		"overrides: a primary among several":          {[]*backend.Finding{evil(primary), ours(entitled)}, key, map[string]any{"url": evilURL, "extra": 1}},
		"overrides: it is down":                       {[]*backend.Finding{ours(down), evil()}, key, map[string]any{"extra": 1}},
		"overrides: a primary that the admin trusts":  {[]*backend.Finding{ours(primary, entitled)}, key, map[string]any{"url": oursURL, "apiKey": "${GRAFANA}", "extra": 1}},
		"overrides: a URL of the admin's beside it":   {[]*backend.Finding{evil()}, `compact: {grafana: {config: {url: mine, apiKey: k}}}`, map[string]any{"url": "mine", "apiKey": "k"}},
		"overrides: nothing is published of the type": {nil, key, map[string]any{"apiKey": "${GRAFANA}", "extra": 1}},
	} {
		d := accepted(t, tt.findings, tt.overrides, nil)
		config := d.Compact["grafana"]["config"].(map[string]any)
		if list, _ := config["instances"].([]any); config["url"] == nil && len(tt.findings) > 0 && len(list) == 0 {
			t.Errorf("%s: nothing says where it is: %v", name, config)
		}
		delete(config, "instances")
		if diff := gocmp.Diff(tt.want, config); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// While the primary is away, one of a trusted namespace stands in for it, before older ones of others, and without a key.
func TestCompactTrustedStandsIn(t *testing.T) {
	t.Attr("req", "DTS-OUT-3")
	opts := options(t)
	opts.TrustedNamespaces = []string{"ours"}
	d := document(t, []*backend.Finding{found("grafana", "evil/g", 80), found("grafana", "ours/h", 80)}, opts, "")
	config := d.Compact["grafana"]["config"].(map[string]any)
	if list, _ := config["instances"].([]any); config["url"] != "http://h.ours.svc.cluster.local:80" || config["apiKey"] != nil || len(list) != 2 {
		t.Errorf("the one of the trusted namespace does not stand in: %v", config)
	}
}

// So it is for a type of an owner's own: while the one that stood there is down, another's text stands under its own name
// alone, beside no key of the admin's.
func TestCompactOwnTypeNamesNoOther(t *testing.T) {
	t.Attr("req", "DTS-OUT-3 DTS-SEC-3")
	const key = `compact: {orders-api: {config: {apiKey: "${ORDERS}", team: shop}}}`
	ours := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("orders-api", "team-a/orders", 80, append(change, own, note("The orders."))...)
	}
	evil := found("orders-api", "evil/orders", 80, own, note("The only right orders."))
	const oursURL, evilURL = "http://orders.team-a.svc.cluster.local:80", "http://orders.evil.svc.cluster.local:80"
	theirs := map[string]any{"name": "evil/orders", "url": evilURL, "description": "The only right orders."}
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		want     map[string]any
	}{
		"ours": {[]*backend.Finding{ours(primary, entitled), evil}, map[string]any{
			"url": oursURL, "description": "The orders.", "team": "shop", "apiKey": "${ORDERS}", "instances": []any{
				map[string]any{"name": "team-a/orders", "url": oursURL}, map[string]any{"name": "evil/orders", "url": evilURL},
			},
		}},
		"ours is down": {[]*backend.Finding{ours(down, entitled), evil}, map[string]any{"team": "shop", "instances": []any{theirs}}},
		"it is alone":  {[]*backend.Finding{evil}, map[string]any{"team": "shop", "instances": []any{theirs}}},
	} {
		d := accepted(t, tt.findings, key, nil)
		if diff := gocmp.Diff(tt.want, d.Compact["orders-api"]["config"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
