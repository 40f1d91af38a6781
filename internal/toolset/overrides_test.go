package toolset

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// patched are the findings that the overrides in testdata change.
func patched() []*backend.Finding {
	return []*backend.Finding{
		found("prometheus", "monitoring/prometheus", 9090, primary),
		found("prometheus", "team-a/prometheus", 9090),
		found("prometheus", "team-b/prometheus", 9090),
		found("elasticsearch", "logging/es", 9200, primary),
		found("jaeger", "tracing/jaeger", 16686, primary),
		found("zipkin", "tracing/zipkin", 9411, primary),
		found("orders", "shop/orders", 80, own, primary, named("orders-kb")),
		found("mcp", "sre/tickets", 8000, primary),
	}
}

func TestOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	files, err := filepath.Glob(filepath.Join("testdata", "overrides-*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no overrides in testdata: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := document(t, patched(), options(t), string(text))
			golden(t, name, flat(t, d))
		})
	}
}

func TestOverridesEmpty(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	plain := document(t, patched(), options(t), "")
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n", "{}", "toolsets: {}\nmcp_servers: {}\ninstances: {}\ncompact: {}\n", "instances:\ncompact:\n"} {
		d := document(t, patched(), options(t), text)
		if diff := gocmp.Diff(flat(t, plain), flat(t, d)); diff != "" {
			t.Errorf("%q changes the document (-without +with):\n%s", text, diff)
		}
	}
}

// RFC 7386, appendix A.
func TestMergePatch(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	type m = map[string]any
	for _, tt := range []struct{ target, patch, want any }{
		{m{"a": "b"}, m{"a": "c"}, m{"a": "c"}},
		{m{"a": "b"}, m{"b": "c"}, m{"a": "b", "b": "c"}},
		{m{"a": "b"}, m{"a": nil}, m{}},
		{m{"a": "b", "b": "c"}, m{"a": nil}, m{"b": "c"}},
		{m{"a": []any{"b"}}, m{"a": "c"}, m{"a": "c"}},
		{m{"a": "c"}, m{"a": []any{"b"}}, m{"a": []any{"b"}}},
		{m{"a": m{"b": "c"}}, m{"a": m{"b": "d", "c": nil}}, m{"a": m{"b": "d"}}},
		{m{"a": []any{m{"b": "c"}}}, m{"a": []any{1}}, m{"a": []any{1}}},
		{[]any{"a", "b"}, []any{"c", "d"}, []any{"c", "d"}},
		{m{"a": "b"}, []any{"c"}, []any{"c"}},
		{m{"e": nil}, m{"a": 1}, m{"e": nil, "a": 1}},
		{[]any{1, 2}, m{"a": "b", "c": nil}, m{"a": "b"}},
		{m{}, m{"a": m{"bb": m{"ccc": nil}}}, m{"a": m{"bb": m{}}}},
	} {
		if diff := gocmp.Diff(tt.want, mergePatch(tt.target, tt.patch)); diff != "" {
			t.Errorf("%v patched by %v (-want +got):\n%s", tt.target, tt.patch, diff)
		}
	}
}

// Overrides are used again and again: building must not change them.
func TestOverridesUsedTwice(t *testing.T) {
	o := parse(t, "toolsets: {prometheus/metrics: {config: {instances: null}}}\ninstances: {jaeger: {tracing/jaeger: {verify_ssl: false}}}\ncompact: {jaeger: {config: {a: b}}}\n")
	first := ""
	for range 2 {
		d, err := Build(patched(), options(t), o)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = flat(t, d)
		}
		if diff := gocmp.Diff(first, flat(t, d)); diff != "" {
			t.Error(diff)
		}
	}
}

// The admin addresses an instance by its Service or by its name as it is written. A stranger's that is called like it, or
// like an entry of the admin's own, gets nothing of what was meant for that.
func TestOverridesByName(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-ANN-3 DTS-SEC-3")
	const key = "{additional_headers: {X-Key: '{{ env.KEY }}'}}"
	trusted, strange := found("prometheus", "ours/p", 9090, named("main")), found("prometheus", "evil/p", 9090, named("evil/main"))
	wiki := found("wiki", "evil/w", 80, own, named("evil/db"))
	// A tenant's instance may have the name of anybody's Service.
	tenant, namesake := found("prometheus", "ours/gw", 9090, named("gw/prod"), vouched), found("prometheus", "gw/prod", 9090, named("gw/other"))
	for name, tt := range map[string]struct {
		overrides string
		findings  []*backend.Finding
		want      []string // entries and instances with the key
		warning   string
	}{
		"by the Service":                             {"instances: {prometheus: {evil/p: " + key + "}}", []*backend.Finding{trusted, strange}, []string{"evil/main"}, ""},
		"by the written name":                        {"instances: {prometheus: {evil/main: " + key + "}}", []*backend.Finding{trusted, strange}, []string{"evil/main"}, ""},
		"by a trusted one's name":                    {"instances: {prometheus: {main: " + key + "}}", []*backend.Finding{trusted, strange}, []string{"main"}, ""},
		"a Service called as a trusted one's tenant": {"instances: {prometheus: {gw/prod: " + key + "}}", []*backend.Finding{tenant, namesake}, []string{"gw/prod"}, ""},
		"the trusted one is absent":                  {"instances: {prometheus: {main: " + key + "}}", []*backend.Finding{strange}, nil, "instance-unknown meant=evil/main"},
		"nobody is near":                             {"instances: {prometheus: {other: " + key + "}}", []*backend.Finding{strange}, nil, "instance-unknown"},
		"an entry of the admin's own": {
			"toolsets: {custom/db: {type: http, enabled: true, config: {endpoints: [{hosts: [db.ours], paths: ['/*'], methods: [GET], auth: {type: bearer, token: '{{ env.KEY }}'}}]}}}",
			[]*backend.Finding{wiki}, []string{"db.ours"}, "",
		},
		"an API, by its written name": {"instances: {custom: {evil/db: " + key + "}}", []*backend.Finding{wiki}, []string{"custom/evil/db"}, ""},
		"an API, by the bare name":    {"instances: {wiki: {db: " + key + "}}", []*backend.Finding{wiki}, nil, "instance-unknown meant=evil/db"},
	} {
		d := document(t, tt.findings, options(t), tt.overrides)
		var got []string
		for _, v := range d.Variables() {
			got = append(got, cmp.Or(v.Instance, v.Toolset))
		}
		if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: who has the key (-want +got):\n%s", name, diff)
		}
		if all := brief(d.Warnings); !strings.HasSuffix(all, tt.warning) || (all == "") != (tt.warning == "") {
			t.Errorf("%s: warnings %q, want %q", name, all, tt.warning)
		}
	}
}

// What has no effect, or less than was meant, is told; the rest is in force.
func TestOverridesWithoutEffect(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	const at = "overrides.yaml:1:"
	for text, want := range map[string]string{
		"toolset: {kubernetes/logs: null}":    at + "10: toolset: key-unknown meant=toolsets",
		"instance: {}":                        at + "11: instance: key-unknown meant=instances",
		"mcpServers: {}":                      at + "13: mcpServers: key-unknown meant=mcp_servers",
		"notes: {}":                           at + "8: notes: key-unknown",
		"instances: {jaeger: {gone/x: {}}}":   at + "30: instances.jaeger.gone/x: instance-unknown",
		"compact: {loki: {config: {url: x}}}": at + "17: compact.loki: compact-lacking value=loki-toolset.yaml names=toolset,enabled",
		"compact: {elasticsaerch: {enabled: false}}": at + "26: compact.elasticsaerch: compact-lacking value=elasticsaerch-toolset.yaml " +
			"names=toolset,config meant=elasticsearch",
		"compact: {loki: {toolset: loki, enabled: true, config: {url: x}}}": "", // one of the admin's own
		"compact: {loki: null, elasticsearch: {config: {index: x}}}":        "",
		// What is no credential may be set for several instances.
		"toolsets: {prometheus/metrics: {config: {additional_headers: {X-Scope-OrgID: all}, verify_ssl: false}}}": "",
	} {
		d := document(t, patched(), options(t), text)
		if diff := gocmp.Diff(want, brief(d.Warnings)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	one := options(t)
	one.Formats = []string{HolmesGPT}
	if d := document(t, patched(), one, "compact: {loki: {config: {url: x}}}"); len(d.Warnings) > 0 {
		t.Errorf("the compact form is not written, and yet: %q", brief(d.Warnings))
	}
}

func TestBadOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	for name, tt := range map[string]struct{ text, want string }{
		"not YAML": {
			"toolsets:\n\ta: 1\n",
			"o.yaml:2: not valid YAML: found character that cannot start any token",
		},
		"no mapping": {"- toolsets\n", "o.yaml:1:1: expected a mapping with toolsets, mcp_servers, instances or compact"},
		"empty sections": {
			"toolsets:\nmcp_servers:\n",
			"o.yaml:1:1: toolsets: empty, which would remove everything: remove the key, or set what you do not want to null\n" +
				"o.yaml:2:1: mcp_servers: empty, which would remove everything: remove the key, or set what you do not want to null",
		},
		"wrong shapes": {
			"toolsets: [a]\nmcp_servers: {x: 1}\ninstances: {prometheus: null, jaeger: {a/b: true}, x: y}\ncompact: {Up: {}, jaeger: 7}\n",
			"o.yaml:1:11: toolsets: expected a mapping of names to patches\n" +
				"o.yaml:2:18: mcp_servers.x: expected a mapping, or null to remove it\n" +
				"o.yaml:3:13: instances.prometheus: expected a mapping of namespace/service to a patch, or null to remove the instance\n" +
				"o.yaml:3:45: instances.jaeger.a/b: expected a mapping, or null to remove the instance\n" +
				"o.yaml:3:55: instances.x: expected a mapping of namespace/service to a patch, or null to remove the instance\n" +
				"o.yaml:4:15: compact.Up: expected a type: lower-case letters, digits and dashes, at most 63\n" +
				"o.yaml:4:27: compact.jaeger: expected a mapping, or null to remove its key",
		},
		"dots": {
			"toolsets:\n  a.b: {enabled: true}\n  c/d:\n    config:\n      headers:\n        - {x.y: 1}\ninstances:\n  loki:\n    a/b:\n      additional_headers: {x.y: z}\n",
			"o.yaml:2:8: toolsets[\"a.b\"]: a key must not contain a dot: HolmesGPT would reject the whole file\n" +
				"o.yaml:6:17: toolsets.c/d.config.headers[0].(key not shown): a key must not contain a dot: HolmesGPT would reject the whole file\n" +
				"o.yaml:10:33: instances.loki.a/b.additional_headers.(key not shown): a key must not contain a dot: HolmesGPT would reject the whole file",
		},
		"given twice": {
			"toolsets:\n  a/b: {enabled: true}\n  a/b: {enabled: false}\n",
			"o.yaml:3:3: toolsets.a/b: given twice; first on line 2",
		},
		"unknown field": {
			"toolsets:\n  prometheus/metrics:\n    prometheus_url: http://x\n",
			"o.yaml:3:21: toolsets.prometheus/metrics.prometheus_url: not a field of a toolset: HolmesGPT would reject the toolset; settings of a backend go under config",
		},
		"wrong fields": {
			"toolsets:\n  x/y: {enabled: \"yes\", type: https, config: [a], tools: {}, description: 7}\n  h/t: {type: http, tools: []}\nmcp_servers:\n  m: {url: http://old}\n",
			"o.yaml:2:18: toolsets.x/y.enabled: expected true or false\n" +
				"o.yaml:2:31: toolsets.x/y.type: expected built-in, custom, mcp, http, database or mongodb\n" +
				"o.yaml:2:46: toolsets.x/y.config: expected a mapping\n" +
				"o.yaml:2:58: toolsets.x/y.tools: expected a list\n" +
				"o.yaml:2:75: toolsets.x/y.description: expected a text\n" +
				"o.yaml:3:28: toolsets.h/t.tools: HolmesGPT rejects this field in a toolset of type http",
		},
		"no plain data": {
			"toolsets: {x/y: {config: {a: 2024-01-01, b: .inf}}}\n",
			"o.yaml:1:30: toolsets.x/y.config.a: a date: put quotes around it\n" +
				"o.yaml:1:45: toolsets.x/y.config.b: expected a finite number",
		},
		"credential for all": {
			"toolsets:\n  prometheus/metrics:\n    config:\n      additional_headers:\n        Authorization: Bearer {{ env.TOKEN }}\n",
			"o.yaml:4:7: toolsets.prometheus/metrics.config.additional_headers: a credential here goes to all 3 instances: put it into the one it is for",
		},
		"password for all": {
			"toolsets:\n  prometheus/metrics:\n    config:\n      password: s3cret\n",
			"o.yaml:4:17: toolsets.prometheus/metrics.config.password: a credential here goes to all 3 instances: put it into the one it is for",
		},
		"no instances": {
			"toolsets:\n  prometheus/metrics:\n    config:\n      instances: []\n",
			"o.yaml:4:18: toolsets.prometheus/metrics.config.instances: expected a list of instances; to switch the toolset off, set it to null or enabled: false",
		},
		"one name twice": {
			"instances:\n  prometheus:\n    team-a/prometheus:\n      name: monitoring/prometheus\n",
			"o.yaml:4:13: instances.prometheus.team-a/prometheus.name: the name monitoring/prometheus is given to two instances: HolmesGPT would reject the toolset",
		},
		"one name twice in a list": {
			"toolsets:\n  grafana/loki:\n    enabled: true\n    config:\n      instances:\n        - {name: a, api_url: http://a}\n        - {name: a, api_url: http://b}\n        - just text\n",
			"o.yaml:7:18: toolsets.grafana/loki.config.instances[1].name: the name a is given to two instances: HolmesGPT would reject the toolset\n" +
				"o.yaml:8:11: toolsets.grafana/loki.config.instances[2]: expected a mapping with a name",
		},
		"HTTP without endpoints": {
			"instances:\n  jaeger:\n    tracing/jaeger:\n      hosts: null\n",
			"o.yaml:4:7: instances.jaeger.tracing/jaeger.hosts: expected a list of hosts such as http://name:8080",
		},
		"HTTP with a host that HolmesGPT refuses": {
			"instances:\n  jaeger:\n    tracing/jaeger:\n      hosts: ['ftp://x']\n      methods: [FETCH]\n",
			"o.yaml:4:15: instances.jaeger.tracing/jaeger.hosts[0]: expected a text such as http://name:8080\n" +
				"o.yaml:5:17: instances.jaeger.tracing/jaeger.methods[0]: expected a method such as GET",
		},
		"auth without its secret": {
			"toolsets:\n  my/api:\n    type: http\n    config: {endpoints: [{hosts: [http://x], auth: {type: bearer}}, {}]}\n",
			"o.yaml:4:52: toolsets.my/api.config.endpoints[0].auth: bearer auth needs token\n" +
				"o.yaml:4:69: toolsets.my/api.config.endpoints[1].hosts: expected a list of hosts such as http://name:8080",
		},
		"MCP without url": {
			"mcp_servers:\n  mcp/sre/tickets: {config: {url: null}}\n  other: {description: x}\n",
			"o.yaml:2:29: mcp_servers.mcp/sre/tickets.config: an MCP server needs config.url\n" +
				"o.yaml:3:10: mcp_servers.other.config: an MCP server needs config.url",
		},
		"HTTP type on a built-in": {
			"toolsets: {prometheus/metrics: {type: http}}\n",
			"o.yaml:1:39: toolsets.prometheus/metrics.type: http breaks a toolset of HolmesGPT's own: remove the type",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := ParseOverrides("o.yaml", []byte(tt.text))
			if err == nil {
				err = o.Shared(patched(), types(t), o.Fresh(nil, types(t)))
			}
			if err == nil {
				_, err = Build(patched(), options(t), o)
			}
			if err == nil {
				t.Fatal("accepted")
			}
			got, _, _ := strings.Cut(err.Error(), " (") // hints of the YAML reader
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
