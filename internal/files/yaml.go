package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"sigs.k8s.io/yaml"
)

// yamlStream reads YAML documents one by one. A document is turned into JSON, as kubectl does it, and read as such: both
// forms then have one meaning, and one set of mistakes.
func (r *reader) yamlStream(in *bufio.Reader) error {
	docs := yamlDocuments{in: in, next: 1}
	for n := 1; ; {
		doc, line, err := docs.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !hasContent(doc) {
			continue
		}
		if err := costly(doc); err != nil {
			return fmt.Errorf("the document that begins in line %d: %w", line, err)
		}
		converted, err := yaml.YAMLToJSON(doc)
		if err != nil {
			return yamlError(err, doc, line)
		}
		if string(converted) == "null" {
			continue
		}
		// Its fields are sorted now, so that a List's kind comes after its items, which may need it.
		h, err := r.peek(converted)
		if err == nil {
			dec := jsontext.NewDecoder(bytes.NewBuffer(converted), jsonOptions)
			err = r.document(dec, nil, place{document: n, line: line, item: -1}, h)
		}
		if err != nil {
			if errors.Is(err, r.ctx.Err()) {
				return err
			}
			return fmt.Errorf("document %d (line %d): %w", n, line, err)
		}
		n++
	}
}

// yamlDocuments cuts a stream at its document markers. A line that begins with "---" and then ends or goes on with a blank
// is one wherever it stands, in a block scalar too (YAML 1.2, 9.1.2), so no parser is needed for it.
type yamlDocuments struct {
	in   *bufio.Reader
	buf  []byte
	next int // number of the next line
	rest []byte
	done bool
}

// read returns the next document and the number of its first line, io.EOF after the last. The document is valid until the
// next call.
func (d *yamlDocuments) read() (doc []byte, line int, err error) {
	if d.done {
		return nil, 0, io.EOF
	}
	line = d.next
	if d.rest != nil { // what stood behind the marker
		line--
	}
	d.buf = append(d.buf[:0], d.rest...)
	d.rest = nil
	atStart := true // of a line
	for {
		part, err := d.in.ReadSlice('\n')
		first := atStart
		if err == nil {
			d.next++
		}
		atStart = err == nil
		if first && isMarker(part) {
			d.rest = append([]byte{}, part[3:]...)
			return d.buf, line, nil
		}
		if len(d.buf)+len(part) > maxObject {
			return nil, 0, fmt.Errorf("the YAML document that begins in line %d is %w; as JSON a List is read item by item", line, errTooLarge)
		}
		d.buf = append(d.buf, part...)
		switch {
		case errors.Is(err, io.EOF):
			d.done = true
			return d.buf, line, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, 0, err
		}
	}
}

func isMarker(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	return len(line) == 3 || strings.IndexByte(" \t\r\n", line[3]) >= 0
}

// hasContent says that there is more in a document than comments and directives.
func hasContent(doc []byte) bool {
	for line := range bytes.Lines(doc) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return true
		}
	}
	return false
}

// yamlError gives a parser's error the line in the file.
func yamlError(err error, doc []byte, firstLine int) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "error converting YAML to JSON: yaml: ")
	text, _, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, ": map[") // a dump of Go values
	if strings.HasPrefix(text, "unknown anchor") {
		text = "unknown anchor (a value that begins with * needs quotes)" // and nothing of the text, which may be a Secret's
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
