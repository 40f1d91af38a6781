package toolset

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// entryOf is the entry of a document, nil if it has none of the name.
func entryOf(d *Document, name string) map[string]any {
	entry, _ := d.HolmesGPT["toolsets"].(map[string]any)[name].(map[string]any)
	return entry
}

// endpointsOf are the endpoints of an HTTP toolset, by their first host.
func endpointsOf(t *testing.T, d *Document, name string) (hosts []string, endpoints map[string]map[string]any) {
	t.Helper()
	endpoints = map[string]map[string]any{}
	list, _ := configOf(entryOf(d, name))["endpoints"].([]any)
	for _, v := range list {
		endpoint := v.(map[string]any)
		host, _ := endpoint["hosts"].([]any)[0].(string)
		hosts = append(hosts, host)
		endpoints[host] = endpoint
	}
	return hosts, endpoints
}

// All instances of a type without a toolset of HolmesGPT's own are one HTTP toolset, whose instructions stand once, with a
// list of them; each has its own paths and its own credentials. Only one that is alone has a health check.
func TestOneHTTPToolsetPerType(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-OUT-2")
	d := built(t, nil,
		found("jaeger", "b/jaeger", 16686, primary, vouched, credentials("token", "JAEGER_BEARER_TOKEN")),
		found("jaeger", "a/jaeger", 16686, seen("http", "/jaeger"), note(`Only "mine", ok?`)),
		found("jaeger", "c/jaeger", 16686, unproven),
		found("zipkin", "z/zipkin", 9411, vouched),
		found("wiki", "z/wiki", 80, own),
	)
	const a, b, c = "http://jaeger.a.svc.cluster.local:16686", "http://jaeger.b.svc.cluster.local:16686", "http://jaeger.c.svc.cluster.local:16686"
	hosts, endpoints := endpointsOf(t, d, "jaeger")
	if diff := cmp.Diff([]string{b, a, c}, hosts); diff != "" { // what the configuration vouches for comes first
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
	want := map[string]map[string]any{
		a: {"hosts": []any{a}, "paths": []any{"/jaeger/api/*"}, "methods": []any{"GET"}},
		b: {
			"hosts": []any{b}, "paths": []any{"/api/*"}, "methods": []any{"GET"},
			"auth": map[string]any{"type": "bearer", "token": "{{ env.JAEGER_BEARER_TOKEN }}"},
		},
		c: {"hosts": []any{c}, "paths": []any{"/api/*"}, "methods": []any{"GET"}},
	}
	if diff := cmp.Diff(want, endpoints); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	text, _ := entryOf(d, "jaeger")["llm_instructions"].(string)
	if n := strings.Count(text, "distributed traces"); n != 1 {
		t.Errorf("the instructions stand %d times:\n%s", n, text)
	}
	list := "\nInstances, each with its URL:\n- b/jaeger: " + b + " (the main one)\n- a/jaeger: " + a + "/jaeger\n- c/jaeger: " + c +
		" (not proven to work: its owner switched the check off)\n- a/jaeger: Owner's note: \"Only 'mine', ok?\""
	if !strings.HasSuffix(text, list) {
		t.Errorf("the agent reads\n%s\nwant it to end in%s", text, list)
	}
	for _, name := range []string{"zipkin", "custom/z/wiki"} {
		if hosts, _ := endpointsOf(t, d, name); len(hosts) != 1 {
			t.Errorf("%s has the hosts %v", name, hosts)
		}
	}
	_, endpoints = endpointsOf(t, d, "zipkin")
	if got := endpoints["http://zipkin.z.svc.cluster.local:9411"]["health_check_url"]; got != "http://zipkin.z.svc.cluster.local:9411/health" {
		t.Errorf("the only Zipkin has the health check %v", got)
	}
	variable := d.Variables()[0]
	if variable.Toolset != "jaeger" || variable.Instance != b || !variable.IsFor(d.Backends["jaeger"][0]) || variable.IsFor(d.Backends["jaeger"][1]) {
		t.Errorf("the variable is of %+v", variable)
	}
	if instances, _ := d.Entries(); instances["jaeger"] != nil {
		t.Errorf("HolmesGPT is expected to name the instances %q", instances["jaeger"])
	}
}

// HolmesGPT verifies the certificates of a whole toolset or of none: an instance that is to be used unverified takes the
// check from no other.
func TestUnverifiedApart(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3")
	d := built(t, nil,
		found("kibana", "a/kibana", 5601), found("kibana", "b/kibana", 5601, unverified), found("kibana", "c/kibana", 5601))
	if config := configOf(entryOf(d, "kibana")); config["verify_ssl"] != nil || len(config["endpoints"].([]any)) != 2 {
		t.Errorf("the verified ones have %v", config)
	}
	if config := configOf(entryOf(d, "kibana/unverified")); fmt.Sprint(config["verify_ssl"]) != "false" || len(config["endpoints"].([]any)) != 1 {
		t.Errorf("the unverified one has %v", config)
	}
}

// Where hosts are shared, a request for what the configuration vouches for meets its endpoint first, with its credentials.
func TestVouchedEndpointsComeFirst(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3")
	shared := func(path string) func(*backend.Finding) {
		return func(f *backend.Finding) { f.Candidate.Host, f.Candidate.Path = "gateway.example.com", path }
	}
	d := built(t, nil,
		found("kibana", "a-evil/kibana", 443, primary, shared("/s/team")),
		found("kibana", "monitoring/kibana", 443, vouched, shared(""), credentials("api_key", "KIBANA_API_KEY")))
	first, _ := configOf(entryOf(d, "kibana"))["endpoints"].([]any)[0].(map[string]any)
	if first["auth"] == nil {
		t.Errorf("the first endpoint is %v", first)
	}
}

// Names of HolmesGPT's own toolsets, and the tools of APIs that owners include, are no type's.
func TestNamesOfTypes(t *testing.T) {
	t.Attr("req", "DTS-OUT-2 DTS-SEC-3")
	web := catalog.Entry{HTTP: &catalog.HTTP{Paths: []string{"/*"}}, Description: "d"}
	for _, tt := range []struct {
		typ  string
		want []string
	}{
		{"jaeger", []string{"jaeger", "jaeger/2"}},
		{"victorialogs", []string{"victorialogs/http", "victorialogs/2"}},
	} {
		typ := catalog.Type{Type: tt.typ, Toolset: catalog.Toolset{HolmesGPT: []catalog.Entry{web, web}}}
		for i, want := range tt.want {
			if got := typ.EntryName(i, false); got != want || isBuiltin(got) {
				t.Errorf("%s: %s, want %s", tt.typ, got, want)
			}
			if got := typ.EntryName(i, true); got != want+"/unverified" {
				t.Errorf("%s, unverified: %s", tt.typ, got)
			}
		}
	}
	for _, name := range []string{"bash", "internet", "newrelic", "notion", "runbook", "slab", "robusta", "confluence"} {
		if !isBuiltin(name) || !catalog.Reserved(name) {
			t.Errorf("a type may be called %s", name)
		}
	}
	opts := options(t)
	opts.Types = append(opts.Types, &catalog.Type{Type: "custom-a-b", Toolset: catalog.Toolset{HolmesGPT: []catalog.Entry{web}}})
	d := document(t, []*backend.Finding{
		found("custom-a-b", "z/x", 80, func(f *backend.Finding) { f.Candidate.Service.Created = time.Unix(9, 0) }), found("wiki", "a/b", 80, own),
	}, opts, "")
	if entryOf(d, "custom-a-b") == nil || entryOf(d, "custom/a/b") != nil {
		t.Errorf("they are called %v", sortedKeys(d.Backends))
	}
}

// The overrides of an instance change its endpoint. What is a setting of all endpoints has no effect there, and is told.
func TestOverridesOfAnEndpoint(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-OUT-6")
	const a, b = "http://jaeger.a.svc.cluster.local:16686", "http://jaeger.b.svc.cluster.local:16686"
	text := "instances: {jaeger: {a/jaeger: {paths: [/only], timeout_seconds: 5}}}"
	d := document(t, []*backend.Finding{found("jaeger", "a/jaeger", 16686), found("jaeger", "b/jaeger", 16686)}, options(t), text)
	_, endpoints := endpointsOf(t, d, "jaeger")
	if of, other := fmt.Sprint(endpoints[a]["paths"]), fmt.Sprint(endpoints[b]["paths"]); of != "[/only]" || other != "[/api/*]" {
		t.Errorf("paths %s, and of the other %s", of, other)
	}
	want := "overrides.yaml:1:66: instances.jaeger.a/jaeger.timeout_seconds: not-of-instance type=jaeger value=jaeger"
	if diff := cmp.Diff(want, brief(d.Warnings)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// HolmesGPT fails a whole toolset for one host that it does not understand.
func TestHosts(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3")
	for host, want := range map[string][2]bool{ // accepted of an admin, and as what is generated
		"http://a.b.svc:80":       {true, true},
		"https://[fd00::1]:9200":  {true, true},
		"https://gateway.example": {true, true},
		"a.b.svc":                 {true, false},
		"a.b.svc:8080":            {true, false},
		"*.example.com":           {true, false},
		"https://*.example.com:*": {true, false},
		"http://a:80/base":        {true, false},
		"":                        {false, false},
		"http://":                 {false, false},
		"ftp://a":                 {false, false},
		"http://a:0":              {false, false},
		"http://a:70000":          {false, false},
		"http://a:":               {false, false},
		"http://a*b:80":           {false, false},
		"http://[fd00::1":         {false, false},
		"http://user@a:80":        {false, false},
	} {
		if got := [2]bool{isHostPattern(host), isOrigin(host)}; got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
