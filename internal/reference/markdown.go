package reference

import (
	"fmt"
	"regexp"
	"strings"
)

// markdown is a page that is being written.
type markdown struct{ strings.Builder }

func (m *markdown) linef(format string, args ...any) {
	m.WriteString(fmt.Sprintf(format, args...) + "\n")
}

// heading of level 2 and below.
func (m *markdown) heading(level int, text string) {
	m.gap()
	m.linef("%s %s", strings.Repeat("#", level), text)
	m.linef("")
}

// para is a paragraph of Markdown.
func (m *markdown) para(text string) {
	m.gap()
	m.linef("%s", text)
	m.linef("")
}

// code is a block of code.
func (m *markdown) code(language, text string) {
	m.gap()
	m.linef("```%s\n%s\n```", language, strings.TrimRight(text, "\n"))
	m.linef("")
}

// gap begins a new block.
func (m *markdown) gap() {
	if s := m.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		m.linef("")
	}
}

// table has cells of Markdown.
func (m *markdown) table(head []string, rows [][]string) {
	m.gap()
	m.row(head)
	m.linef("|%s", strings.Repeat("---|", len(head)))
	for _, r := range rows {
		m.row(r)
	}
	m.linef("")
}

func (m *markdown) row(cells []string) {
	m.WriteString("|")
	for _, c := range cells {
		c = strings.TrimSpace(strings.ReplaceAll(c, "\n", " "))
		m.WriteString(" " + c + " |")
	}
	m.WriteString("\n")
}

// span is text as code, which may stand in a table.
func span(s string) string {
	if s == "" {
		return ""
	}
	quote := "`"
	if strings.Contains(s, "`") {
		quote = "``"
	}
	return quote + strings.ReplaceAll(s, "|", `\|`) + quote
}

// spans are several of them.
func spans(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = span(s)
	}
	return strings.Join(out, ", ")
}

var plainEscapes = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "\n", " ")

// codeLike is what is shown as code: quoted words, placeholders, keys of the configuration and names of annotations.
var codeLike = regexp.MustCompile("`[^`]+`" + `|"[^" ]*"|\$\([a-z]+\)|\{\{[^}]*\}\}|<[a-z]+>(/<[a-z]+>)*(-[a-z]+\.yaml)?` +
	`|\b(discovery|health|output|holmesgpt|catalog|tls|security|server|metrics|auth|log)\.[a-z][a-zA-Z]+\b|\bkubernaut\.io/[a-z/-]+` +
	`|\b[a-z]+\.(yaml|json)\b`)

// requirementIDs are of use to those who read the code.
var requirementIDs = regexp.MustCompile(` \(DTS-[^)]*\)`)

// prose is text of a comment as Markdown, in which what looks like code is shown as such.
func prose(s string) string {
	s = requirementIDs.ReplaceAllString(strings.Join(strings.Fields(s), " "), "")
	var b strings.Builder
	for s != "" {
		at := codeLike.FindStringIndex(s)
		if at == nil {
			b.WriteString(plainEscapes.Replace(s))
			break
		}
		b.WriteString(plainEscapes.Replace(s[:at[0]]))
		b.WriteString(span(strings.Trim(s[at[0]:at[1]], "`")))
		s = s[at[1]:]
	}
	return b.String()
}
