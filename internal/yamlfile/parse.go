package yamlfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// Limits on one text, far above any text that a person writes.
const (
	MaxBytes    = 1 << 20
	maxMarks    = 120_000
	maxExpanded = 2 << 20 // see Size
	perValue    = 32
	maxPaths    = 16 << 20 // see pathBytes; errors and checks build these paths
)

// parse fills v from a text. An empty text is null.
func (v *value) parse(data []byte) *Error {
	if len(data) > MaxBytes {
		return &Error{Message: fmt.Sprintf("too large: %d bytes, expected at most %d", len(data), MaxBytes)}
	}
	if err := notText(data); err != nil {
		return err
	}
	if line, err := Plain(data, maxMarks); err != nil {
		return &Error{Line: line, Message: err.Error()}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var docs []*yaml.Node
	for len(docs) < 2 {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return explain(err, data)
		}
		docs = append(docs, doc.Content[0])
	}
	switch {
	case len(docs) == 0:
		docs = []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!null"}}
	case len(docs) == 2 && !isNull(docs[1]): // a "---" at the end makes an empty document
		return &Error{Line: docs[1].Line, Message: "a second document begins here; expected only one"}
	}
	if Size(docs[0], perValue) > maxExpanded {
		return &Error{Message: "too many or too long values once its aliases are expanded"}
	}
	v.fill(docs[0], 0)
	if v.pathBytes(0) > maxPaths {
		return &Error{Message: "too many values below long keys"}
	}
	return nil
}

// UTF16 returns an error if a text begins with the mark of UTF-16, as what PowerShell writes with > does.
func UTF16(data []byte) error {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return errors.New("the text is UTF-16; save it as UTF-8")
	}
	return nil
}

// notText reports a control character or invalid UTF-8 with its position. The parser reports them without one.
func notText(data []byte) *Error {
	if err := UTF16(data); err != nil {
		return &Error{Message: err.Error()}
	}
	broken := !utf8.Valid(data)
	at := bytes.IndexFunc(data, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\u0085", r) || broken && r == utf8.RuneError
	})
	if at < 0 {
		return nil
	}
	r, _ := utf8.DecodeRune(data[at:])
	what := fmt.Sprintf("control character U+%04X", r)
	if r == utf8.RuneError {
		what = fmt.Sprintf("byte 0x%02x is not UTF-8", data[at])
	}
	before := data[:at]
	return &Error{
		Line:    1 + bytes.Count(before, []byte("\n")),
		Column:  1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):]),
		Message: "not text: " + what + "; expected YAML",
	}
}

var (
	located = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	anchor  = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// explain makes an Error from an error of the parser, which is only a text. Its line counts from 0 if the fault is in
// the grammar and not in a single token.
func explain(err error, data []byte) *Error {
	m := located.FindStringSubmatch(err.Error())
	if m == nil {
		return &Error{Message: "not valid YAML: syntax error"}
	}
	message := m[2]
	line, _ := strconv.Atoi(cmp.Or(m[1], "1"))
	if a := anchor.FindStringSubmatch(message); a != nil { // the message quotes the text, which may be a secret
		before, _, _ := bytes.Cut(data, []byte("*"+a[1]))
		message, line = "unknown anchor (a value that begins with * needs quotes)", 1+bytes.Count(before, []byte("\n"))
	} else if m[1] != "" && strings.HasPrefix(message, "did not find expected") {
		line++
	}
	if hint := hints[message]; hint != "" {
		message += " (" + hint + ")"
	}
	return &Error{Line: line, Message: "not valid YAML: " + message}
}

// hints holds the usual causes of the parser's errors.
var hints = map[string]string{
	"found character that cannot start any token": "a tab, or a value that begins with @, % or a backquote: " +
		"indent with spaces, quote the value",
	"found a tab character that violates indentation": "indent with spaces",
	"mapping values are not allowed in this context":  `indentation, or a value with ": " in it, which needs quotes`,
	"could not find expected ':'":                     "a key without its colon",
	"found unexpected end of stream":                  "a quote that is not closed",
	"did not find expected key":                       "indentation, or text behind a closing quote",
	"did not find expected '-' indicator":             "indentation, or text behind a closing quote",
	"did not find expected ',' or ']'":                "a bracket is not closed",
	"did not find expected ',' or '}'":                "a bracket is not closed",
}
