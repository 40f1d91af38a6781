package view

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// TestSigns holds the text of each code, alone and within a rule; there are no others, and the API names them all.
func TestSigns(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-CLI-4")
	name := backend.Sign{Code: backend.SignName, Value: "metrics"}
	var b strings.Builder
	all := constants[string](t, "../backend/sign.go")
	for _, code := range all {
		s := backend.Sign{Code: backend.SignCode(code), Key: "app", Value: "prometheus", Type: "Prometheus", Number: 9090}
		switch s.Code {
		case backend.SignRule:
			s.Because = "of a chart"
			for _, part := range []backend.SignCode{
				backend.SignLabel, backend.SignSelector, backend.SignAnnotation, backend.SignName, backend.SignPortName,
			} {
				s.Parts = append(s.Parts, backend.Sign{Code: part, Key: "app", Value: "prometheus"})
			}
		case backend.SignIncluded, backend.SignOtherType:
			s.Parts = []backend.Sign{name}
		case backend.SignTyped:
			s.Parts = []backend.Sign{{Code: backend.SignOtherType, Type: "loki", Parts: []backend.Sign{name}}}
		}
		fmt.Fprintf(&b, "%s\n  %s\n", code, Sign(&s))
	}
	golden(t, "signs", b.String())
	field, _ := reflect.TypeFor[Metadata]().FieldByName("SignCodes")
	last := len(all) - 1
	list := strings.Join(all[:last], ", ") + " or " + all[last]
	if doc := field.Tag.Get("doc"); !strings.HasSuffix(doc, ": "+list) {
		t.Errorf("the API documents %q, want all of %s", doc, list)
	}
}

// What a rule's sign says already is not said again.
func TestSignIn(t *testing.T) {
	label := backend.Sign{Code: backend.SignLabel, Key: "app", Value: "prometheus"}
	rule := backend.Sign{Code: backend.SignRule, Because: "of a chart", Parts: []backend.Sign{label}}
	other := backend.Sign{Code: backend.SignLabel, Key: "app", Value: "loki"}
	if !label.In(&rule) || !label.In(&label) || rule.In(&label) || other.In(&rule) {
		t.Error("In is wrong")
	}
}
