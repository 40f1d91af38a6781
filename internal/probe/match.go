package probe

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// match returns what the response lacks to meet the check; the zero Lack if it meets it.
func match(c *catalog.Check, a *answer) (none backend.Lack) {
	statuses := c.Status
	if len(statuses) == 0 {
		statuses = []int{http.StatusOK}
	}
	if !slices.Contains(statuses, a.status) {
		return backend.Lack{Part: backend.LackStatus, Value: list(statuses)}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		if !slices.ContainsFunc(a.header.Values(name), func(v string) bool { return accepts(c.Header[name], v) }) {
			return backend.Lack{Part: backend.LackHeader, Name: name}
		}
	}
	if c.Text == "" && c.Body == "" && len(c.JSON) == 0 {
		return none
	}
	if a.broken != "" {
		return backend.Lack{Part: backend.LackBody}
	}
	if c.Text != "" && string(bytes.TrimSpace(a.body)) != c.Text {
		return backend.Lack{Part: backend.LackText, Value: c.Text}
	}
	if c.Body != "" && !bytes.Contains(a.body, []byte(c.Body)) {
		return backend.Lack{Part: backend.LackWords, Value: c.Body}
	}
	if len(c.JSON) == 0 {
		return none
	}
	paths := slices.Sorted(maps.Keys(c.JSON))
	found, err := lookup(a.body, paths)
	if err != nil {
		return backend.Lack{Part: backend.LackJSON}
	}
	for _, path := range paths {
		v, ok := found[path]
		if !ok {
			return backend.Lack{Part: backend.LackJSONPath, Name: path}
		}
		if !v.meets(c.JSON[path]) {
			return backend.Lack{Part: backend.LackJSONValue, Name: path, Value: v.String()}
		}
	}
	return none
}

// accepts reports whether a text is one of the values. A value may start or end with "*"; "*" alone stands for any
// text that is not empty.
func accepts(values []string, s string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		switch before, after := strings.HasPrefix(v, "*"), strings.HasSuffix(v, "*"); {
		case v == "*":
			return s != ""
		case before && after:
			return strings.Contains(s, v[1:len(v)-1])
		case before:
			return strings.HasSuffix(s, v[1:])
		case after:
			return strings.HasPrefix(s, v[:len(v)-1])
		default:
			return s == v
		}
	})
}

// version returns the version in a response that met the check; "" if there is none that may be shown.
func version(c *catalog.Check, a *answer) string {
	var s string
	switch {
	case a.broken != "":
	case c.Version != "":
		if found, err := lookup(a.body, []string{c.Version}); err == nil {
			s = found[c.Version].text
		}
	case c.VersionAfter != "":
		if _, rest, ok := bytes.Cut(a.body, []byte(c.VersionAfter)); ok {
			if end := bytes.IndexAny(rest, "\"'<> \t\r\n,;"); end >= 0 {
				s = string(rest[:end])
			}
		}
	}
	if len(s) > maxVersion || !versionLike.MatchString(s) {
		return ""
	}
	if plainVersion.MatchString(s) {
		return strings.TrimPrefix(s, "v")
	}
	if found := inBuild.FindStringSubmatch(s); found != nil {
		return found[1]
	}
	return s
}

// Some products write a v before the number; version removes it. The name of a build may consist of its program, date,
// tag and commit: program-20260501-000000-tags-v1.52.1-0-g0123abc. version returns the version in the tag.
var (
	plainVersion = regexp.MustCompile(`^v?[0-9]+\.`)
	inBuild      = regexp.MustCompile(`-v([0-9]+(?:\.[0-9]+)+)(?:-|$)`)
)

const maxVersion = 100

// versionLike matches what products use as a version, and more. It is stricter than safetext.Check: no braces, quotes,
// dollars or slashes.
var versionLike = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+~:-]*$`)

// show returns the response as people see it: where it redirects to, what is wrong with it, its title, or the
// beginning of its text.
func (a *answer) show() *backend.Answer {
	shown := &backend.Answer{Status: a.status, Redirect: a.to}
	switch {
	case a.to != "":
	case a.broken != "":
		shown.Flaw = a.broken
	case a.page().title != "":
		shown.Title = clean(a.page().title)
	default:
		shown.Text = clean(excerpt(bytes.TrimSpace(a.head())))
	}
	return shown
}

// shortOf returns the response to a request for a path, with what it lacks.
func (a *answer) shortOf(path string, lack backend.Lack) *backend.Answer {
	shown := *a.shown
	shown.Path, shown.Lack = path, lack
	if asked, _, _ := strings.Cut(path, "?"); a.asked != asked {
		shown.Landed = clean(a.asked)
	}
	return &shown
}

// clean returns the text of a backend so that it may be quoted. Do not escape the result, for example with %q: that
// could undo it.
func clean(s string) string { return safetext.Clean(s, quoted) }

const quoted = 80 // characters of a response that are quoted

// excerpt returns the beginning of a text. It is longer than any quotation and ends with a whole character.
func excerpt(text []byte) string {
	end := min(len(text), 8*quoted)
	for back := 0; end < len(text) && back < utf8.UTFMax && !utf8.RuneStart(text[end]); back++ {
		end--
	}
	return string(text[:end])
}

func list(statuses []int) string {
	s := make([]string, len(statuses))
	for i, n := range statuses {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, ", ")
}
