package probe

import (
	"bytes"
	"errors"
	"net"
)

// maxLines bounds the header lines of a response, including those of informational responses (1xx) before it. 64 KiB of
// short lines take more than twenty times as much memory once they are parsed, and a backend may stop before the last
// one.
const maxLines = 200

var errLines = errors.New("too many header lines")

// fewLines is a connection for one request. Reading its response fails after maxLines header lines.
type fewLines struct {
	net.Conn
	inHeader bool
	lines    int  // of the header, and of informational responses before it
	first    bool // in the first line of a header
	length   int  // of the line so far, without its end
	over     bool // the limit was exceeded
	final    bool // the response is not informational
}

func newFewLines(c net.Conn) *fewLines { return &fewLines{Conn: c, inHeader: true, first: true} }

func (c *fewLines) Read(p []byte) (int, error) {
	if c.over {
		return 0, errLines
	}
	n, err := c.Conn.Read(p)
	return c.pass(p[:n]), err
}

// pass counts the header lines in what was read and returns how many bytes the reader may have. It stops after the last
// allowed line, so that the reader gets the error and not a part of a line.
func (c *fewLines) pass(p []byte) int {
	n := 0
	for c.inHeader && n < len(p) {
		line, _, ended := bytes.Cut(p[n:], []byte("\n"))
		const version = len("HTTP/1.1 ")
		if i := version - c.length; c.first && i >= 0 && i < len(line) {
			c.final = line[i] == '0' || line[i] >= '2' && line[i] <= '9'
		}
		c.length += len(bytes.TrimSuffix(line, []byte("\r")))
		if n += len(line); !ended {
			break
		}
		n++
		if c.length > 0 {
			c.first = false
		} else { // the end of a header
			c.inHeader, c.first, c.final = !c.final, true, false
		}
		c.length = 0
		if c.lines++; c.inHeader && c.lines >= maxLines {
			c.over = true
			return n
		}
	}
	return len(p)
}
