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

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// match says why an answer is not what the check expects, or "" if it is.
func match(c *catalog.Check, a *answer) string {
	statuses := c.Status
	if len(statuses) == 0 {
		statuses = []int{http.StatusOK}
	}
	if !slices.Contains(statuses, a.status) {
		return list(statuses) + " was expected"
	}
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		if !slices.ContainsFunc(a.header.Values(name), func(v string) bool { return accepts(c.Header[name], v) }) {
			return "no header " + name + " as expected"
		}
	}
	if c.Text == "" && c.Body == "" && len(c.JSON) == 0 {
		return ""
	}
	if a.broken != "" {
		return a.broken
	}
	if c.Text != "" && string(bytes.TrimSpace(a.body)) != c.Text {
		return fmt.Sprintf("the text is not %q", c.Text)
	}
	if c.Body != "" && !bytes.Contains(a.body, []byte(c.Body)) {
		return fmt.Sprintf("%q is not in it", c.Body)
	}
	if len(c.JSON) == 0 {
		return ""
	}
	paths := slices.Sorted(maps.Keys(c.JSON))
	found, err := lookup(a.body, paths)
	if err != nil {
		return "not JSON"
	}
	for _, path := range paths {
		v, ok := found[path]
		if !ok {
			return fmt.Sprintf("its JSON has no %s", path)
		}
		if !v.meets(c.JSON[path]) {
			return fmt.Sprintf("its JSON's %s is %s", path, v)
		}
	}
	return ""
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

// Some products put a v before the number, which is left out here. A build may be named after its program, date, tag and commit:
// program-20260501-000000-tags-v1.52.1-0-g0123abc. Its version is the tag's.
var (
	plainVersion = regexp.MustCompile(`^v?[0-9]+\.`)
	inBuild      = regexp.MustCompile(`-v([0-9]+(?:\.[0-9]+)+)(?:-|$)`)
)

const maxVersion = 100

// versionLike: what the products use, with room. Narrower than safetext.Check: no braces, quotes, dollars or slashes.
var versionLike = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+~:-]*$`)

// describe says for people what answered.
func (a *answer) describe() string {
	if a.described == "" {
		result, said := a.result()
		a.described = joined(result, said)
	}
	return a.described
}

func joined(result, said string) string {
	if said == "" {
		return result
	}
	return result + ", " + said
}

// result is what the answer is, and the beginning of its text, quoted, where that says more.
func (a *answer) result() (result, said string) {
	status := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	if text := http.StatusText(a.status); text == "" {
		status = fmt.Sprint(a.status)
	}
	switch {
	case a.to != "":
		return status + ", a redirect to " + a.to, ""
	case a.broken != "":
		return status + ", " + a.broken, ""
	case a.page().title != "":
		return status + ", a web page titled " + quote(a.page().title), ""
	}
	if body := bytes.TrimSpace(a.head()); len(body) > 0 {
		return status, quote(excerpt(body))
	}
	return status, ""
}

// quote what a backend says. Escaping it, as %q does, could undo what Clean has made of it.
func quote(s string) string { return `"` + safetext.Clean(s, quoted) + `"` }

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
	return strings.Join(s, " or ")
}
