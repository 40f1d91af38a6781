package probe

import (
	"bytes"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Base paths that a backend names itself. Strangers choose this text: it is used only as a path on the probed host, and
// only if it looks like a path.

const maxBase = 100 // characters of a base path that a response may name

// learn takes base paths from a redirect. The redirect may name any host, but only its path is used. learn reports
// whether the redirect means "the same request below another base path".
func (s *session) learn(base, asked, location string) (moved bool) {
	asked, _, _ = strings.Cut(asked, "?")
	location = tidy(location)
	if asked == "/" {
		// The root leads to the base path or to a page directly below it.
		page := strings.TrimSuffix(path.Dir("/"+location), "/")
		if page == "" && location != "" {
			s.learned = append(s.learned, "")
		}
		s.remember(location)
		s.remember(page)
		return s.searching && location != base
	}
	other, ok := strings.CutSuffix(location, strings.TrimSuffix(asked, "/"))
	if !ok || other == base {
		return false
	}
	s.remember(other)
	return !s.cand.FixedPath
}

// learnFromPage takes the base path from a web page.
func (s *session) learnFromPage(a *answer) {
	if !s.searching || a.broken != "" || !strings.Contains(a.text("Content-Type"), "html") {
		return
	}
	href, err := url.Parse(a.page().base)
	if err != nil || !strings.HasPrefix(href.Path, "/") { // a relative path: the page's own place is unknown
		return
	}
	to := href.Path
	if s.prober.opts.RoundTripper != nil {
		to = serviceProxyPath.ReplaceAllString(to, "/")
	}
	s.remember(tidy(to))
}

// serviceProxyPath matches the prefix that the API server's service proxy adds to the links of a page.
var serviceProxyPath = regexp.MustCompile(`^.*/api/v1/namespaces/[^/]+/services/[^/]+/proxy/`)

// learnFromText takes the base path from a text that the type's software sends for a request outside its base path. The
// whole server is then below that path, and so are the usual base paths of the type.
func (s *session) learnFromText(a *answer) {
	if a.broken != "" {
		return
	}
	text := a.body[:min(len(a.body), maxSmall)]
	for _, after := range s.typ.Probe.PathAfter {
		_, rest, _ := bytes.Cut(text, []byte(after))
		end := bytes.IndexByte(rest[:min(len(rest), maxBase+2)], '"')
		if end < 0 || !bytes.HasPrefix(rest, []byte("/")) {
			continue
		}
		root := tidy(string(rest[:end]))
		if !fitBase(root) {
			continue
		}
		s.root = root
		if s.searching {
			s.remember(root)
			for _, known := range s.typ.Probe.Paths {
				s.remember(root + known)
			}
		}
	}
}

// tidy returns the path without dots, double slashes and a final slash.
func tidy(p string) string { return strings.TrimSuffix(path.Clean("/"+p), "/") }

func (s *session) remember(base string) {
	if fitBase(base) && len(s.learned) < maxBases && !slices.Contains(s.learned, base) {
		s.learned = append(s.learned, base)
	}
}

func fitBase(base string) bool { return len(base) <= maxBase && safetext.IsPath(base, "") }
