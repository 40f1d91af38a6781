package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestDiscover(t *testing.T) {
	t.Attr("req", "DTS-CLI-2 DTS-CLI-5")
	tests := []struct {
		name string
		args []string
	}{
		{"table", nil},
		{"table-all", []string{"--all"}},
		{"wide", []string{"-o", "wide"}},
		{"wide-all", []string{"-o", "wide", "--all"}},
		{"json", []string{"-o", "json"}},
		{"json-all", []string{"-o", "json", "--all"}},
		{"yaml-all", []string{"-o", "yaml", "--all"}},
		{"unavailable", []string{"--all", "--probe=direct", "-n", "logging"}}, // its slices say that nothing is there to ask
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustRun(t, append([]string{"discover", "-f", clusterFile}, tt.args...)...)
			golden(t, "discover-"+tt.name, steady(r.out))
			if r.err != "" {
				t.Errorf("stderr: %s", r.err)
			}
		})
	}
}

// TestDiscoverShape holds the JSON against the contract, key by key.
func TestDiscoverShape(t *testing.T) {
	t.Attr("req", "DTS-CLI-2")
	type list struct {
		Services []map[string]any `json:"services"`
		Count    int              `json:"count"`
	}
	var all, accepted, fromYAML list
	decode := func(text string, into any) {
		t.Helper()
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	decode(mustRun(t, "discover", "-f", clusterFile, "-o", "json", "--all").out, &all)
	decode(mustRun(t, "discover", "-f", clusterFile, "-o", "json").out, &accepted)
	if err := yaml.UnmarshalStrict([]byte(mustRun(t, "discover", "-f", clusterFile, "-o", "yaml", "--all").out), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, fromYAML); diff != "" {
		t.Errorf("YAML says something else (-json +yaml)\n%s", diff)
	}
	if all.Count != 9 || len(all.Services) != 9 || accepted.Count != 2 || len(accepted.Services) != 2 {
		t.Errorf("%d of %d and %d of %d", len(all.Services), all.Count, len(accepted.Services), accepted.Count)
	}
	want := map[string]string{
		"name": "string", "namespace": "string", "type": "string", "endpoint": "string", "labels": "object", "metadata": "object",
		"healthy": "null", "last_check": "null", "instance": "string", "primary": "bool", "verdict": "string",
		"code": "string", "reason": "string",
	}
	for _, s := range all.Services {
		got := map[string]string{}
		for k, v := range s {
			got[k] = kind(v)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", s["name"], diff)
		}
		if s["reason"] == "" {
			t.Errorf("%s has no reason", s["name"])
		}
	}
	for _, s := range accepted.Services {
		if s["verdict"] != "accepted" {
			t.Errorf("%s is %s", s["name"], s["verdict"])
		}
		m, _ := s["metadata"].(map[string]any)
		for _, k := range []string{"port", "scheme", "path", "toolset"} {
			if kind(m[k]) != "string" {
				t.Errorf("%s: metadata.%s is %v", s["name"], k, m[k])
			}
		}
	}
}

func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "bool"
	case map[string]any:
		return "object"
	}
	return "something else"
}

func TestDiscoverNothing(t *testing.T) {
	t.Attr("req", "DTS-CLI-2")
	file := writeFile(t, "shop.yaml", "{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: a}, spec: {ports: [{port: 8080}]}}\n")
	tests := []struct {
		output, out, err string
	}{
		{"table", "", "No backends. 1 Service read: 1 rejected. See them all with --all, ask about one with: explain NAMESPACE/NAME\n"},
		{"json", "{\n  \"services\": [],\n  \"count\": 0\n}\n", ""},
		{"yaml", "count: 0\nservices: []\n", ""},
	}
	for _, tt := range tests {
		want := result{0, tt.out, tt.err}
		if got := run(t, "discover", "-f", file, "-o", tt.output); got != want {
			t.Errorf("-o %s: got %+v, want %+v", tt.output, got, want)
		}
	}
	// A namespace without Services is no mistake.
	got := runWith(t, `{"apiVersion": "v1", "kind": "List", "items": []}`, "discover", "-f", "-")
	want := result{0, "", "warning: standard input: no Services in it\nNo backends. 0 Services read.\n"}
	if got != want {
		t.Errorf("an empty List: got %+v, want %+v", got, want)
	}
}

// TestReadsWhatKubectlAndHelmWrite: several files, several documents, other kinds between them.
func TestReadsWhatKubectlAndHelmWrite(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	helm := "---\n# Source: x\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Service\n" +
		"metadata: {name: tempo, labels: {app.kubernetes.io/name: tempo}}\nspec: {ports: [{name: http, port: 3200}]}\n"
	r := runWith(t, helm, "discover", "-f", clusterFile, "-f", "-", "-n", "tracing")
	if r.code != 0 || !strings.Contains(r.out, "http://tempo.tracing.svc.cluster.local:3200") {
		t.Errorf("%+v", r)
	}
	if strings.Contains(r.out, "monitoring") {
		t.Errorf("-n tracing shows other namespaces:\n%s", r.out)
	}
}
