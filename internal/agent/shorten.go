package agent

import "bytes"

// maxString is how much of a string in an answer is kept, in bytes: the reasons of some hundred instances.
const maxString = 64 << 10

// cutMark replaces the rest of a string that is longer. It is one byte, so that no answer grows, and it is not shown.
const cutMark = "\x7f"

// afterBackslash is the state of a shortener when the next byte tells how long an escape sequence is.
const afterBackslash = -1

// shortener cuts the long strings of JSON that it gets piece by piece.
type shortener struct {
	inside bool // a string
	length int  // of the string so far
	escape int  // bytes of an escape sequence that are still to come, or afterBackslash
	cut    bool // the rest of the string is left out
}

// shorten cuts the strings in p and returns how many bytes are left of p.
func (s *shortener) shorten(p []byte) (n int) {
	for i := 0; i < len(p); i++ {
		if s.cut && s.escape == 0 { // most of a long answer
			skip := bytes.IndexAny(p[i:], `"\`)
			if skip < 0 {
				break
			}
			i += skip
		}
		if kept, is := s.next(p[i]); is {
			p[n] = kept
			n++
		}
	}
	return n
}

// next returns what is written for the next byte, if anything.
func (s *shortener) next(c byte) (byte, bool) {
	whole := s.escape == 0 // no escape sequence is cut in two
	switch {
	case !s.inside:
		s.inside = c == '"'
		return c, true
	case s.escape == afterBackslash:
		if s.escape = 0; c == 'u' {
			s.escape = len("0000")
		}
	case s.escape > 0:
		s.escape--
	case c == '\\':
		s.escape = afterBackslash
	case c == '"':
		*s = shortener{}
		return c, true
	}
	s.length++
	if whole && !s.cut && s.length > maxString {
		s.cut = true
		return cutMark[0], true
	}
	return c, !s.cut
}
