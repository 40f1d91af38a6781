package reference

import (
	"fmt"
	"strings"
)

// Annotations are the keys of the annotations that this service reads from Services, in the order in which they are checked.
func Annotations(root string) ([]string, error) {
	list, err := annotationConsts(root)
	var keys []string
	for _, c := range list {
		keys = append(keys, c.value)
	}
	return keys, err
}

func annotationConsts(root string) ([]constDoc, error) {
	s, err := parse(dir(root, "internal/detect"))
	if err != nil {
		return nil, err
	}
	var list []constDoc
	for _, c := range s.consts {
		if !strings.HasPrefix(c.name, "ann") || c.name == "annPrefix" {
			continue
		}
		if c.doc == "" {
			return nil, fmt.Errorf("the annotation %s has no comment", c.value)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no annotations found in internal/detect")
	}
	return list, nil
}

func annotations(root string) (Page, error) {
	p := Page{Name: "annotations.md", Title: "Annotations", About: "every annotation that is read from Services"}
	list, err := annotationConsts(root)
	if err != nil {
		return p, err
	}
	var m markdown
	m.para("On a Service. An annotation beats any guess, in both directions. A bad value gives the verdict `rejected` with the " +
		"annotation's name and what was expected, and a Warning Event on the Service; nothing else is affected. " +
		"An annotation that begins like these and is none of them has no effect but such an Event. " +
		"[How to use them](../annotations.md) is told with examples.")
	var rows [][]string
	for _, c := range list {
		rows = append(rows, []string{span(c.value), prose(sentence(c.name, c.doc))})
	}
	m.table([]string{"annotation", "meaning"}, rows)
	p.Text = m.String()
	return p, nil
}
