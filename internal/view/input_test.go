package view

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// TestInputWarnings holds the text of each warning about what is read; there are no others, and none has a hole.
func TestInputWarnings(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	var b strings.Builder
	all := constants[store.WarningCode](t, "../store/warning_codes.go")
	for _, code := range all {
		w := store.Warning{
			Code: code, Kind: "Ingress", Ref: backend.Ref{Namespace: "shop", Name: "metrics"},
			Resource: "routes", Err: errors.New("the words of an error\nin two lines"),
			Skipped: 2, Others: 3,
		}
		fmt.Fprintf(&b, "%s\n  %s\n", code, InputWarning(&w))
		for _, name := range placeholder.FindAllStringSubmatch(inputTexts[code], -1) {
			if value := inputValues[name[1]]; value == nil || value(&w) == "" {
				t.Errorf("%s: {%s} has no value", code, name[1])
			}
		}
	}
	golden(t, "inputs", b.String())
	slices.Sort(all)
	if d := cmp.Diff(all, slices.Sorted(maps.Keys(inputTexts))); d != "" {
		t.Errorf("the codes that have a text (-want +got):\n%s", d)
	}
}

// TestInputWarningPlace: a warning about a file begins with the place, as far as that is known.
func TestInputWarningPlace(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	ref := backend.Ref{Namespace: "x", Name: "y"}
	for want, w := range map[string]store.Warning{
		"f: ":                        {File: "f"},
		"f: document 2: ":            {File: "f", Place: "document 2"},
		"f: items[1]: Service: ":     {File: "f", Place: "items[1]", Kind: "Service"},
		"f: items[1]: Service x/y: ": {File: "f", Place: "items[1]", Kind: "Service", Ref: ref},
		"":                           {Kind: "Service", Ref: ref},
	} {
		w.Code = store.WarningNotObject
		if got := InputWarning(&w); got != want+inputTexts[w.Code] {
			t.Errorf("%q, want it to begin with %q", got, want)
		}
	}
}
