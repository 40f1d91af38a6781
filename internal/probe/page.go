package probe

import (
	"bytes"
	"slices"
	"strings"
)

// Limits of what is read from pages and headers. This runs for the responses of every Service, so no response may make
// it expensive: only the beginning is read, once, from front to back, without regular expressions.
const (
	maxPage = 8 << 10 // bytes of a page that are read
	maxText = 1 << 10 // bytes of a header that are read
)

// page holds what a web page says about itself.
type page struct {
	title  string
	signIn bool   // people sign in there
	base   string // what its links are relative to
}

// page parses the body once. The result is empty if the body cannot be used.
func (a *answer) page() *page {
	if a.read == nil {
		a.read = readPage(a.head())
		a.read.signIn = a.read.signIn && a.broken == ""
	}
	return a.read
}

// head returns the beginning of the body.
func (a *answer) head() []byte { return a.body[:min(len(a.body), maxPage)] }

// text returns the beginning of a header.
func (a *answer) text(name string) string { return cut(a.header.Get(name), maxText) }

func cut(text string, most int) string { return text[:min(len(text), most)] }

func readPage(text []byte) *page {
	p, lower := &page{}, small(text)
	if at := bytes.Index(lower, []byte("<title")); at >= 0 {
		_, rest, _ := bytes.Cut(text[at:], []byte(">"))
		title, _, _ := bytes.Cut(rest, []byte("<"))
		p.title = excerpt(bytes.TrimSpace(title))
	}
	elements(lower, "<base", func(from, to int) bool {
		p.base = href(lower[from:to], text[from:to])
		return p.base == ""
	})
	if bytes.HasPrefix(bytes.TrimSpace(lower), []byte("<")) {
		p.signIn = asksToLogIn(p.title) || asksPassword(lower)
	}
	return p
}

// small returns the text with A to Z in lower case. The length stays the same, which bytes.ToLower does not promise.
func small(text []byte) []byte {
	out := slices.Clone(text)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// elements calls each with the position of the attributes of each element, until it returns false.
func elements(lower []byte, begin string, each func(from, to int) bool) {
	for at := 0; ; {
		i := bytes.Index(lower[at:], []byte(begin))
		if i < 0 {
			return
		}
		at += i + len(begin)
		end := bytes.IndexByte(lower[at:], '>')
		if end < 0 || !each(at, at+end) {
			return
		}
		at += end
	}
}

const blanks = " \t\r\n\f"

// href returns the value of the attribute href, "" if there is none. lower is the same text in lower case.
func href(lower, text []byte) string {
	for at := 0; ; {
		i := bytes.Index(lower[at:], []byte("href"))
		if i < 0 || !strings.Contains(blanks, string(lower[:1])) { // <basefont
			return ""
		}
		begin := at + i
		at = begin + len("href")
		rest := bytes.TrimLeft(text[at:], blanks)
		if begin == 0 || !strings.Contains(blanks, string(lower[begin-1:begin])) ||
			!bytes.HasPrefix(rest, []byte("=")) {
			continue
		}
		value := bytes.TrimLeft(rest[1:], blanks)
		if len(value) > 0 && (value[0] == '"' || value[0] == '\'') {
			value = value[1:]
		}
		if end := bytes.IndexAny(value, "\"'"+blanks); end >= 0 {
			value = value[:end]
		}
		return string(value)
	}
}

func asksPassword(lower []byte) (asks bool) {
	elements(lower, "<input", func(from, to int) bool {
		for _, field := range [...]string{"type=password", `type="password`, "type='password"} {
			asks = asks || bytes.Contains(lower[from:to], []byte(field))
		}
		return !asks
	})
	return asks
}
