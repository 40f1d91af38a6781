package probe

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
)

// maxLines bounds the lines of an answer's header, those of informational answers (1xx) before it included. 64 KiB of
// short lines take more than twenty times as much once they are parsed, and a backend may leave off before the last
// one.
const maxLines = 200

var errLines = errors.New("too many header lines")

// fewLines is a connection whose answers have at most maxLines lines of header each.
type fewLines struct {
	net.Conn
	asked atomic.Bool // a request was written: an answer begins

	inHeader bool
	lines    int  // of this answer
	first    bool // in the first line of a header
	length   int  // of the line so far, without its end
	over     bool // there were more
	final    bool // the header is not that of an informational answer
}

func newFewLines(c net.Conn) *fewLines { return &fewLines{Conn: c, inHeader: true, first: true} }

func (c *fewLines) Write(p []byte) (int, error) {
	c.asked.Store(true)
	return c.Conn.Write(p)
}

func (c *fewLines) Read(p []byte) (int, error) {
	if c.over {
		return 0, errLines
	}
	n, err := c.Conn.Read(p)
	if c.asked.Swap(false) {
		c.inHeader, c.lines, c.first, c.length, c.final = true, 0, true, 0, false
	}
	n = c.pass(p[:n])
	return n, err
}

// pass goes over what was read, as far as it is a header, and says how much of it may pass: not beyond the last line,
// so that the reader comes to the error and not to a part of a line.
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
