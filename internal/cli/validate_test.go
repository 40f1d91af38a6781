package cli

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	t.Attr("req", "DTS-CFG-1 DTS-OUT-6")
	generated := mustRun(t, "generate", "-f", clusterFile).out
	asJSON := mustRun(t, "generate", "-f", clusterFile, "-o", "json").out
	document := mustRun(t, "generate", "-f", clusterFile, "--key", "custom_toolset.yaml").out
	catalogType := mustRun(t, "catalog", "grafana").out
	tests := []struct {
		name, text string
		args       []string
		code       int
		want       string // standard error, FILE for the file's name; a line that ends in … is a beginning
	}{
		{"config", "health: {interval: 1m}\n", nil, 0, "FILE: valid config\n"},
		{"bad config", "health: {intervall: 1m, tries: 0}\nlog: {level: loud}\n", nil, 1,
			"error: FILE:1:10: health.intervall: unknown key; did you mean \"interval\"?\n" +
				"error: FILE:1:32: health.tries: expected 1 or more, found \"0\"\n" +
				"error: FILE:2:14: log.level: expected debug, info, warn or error, found \"loud\"\n"},
		{"catalog", catalogType, nil, 0, "FILE: valid catalog\n"},
		{"bad catalog", strings.Replace(catalogType, "\ntitle:", "\ntitel:", 1), nil, 1, "error: FILE:…"},
		{"overrides", "toolsets: {prometheus/metrics: null}\n", []string{"--as", "overrides"}, 0, "FILE: valid overrides\n"},
		{"overrides of an instance", "instances: {jaeger: {gone/x: {verify_ssl: false}}}\n", nil, 0, "FILE: validate does not know whether these instances are published: " +
			"jaeger gone/x. To find out, run generate --overrides. Settings of an instance take effect once it is published.\nFILE: valid overrides\n"},
		{"overrides by a key", "compact: {prometheus: {enabled: false}}\n", nil, 0, "FILE: valid overrides\n"},
		{"overrides that do nothing", "toolsets: {}\nmine: 1\n", []string{"--as", "overrides"}, 0,
			"warning: FILE:2:7: mine: this key has no effect; only toolsets, mcp_servers, instances and compact have an effect\nFILE: valid overrides\n"},
		{"bad overrides", "instances: {prometheus: 1}\n", nil, 1, "error: FILE:1:25: instances.prometheus: …"},
		{"document", document, nil, 0, "…FILE: valid document\n"},
		{"bad document", "toolsets:\n  a.b: {enabled: true}\n", nil, 1, "…error: FILE:2:8: toolsets[\"a.b\"]: a key must not contain a dot…"},
		{"empty document", "", []string{"--as", "document"}, 1, "error: FILE: empty; expected one YAML document\n"},
		{"ConfigMap", generated, nil, 0, "…FILE: valid configmap\n"},
		{"ConfigMap in JSON", asJSON, nil, 0, "…FILE: valid configmap\n"},
		{"ConfigMap with a bad document", strings.Replace(generated, "kubernetes/core:", "kubernetes.core:", 1), nil, 1, "…error: FILE, custom_toolset.yaml:16:3: toolsets[\"kubernetes.core\"]: a key…"},
		{"ConfigMap with bad overrides", strings.Replace(generated, "\ndata:\n", "\ndata:\n  overrides.yaml: '['\n", 1), nil, 1, "…error: FILE, overrides.yaml:2: not valid YAML: …"},
		{"another ConfigMap", "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n", nil, 1, "error: FILE: no key custom_toolset.yaml in it\n"},
		{"another kind", "apiVersion: v1\nkind: Secret\n", nil, 1, "error: FILE: its kind is \"Secret\": expected a ConfigMap, or one of the other files that --help lists\n"},
		{"not YAML", "a: [1\n", nil, 1, "error: FILE:2: not valid YAML: …"},
		{"empty", "", nil, 1, "error: FILE: empty; expected one YAML document\n"},
		{"prose", "hello world\n", nil, 1, "error: FILE:1:1: expected a mapping…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "file.yaml", tt.text)
			got := run(t, append([]string{"validate", file}, tt.args...)...)
			checkError(t, got, tt.code, strings.ReplaceAll(tt.want, "FILE", file))
			got = runWith(t, tt.text, append([]string{"validate", "-"}, tt.args...)...)
			checkError(t, got, tt.code, strings.ReplaceAll(tt.want, "FILE", "standard input"))
		})
	}
}

// checkError compares what stands on standard error; "…" stands for any text.
func checkError(t *testing.T, got result, code int, want string) {
	t.Helper()
	first, last, open := strings.Cut(want, "…")
	fits := got.err == want || open && strings.HasPrefix(got.err, first) && strings.HasSuffix(got.err, last)
	if before, ok := strings.CutPrefix(want, "…"); ok {
		before, _, _ = strings.Cut(before, "…")
		fits = strings.Contains(got.err, before)
	}
	if got.code != code || got.out != "" || !fits {
		t.Errorf("got %+v, want exit code %d and stderr\n%s", got, code, want)
	}
}
