package main

import (
	"fmt"
	"go/ast"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func annotations(m *markdown, root string) error {
	s, err := parse(root, "internal/detect")
	if err != nil {
		return err
	}
	m.para("On a Service. An annotation beats any guess, in both directions. A bad value gives the verdict `rejected` with the " +
		"annotation's name and what was expected, and a Warning Event on the Service; nothing else is affected. " +
		"An annotation that begins like these and is none of them has no effect but such an Event. " +
		"[How to use them](../annotations.md) is told with examples.")
	rows := [][]string{{"annotation", "meaning"}}
	for _, c := range s.consts {
		if !strings.HasPrefix(c.name, "ann") || c.name == "annPrefix" {
			continue
		}
		if c.comment == "" {
			return fmt.Errorf("the annotation %s has no comment", c.value)
		}
		rows = append(rows, []string{span(c.value), prose(sentence(c.name, c.comment))})
	}
	m.table(rows...)
	return nil
}

func configMap(m *markdown, root string) error {
	o := config.Default().Output
	m.para(fmt.Sprintf("%s in the namespace %s unless `output.configMap` and `output.namespace` say otherwise; without a cluster "+
		"(`serve -f`) the keys are files in the directory of `--out`. It is written by server-side apply under the field manager %s. "+
		"Other keys, labels and annotations are left alone.", span(o.ConfigMap), span(o.Namespace), span(publish.DefaultFieldManager)))
	m.table([]string{"key", "whose", "what it holds"},
		[]string{span(toolset.KeyHolmesGPT), "generated (`output.formats`: `holmesgpt`)", "the HolmesGPT document: what HolmesGPT loads"},
		[]string{span(toolset.KeyCompact("<type>")), "generated (`output.formats`: `compact`)", "the compact form of one type; " +
			span(toolset.KeyCompact("kubernetes")) + " is always there"},
		[]string{span(toolset.KeyState), "generated, for this service itself", "what must outlive a restart; see below"},
		[]string{span(toolset.KeyOverrides), "the admin's", "[overrides](../configuration.md#overrides); merged, never rewritten, " +
			"and brought back if the ConfigMap is deleted"})
	m.para(fmt.Sprintf("Changes to generated keys are undone. A key of one of these names that is no longer generated is removed. "+
		"Nothing is written that would make the ConfigMap larger than %d KiB, and a Warning Event comes from %d KiB on.",
		publish.MaxBytes>>10, publish.WarnBytes>>10))
	m.heading(2, "Example")
	m.para("What `generate` prints for a small cluster, where HASH is eight digits that change with the document; `serve` adds `state.json`.")
	text, err := golden(root, "internal/cli/testdata/generate-configmap.golden")
	if err != nil {
		return err
	}
	m.code("yaml", text)
	m.heading(2, "state.json")
	s, err := parse(root, "internal/publish")
	if err != nil {
		return err
	}
	m.para(prose(sentence("State", s.types["State"])))
	rows := [][]string{{"field", "meaning"}}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[publish.State]()) {
		rows = append(rows, []string{span(strings.ToLower(f.Name)), prose(upper(s.fields["State."+f.Name]))})
	}
	m.table(rows...)
	return nil
}

func events(m *markdown, root string) error {
	s, err := parse(root, "internal/controller")
	if err != nil {
		return err
	}
	var rows [][]string
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if row := event(s, call); row != nil {
				rows = append(rows, row)
			}
			return true
		})
	}
	if len(rows) == 0 {
		return fmt.Errorf("no Events found in internal/controller")
	}
	slices.SortFunc(rows, slices.Compare)
	rows = slices.CompactFunc(rows, slices.Equal)
	m.para("On the ConfigMap and on Services, by the replica that leads; `kubectl describe` shows them. Each is told once and " +
		"again when it has changed; what stays the same on the ConfigMap is counted up. A Warning wants somebody to act: " +
		"[troubleshooting](../troubleshooting.md) says how.")
	m.table(slices.Insert(rows, 0, []string{"reason", "type", "on", "what it says"})...)
	return nil
}

// event is the row of a call such as r.Events.ConfigMap(true, "PublishFailed", note), nil for another call.
func event(s *source, call *ast.CallExpr) []string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	on, args := method.Sel.Name, call.Args
	if field, ok := method.X.(*ast.SelectorExpr); !ok || field.Sel.Name != "Events" || on != "ConfigMap" && on != "Service" {
		return nil
	}
	if on == "Service" {
		args = args[1:]
	}
	kind, text := "Normal", note(args[2])
	if warning, ok := args[0].(*ast.Ident); ok && warning.Name == "true" {
		kind = "Warning"
	}
	if text == "…" {
		text = "what is wrong, and what to do about it"
	}
	reason, _ := s.text(args[1])
	return []string{span(reason), kind, on, prose(text)}
}

var verbs = regexp.MustCompile(`(%[a-z])+`)

// note is the text of an expression; "…" stands for what it does not hold itself.
func note(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, ok := (&source{}).text(e); ok {
			return verbs.ReplaceAllString(text, "…")
		}
	case *ast.BinaryExpr:
		return note(e.X) + note(e.Y)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return note(e.Args[0])
		}
	}
	return "…"
}
