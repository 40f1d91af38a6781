package openapi

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	_ "github.com/oapi-codegen/runtime" // what is generated imports it
)

// A client that is generated from the description compiles, and gets from a server what is there.
func TestGeneratedClient(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	url := start(t)
	spec, err := openapi3.NewLoader().LoadFromData(fetch(t, url+"/openapi.json"))
	must(t, err)
	code, err := codegen.Generate(spec, codegen.Configuration{
		PackageName: "main", Generate: codegen.GenerateOptions{Client: true, Models: true},
	})
	must(t, err)
	dir := t.TempDir()
	program, err := os.ReadFile(filepath.Join("testdata", "client.go"))
	must(t, err)
	files := []string{filepath.Join(dir, "client.go"), filepath.Join(dir, "generated.go")}
	for i, text := range []string{string(program), code} {
		must(t, os.WriteFile(files[i], []byte(text), 0o600))
	}
	run := exec.CommandContext(t.Context(), "go", append(append([]string{"run"}, files...), url)...)
	run.Stderr = os.Stderr
	out, err := run.Output()
	must(t, err)
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]any{
		"status":   "1.2.3",
		"services": []any{"monitoring/grafana", "monitoring/prometheus", "tracing/jaeger-query", "shop/catalogue", "shop/cart"},
		"accepted": []any{"monitoring/grafana", "monitoring/prometheus", "tracing/jaeger-query"},
		"explain":  "prometheus", "toolset": "prometheus/metrics", "missing": "there is no toolset \"nothing\"",
		"discover": "done", "document": "ns/name", "change": "new",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
