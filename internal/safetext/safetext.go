// Package safetext checks and cleans text that strangers choose: annotations of Services and responses of backends.
// HolmesGPT expands {{ env.NAME }} in the files that it loads, so a template in such text could leak HolmesGPT's
// secrets.
package safetext

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What Check finds.
var (
	ErrTemplate    = errors.New("contains a template marker (a brace before a brace, % or #, or $ before a brace)")
	ErrControl     = errors.New("contains a control character, or one that is not to be seen")
	ErrEncoding    = errors.New("is not valid UTF-8")
	ErrCredentials = errors.New("contains a URL with credentials")
)

// Check returns an error if s must not be written or shown: it has a template marker, a control character (also one
// that changes the direction of text or breaks lines), invalid UTF-8, or credentials in a URL. The error completes a
// sentence about s and does not quote s.
func Check(s string) error {
	if !utf8.ValidString(s) {
		return ErrEncoding
	}
	for i, r := range s {
		if isControl(r) && !joinsEmoji(s, i) {
			return ErrControl
		}
		if r == '{' && opensTemplate(s, i) {
			return ErrTemplate
		}
	}
	for i := range len(s) {
		if _, at := userinfo(s, i); at >= 0 {
			return ErrCredentials
		}
	}
	return nil
}

// Clean returns s as one line of at most limit characters that passes Check. It replaces what Check rejects, joins
// white space to one space, and ends a text that is too long in "…".
func Clean(s string, limit int) string {
	if limit <= 0 {
		return ""
	}
	s = redact(s)
	out := make([]rune, 0, min(len(s), limit+1))
	space := false
	for i, r := range s {
		if unicode.IsSpace(r) || isControl(r) {
			space = len(out) > 0
			continue
		}
		if space {
			out = append(out, ' ')
			space = false
		}
		if len(out) >= limit { // r does not fit any more
			return strings.TrimRight(string(out[:limit-1]), " ") + "…"
		}
		if r == '{' && opensTemplate(s, i) {
			r = '('
		}
		out = append(out, r) // an invalid byte has become U+FFFD
	}
	return string(out)
}

// opensTemplate reports whether the brace at s[i] starts or continues a template marker.
func opensTemplate(s string, i int) bool {
	if i > 0 && s[i-1] == '$' {
		return true
	}
	return i+1 < len(s) && (s[i+1] == '{' || s[i+1] == '%' || s[i+1] == '#')
}

// isControl reports whether r is invisible: a control, format, private, unassigned or default-ignorable character of
// Unicode. Such characters make one text look like another, or hide text from people that a model reads.
func isControl(r rune) bool {
	return r != ' ' && !unicode.IsGraphic(r) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// joinsEmoji reports whether the character at s[i] is an invisible part of an emoji: a joiner between two, or the
// selector of the coloured form after one.
func joinsEmoji(s string, i int) bool {
	const joiner, coloured = '\u200d', '\ufe0f'
	r, size := utf8.DecodeRuneInString(s[i:])
	before, n := utf8.DecodeLastRuneInString(s[:i])
	switch r {
	case coloured:
		return isEmoji(before)
	case joiner:
		after, _ := utf8.DecodeRuneInString(s[i+size:])
		if before == coloured {
			before, _ = utf8.DecodeLastRuneInString(s[:i-n])
		}
		skin := before >= 0x1f3fb && before <= 0x1f3ff
		return (skin || isEmoji(before)) && isEmoji(after)
	}
	return false
}

// isEmoji accepts any symbol except U+FFFD, which stands for a missing character after decoding.
func isEmoji(r rune) bool { return r != utf8.RuneError && unicode.Is(unicode.So, r) }

// userinfo finds credentials in a URL whose authority starts with the two slashes at s[i:]. The credentials are
// s[start:at], and at is the index of the "@". Without credentials, at is negative.
func userinfo(s string, i int) (start, at int) {
	if !isSlash(s[i]) || i+1 >= len(s) || !isSlash(s[i+1]) {
		return 0, -1
	}
	start = i + 2
	end := strings.IndexAny(s[start:], "/\\?# \t\r\n")
	if end < 0 {
		end = len(s) - start
	}
	at = strings.LastIndexByte(s[start:start+end], '@')
	if at < 0 {
		return 0, -1
	}
	return start, start + at
}

// isSlash accepts a backslash too, as browsers do.
func isSlash(c byte) bool { return c == '/' || c == '\\' }

// redact replaces credentials in URLs by asterisks.
func redact(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		start, at := userinfo(s, i)
		if at < 0 {
			b.WriteByte(s[i])
			i++
			continue
		}
		b.WriteString(s[i:start])
		b.WriteString("***")
		i = at + 1
	}
	return b.String()
}

// YAMLName returns a DNS label in YAML for people to copy. It is quoted where a YAML parser, also one of YAML 1.1 such
// as Helm's, would read a number, a boolean or null.
func YAMLName(label string) string {
	switch label {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return `"` + label + `"`
	}
	if label != "" && (label[0] < 'a' || label[0] > 'z') {
		return `"` + label + `"`
	}
	return label
}
