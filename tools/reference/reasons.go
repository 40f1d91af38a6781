package main

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/view"
)

func reasons(m *markdown, root string) error {
	m.para("`discover -o json` and the API give each Service a `code` beside the `reason`, for programs. The text " +
		"may change; the code does not. A name in braces stands for a value of the Service or of its probe.")
	if err := m.codes(root, "internal/backend", "Code", view.Template); err != nil {
		return err
	}
	m.heading(2, "Warnings about the document")
	m.para("`GET /api/v1/document` lists them in `warnings`, with the code of each in `warning_codes`. The leader " +
		"logs them as `ConfigMap warning` with the attribute `code`, and `generate` prints them.")
	if err := m.codes(root, "internal/toolset", "Warning", view.WarningTemplate); err != nil {
		return err
	}
	m.heading(2, "Warnings about the input")
	m.para("Commands print them before their result. A service that reads files logs them as " +
		"`object in a file not as expected`, with the attribute `code`.")
	return m.codes(root, "internal/store", "Warning", view.InputTemplate)
}

// codes writes a table of the constants of a package with this prefix.
func (m *markdown) codes(root, path, prefix string, template func(code string) string) error {
	s, err := parse(root, path)
	if err != nil {
		return err
	}
	rows := [][]string{{"code", "when", "text"}}
	for _, c := range s.consts {
		if !strings.HasPrefix(c.name, prefix) {
			continue
		}
		if c.comment == "" {
			return fmt.Errorf("the code %s has no comment", c.value)
		}
		rows = append(rows, []string{span(c.value), c.comment, template(c.value)})
	}
	m.table(rows...)
	return nil
}
