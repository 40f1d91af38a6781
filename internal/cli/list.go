package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"sigs.k8s.io/yaml"
)

// cell is a cell of a table, with the title of its column.
type cell struct{ title, text string }

// printTable prints rows in columns as wide as their widest cell. All rows have the same columns.
func printTable(out io.Writer, rows [][]cell) error {
	const gap = 3 // as in kubectl
	buffer := bufio.NewWriter(out)
	w := tabwriter.NewWriter(buffer, 0, 0, gap, ' ', 0)
	for i, row := range rows {
		var titles, texts []string
		for _, c := range row {
			titles, texts = append(titles, c.title), append(texts, cmp.Or(c.text, "-"))
		}
		if i == 0 {
			_, _ = fmt.Fprintln(w, strings.Join(titles, "\t")) // Flush returns the error
		}
		_, _ = fmt.Fprintln(w, strings.Join(texts, "\t"))
	}
	return errors.Join(w.Flush(), buffer.Flush())
}

// yes returns "yes" or "".
func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// orList returns a list with "or" before its last item.
func orList(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
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
