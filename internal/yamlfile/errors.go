package yamlfile

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Error is one thing that is wrong, with its place.
type Error struct {
	File    string // the file's name, or the flag that the value came from
	Line    int    // from 1; 0 where there is none (a flag, an unreadable file)
	Column  int    // from 1; 0 where it is not known
	Path    string // of the key: health.interval, detect.strong[0].labels["app.kubernetes.io/name"]; "" for the whole
	Message string // what was expected and what was found
}

// Error is the form people read: file:line:column: path: message.
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

// Errors is all that is wrong with a file, in its order. It is never empty where it is returned as an error.
type Errors []Error

// Error has one line for each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Bare is the cause of an error about a file, without the operation and the file's name, which the caller adds.
func Bare(err error) error {
	var cause syscall.Errno
	if errors.As(err, &cause) {
		return cause
	}
	return err
}
