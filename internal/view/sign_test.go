package view

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// signCodes are the constants of backend/sign.go, in their order.
func signCodes(t *testing.T) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../backend/sign.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil || v.Comment == nil {
				t.Errorf("%s: %v, or it has no comment", v.Names[0], err)
			}
			list = append(list, code)
		}
		return true
	})
	return list
}

// TestSigns holds the text of each code, alone and within a rule; there are no others, and the API names them all.
func TestSigns(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	t.Attr("req", "DTS-CLI-4")
	name := backend.Sign{Code: backend.SignName, Value: "metrics"}
	var b strings.Builder
	all := signCodes(t)
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
	const golden = "testdata/signs.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Error(d)
	}
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
