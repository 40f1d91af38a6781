package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// markdown is a page that is being written. Its blocks end in an empty line.
type markdown struct{ strings.Builder }

func (m *markdown) linef(format string, args ...any) {
	_, _ = fmt.Fprintf(m, format+"\n", args...)
}

// title begins a page.
func (m *markdown) title(text string) {
	m.linef("<!-- Made from the code by `make docs`: changes made here are undone. -->\n\n# %s\n", text)
}

// heading of level 2 and below.
func (m *markdown) heading(level int, text string) {
	m.linef("%s %s\n", strings.Repeat("#", level), text)
}

// para is a paragraph of Markdown.
func (m *markdown) para(text string) { m.linef("%s\n", text) }

// code is a block of code.
func (m *markdown) code(language, text string) { m.linef("%s\n", fenced(language, text)) }

func fenced(language, text string) string {
	return "```" + language + "\n" + strings.TrimRight(text, "\n") + "\n```"
}

// table has cells of Markdown; the first row is its head.
func (m *markdown) table(rows ...[]string) {
	for i, r := range rows {
		m.linef("| %s |", strings.ReplaceAll(strings.Join(r, " | "), "\n", " "))
		if i == 0 {
			m.linef("|%s", strings.Repeat("---|", len(r)))
		}
	}
	m.linef("")
}

// span is text as code, which may stand in a table.
func span(s string) string {
	quote := "`"
	switch {
	case s == "":
		return ""
	case strings.Contains(s, "`"):
		quote = "``"
	}
	return quote + strings.ReplaceAll(s, "|", `\|`) + quote
}

// spans are several of them.
func spans[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = span(string(s))
	}
	return strings.Join(out, ", ")
}

// link leads to a heading of the same page, to the fragment that GitHub gives it.
func link(text, heading string) string {
	fragment := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	return "[" + text + "](#" + fragment + ")"
}

var plainEscapes = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "\n", " ")

// codeLike matches text that is shown as code: quoted words, placeholders, keys of the configuration, annotations.
var codeLike = regexp.MustCompile("`[^`]+`" +
	`|"[^" ]*"|\$\([a-z]+(:KEY)?\)|\{\{[^}]*\}\}|<[a-z]+>(/<[a-z]+>)*(-[a-z]+\.yaml)?` +
	`|\b(discovery|health|output|holmesgpt|catalog|tls|security|server|metrics|auth|log)\.[a-z][a-zA-Z]+\b` +
	`|\bkubernaut\.io/[a-z/-]+|\b[a-z]+\.(yaml|json)\b`)

// requirementIDs are for the readers of the code.
var requirementIDs = regexp.MustCompile(` \(DTS-[^)]*\)`)

// prose is the text of a comment as Markdown, in which what looks like code is shown as such.
func prose(s string) string {
	s = requirementIDs.ReplaceAllString(strings.Join(strings.Fields(s), " "), "")
	var b strings.Builder
	for {
		at := codeLike.FindStringIndex(s)
		if at == nil {
			return b.String() + plainEscapes.Replace(s)
		}
		b.WriteString(plainEscapes.Replace(s[:at[0]]) + span(strings.Trim(s[at[0]:at[1]], "`")))
		s = s[at[1]:]
	}
}

// sentence is a comment without the name of what it is about: "File is where" becomes "Where", "Order sorts" becomes
// "Sorts", and "Interval between checks" stays.
func sentence(name, comment string) string {
	rest, ok := strings.CutPrefix(comment, name+" ")
	verb, object, _ := strings.Cut(rest, " ")
	switch {
	case !ok:
		return upper(comment)
	case verb == "is" && !strings.HasPrefix(object, "put "), verb == "are":
		return upper(object)
	case strings.HasSuffix(verb, "s") && !strings.HasPrefix(object, "are ") && !strings.HasPrefix(object, "need "):
		return upper(rest)
	}
	return comment
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
