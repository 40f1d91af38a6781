package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// No command repeats a secret that stands where the name of a variable belongs, be it in a file or in a flag.
func TestSecretsAreNotTold(t *testing.T) {
	t.Attr("req", "DTS-CFG-1 DTS-LOG-1")
	const secret, bad = "ZqKxVwJb", "credentials: {grafana: {a/b: {api_key: ZqKxVwJb}, ZqKxVwJb: {}}, ZqKxVwJb: [ZqKxVwJb]}\n"
	config := writeFile(t, "config.yaml", bad)
	broken := writeFile(t, "broken.yaml", "credentials: {grafana: {a/b: {api_key: *ZqKxVwJb}}}\n")
	configMap := writeFile(t, "map.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: {a: *ZqKxVwJb}\n")
	twice := writeFile(t, "twice.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: {token: {ZqKxVwJb: 1, ZqKxVwJb: 2}, a: !!int ZqKxVwJb}\n")
	overrides := writeFile(t, "overrides.yaml", "toolsets: {x/y: {config: {api_key: {ZqKxVwJb: 1, ZqKxVwJb: !!int ZqKxVwJb}}}}\n")
	catalog := filepath.Dir(writeFile(t, "a.yaml", "password: ZqKxVwJb\n"))
	for _, args := range [][]string{
		{"validate", config},
		{"validate", broken},
		{"validate", configMap},
		{"validate", twice},
		{"validate", overrides},
		{"validate", overrides, "--as", "document"},
		{"validate", configMap, "--as", "catalog"},
		{"serve", "--check", "--config", config},
		{"serve", "--check", "--config", broken},
		{"serve", "--check", "--set", "credentials.grafana.a/b.api_key=" + secret},
		{"serve", "--check", "--set", "catalog.dir=" + catalog},
		{"serve", "--check", "--set", "credentials.grafana.a/b.api_key", secret},
		{"catalog", "--set", "credentials.grafana.a/b.api_key", "grafana", secret},
		{"discover", "-f", clusterFile, "--config", config},
		{"discover", "-f", clusterFile, "--set", "credentals.grafana.a/b.api_key=" + secret},
		{"generate", "-f", clusterFile, "--set", "credentials.grafana.a/b." + secret + "=x"},
		{"generate", "-f", clusterFile, "--overrides", overrides},
		{"catalog", "--set", "credentials={grafana: {a/b: {api_key: " + secret + ", " + secret + "}}}"},
	} {
		r := run(t, args...)
		if r.code == 0 || strings.Contains(r.out+r.err, secret) {
			t.Errorf("%s: exit %d: %s%s", args, r.code, r.out, r.err)
		}
	}
}
