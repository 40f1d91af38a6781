package toolset

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Whatever is found, overrides that are in force stay, but for the patch that cannot be.
func TestOverridesInForceStay(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	for name, tt := range map[string]struct {
		text      string
		findings  []*backend.Finding
		has, lack []string
		warning   string
	}{
		"the patched server is down": {
			"{toolsets: {helm/core: {enabled: true}}, mcp_servers: {mcp/sre/tickets: {config: {headers: {A: '{{ env.A }}'}}}}}",
			nil,
			[]string{"helm/core"},
			[]string{"env.A"},
			"overrides.yaml:1:73: mcp_servers.mcp/sre/tickets: patch-left-out because=config: an MCP server needs config.url",
		},
		"the patched API is down": {
			"toolsets: {helm/core: {enabled: true}, jaeger: {type: http, description: Mine}}",
			nil,
			[]string{"helm/core"},
			[]string{"Mine"},
			"patch-left-out because=config.endpoints: expected a list of endpoints",
		},
		"a patch whose target comes later": {
			"{toolsets: {helm/core: {enabled: true}}, instances: {jaeger: {tracing/jaeger: {hosts: null}}}}",
			[]*backend.Finding{found("jaeger", "tracing/jaeger", 16686, primary)},
			[]string{"helm/core", "  jaeger:", "http://jaeger.tracing"},
			nil,
			"overrides.yaml:1:79: instances.jaeger.tracing/jaeger: patch-left-out because=",
		},
		"a toolset of the admin's under a stranger's name": {
			"toolsets: {helm/core: {enabled: true}, custom/evil/db: {enabled: true, description: Mine, tools: []}}",
			[]*backend.Finding{found("wiki", "evil/db", 80, own)},
			[]string{"helm/core", "description: Mine"},
			[]string{"db.evil.svc"},
			"found-left-out because=",
		},
		"a stranger comes under a name that the admin gave": {
			"{toolsets: {helm/core: {enabled: true}}, instances: {prometheus: {ours/p: {name: evil/p}}}}",
			[]*backend.Finding{found("prometheus", "evil/p", 9090, primary), found("prometheus", "ours/p", 9090)},
			[]string{"helm/core", "name: evil/p\n        prometheus_url: http://p.ours", "name: evil/p-"},
			nil,
			"",
		},
		"two patches give one name": {
			"{toolsets: {helm/core: {enabled: true}}, instances: {prometheus: {ours/p: {name: main}, evil/p: {name: main}}}}",
			[]*backend.Finding{found("prometheus", "ours/p", 9090, primary), found("prometheus", "evil/p", 9090)},
			[]string{"helm/core", "name: main\n        prometheus_url: http://p.ours", "name: evil/p\n"},
			nil,
			"evil/p: name-kept type=prometheus value=main",
		},
		"a name that is no text": {
			"{toolsets: {helm/core: {enabled: true}}, instances: {prometheus: {evil/p: {name: 7}}}}",
			[]*backend.Finding{found("prometheus", "evil/p", 9090)},
			[]string{"helm/core", "name: evil/p\n"},
			nil,
			"evil/p: name-kept type=prometheus value=7",
		},
	} {
		opts := options(t)
		opts.InForce = true
		d := document(t, tt.findings, opts, tt.text)
		keys := keysOf(t, d)
		text := keys[KeyHolmesGPT]
		for _, want := range tt.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		for _, unwanted := range tt.lack {
			if strings.Contains(text, unwanted) {
				t.Errorf("%s: %q in\n%s", name, unwanted, text)
			}
		}
		if warnings := brief(d.Warnings); !strings.Contains(warnings, tt.warning) || tt.warning == "" && warnings != "" {
			t.Errorf("%s: warnings %q, want %q", name, warnings, tt.warning)
		}
		if p := Validate("document", []byte(text)); slices.ContainsFunc(p, func(p Problem) bool { return p.Severity == Error }) {
			t.Errorf("%s: HolmesGPT would not load it: %+v", name, p)
		}
	}
}

// Overrides in force can always be built, whoever comes and goes, and no stranger gets their credentials.
func TestOverridesInForceAlwaysFit(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	patches := []string{
		bearer[len("toolsets: {") : len(bearer)-1],
		"grafana/loki: {config: {password: '{{ env.TOKEN }}'}}",
		"custom/evil/db: {enabled: true, description: Mine, tools: []}",
		"custom/evil/wiki: {type: http, config: {endpoints: [{hosts: [x]}]}}",
		"jaeger/evil/j: {type: http, tools: null, description: x}",
		"jaeger/ours/j: {config: {endpoints: null}}",
		"zipkin/ours/z: {config: {endpoints: [{hosts: [8]}]}}",
		"jaeger: {config: {endpoints: [{hosts: [x]}], timeout_seconds: 7}}",
		"helm/core: {enabled: true}",
	}
	instances := []string{
		"prometheus: {ours/p: {name: evil/p}, evil/q: {name: evil/p}, evil/p: {name: 3}}",
		"jaeger: {evil/j: {endpoints: []}, ours/j: {endpoints: null}}",
		"zipkin: {evil/z: {hosts: [':']}, ours/z: {auth: {type: bearer}}}",
		"loki: {evil/l: {name: null}, ours/l: {name: default}}",
	}
	servers := []string{"mcp/sre/t: {config: {headers: {A: '{{ env.A }}'}}}", "mcp/own: {config: {url: http://x, mode: sse}}", "mcp/sre/u: {config: {url: null}}"}
	var candidates []*backend.Finding
	for _, ref := range []string{"ours/", "evil/"} {
		candidates = append(candidates, found("prometheus", ref+"p", 9090), found("prometheus", ref+"q", 9090), found("thanos", ref+"t", 9090),
			found("jaeger", ref+"j", 16686), found("zipkin", ref+"z", 9411), found("loki", ref+"l", 3100), found("wiki", ref+"wiki", 80, own), found("wiki", ref+"db", 80, own),
			found("mcp", "sre/"+string(ref[0]), 80), found("mcp", "sre/t", 80))
	}
	r := rand.New(rand.NewPCG(13, 4))
	some := func(list []string) string {
		var out []string
		for _, s := range list {
			if r.IntN(2) == 0 {
				out = append(out, s)
			}
		}
		return strings.Join(out, ", ")
	}
	for range 300 {
		text := fmt.Sprintf("{toolsets: {docker/core: {enabled: true}, %s}, instances: {%s}, mcp_servers: {%s}}", some(patches), some(instances), some(servers))
		text = strings.NewReplacer(", }", "}", "{, ", "{").Replace(text)
		var findings []*backend.Finding
		for _, f := range candidates {
			if f := *f; r.IntN(2) == 0 {
				c := *f.Candidate
				c.Unproven, f.Candidate, f.Entitled = r.IntN(4) == 0, &c, f.Namespace == "ours"
				findings = append(findings, &f)
			}
		}
		opts := options(t)
		opts.InForce = true
		d := document(t, findings, opts, strings.ReplaceAll(text, "mcp_servers: {}", "notes: {}"))
		if d.HolmesGPT["toolsets"].(map[string]any)["docker/core"] == nil {
			t.Errorf("%s: a patch is gone", text)
		}
		for name, entry := range d.HolmesGPT["toolsets"].(map[string]any) {
			for _, i := range listIn(entry, "instances") {
				if text := fmt.Sprint(i); strings.Contains(text, "env.TOKEN") && !strings.Contains(text, ".ours.svc") {
					t.Errorf("%s: the credential is in %s: %s", text, name, i)
				}
			}
			config := maps.Clone(configOf(entry))
			delete(config, "instances")
			if strings.Contains(fmt.Sprint(config), "env.TOKEN") {
				t.Errorf("%s: the credential is at the top of %s", text, name)
			}
		}
	}
}
