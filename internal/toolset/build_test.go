package toolset

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// one of each built-in type, at its usual port.
func oneOfEach() []*backend.Finding {
	return []*backend.Finding{
		found("alertmanager", "monitoring/alertmanager", 9093, primary, vouched),
		found("elasticsearch", "logging/elasticsearch", 9200, primary),
		found("grafana", "monitoring/grafana", 80, primary, credentials("api_key", "GRAFANA_API_KEY")),
		found("jaeger", "tracing/jaeger-query", 16686, primary, vouched, seen("http", "/jaeger")),
		found("kibana", "logging/kibana", 5601, primary, vouched, unverified, credentials("api_key", "KIBANA_API_KEY")),
		found("loki", "logging/loki-gateway", 80, primary, credentials("tenant", "LOKI_TENANT")),
		found("mimir", "mimir/mimir-gateway", 80, primary, seen("http", "/prometheus")),
		found("opensearch", "search/opensearch", 9200, primary, unverified,
			credentials("username", "OPENSEARCH_USERNAME", "password", "OPENSEARCH_PASSWORD")),
		found("prometheus", "monitoring/prometheus-server", 80, primary),
		found("tempo", "tracing/tempo", 3200, primary),
		found("thanos", "monitoring/thanos-query", 9090, primary, credentials("bearer_token", "THANOS_BEARER_TOKEN")),
		found("victorialogs", "logging/vlsingle", 9428, primary),
		found("victoriametrics", "vm/vmselect", 8481, primary, seen("http", "/select/0/prometheus")),
		found("zipkin", "tracing/zipkin", 9411, primary, vouched),
	}
}

func custom() []*backend.Finding {
	return []*backend.Finding{
		found("custom", "shop/orders-kb", 8080, own, primary, vouched, named("orders-kb"), health("/healthz"),
			note("What orders mean, and who owns them")),
		found("runbooks", "sre/runbooks", 80, own, primary, vouched, base("/kb"), health("/up"), unproven),
		found("runbooks", "team/runbooks", 80, own, credentials("token", "TEAM_RUNBOOKS_TOKEN")),
		found("mcp", "sre/tickets", 8000, primary, named("tickets"), base("/mcp"), credentials("token", "TICKETS_TOKEN"), note("Open tickets of all teams")),
		found("prometheus", "monitoring/prometheus", 9090, primary, note("Everything but the edge clusters")),
	}
}

func TestBuild(t *testing.T) {
	t.Attr("req", "DTS-OUT-2 DTS-OUT-3 DTS-OUT-4 DTS-OUT-5")
	tests := map[string][]*backend.Finding{
		"each":   oneOfEach(),
		"custom": custom(),
		"several": {
			found("prometheus", "team-b/prometheus", 9090),
			found("prometheus", "monitoring/kps-prometheus", 9090, primary),
			found("prometheus", "team-a/prometheus", 9090, named("team-a"), unverified),
			found("thanos", "monitoring/kps-prometheus", 9090, primary), // one Service taken for two types
			found("grafana", "obs/grafana", 80, primary, credentials("api_key", "GRAFANA_API_KEY")),
			found("grafana", "team-a/grafana", 3000, credentials("username", "TEAM_A_USER", "password", "TEAM_A_PASSWORD")),
			found("grafana", "team-b/grafana", 3000),
			found("jaeger", "team-a/jaeger", 16686),
			found("jaeger", "team-b/jaeger", 16686, primary, vouched),
			found("elasticsearch", "logs/es", 9200, primary),
			found("opensearch", "logs/os", 9200, primary),
		},
		"nothing": nil,
		"unpublished": {
			{Ref: backend.Ref{Namespace: "a", Name: "b"}, Type: "prometheus", Verdict: backend.Rejected},
			func() *backend.Finding { f := found("grafana", "a/c", 80); f.Verdict = backend.Unavailable; return f }(),
		},
	}
	for name, findings := range tests {
		t.Run(name, func(t *testing.T) {
			d := document(t, findings, options(t), "")
			golden(t, name, flat(t, d))
		})
	}
}

// The safe minimum: HolmesGPT rejects a file without any toolset.
func TestBuildNothingAtAll(t *testing.T) {
	t.Attr("req", "DTS-OUT-2")
	d := document(t, nil, Options{Types: types(t), Formats: []string{HolmesGPT}}, "")
	golden(t, "minimum", flat(t, d))
}

func TestBuildFormats(t *testing.T) {
	t.Attr("req", "DTS-OUT-1")
	for _, tt := range []struct {
		formats []string
		want    []string
	}{
		{nil, []string{"custom_toolset.yaml", "kubernetes-toolset.yaml", "loki-toolset.yaml"}},
		{[]string{HolmesGPT}, []string{"custom_toolset.yaml"}},
		{[]string{Compact}, []string{"kubernetes-toolset.yaml", "loki-toolset.yaml"}},
	} {
		opts := options(t)
		opts.Formats = tt.formats
		d := document(t, []*backend.Finding{found("loki", "a/loki", 3100)}, opts, "")
		keys := keysOf(t, d)
		if diff := cmp.Diff(tt.want, sortedKeys(keys)); diff != "" {
			t.Errorf("formats %v (-want +got):\n%s", tt.formats, diff)
		}
	}
}

func TestBuildSameBytes(t *testing.T) {
	t.Attr("req", "DTS-OUT-5")
	findings := append(oneOfEach(), custom()...)
	overrides := "toolsets: {x/y: {enabled: false, description: d, tools: []}}\ninstances: {loki: {no/such: {a: b}, nor/this: null}}\n"
	first := ""
	for i := range 20 {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		r.Shuffle(len(findings), func(i, j int) { findings[i], findings[j] = findings[j], findings[i] })
		d := document(t, findings, options(t), overrides)
		got := flat(t, d)
		if first == "" {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatalf("the order of the findings shows (-first +now):\n%s", diff)
		}
	}
}

func TestGenerationMarker(t *testing.T) {
	t.Attr("req", "DTS-OUT-2")
	marker := func(port int32, overrides string) string {
		d := document(t, []*backend.Finding{found("loki", "a/loki", port)}, options(t), overrides)
		for name := range d.HolmesGPT["toolsets"].(map[string]any) {
			if strings.HasPrefix(name, "generation/") {
				return name
			}
		}
		return ""
	}
	plain := marker(3100, "")
	if plain == "" || plain != marker(3100, "") {
		t.Errorf("the marker %q is missing or differs for the same document", plain)
	}
	if plain == marker(3101, "") {
		t.Error("a changed URL leaves the marker as it is")
	}
	if plain == marker(3100, "toolsets: {grafana/loki: {config: {timeout_seconds: 5}}}") {
		t.Error("overrides leave the marker as it is")
	}
	opts := options(t)
	opts.GenerationMarker = false
	d := document(t, nil, opts, "")
	if got := sortedKeys(d.HolmesGPT["toolsets"].(map[string]any)); len(got) != 2 {
		t.Errorf("switched off, the marker is there: %v", got)
	}
}

func TestToolNames(t *testing.T) {
	t.Attr("req", "DTS-OUT-2 DTS-SEC-3")
	long := strings.Repeat("a-very-long-name-", 3) + "jaeger"
	opts := options(t)
	opts.TrustedNamespaces = []string{"monitoring"}
	d := document(t, []*backend.Finding{
		found("wiki", "tracing/"+long, 80, own),
		found("wiki", "tracing/"+long+"-2", 80, own),
		found("wiki", "team/a-jaeger", 80, own, day(9)),
		found("wiki", "team-a/jaeger", 80, own),
		found("wiki", "fine/jaeger", 80, own),
		found("jaeger", "fine/jaeger", 16686),
		found("docs", "same/zipkin", 80, own, named("z")),
		found("docs", "other/zipkin", 80, own, named("z")),
		found("wiki", "evil/x", 80, own),
		found("wiki", "monitoring/wiki", 80, own, named("evil-x"), day(9)),
	}, opts, "")
	want := []string{
		"custom/evil-x", // the trusted one keeps its name
		"custom/evil/x-69cf97f48e4b",
		"custom/fine/jaeger",
		"custom/team-a/jaeger", // the older one keeps its name
		"custom/team/a-jaeger-49dd4dabc86f",
		"custom/tracing/a-very-long-name-a-very-long-288e3481913f",
		"custom/tracing/a-very-long-name-a-very-long-e7124e16ab5d",
		"custom/z",
		"custom/z-9f0e8ff954ad",
		"jaeger",
	}
	if diff := cmp.Diff(want, sortedKeys(d.Backends)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A stranger's API does not take the tool of an HTTP toolset of the admin's own.
func TestToolsOfTheOverridesKeepTheirNames(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	endpoint := "config: {endpoints: [{hosts: [mine.example.com]}]}"
	for text, renamed := range map[string]bool{
		"toolsets: {custom/evil-x: {type: http, enabled: true, " + endpoint + "}}":      true,
		"toolsets: {custom/evil/x: {type: http, enabled: true, " + endpoint + "}}":      false, // it replaces the found one
		"toolsets: {custom/evil-x: {enabled: true, description: Mine, tools: []}}":      false, // no such tool
		"toolsets: {custom/evil-x: {type: http, enabled: false, " + endpoint + "}}":     false, // no tool now
		"toolsets: {custom/evil-x: null, custom/other: {type: http, " + endpoint + "}}": false,
	} {
		for _, inForce := range []bool{true, false} {
			opts := options(t)
			opts.InForce = inForce
			d := document(t, []*backend.Finding{found("wiki", "evil/x", 80, own)}, opts, text)
			names := slices.Collect(maps.Keys(d.Backends))
			if len(names) != 1 || (names[0] != "custom/evil/x") != renamed || !strings.HasPrefix(names[0], "custom/evil/x") {
				t.Errorf("%s: it is called %q", text, names)
			}
		}
	}
}

// A younger Service cannot be called what the hash makes of a longer name, also where two namespaces flatten alike.
func TestToolNamesOfHashes(t *testing.T) {
	t.Attr("req", "DTS-OUT-2 DTS-SEC-3")
	created := func(sec int64) func(*backend.Finding) {
		return func(f *backend.Finding) { f.Candidate.Service.Created = time.Unix(sec, 0) }
	}
	long := found("wiki", "team/a-jaeger-with-a-name-that-is-too-long-for-a-tool", 80, own, created(1))
	entriesOf := func(findings ...*backend.Finding) map[string]string { // name -> Service
		t.Helper()
		d := document(t, findings, options(t), "")
		names, tools := map[string]string{}, map[string]bool{}
		for name, behind := range d.Backends {
			if tools[catalog.ToolName(name)] {
				t.Errorf("two tools are called %s", catalog.ToolName(name))
			}
			tools[catalog.ToolName(name)] = true
			names[name] = behind[0].Ref.String()
		}
		return names
	}
	var hashed string
	for name := range entriesOf(long) {
		hashed = name
	}
	copied, ok := strings.CutPrefix(hashed, "custom/team/a-")
	if !ok {
		t.Fatalf("it is called %s", hashed)
	}
	for age, want := range map[int64]string{9: long.Ref.String(), 0: ""} { // of a younger impostor, and of an older one
		names := entriesOf(long, found("wiki", "team-a/"+copied, 80, own, created(age)))
		if len(names) != 2 || names[hashed] != want {
			t.Errorf("made at %d: got %v, want %s for %q", age, names, hashed, want)
		}
	}
}

// Whatever a stranger writes into an annotation stays one plain string, or keeps its Service out.
func TestHostileText(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-ANN-2")
	for _, text := range []string{
		"a: b", "- x", "'", `"`, `\`, "# no comment", "| x", "> x", "&a *a", "!!python/object:os.system", "%TAG", "@x", "`x`",
		"null", "~", "yes", "1e3", "0x10", "12:30:45", "2024-01-01", "...", "---", "key: [unclosed", "}{", "?", "<", "é ünï 日本 🙂",
		strings.Repeat("long words ", 45), " leading and trailing ", `2001-01-01 "x" \ y`,
	} {
		findings := []*backend.Finding{
			found("custom", "a/b", 80, own, primary, note(text)),
			found("mcp", "a/c", 80, note(text)),
			found("loki", "a/d", 3100, note(text)),
		}
		d := document(t, findings, options(t), "")
		keys := keysOf(t, d)
		var doc map[string]map[string]map[string]any
		if err := yaml.Unmarshal([]byte(keys[KeyHolmesGPT]), &doc); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := `Owner's note: "` + strings.ReplaceAll(text, `"`, "'") + `"`
		for where, got := range map[string]any{
			"custom": doc["toolsets"]["custom/a/b"]["llm_instructions"],
			"mcp":    doc["mcp_servers"]["mcp/a/c"]["llm_instructions"],
			"notes":  doc["toolsets"][notesEntry]["llm_instructions"],
		} {
			if s, _ := got.(string); !strings.HasSuffix(s, want) {
				t.Errorf("%s: got %q, want it to end in %q", where, s, want)
			}
		}
		if len(doc["toolsets"]) != 6 || len(doc["mcp_servers"]) != 1 {
			t.Errorf("%q changed what is in the document: %v", text, doc)
		}
		var compact map[string]map[string]any
		_ = yaml.Unmarshal([]byte(keys["custom-toolset.yaml"]), &compact)
		if got := compact["config"]["description"]; got != text {
			t.Errorf("compact: got %q, want %q", got, text)
		}
	}
}

func TestUnfit(t *testing.T) {
	t.Attr("req", "DTS-ANN-2 DTS-OUT-2")
	with := func(change func(*backend.Finding)) *backend.Finding { return found("custom", "a/b", 80, own, change) }
	for _, tt := range []struct {
		finding *backend.Finding
		want    string
	}{
		{with(note("{{ env.AWS_SECRET_ACCESS_KEY }}")), "a/b: text-unsafe type=custom field=description because=" + safetext.ErrTemplate.Error()},
		{with(note("a\nb")), "a/b: text-unsafe type=custom field=description because=" + safetext.ErrControl.Error()},
		{with(health("/${X}")), "a/b: text-unsafe type=custom field=health path because=" + safetext.ErrTemplate.Error()},
		{with(func(f *backend.Finding) { f.Link = "https://a.example/{{ env.X }}" }), "a/b: text-unsafe type=custom field=link because=" + safetext.ErrTemplate.Error()},
		{with(named("x.y")), "a/b: name-dot type=custom"},
		{found("wiki", "a/b.c", 80, own), "a/b.c: name-dot type=wiki"},
		{found("jaeger", "a/b c", 80), "a/b c: host type=jaeger"},
		{found("jaeger", "a/*", 80), "a/*: host type=jaeger"},
		{found("jaeger", "a/b", 80000), "a/b: host type=jaeger"},
		{found("kubernetes", "a/b", 80, own), "a/b: type-unknown type=kubernetes"},
		{found("../x", "a/b", 80, own), "a/b: type-unknown type=../x"},
		{found("nosuch", "a/b", 80), "a/b: type-unknown type=nosuch"},
		{found("prometheus", "a/b", 80, credentials("bearer_token", "A", "basic_auth", "B")), "a/b: credential-place type=prometheus field=basic_auth"},
		{found("jaeger", "a/b", 80, credentials("token", "A", "username", "B")), "a/b: credential-auth type=jaeger field=username kind=basic other=bearer"},
	} {
		d := document(t, []*backend.Finding{tt.finding}, options(t), "")
		if diff := cmp.Diff(tt.want, brief(d.Warnings)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
