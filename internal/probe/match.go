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

// match is what an answer lacks of what the check expects.
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

// accepts says whether a text is one of the values; a value may start or end with "*", and "*" alone is any but "".
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

// version takes the version out of an answer that met the check; "" where there is none, or none fit to be shown.
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
			end := bytes.IndexAny(rest, "\"'<> \t\r\n,;")
			if end >= 0 {
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

// Some products put a v before the number, which is left out here. A build may be named after its program, date, tag
// and commit: program-20260501-000000-tags-v1.52.1-0-g0123abc. Its version is the tag's.
var (
	plainVersion = regexp.MustCompile(`^v?[0-9]+\.`)
	inBuild      = regexp.MustCompile(`-v([0-9]+(?:\.[0-9]+)+)(?:-|$)`)
)

const maxVersion = 100

// versionLike: what the products use, with room. Narrower than safetext.Check: no braces, quotes, dollars or slashes.
var versionLike = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+~:-]*$`)

// show is what people see of the answer, and the beginning of its text where that says more.
func (a *answer) show() *backend.Answer {
	if a.visible != nil {
		return a.visible
	}
	a.visible = &backend.Answer{Status: a.status, Redirect: a.to}
	switch {
	case a.to != "":
	case a.broken != "":
		a.visible.Flaw = a.broken
	case a.page().title != "":
		a.visible.Title = clean(a.page().title)
	default:
		a.visible.Text = clean(excerpt(bytes.TrimSpace(a.head())))
	}
	return a.visible
}

// shortOf is the answer to a request for that path, with what it lacks.
func (a *answer) shortOf(path string, lack backend.Lack) *backend.Answer {
	shown := *a.show()
	shown.Path, shown.Lack = path, lack
	if asked, _, _ := strings.Cut(path, "?"); a.asked != asked {
		shown.Landed = clean(a.asked)
	}
	return &shown
}

// clean makes what a backend says fit to be quoted. Escaping it then, as %q does, could undo that.
func clean(s string) string { return safetext.Clean(s, quoted) }

const quoted = 80 // characters of an answer that are quoted

// excerpt is the beginning of a text, more than is ever quoted, without a part of a character.
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
