package toolset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yaml3 "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ownText is the text of one key of the admin's own, "" where it is not written.
func ownText(t *testing.T, tree string, findings ...*backend.Finding) string {
	t.Helper()
	var parsed any
	if err := yaml3.Unmarshal([]byte(tree), &parsed); err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Own = OwnKeys{"mine.yaml": parsed}
	doc := document(t, findings, o, "")
	keys := keysOf(t, doc)
	return strings.TrimPrefix(keys["mine.yaml"], ownHeader)
}

// Placeholders are filled in with the primaries, or with each instance of a type.
func TestOwnKeys(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	prom := found("prometheus", "m/p", 9090, primary, vouched, func(f *backend.Finding) {
		f.Observation.Version, f.Observation.Scheme, f.Observation.Path = "3.1", "https", "/base"
		f.Link = "https://p.example.com"
	})
	other := found("prometheus", "team/p", 80)
	strangers := found("thanos", "evil/t", 80, primary)
	for _, c := range []struct{ name, tree, want string }{
		{"a primary", "{a: x $(primary.prometheus.url) y}", "a: x https://p.m.svc.cluster.local:9090/base y\n"},
		{
			"its fields",
			"a: $(primary.prometheus.name) $(primary.prometheus.namespace) $(primary.prometheus.service) " +
				"$(primary.prometheus.host) $(primary.prometheus.scheme) $(primary.prometheus.path) " +
				"$(primary.prometheus.version) $(primary.prometheus.type) $(primary.prometheus.link)",
			"a: m/p m p p.m.svc.cluster.local https /base 3.1 prometheus https://p.example.com\n",
		},
		{
			"a key of which nothing is known is left out, and a text or an item stays",
			"{a: $(primary.thanos.link), b: v$(primary.thanos.version), c: [$(primary.thanos.link)], d: \"\", l: [{for: thanos, u: $(url), p: $(path)}]}",
			"b: v\nc:\n- \"\"\nd: \"\"\nl:\n- u: http://t.evil.svc.cluster.local:80\n",
		},
		{"a port is a text", "{a: $(primary.prometheus.port)}", "a: \"9090\"\n"},
		{
			"a mapping that names a primary that is not there is left out, and nothing around it",
			"{a: {b: {url: $(primary.loki.url), c: 1}, d: 2}, l: [{u: $(primary.loki.url)}, {u: x}]}", "a:\n  d: 2\nl:\n- u: x\n",
		},
		{"a list of texts belongs to the mapping around it", "{a: {l: [$(primary.loki.url)]}, b: 1}", "b: 1\n"},
		{"the outermost mapping: no key", "{a: $(primary.loki.url)}", ""},
		{"for each", "[{for: prometheus, n: $(name), in: {p: $(port)}, m: $(primary.prometheus.name)}]", `- in:
    p: "9090"
  m: m/p
  "n": m/p
- in:
    p: "80"
  m: m/p
  "n": team/p
`},
		{"none of a type", "{a: [{for: loki, u: $(url)}]}", "a: []\n"},
		{"trusted ones alone", "[{for: prometheus, trusted: true, u: $(name), password: \"${SECRET}\"}]", "- password: ${SECRET}\n  u: m/p\n"},
		{
			"a primary that is vouched for, and one that is not",
			"{a: {u: $(trusted.prometheus.name), password: \"${SECRET}\"}, b: {u: $(trusted.thanos.name), password: \"${SECRET}\"}, c: $(primary.thanos.name)}",
			"a:\n  password: ${SECRET}\n  u: m/p\nc: evil/t\n",
		},
		{"what is no text stays", "{a: [1, true, null, 1.5]}", "a:\n- 1\n- true\n- null\n- 1.5\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, ownText(t, c.tree, other, prom, strangers)); d != "" {
				t.Error(d)
			}
		})
	}
}

// No credential stands beside the URL of a backend that has lost its TLS.
func TestOwnKeysWithoutTLS(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	plain := found("prometheus", "m/p", 9090, primary, vouched, func(f *backend.Finding) {
		f.Observation.Scheme, f.Observation.LostTLS = "http", true
	})
	const tree = "{l: [{for: prometheus, trusted: true, u: $(name)}], a: {u: $(trusted.prometheus.name)}, b: {u: $(primary.prometheus.name)}}"
	if d := cmp.Diff("b:\n  u: m/p\nl: []\n", ownText(t, tree, plain)); d != "" {
		t.Error(d)
	}
}

// Whatever a stranger's Service is called, or answers, it stays one text, and expands to nothing in its reader.
func TestOwnKeysOfStrangers(t *testing.T) {
	t.Attr("req", "DTS-OUT-15 DTS-SEC-3")
	const tree = "[{for: prometheus, p: $(path), v: $(version), l: $(link)}]"
	for _, text := range []string{
		"/a$GF_SECURITY_ADMIN_PASSWORD", "/$__file{/etc/secret}", "/${HOME}", "/{{ env.X }}", "/a\nb: c", "/\u202e", "/$(primary.loki.url)",
	} {
		for field, set := range map[string]func(*backend.Finding){
			"version": func(f *backend.Finding) { f.Observation.Version = text },
			"path":    func(f *backend.Finding) { f.Observation.Scheme, f.Observation.Path = "http", text },
			"link":    func(f *backend.Finding) { f.Link = "https://x" + text },
		} {
			got := ownText(t, tree, found("prometheus", "team/p", 80, set))
			var back []map[string]string
			err := yaml3.Unmarshal([]byte(got), &back) // left out, or with the text escaped in a URL
			if err != nil || strings.ContainsAny(got, "$\u202e") || strings.Contains(got, "{{") || strings.Contains(got, "\nb") {
				t.Errorf("%s %q: %q, %v", field, text, got, err)
			}
			if field != "path" && len(back) > 0 {
				t.Errorf("%s %q is written: %q", field, text, got)
			}
		}
	}
	for _, text := range []string{"a: b", "- x", "*a", "&a", "!!int 1", "0x_", "null", "1", "# no", "'", `"`, "<<", "2001-99-99"} {
		got := ownText(t, tree, found("prometheus", "team/p", 80, func(f *backend.Finding) { f.Observation.Version = text }))
		var back []map[string]any
		if err := yaml3.Unmarshal([]byte(got), &back); err != nil || len(back) != 1 || back[0]["v"] != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
