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

func keepsToken(f *backend.Finding) { f.KeepToken = true }

// with builds with overrides as the service does: whom their credentials are for is decided first.
func with(t *testing.T, findings []*backend.Finding, text string, known Holders) (*Document, error) {
	t.Helper()
	o, opts := parse(t, text), options(t)
	var err error
	if opts.Holders, err = o.Holders(findings, opts.Types, known); err != nil {
		return nil, err
	}
	return Build(findings, opts, o)
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

// A credential at the top of a toolset goes to whom the configuration trusts, and to the one it was written for.
func TestCredentialAtTheTop(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	t.Attr("req", "DTS-SEC-3")
	ours := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("prometheus", "ours/p", 9090, change...)
	}
	evil := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("prometheus", "evil/p", 9090, change...)
	}
	holder := Holders{"prometheus/metrics": {Namespace: "ours", Name: "p"}}
	nobody := Holders{"prometheus/metrics": {}}
	const goesToNobody = "this credential goes to nobody: "
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		known    Holders
		want     []string
		warning  string
	}{
		"written for the only one":            {[]*backend.Finding{ours(primary)}, nil, []string{"ours/p"}, ""},
		"written for an unproven one":         {[]*backend.Finding{evil(unproven)}, nil, nil, goesToNobody + "no instance is named for it"},
		"written while ours is down":          {[]*backend.Finding{evil(primary), ours(down)}, nil, nil, goesToNobody},
		"written while there is none":         {nil, nil, nil, goesToNobody},
		"a second one":                        {[]*backend.Finding{ours(primary), evil()}, holder, []string{"ours/p"}, ""},
		"a second one, older":                 {[]*backend.Finding{evil(primary), ours()}, holder, []string{"ours/p"}, ""},
		"a second one, unproven":              {[]*backend.Finding{ours(primary), evil(unproven)}, holder, []string{"ours/p"}, ""},
		"a relative":                          {[]*backend.Finding{ours(primary), found("thanos", "evil/t", 9090, primary)}, holder, []string{"ours/p"}, ""},
		"ours is gone":                        {[]*backend.Finding{evil(primary)}, holder, nil, goesToNobody + "it is for ours/p, which is not published"},
		"ours is gone, the other unproven":    {[]*backend.Finding{evil(unproven)}, holder, nil, goesToNobody},
		"ours is unproven by now":             {[]*backend.Finding{ours(unproven)}, holder, nil, goesToNobody},
		"nobody's, and one is left":           {[]*backend.Finding{evil(primary)}, nobody, nil, goesToNobody},
		"the configuration names one":         {[]*backend.Finding{evil(primary), ours(entitled)}, nobody, []string{"ours/p"}, ""},
		"the configuration names another too": {[]*backend.Finding{found("thanos", "ours/t", 9090, entitled), ours(), evil()}, holder, []string{"ours/p", "ours/t"}, ""},
		"the configuration names an unproven": {[]*backend.Finding{evil(unproven, entitled)}, nobody, nil, goesToNobody},
		"it keeps the agent's token at home":  {[]*backend.Finding{ours(primary, keepsToken), evil(keepsToken)}, holder, []string{"ours/p"}, ""},
	} {
		d, err := with(t, tt.findings, bearer, tt.known)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := gocmp.Diff(tt.want, who(d)); diff != "" {
			t.Errorf("%s: who has the credential (-want +got):\n%s", name, diff)
		}
		warnings := strings.Join(d.Warnings, "\n")
		if !strings.Contains(warnings, tt.warning) || strings.Contains(warnings, goesToNobody) != (tt.warning != "") {
			t.Errorf("%s: warnings %q, want %q", name, warnings, tt.warning)
		}
		if tt.warning != "" && !strings.Contains(warnings, "primary: {prometheus: NAMESPACE/NAME}") &&
			!strings.Contains(warnings, "primary: {mimir: NAMESPACE/NAME}") {
			t.Errorf("%s: no line to add in %q", name, warnings)
		}
		keys, err := d.Keys()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(keys[KeyHolmesGPT], "env.TOKEN"); n != len(tt.want) {
			t.Errorf("%s: %d references:\n%s", name, n, keys[KeyHolmesGPT])
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
			found("prometheus", "a/b", 9090, credentials("bearer_token", "B")),
			m{"additional_headers": m{"Authorization": "Bearer {{ env.B }}", "X-Scope-OrgID": "a"}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"a patch of the instance": {
			`{toolsets: {prometheus/metrics: {config: {additional_headers: {Authorization: "{{ env.A }}", X-Scope-OrgID: a}}}}, ` +
				`instances: {prometheus: {a/b: {additional_headers: {X-Scope-OrgID: b}}}}}`,
			found("prometheus", "a/b", 9090),
			m{"additional_headers": m{"Authorization": "{{ env.A }}", "X-Scope-OrgID": "b"}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"nothing where its own token is kept at home": {
			`toolsets: {prometheus/metrics: {config: {api_key: "{{ env.A }}"}}}`,
			found("prometheus", "a/b", 9090, keepsToken),
			m{"api_key": "{{ env.A }}", "additional_headers": m{"Authorization": "Basic Og=="}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"instead of what says nothing": {
			bearer, found("prometheus", "a/b", 9090, keepsToken),
			m{"additional_headers": m{"Authorization": "Bearer {{ env.TOKEN }}"}, "prometheus_url": "http://b.a.svc.cluster.local:9090"},
		},
		"one way to log in": {
			`toolsets: {grafana/loki: {config: {username: a, password: "{{ env.A }}", client_cert: c}}}`,
			found("loki", "a/b", 3100, credentials("api_key", "B")),
			m{
				"api_key": "{{ env.B }}", "client_cert": "c", "api_url": "http://b.a.svc.cluster.local:3100", "max_retries": 1,
				"timeout_seconds": 15,
			},
		},
		"both halves": {
			`toolsets: {grafana/loki: {config: {username: a, password: "{{ env.A }}"}}}`,
			found("loki", "a/b", 3100),
			m{"username": "a", "password": "{{ env.A }}", "api_url": "http://b.a.svc.cluster.local:3100", "max_retries": 1, "timeout_seconds": 15},
		},
	} {
		d, err := with(t, []*backend.Finding{tt.find}, tt.overrides, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		tt.want["name"] = "a/b"
		for toolset, entry := range d.HolmesGPT["toolsets"].(m) {
			if list := instancesOf(entry); len(list) == 1 {
				if diff := gocmp.Diff(fmt.Sprint(tt.want), fmt.Sprint(list[0])); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", name, toolset, diff)
				}
			}
		}
	}
}

// What the admin addresses is as the admin wrote it, and what is found does not push it out.
func TestAdminsOwnBackend(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	t.Attr("req", "DTS-SEC-3")
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
		d, err := with(t, tt.findings, "toolsets: {prometheus/metrics: "+tt.text+"}", Holders{"prometheus/metrics": {}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, i := range instancesOf(d.HolmesGPT["toolsets"].(map[string]any)["prometheus/metrics"]) {
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

// Whose a credential is when the text changes.
func TestKnownHolders(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	const name = "prometheus/metrics"
	held, nobody := Holders{name: {Namespace: "ours", Name: "p"}}, Holders{name: {}}
	rotated := strings.ReplaceAll(bearer, "TOKEN", "OTHER")
	for _, tt := range []struct {
		what, before, after string
		holders             Holders
		found               bool
		want                Holders
	}{
		{"first", "", bearer, nil, false, Holders{}},
		{"first, found at the start", "", bearer, nil, true, nobody},
		{"another change", bearer, bearer + "\ncompact: {kubernetes: null}", held, false, held},
		{"rotated", bearer, rotated, held, false, held},
		{"rotated, found at the start", bearer, rotated, held, true, held},
		{"nobody's, another change", bearer, bearer + "\ncompact: {kubernetes: null}", nobody, false, nobody},
		{"nobody's, written anew", bearer, rotated, nobody, false, Holders{}},
		{"removed", bearer, "toolsets: {helm/core: {enabled: true}}", held, false, Holders{}},
		{"back", "toolsets: {helm/core: {enabled: true}}", bearer, Holders{}, false, Holders{}},
	} {
		var before *Overrides
		if tt.before != "" {
			before = parse(t, tt.before)
		}
		got := parse(t, tt.after).Known(before, tt.holders, !tt.found, types(t))
		if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.what, diff)
		}
	}
}

// In the compact form url is the primary's, and a key stands beside no other's.
func TestCompactNamesNoOther(t *testing.T) {
	t.Attr("req", "DTS-OUT-3")
	t.Attr("req", "DTS-OUT-4")
	const key = `compact: {grafana: {config: {apiKey: "${GRAFANA}", extra: 1}}}`
	ours := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("grafana", "ours/g", 80, change...)
	}
	evil := func(change ...func(*backend.Finding)) *backend.Finding {
		return found("grafana", "evil/g", 80, change...)
	}
	const oursURL, evilURL = "http://g.ours.svc.cluster.local:80", "http://g.evil.svc.cluster.local:80"
	holder := Holders{KeyCompact("grafana"): {Namespace: "ours", Name: "g"}}
	for name, tt := range map[string]struct {
		findings  []*backend.Finding
		overrides string
		known     Holders
		want      map[string]any
	}{
		"the primary":           {[]*backend.Finding{ours(primary), evil()}, "", nil, map[string]any{"url": oursURL}},
		"the primary, keyed":    {[]*backend.Finding{ours(primary, credentials("api_key", "K")), evil()}, "", nil, map[string]any{"url": oursURL, "apiKey": "${K}"}},
		"it is down":            {[]*backend.Finding{ours(down), evil()}, "", nil, map[string]any{}},
		"it is down, one keyed": {[]*backend.Finding{ours(down), evil(credentials("api_key", "K"))}, "", nil, map[string]any{}},
		"an unproven one":       {[]*backend.Finding{evil(unproven)}, "", nil, map[string]any{}},
		"overrides: the primary when it was written":  {[]*backend.Finding{ours(primary), evil()}, key, nil, map[string]any{"url": oursURL, "apiKey": "${GRAFANA}", "extra": 1}},
		"overrides: the primary has changed":          {[]*backend.Finding{evil(primary)}, key, holder, map[string]any{"url": evilURL, "extra": 1}},
		"overrides: it is down":                       {[]*backend.Finding{ours(down), evil()}, key, holder, map[string]any{"extra": 1}},
		"overrides: a primary that nobody trusts":     {[]*backend.Finding{evil(primary)}, key, Holders{KeyCompact("grafana"): {}}, map[string]any{"url": evilURL, "extra": 1}},
		"overrides: a primary that the admin trusts":  {[]*backend.Finding{ours(primary, entitled)}, key, Holders{KeyCompact("grafana"): {}}, map[string]any{"url": oursURL, "apiKey": "${GRAFANA}", "extra": 1}},
		"overrides: a URL of the admin's beside it":   {[]*backend.Finding{evil()}, `compact: {grafana: {config: {url: mine, apiKey: k}}}`, nil, map[string]any{"url": "mine", "apiKey": "k"}},
		"overrides: nothing is published of the type": {nil, key, nil, map[string]any{"apiKey": "${GRAFANA}", "extra": 1}},
	} {
		d, err := with(t, tt.findings, tt.overrides, tt.known)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
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
