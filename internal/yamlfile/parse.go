package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// Parse reads exactly one YAML document. Its error is Errors with the one thing that is wrong: not YAML, no document or
// several, or too large. It says nothing of what stands in the text.
func Parse(name string, data []byte) (*File, error) {
	fail := func(line, column int, format string, args ...any) (*File, error) {
		return nil, Errors{{File: name, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}}
	}
	if len(data) > maxBytes {
		return fail(0, 0, "too large: %d bytes, expected at most %d", len(data), maxBytes)
	}
	if line, column, what := notText(data); what != "" {
		return fail(line, column, "not text: %s; expected YAML", what)
	}
	if line, message := costly(data); message != "" {
		return fail(line, 0, "%s", message)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return fail(0, 0, "empty; expected one YAML document")
	case err != nil:
		line, message := explain(err, data)
		return fail(line, 0, "not valid YAML: %s", message)
	}
	root := doc.Content[0]
	if root.ShortTag() == "!!null" {
		return fail(0, 0, "empty; expected one YAML document")
	}
	switch err := dec.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		line, message := explain(err, data)
		return fail(line, 0, "not valid YAML: %s", message)
	case next.Content[0].ShortTag() != "!!null": // a closing "---" is no document
		return fail(next.Content[0].Line, 0, "a second document begins here; expected only one")
	}
	return newFile(name, root), nil
}

// notText finds what cannot be in a text file, which the parser reports without a position.
func notText(data []byte) (line, column int, what string) {
	line, column = 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, column, fmt.Sprintf("byte 0x%02x is not UTF-8", data[i])
		case r < ' ' && r != '\n' && r != '\t' && r != '\r', r == 0x7f, r >= 0x80 && r < 0xa0 && r != 0x85:
			return line, column, fmt.Sprintf("control character U+%04X", r)
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		i += size
	}
	return 0, 0, ""
}

// costly finds what the parser takes far more time or memory for than for anything that a person writes.
func costly(data []byte) (line int, message string) {
	const marks = 2 * maxNodes // that begin a value, each of which takes some hundred bytes
	n := 0
	for text := range bytes.Lines(data) {
		line++
		if text[0] == '%' {
			return line, "not plain YAML: expected no directive (a line that begins with %)"
		}
		for _, c := range text {
			switch c {
			case ',', ':', '[', '{', '\n':
				n++
			}
		}
	}
	if n > marks {
		return 0, fmt.Sprintf("too many values: more than %d commas, colons, brackets and lines", marks)
	}
	return 0, ""
}

var (
	located = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	anchor  = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// explain takes the parser's error apart. Its lines for errors of the grammar (not of single tokens) count from 0.
func explain(err error, data []byte) (line int, message string) {
	m := located.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, "syntax error"
	}
	message = m[2]
	if a := anchor.FindStringSubmatch(message); a != nil { // the one that quotes the text, which may be a secret
		if i := bytes.Index(data, []byte("*"+a[1])); i >= 0 {
			line = 1 + bytes.Count(data[:i], []byte("\n"))
		}
		return line, "unknown anchor (a value that begins with * needs quotes)"
	}
	line = 1
	if m[1] != "" {
		line, _ = strconv.Atoi(m[1])
		if strings.HasPrefix(message, "did not find expected") {
			line++
		}
	}
	if h := hint(message); h != "" {
		message += " (" + h + ")"
	}
	return line, message
}

// hint is what most often lies behind one of the parser's messages.
func hint(message string) string {
	switch message {
	case "found character that cannot start any token":
		return "a tab, or a value that begins with @, % or a backquote: indent with spaces, quote the value"
	case "found a tab character that violates indentation":
		return "indent with spaces"
	case "mapping values are not allowed in this context":
		return `indentation, or a value with ": " in it, which needs quotes`
	case "could not find expected ':'":
		return "a key without its colon"
	case "found unexpected end of stream":
		return "a quote that is not closed"
	case "did not find expected key", "did not find expected '-' indicator":
		return "indentation, or text behind a closing quote"
	case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
		return "a bracket is not closed"
	}
	return ""
}
