package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// matrix is which test proves what.
type matrix struct {
	list    []requirement
	tests   map[string][]*test // by id
	unknown []string           // ids that tests name and the list lacks
	failed  []string           // tests that failed
}

// join puts what the tests say and what they came to together.
func join(list []requirement, scanned []*test, r *results) *matrix {
	m := &matrix{list: list, tests: map[string][]*test{}}
	known := map[string]bool{}
	for _, q := range list {
		known[q.id] = true
	}
	seen := map[string]bool{}
	for _, t := range scanned {
		k := key(t.dir, t.name)
		seen[k] = true
		t.status = r.status[k]
		t.ids = append(t.ids, r.ids[k]...)
	}
	for k, ids := range r.ids { // named in a way that only a run shows
		if dir, name, _ := strings.Cut(k, " "); !seen[k] {
			scanned = append(scanned, &test{dir: dir, name: name, ids: ids, status: r.status[k]})
		}
	}
	slices.SortFunc(scanned, func(a, b *test) int {
		return cmp.Or(strings.Compare(a.suite, b.suite), strings.Compare(a.dir, b.dir), strings.Compare(a.name, b.name))
	})
	for _, t := range scanned {
		slices.Sort(t.ids)
		t.ids = slices.Compact(t.ids)
		for _, id := range t.ids {
			m.tests[id] = append(m.tests[id], t)
			if !known[id] {
				m.unknown = append(m.unknown, fmt.Sprintf("%s, named by %s in %s", id, t.name, t.dir))
			}
		}
		if t.status == "fail" {
			m.failed = append(m.failed, t.dir+" "+t.name)
		}
	}
	return m
}

// without are the requirements that no test names.
func (m *matrix) without() (list []requirement) {
	for _, q := range m.list {
		if len(m.tests[q.id]) == 0 {
			list = append(list, q)
		}
	}
	return list
}

// print shows each requirement with its tests; brief only counts them.
func (m *matrix) print(out io.Writer, brief bool) error {
	var b strings.Builder
	ran, elsewhere := 0, 0
	for _, q := range m.list {
		passed := 0
		for _, t := range m.tests[q.id] {
			if t.status == "pass" {
				passed++
			}
		}
		switch {
		case passed > 0:
			ran++
		case len(m.tests[q.id]) > 0:
			elsewhere++
		}
		if brief {
			fmt.Fprintf(&b, "%-11s %3d passed of %-3d %s\n", q.id, passed, len(m.tests[q.id]), q.meaning)
			continue
		}
		fmt.Fprintf(&b, "%-11s %s\n", q.id, q.meaning)
		if len(m.tests[q.id]) == 0 {
			b.WriteString("              NO TEST\n")
		}
		for _, t := range m.tests[q.id] {
			fmt.Fprintf(&b, "              %s\n", t.line())
		}
	}
	fmt.Fprintf(&b, "\n%d requirements: %d proven by tests that passed here, %d only by tests that did not run here, %d without a test.\n",
		len(m.list), ran, elsewhere, len(m.list)-ran-elsewhere)
	_, err := io.WriteString(out, b.String())
	return err
}

// line is a test on one line.
func (t *test) line() string {
	status := cmp.Or(t.status, "not run here")
	where := t.dir + " " + t.name
	if t.suite != "" {
		where += " (tags: " + t.suite + ")"
	}
	return fmt.Sprintf("%-13s %s", status, where)
}

// problems are why the matrix is not as it must be.
func (m *matrix) problems() (list []string) {
	for _, q := range m.without() {
		list = append(list, q.id+" has no test: "+q.meaning)
	}
	for _, u := range m.unknown {
		list = append(list, "unknown id "+u+": correct it, or add it to ids.txt")
	}
	for _, f := range m.failed {
		list = append(list, "failed: "+f)
	}
	return list
}
