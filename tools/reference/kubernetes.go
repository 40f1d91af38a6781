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
	m.para("Annotations of a Service. An annotation takes precedence over detection. A bad value gives the verdict " +
		"`rejected`, with the name of the annotation and the expected value, and a Warning Event on the Service; it " +
		"has no other effect. An unknown annotation with this prefix only causes such an Event. The " +
		"[guide](../annotations.md) has examples.")
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
	m.para(fmt.Sprintf("By default %s in the namespace %s; `output.configMap` and `output.namespace` change this. "+
		"Without a cluster (`serve -f`) the keys are files in the directory of `--out`. "+
		"The service writes by server-side apply with the field manager %s. "+
		"It does not change other keys, labels and annotations.",
		span(o.ConfigMap), span(o.Namespace), span(publish.FieldManager)))
	m.table([]string{"key", "owner", "content"},
		[]string{span(toolset.KeyHolmesGPT), "generated (`output.formats`: `holmesgpt`)",
			"the HolmesGPT document, which HolmesGPT loads"},
		[]string{span(toolset.KeyCompact("<type>")), "generated (`output.formats`: `compact`)",
			"the compact form of one type; always with " + span(toolset.KeyCompact("kubernetes"))},
		[]string{span(toolset.KeyState), "generated, for this service itself",
			"the state that must outlive a restart; see below"},
		[]string{span(toolset.KeyOverrides), "the admin", "[overrides](../configuration.md#overrides); " +
			"merged, never changed, and restored if the ConfigMap is deleted"})
	m.para(fmt.Sprintf("The service undoes changes to generated keys. "+
		"It removes a key with one of these names that it no longer generates. "+
		"It never makes the ConfigMap larger than %d KiB, and records a Warning Event from %d KiB on.",
		publish.MaxBytes>>10, publish.WarnBytes>>10))
	m.heading(2, "Example")
	m.para("The output of `generate` for a small cluster. HASH is eight hexadecimal digits that change with the " +
		"document. `serve` adds `state.json`.")
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
	m.para("The leader records them on the ConfigMap and on Services; `kubectl describe` shows them. It records an " +
		"Event once, and again when the text changes; it counts repeated Events on the ConfigMap. A Warning needs " +
		"action: see [troubleshooting](../troubleshooting.md).")
	m.table(slices.Insert(rows, 0, []string{"reason", "type", "on", "text"})...)
	return nil
}

// event returns the row of a call such as r.Events.ConfigMap(true, "PublishFailed", note), nil for another call.
func event(s *source, call *ast.CallExpr) []string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	on, args := method.Sel.Name, call.Args
	field, ok := method.X.(*ast.SelectorExpr)
	if !ok || field.Sel.Name != "Events" || on != "ConfigMap" && on != "Service" {
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
		text = "the problem, and what to do about it"
	}
	reason, _ := s.text(args[1])
	return []string{span(reason), kind, on, prose(text)}
}

var verbs = regexp.MustCompile(`(%[a-z])+`)

// note returns the text of an expression, with "…" in place of values.
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
