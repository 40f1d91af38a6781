package yamlfile

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Error is one fault and its place.
type Error struct {
	File    string // the file's name, or the flag that the value came from
	Line    int    // from 1; 0 if there is none (a flag, an unreadable file)
	Column  int    // from 1; 0 if it is not known
	Path    string // the key: health.interval, detect.strong[0].labels["app.kubernetes.io/name"]; "" for the whole file
	Message string // what was expected and what was found
}

// Error returns the form that people read: file:line:column: path: message.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
		if e.Column > 0 {
			fmt.Fprintf(&b, ":%d", e.Column)
		}
	}
	b.WriteString(": ")
	if e.Path != "" && !strings.HasSuffix(e.File, " "+e.Path) { // a flag's name has its path
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Errors are all faults of a file, in its order. An Errors that is returned as an error is never empty.
type Errors []Error

// Error returns one line for each fault.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Bare returns the cause of an error about a file, without the operation and the file's name, which the caller adds.
func Bare(err error) error {
	var cause syscall.Errno
	if errors.As(err, &cause) {
		return cause
	}
	return err
}
