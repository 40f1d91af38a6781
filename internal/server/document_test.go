package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func TestDocument(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-OUT-6")
	f := start(t, func(o *Options) { o.Overrides = func() string { return "toolsets: [" } })

	d := decode[Document](t, f.get(t, "/api/v1/document"))
	if d.Keys[toolset.KeyHolmesGPT] == "" || d.Desired != nil || d.Replaced != nil || d.WrittenAt != nil || d.Error != nil ||
		d.ResourceVersion != "7" || !d.Overrides.Valid || d.Target != "kubernaut-system/kubernaut-toolset-config" {
		t.Errorf("all is well: %+v", d)
	}

	s := *example(t)
	s.Output.Replaced = map[string]string{toolset.KeyHolmesGPT: "before"}
	s.Output.Keys = map[string]string{toolset.KeyHolmesGPT: "now"}
	s.Output.At = time.Unix(1700000000, 0)
	s.Err = errors.New("forbidden")
	warned := *s.Document
	warned.Warnings = []toolset.Warning{{Code: toolset.WarningMore, Number: 3}}
	s.Document = &warned
	s.Overrides = fmt.Errorf("read them: %w", yamlfile.Errors{{File: "overrides.yaml", Line: 1, Column: 11, Message: "no end"}, {File: "overrides.yaml", Line: 9}})
	f.state.set(&s)
	d = decode[Document](t, f.get(t, "/api/v1/document"))
	if d.Keys[toolset.KeyHolmesGPT] != "now" || d.Replaced[toolset.KeyHolmesGPT] != "before" || d.Desired[toolset.KeyHolmesGPT] != s.Keys[toolset.KeyHolmesGPT] ||
		d.WrittenAt == nil || d.Error == nil || *d.Error != "forbidden" {
		t.Errorf("failing: %+v", d)
	}
	if d.Warnings[0] != "and 3 warnings more like these" || d.WarningCodes[0] != toolset.WarningMore {
		t.Errorf("warnings: %q, %q", d.Warnings, d.WarningCodes)
	}
	o := d.Overrides
	if o.Text != "toolsets: [" || o.Valid || o.Error == nil || o.Line == nil || *o.Line != 1 || o.Column == nil || *o.Column != 11 {
		t.Errorf("overrides: %+v", o)
	}
	problems := decode[Status](t, f.get(t, "/api/v1/status")).Problems
	if len(problems) != 3 || problems[0].Kind != "publish" || problems[1].Kind != "overrides" || problems[2].Message != d.Warnings[0] {
		t.Errorf("problems: %+v", problems)
	}

	s.Overrides = errors.New("not UTF-8") // an error without a place
	s.Document, s.Keys = nil, nil         // could not be built
	s.Frozen = []string{"team-a"}
	again := s
	f.state.set(&again)
	d = decode[Document](t, f.get(t, "/api/v1/document"))
	if d.Overrides.Line != nil || d.Overrides.Valid || d.Desired != nil || d.Variables == nil || d.Warnings == nil {
		t.Errorf("not built: %+v", d)
	}
	if l := decode[ToolsetList](t, f.get(t, "/api/v1/toolsets")); l.Count != 0 || l.Toolsets == nil {
		t.Errorf("no document: %+v", l)
	}
	if p := decode[Status](t, f.get(t, "/api/v1/status")).Problems; len(p) != 3 || p[2].Kind != "frozen" {
		t.Errorf("problems: %+v", p)
	}
	named := again
	named.Misnamed = []inventory.Misnamed{{Type: "loki", Ref: backend.Ref{Namespace: "m", Name: "gone"}}}
	f.state.set(&named)
	if p := decode[Status](t, f.get(t, "/api/v1/status")).Problems; len(p) != 4 || !strings.HasPrefix(p[3].Message, "primary: {loki: m/gone}: there is no such Service") {
		t.Errorf("problems: %+v", p)
	}
}

// HolmesGPT's variables are told by name.
func TestVariables(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	f := start(t)
	entry := f.state.snapshot.Document.HolmesGPT["toolsets"].(map[string]any)["kubernetes/core"].(map[string]any)
	entry["config"] = map[string]any{"api_key": "{{ env.GRAFANA_API_KEY }}"}
	d := decode[Document](t, f.get(t, "/api/v1/document"))
	if want := (Variable{"GRAFANA_API_KEY", "kubernetes/core", "", "api_key"}); len(d.Variables) != 1 || d.Variables[0] != want {
		t.Errorf("%+v", d.Variables)
	}
}
