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
)

// printServices prints what discover prints as JSON or YAML (DTS-CLI-2), {"services": […], "count": n}. It goes Service by
// Service, since of 100,000 the whole text is ten times what they take themselves.
func printServices(out io.Writer, output string, n int, list iter.Seq[service]) error {
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

func writeJSON(out *bufio.Writer, n int, list iter.Seq[service]) error {
	out.WriteString("{\n  \"services\": [")
	var item bytes.Buffer
	enc := json.NewEncoder(&item)
	enc.SetIndent("    ", "  ")
	enc.SetEscapeHTML(false)
	comma := ""
	for s := range list {
		item.Reset()
		if err := enc.Encode(s); err != nil {
			return err
		}
		out.WriteString(comma + "\n    ")
		if _, err := out.Write(bytes.TrimSuffix(item.Bytes(), []byte("\n"))); err != nil {
			return err
		}
		comma = ","
	}
	if comma != "" {
		out.WriteString("\n  ")
	}
	_, err := fmt.Fprintf(out, "],\n  \"count\": %d\n}\n", n)
	return err
}

func writeYAML(out *bufio.Writer, n int, list iter.Seq[service]) error {
	fmt.Fprintf(out, "count: %d\nservices:", n)
	if n == 0 {
		_, err := out.WriteString(" []\n")
		return err
	}
	out.WriteString("\n")
	for s := range list {
		data, err := yaml.Marshal([]service{s}) // a list of one, whose lines are those of a longer one
		if err != nil {
			return err
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return nil
}

// column of a table: its title and what a row says in it.
type column[T any] struct {
	title string
	cell  func(T) string
	paint func(T, string) string // colours the padded cell; may be nil
}

// printTable prints rows in columns as wide as their widest cell. It goes over the rows twice rather than keep them.
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
	pad := func(i int, text string) string {
		if i == len(columns)-1 {
			return text
		}
		return text + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+3)
	}
	for i := range columns {
		b.WriteString(pad(i, columns[i].title))
	}
	b.WriteByte('\n')
	for r := range rows {
		for i := range columns {
			text := pad(i, columns[i].cell(r))
			if columns[i].paint != nil {
				text = columns[i].paint(r, text)
			}
			if _, err := b.WriteString(text); err != nil {
				return err
			}
		}
		if err := b.WriteByte('\n'); err != nil {
			return err
		}
	}
	return b.Flush()
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printObject prints anything else as JSON or YAML.
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
