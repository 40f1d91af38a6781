package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// What a checker says of the whole, and what a generator makes of it, is tested in test/openapi.
func TestOpenAPI(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t, func(o *Options) { o.Authorizer = guard{} })
	var doc struct {
		OpenAPI    string                                `json:"openapi"`
		Info       struct{ Version string }              `json:"info"`
		Security   []map[string][]string                 `json:"security"`
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas         map[string]json.RawMessage `json:"schemas"`
			SecuritySchemes map[string]json.RawMessage `json:"securitySchemes"`
		} `json:"components"`
	}
	a := f.get(t, "/openapi.json")
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Version != "1.2.3" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("OpenAPI %s, version %s", doc.OpenAPI, doc.Info.Version)
	}
	if len(doc.Security) != 1 || doc.Components.SecuritySchemes["bearer"] == nil {
		t.Error("it does not say that a token is wanted")
	}
	var paths []string
	for path, operations := range doc.Paths {
		for method, text := range operations {
			paths = append(paths, method+" "+path)
			var o struct {
				OperationID string         `json:"operationId"`
				Summary     string         `json:"summary"`
				Responses   map[string]any `json:"responses"`
			}
			if err := json.Unmarshal(text, &o); err != nil {
				t.Fatal(err)
			}
			for _, code := range []string{"200", "400", "401", "403", "406", "429", "500", "503"} {
				if o.Responses[code] == nil {
					t.Errorf("%s %s: nothing about %s", method, path, code)
				}
			}
			if o.OperationID == "" || o.Summary == "" || o.Responses["422"] != nil {
				t.Errorf("%s %s: %+v", method, path, o)
			}
		}
	}
	slices.Sort(paths)
	want := "get /api/v1/agent get /api/v1/changes get /api/v1/document get /api/v1/services get /api/v1/services/{namespace}/{name} get /api/v1/status " +
		"get /api/v1/stream get /api/v1/toolsets get /api/v1/toolsets/{name} post /api/v1/discover"
	if got := strings.Join(paths, " "); got != want {
		t.Errorf("paths:\n got %s\nwant %s", got, want)
	}
	for rest := a.body; ; {
		_, after, found := strings.Cut(rest, `"$ref":"#/components/schemas/`)
		if !found {
			break
		}
		name, _, _ := strings.Cut(after, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("nothing describes %s", name)
		}
		rest = after
	}

	var service struct {
		Properties struct {
			Code struct {
				Type, Description string
				Enum              []backend.Code
			}
		}
	}
	if err := json.Unmarshal(doc.Components.Schemas["Service"], &service); err != nil {
		t.Fatal(err)
	}
	if code := service.Properties.Code; code.Type != "string" || code.Description == "" || !slices.Equal(code.Enum, view.Codes()) {
		t.Errorf("the code of a Service: %+v", code)
	}

	open := start(t)
	if text := open.get(t, "/openapi.json").body; strings.Contains(text, "securitySchemes") {
		t.Error("a token is wanted where nobody asks for one")
	}
	for _, path := range []string{"/docs", "/openapi.yaml", "/openapi", "/schemas", "/schemas/Status.json", "/openapi-3.0.json"} {
		isProblem(t, open.get(t, path), http.StatusNotFound)
	}
	if a := open.get(t, "/api/v1/status"); strings.Contains(a.body, "$schema") || a.header.Get("Link") != "" {
		t.Errorf("links to schemas: %s", a.body)
	}
}
