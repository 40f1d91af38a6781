package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// TestDocumentWarnings holds the text of each warning; there are no others, and none has a hole.
func TestDocumentWarnings(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-OUT-6")
	var b strings.Builder
	all := constants[toolset.WarningCode](t, "../toolset/warning.go")
	for _, code := range all {
		w := toolset.Warning{
			Code: code, Ref: backend.Ref{Namespace: "shop", Name: "metrics"}, Type: "grafana", Field: "api_key", Value: "main",
			Names: "api_key,password,username", Meant: "nearest", Because: "the words of the check", Kind: "basic",
			Other: "bearer", Number: 3, Of: 5,
		}
		template := warningTexts[code]
		if !strings.Contains(template, "{backend}") && !strings.Contains(template, "{number}") {
			w.Place = yamlfile.Error{File: "overrides.yaml", Line: 3, Column: 7, Path: "toolsets.x"}
		}
		fmt.Fprintf(&b, "%s\n  %s\n", code, DocumentWarning(&w))
		for _, name := range placeholder.FindAllStringSubmatch(template, -1) {
			if value := warningValues[name[1]]; value == nil || value(&w) == "" {
				t.Errorf("%s: {%s} has no value", code, name[1])
			}
		}
		if w.Meant = ""; strings.Contains(template, "{meant}") {
			fmt.Fprintf(&b, "  %s\n", DocumentWarning(&w))
		}
	}
	golden(t, "warnings", b.String())
	slices.Sort(all)
	if d := cmp.Diff(all, WarningCodes()); d != "" {
		t.Errorf("the codes that have a text (-want +got):\n%s", d)
	}
}
