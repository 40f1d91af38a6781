package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// maxObject is the largest object, or YAML document, in bytes. The API server stores objects of 1.5 MiB at most, but a
// YAML document may be a whole List.
const maxObject = 32 << 20

var errTooLarge = fmt.Errorf("larger than %d MiB", maxObject>>20)

// jsonOptions make the decoder read JSON as the API server does. If a key is given twice, the last one counts. Bytes
// that are not UTF-8 become U+FFFD, which no name may contain.
var jsonOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// jsonStart matches the beginning of JSON, but not a YAML flow mapping or a template.
var jsonStart = regexp.MustCompile(`^\s*(?:\[|\{\s*(?:["}]|$))`)

var (
	// marker matches a line that ends a YAML document.
	marker = regexp.MustCompile(`^(?:---|\.\.\.)(?:[ \t]|$)`)
	// content matches a YAML document with more than comments and directives.
	content = regexp.MustCompile(`(?m)^[ \t]*[^\s#%]`)
)

// meter counts the lines that are read through it, and limits the size of a single value.
type meter struct {
	r     io.Reader
	lines int
	left  int // how many more bytes this value may have
}

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errTooLarge
	}
	n, err := m.r.Read(p[:min(len(p), m.left)])
	m.left -= n
	m.lines += bytes.Count(p[:n], []byte{'\n'})
	return n, err
}

// stream reads a file, JSON or YAML.
func (r *reader) stream(in io.Reader) error {
	const ahead, bom = 64 << 10, "\uFEFF"
	b := bufio.NewReaderSize(in, ahead)
	start, err := b.Peek(ahead)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case len(start) == 0:
		return err
	}
	if err := yamlfile.UTF16(start); err != nil {
		return err
	}
	if text, marked := bytes.CutPrefix(start, []byte(bom)); marked {
		start = text
		if _, err := b.Discard(len(bom)); err != nil {
			return err
		}
	}
	if jsonStart.Match(start) {
		return r.jsonStream(b)
	}
	return r.yamlStream(b)
}

// jsonStream reads all JSON values of a file: a List, NDJSON, or several objects.
func (r *reader) jsonStream(in io.Reader) error {
	r.meter = meter{r: in, left: maxObject}
	dec := jsontext.NewDecoder(&r.meter, jsonOptions)
	for n := 1; ; n++ {
		err := r.document(dec, place{document: n, item: -1}, header{})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return r.jsonError(err, dec)
		}
	}
}

// jsonError adds the line in the file to an error of the decoder.
func (r *reader) jsonError(err error, dec *jsontext.Decoder) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("line %d: one object is %w", r.meter.lines+1, errTooLarge)
	case !errors.As(err, &syntax):
		return err
	}
	rest := dec.UnreadBuffer()
	skip := min(max(syntax.ByteOffset-dec.InputOffset(), 0), int64(len(rest)))
	line := 1 + r.meter.lines - bytes.Count(rest[skip:], []byte{'\n'})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: the JSON ends in the middle of an object; was the output cut off?", line)
	}
	reason := "syntax error"
	if syntax.Err != nil {
		reason = strings.TrimPrefix(syntax.Err.Error(), "jsontext: ")
	}
	return fmt.Errorf("line %d: not valid JSON: %s", line, reason)
}

// yamlStream reads YAML documents one by one. It converts each to JSON, as kubectl does. A line that begins with "---"
// or "..." ends a document everywhere, even in a block scalar (YAML 1.2, 9.1.2).
func (r *reader) yamlStream(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxObject)
	var doc []byte
	start, n := 1, 0
	for at := 1; ; at++ {
		more := lines.Scan()
		text := lines.Bytes()
		switch ends := marker.Match(text); {
		case errors.Is(lines.Err(), bufio.ErrTooLong), !ends && len(doc)+len(text) > maxObject:
			const text = "the YAML document that begins in line %d is %w; as JSON a List is read item by item"
			return fmt.Errorf(text, start, errTooLarge)
		case lines.Err() != nil:
			return lines.Err()
		case !more, ends:
			given, err := r.yamlDocument(doc, place{document: n + 1, line: start, item: -1})
			if err != nil || !more {
				return err
			}
			if given {
				n++
			}
			doc, start, text = doc[:0], at, text[3:]
		}
		doc = append(append(doc, text...), '\n')
	}
}

// yamlDocument reads one document. given is false if the document is empty.
func (r *reader) yamlDocument(doc []byte, at place) (given bool, err error) {
	if !content.Match(doc) {
		return false, nil
	}
	if err := costly(doc); err != nil {
		return false, fmt.Errorf("the document that begins in line %d: %w", at.line, err)
	}
	converted, err := yaml.YAMLToJSON(doc)
	if err != nil {
		return false, yamlError(err, doc, at.line)
	}
	if string(converted) == "null" {
		return false, nil
	}
	// The fields are sorted by name now. The kind of a List comes after its items, which need it: so it is read first.
	var h header
	_ = json.Unmarshal(converted, &h, jsonOptions)
	dec := jsontext.NewDecoder(bytes.NewBuffer(converted), jsonOptions)
	if err := r.document(dec, at, h); err != nil {
		return false, fmt.Errorf("document %d (line %d): %w", at.document, at.line, err)
	}
	return true, nil
}

// yamlError adds the line in the file to an error of the parser.
func yamlError(err error, doc []byte, firstLine int) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "error converting YAML to JSON: yaml: ")
	text, _, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, ": map[") // a dump of Go values
	if strings.HasPrefix(text, "unknown anchor") {
		text = "unknown anchor (a value that begins with * needs quotes)" // the text itself may be from a Secret
	}
	at := fmt.Sprintf("the document that begins in line %d", firstLine)
	if after, ok := strings.CutPrefix(text, "line "); ok {
		number, reason, _ := strings.Cut(after, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			at, text = fmt.Sprintf("line %d", firstLine+n-1), reason
		}
	}
	if bytes.Contains(doc, []byte("{{")) {
		text += `; it holds "{{": render templates first, as with helm template`
	}
	return fmt.Errorf("%s: not valid YAML: %s", at, text)
}
