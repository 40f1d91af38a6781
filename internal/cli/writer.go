package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"kubernaut.io/dynamic-toolset/internal/view"
)

// writer writes text for people and keeps the first error.
type writer struct {
	out   io.Writer
	paint painter
	err   error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

func (w *writer) head(title string) { w.line("\n%s", title) }

const (
	textWidth = 110 // columns of a line of prose
	nameWidth = 15
)

// row writes a name and, beside it, a text that can take several lines.
func (w *writer) row(name, format string, args ...any) {
	w.prose(fmt.Sprintf("  %-*s ", nameWidth, name), fmt.Sprintf(format, args...))
}

// advice writes advice, with the command or the lines of each below its text.
func (w *writer) advice(indent string, list []view.Advice) {
	for _, a := range list {
		w.prose(indent, a.Text)
		for line := range strings.Lines(a.Command) {
			w.line("%s  %s", indent, strings.TrimRight(line, "\n"))
		}
	}
}

// prose writes a text with line breaks between words. Its lines are indented by the width of the prefix.
func (w *writer) prose(prefix, text string) { w.proseAt(prefix, utf8.RuneCountInString(prefix), text) }

// proseAt does the same as prose for a prefix that takes that many columns on the screen.
func (w *writer) proseAt(prefix string, columns int, text string) {
	indent := strings.Repeat(" ", columns)
	line, n := prefix, len(indent)
	empty := true
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		if !empty && n+1+length > textWidth {
			w.line("%s", line)
			line, n, empty = indent, len(indent), true
		}
		if !empty {
			line, n = line+" ", n+1
		}
		line, n, empty = line+word, n+length, false
	}
	w.line("%s", strings.TrimRight(line, " "))
}
