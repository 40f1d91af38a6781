package cli

import (
	"encoding/base64"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestValues prints values for HolmesGPT's chart instead of the ConfigMap.
func TestValues(t *testing.T) {
	t.Attr("req", "DTS-CLI-8")
	overrides := writeFile(t, "overrides.yaml", "toolsets: {my/api: {enabled: true, type: http, description: \"{{ env.MY_TOKEN }}\", config: {endpoints: [{hosts: [\"http://a.b.svc\"], paths: [\"/*\"], methods: [GET]}]}}}\n")
	r := mustRun(t, "generate", "-f", clusterFile, "--values", "--overrides", overrides, "--set", "output.namespace=holmes",
		"--set", "credentials={grafana: {monitoring/grafana: {api_key: GRAFANA_API_KEY}}}")
	golden(t, "generate-values", r.out)
	forbid(t, mustRun(t, "generate", "-f", clusterFile, "--values").out, "openshift", "certificate")
}

// TestValuesOnOpenShift: HolmesGPT's own token, and the authority that the configuration names.
func TestValuesOnOpenShift(t *testing.T) {
	t.Attr("req", "DTS-CLI-8")
	const file = "testdata/openshift.yaml"
	r := mustRun(t, "generate", "-f", file, "--values")
	if !strings.Contains(r.out, "\nopenshift: true\n") || !strings.Contains(r.out, "# HolmesGPT has to trust") || strings.Contains(r.out, "\ncertificate:") {
		t.Errorf("without an authority:\n%s", r.out)
	}
	for _, tt := range []struct {
		size int // of the authorities' file
		want bool
	}{{2000, true}, {200_000, false}} {
		pem := strings.Repeat("x", tt.size)
		r := mustRun(t, "generate", "-f", file, "--values", "--set", "tls.caFile="+writeFile(t, "ca.crt", pem), "--probe=off")
		var values struct{ Certificate string }
		if err := yaml.Unmarshal([]byte(r.out), &values); err != nil {
			t.Fatal(err)
		}
		got, err := base64.StdEncoding.DecodeString(values.Certificate)
		if has := string(got) == pem; err != nil || has != tt.want {
			t.Errorf("%d bytes of authorities: %v\n%s", tt.size, err, r.out[:min(len(r.out), 2000)])
		}
	}
}

func TestValuesUsage(t *testing.T) {
	t.Attr("req", "DTS-CLI-8")
	for _, args := range [][]string{{"--key", "custom_toolset.yaml"}, {"-o", "json"}} {
		r := run(t, append([]string{"generate", "-f", clusterFile, "--values"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.err, "--values prints values of HolmesGPT's chart") {
			t.Errorf("%v: exit %d %s", args, r.code, r.err)
		}
	}
}
