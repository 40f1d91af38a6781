package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/view"
)

// printServices prints Services as JSON or YAML: {"services": […], "count": n}. It writes one Service at a time,
// because the whole text of 100,000 Services takes ten times their own memory.
func printServices(out io.Writer, output string, n int, list iter.Seq[view.Service]) error {
	b := bufio.NewWriter(out)
	if output == "yaml" {
		if err := writeYAML(b, n, list); err != nil {
			return err
		}
		return b.Flush()
	}
	if err := writeJSON(b, n, list); err != nil {
		return err
	}
	return b.Flush()
}

func writeJSON(out *bufio.Writer, n int, list iter.Seq[view.Service]) error {
	var item bytes.Buffer
	enc := json.NewEncoder(&item)
	enc.SetIndent("    ", "  ")
	enc.SetEscapeHTML(false)
	before, end := "{\n  \"services\": [\n    ", "{\n  \"services\": ["
	for s := range list {
		item.Reset()
		item.WriteString(before)
		if err := enc.Encode(s); err != nil {
			return err
		}
		if _, err := out.Write(bytes.TrimSuffix(item.Bytes(), []byte("\n"))); err != nil {
			return err
		}
		before, end = ",\n    ", "\n  "
	}
	_, err := fmt.Fprintf(out, "%s],\n  \"count\": %d\n}\n", end, n)
	return err
}

func writeYAML(out *bufio.Writer, n int, list iter.Seq[view.Service]) error {
	empty := " []"
	if n > 0 {
		empty = ""
	}
	if _, err := fmt.Fprintf(out, "count: %d\nservices:%s\n", n, empty); err != nil {
		return err
	}
	for s := range list {
		data, err := yaml.Marshal([]view.Service{s}) // has the same lines as in a longer list
		if err != nil {
			return err
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return nil
}

// gap is the number of spaces between columns, as in kubectl.
const gap = 3

// column is a column of a table: its title and the text of a row's cell.
type column[T any] struct {
	title string
	cell  func(T) string
	paint func(T, string) string // colours the padded cell; may be nil
}

// printTable prints rows in columns as wide as their widest cell. It iterates over the rows twice to avoid a copy.
func printTable[T any](out io.Writer, columns []column[T], rows iter.Seq[T]) error {
	widths := make([]int, len(columns))
	for i := range columns {
		widths[i] = utf8.RuneCountInString(columns[i].title)
	}
	for r := range rows {
		for i := range columns {
			widths[i] = max(widths[i], utf8.RuneCountInString(columns[i].cell(r)))
		}
	}
	b := bufio.NewWriter(out)
	line := func(text func(int) string, paint func(int, string) string) error {
		for i := range columns {
			cell := text(i)
			if i < len(columns)-1 {
				cell += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+gap)
			}
			if _, err := b.WriteString(paint(i, cell)); err != nil {
				return err
			}
		}
		return b.WriteByte('\n')
	}
	title := func(i int) string { return columns[i].title }
	if err := line(title, func(_ int, cell string) string { return cell }); err != nil {
		return err
	}
	for r := range rows {
		text := func(i int) string { return columns[i].cell(r) }
		if err := line(text, func(i int, cell string) string {
			if columns[i].paint == nil {
				return cell
			}
			return columns[i].paint(r, cell)
		}); err != nil {
			return err
		}
	}
	return b.Flush()
}

// yesOr returns "yes" or "-".
func yesOr(yes bool) string {
	if yes {
		return "yes"
	}
	return "-"
}

// or returns s, "-" if it is empty.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printObject prints a value as JSON or YAML.
func printObject(s Streams, v any, output string) error {
	if output == "yaml" {
		data, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		_, err = s.Out.Write(data)
		return err
	}
	enc := json.NewEncoder(s.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
