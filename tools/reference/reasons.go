package main

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/view"
)

func reasons(m *markdown, root string) error {
	s, err := parse(root, "internal/backend")
	if err != nil {
		return err
	}
	m.para("`discover -o json` and the API give each Service a `code` beside the `reason`, for programs; the text may change, the code " +
		"does not. A name in braces stands for something of the Service or of what the probe saw.")
	rows := [][]string{{"code", "when", "text"}}
	for _, c := range s.consts {
		if !strings.HasPrefix(c.name, "Code") {
			continue
		}
		if c.comment == "" {
			return fmt.Errorf("the code %s has no comment", c.value)
		}
		rows = append(rows, []string{span(c.value), c.comment, view.Template(c.value)})
	}
	m.table(rows...)
	return nil
}
