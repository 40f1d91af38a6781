package cli

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestGenerate(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-CLI-3 DTS-OUT-4")
	overrides := writeFile(t, "overrides.yaml", "toolsets:\n  prometheus/metrics: null\n  grafana/dashboards: {enabled: false}\n")
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"configmap", nil},
		{"json", []string{"-o", "json"}},
		{"key", []string{"--key", "custom_toolset.yaml"}},
		{"overrides", []string{"--key", "custom_toolset.yaml", "--overrides", overrides}},
	} {
		r := mustRun(t, append([]string{"generate", "-f", clusterFile}, tt.args...)...)
		golden(t, "generate-"+tt.name, steady(r.out))
		golden(t, "generate-"+tt.name+"-stderr", r.err)
	}
}

// TestGenerateObject: what is printed is what kubectl apply takes.
func TestGenerateObject(t *testing.T) {
	t.Attr("req", "DTS-OUT-1")
	r := mustRun(t, "generate", "-f", clusterFile, "--set", "output.namespace=elsewhere", "--set", "output.formats=[holmesgpt]")
	var cm struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Data       map[string]string `json:"data"`
		Metadata   struct {
			Name      string            `json:"name"`
			Namespace string            `json:"namespace"`
			Labels    map[string]string `json:"labels"`
		} `json:"metadata"`
	}
	if err := yaml.UnmarshalStrict([]byte(r.out), &cm); err != nil {
		t.Fatal(err)
	}
	if cm.APIVersion != "v1" || cm.Kind != "ConfigMap" || cm.Metadata.Name != "kubernaut-toolset-config" || cm.Metadata.Namespace != "elsewhere" {
		t.Errorf("%+v", cm)
	}
	for _, k := range []string{"name", "component", "part-of", "managed-by"} {
		if cm.Metadata.Labels["app.kubernetes.io/"+k] == "" {
			t.Errorf("no label app.kubernetes.io/%s", k)
		}
	}
	if len(cm.Data) != 1 || cm.Data["custom_toolset.yaml"] != mustRun(t, "generate", "-f", clusterFile, "--key", "custom_toolset.yaml").out {
		t.Errorf("keys %v", cm.Data)
	}
}

const baselineTokens = "with each request the agent's model reads some 2050 tokens about the toolsets: kubernetes/core 1600, kubernetes/logs 450\n"

// TestGenerateNothing: without any backend the document still loads, and a person is told.
func TestGenerateNothing(t *testing.T) {
	t.Attr("req", "DTS-OUT-2")
	shop := "{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: a}, spec: {ports: [{port: 8080}]}}\n"
	r := runWith(t, shop, "generate", "-f", "-", "--key", "custom_toolset.yaml")
	if r.code != 0 || r.err != "no backends among 1 Service: the document has only what holmesgpt.baseline and the overrides give it\n"+baselineTokens {
		t.Errorf("%+v", r)
	}
	if v := runWith(t, r.out, "validate", "-", "--as", "document"); v.code != 0 {
		t.Errorf("%s", v.err)
	}
}

// TestGenerateHeldBack: a second backend that requires credentials is not written, and the lines to add are told.
func TestGenerateHeldBack(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	refuses := wantsCredentials()
	file := writeFile(t, "services.yaml",
		yamlService("a", "grafana", strongGrafana, "127.0.0.2", listen(t, "127.0.0.2", refuses))+
			yamlService("b", "grafana", strongGrafana, "127.0.0.3", listen(t, "127.0.0.3", refuses)))
	args := []string{"generate", "-f", file, "--probe=direct", "--key", "custom_toolset.yaml"}
	r := mustRun(t, args...)
	line := "credentials: {grafana: {b/grafana: {api_key: GRAFANA_API_KEY_B_GRAFANA}}}"
	expect(t, r.err, "not written: grafana b/grafana: ", line)
	forbid(t, r.out, "grafana.b.svc")
	r = mustRun(t, append(args, "--config", writeFile(t, "config.yaml", line))...)
	expect(t, r.err, "GRAFANA_API_KEY_B_GRAFANA  (api_key of grafana/dashboards, instance b/grafana)") // after adding what was told
	expect(t, r.out, "{{ env.GRAFANA_API_KEY_B_GRAFANA }}")
}

// What the labels say is not a proof, and a base path they do not know.
func TestGenerateSaysWhatWasNotAsked(t *testing.T) {
	t.Attr("req", "DTS-CLI-3")
	const said = "not probed: 1 Service, written from what the Services and the configuration say"
	file := writeFile(t, "jaeger.yaml", `apiVersion: v1
kind: Service
metadata: {name: jaeger-query, namespace: demo, labels: {app.kubernetes.io/name: jaeger, app.kubernetes.io/component: all-in-one}}
spec: {clusterIP: 127.0.88.16, ports: [{name: http-query, port: 16686}]}
`)
	if r := mustRun(t, "generate", "-f", file); strings.Count(r.err, said) != 1 || !strings.Contains(r.err, "base path") {
		t.Errorf("stderr: %s", r.err)
	}
	for _, set := range [][]string{{"--set", "discovery.excludeNamespaces=[demo]"}, {"--probe=direct", "--set", "health.tries=1"}} {
		forbid(t, mustRun(t, append([]string{"generate", "-f", file}, set...)...).err, "not probed")
	}
}

// TestTokensUnknown: toolsets that the overrides add have no known cost.
func TestTokensUnknown(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	overrides := writeFile(t, "overrides.yaml", "toolsets:\n  helm/core: {enabled: true}\n")
	expect(t, mustRun(t, "generate", "-f", clusterFile, "--overrides", overrides).err, "kubernetes/logs 450, unknown for 1 more\n")
}

// TestTokensOfTheCheapest: what is not named is a sum, so that the figures add up.
func TestTokensOfTheCheapest(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	r := run(t, "generate", "-f", "../../examples/cluster.yaml", "--key", "custom_toolset.yaml")
	total, each, _ := strings.Cut(r.err, " tokens about the toolsets: ")
	each, _, _ = strings.Cut(each, "\n")
	sum := 0
	for _, figure := range regexp.MustCompile(`[a-z] ([0-9]+)(, |$)`).FindAllStringSubmatch(each, -1) {
		n, _ := strconv.Atoi(figure[1])
		sum += n
	}
	want := total[strings.LastIndexByte(total, ' ')+1:]
	if !strings.Contains(each, "kubernetes/logs 450, the others together ") || strconv.Itoa(sum) != want || strings.Count(each, ",") != 12 {
		t.Errorf("thirteen figures that come to %s, the last of the others together: %s", want, each)
	}
}
