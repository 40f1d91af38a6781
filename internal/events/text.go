package events

import (
	"strings"
	"unicode/utf8"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// The API's limits, in bytes.
const (
	maxNote = 1024
	maxWord = 128
)

// clean makes an Event fit for the API and for those who read it.
func clean(e event) event {
	e.note = cut(safetext.Clean(e.note, maxNote), maxNote)
	e.reason = cut(safetext.Clean(e.reason, maxWord), maxWord)
	return e
}

// cut shortens s to at most limit bytes, between characters.
func cut(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimRight(s[:end], " ") + mark
}
