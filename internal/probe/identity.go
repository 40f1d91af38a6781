package probe

import (
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// result of a check.
type result int

const (
	met     result = iota
	unmet          // the answer is another one
	unwell         // a 5xx or 429, which says nothing about what it is
	refused        // what stands before it does not let the request through; see bar
)

// maxBases bounds the base paths that are tried.
const maxBases = 8

// identity is what came of looking for a type. outcome is "" where it was proven.
type identity struct {
	outcome backend.Outcome
	detail  string
	base    string
	version string
	bar     bar // what keeps it from being asked
}

// telling orders the outcomes of several base paths: what says more about the backend comes before another's page.
func telling(o backend.Outcome) int {
	return slices.Index([]backend.Outcome{backend.WrongIdentity, backend.Forbidden, backend.LoginRequired, backend.ForbiddenByMesh, backend.NotReady}, o)
}

// identify tries the base paths until one proves the type, or says that it wants credentials.
func (s *session) identify(t *catalog.Type) (identity, error) {
	s.searching = !s.cand.FixedPath
	defer func() { s.searching = false }()
	queue, tried := []string{s.cand.Path}, []string{}
	askRoot := s.searching
	var told *identity // the first answer, unless a later one was at least unwell
	for len(tried) < maxBases {
		if len(queue) == 0 && askRoot {
			askRoot = false
			queue = append(append(s.askRoot(), t.Probe.Paths...), "")
		}
		if len(queue) == 0 {
			break
		}
		base := queue[0]
		queue = queue[1:]
		if slices.Contains(tried, base) {
			continue
		}
		tried = append(tried, base)
		id, res, err := s.identifyAt(t, base)
		if told != nil && errors.Is(err, errSpent) {
			if id = *told; telling(id.outcome) > 0 {
				return id, nil
			}
		}
		if err != nil || res == met || id.outcome == backend.AuthRequired || s.otherScheme != "" {
			return id, err
		}
		if told == nil || telling(id.outcome) > telling(told.outcome) {
			told = &id
		}
		if s.searching {
			queue = append(s.takeLearned(), queue...)
		}
	}
	others := slices.DeleteFunc(tried[1:], func(b string) bool { return !slices.Contains(t.Probe.Paths, b) })
	if len(others) > 0 && told.outcome == backend.WrongIdentity {
		told.detail += " (also tried below " + strings.Join(others, ", ") + ")"
	}
	return *told, nil
}

// askRoot learns base paths from where the root leads: software below a base path often redirects there. It comes
// before the known base paths, each of which may take several requests.
func (s *session) askRoot() []string {
	if a, err := s.get("base path", "", "/", true); err == nil {
		a.done()
	}
	return s.takeLearned()
}

// identifyAt looks for the type below one base path.
func (s *session) identifyAt(t *catalog.Type, base string) (identity, result, error) {
	id := identity{base: base}
	for i := range t.Probe.Identity {
		why, res, v, err := s.meet("identity", base, &t.Probe.Identity[i])
		if err != nil {
			return id, res, err
		}
		if id.version == "" {
			id.version = v
		}
		switch res {
		case refused:
			// Some relatives give themselves away even there.
			if other, err := s.unmask(t, base, true); err != nil || other != "" {
				id.outcome, id.detail = backend.WrongIdentity, other
				return id, unmet, err
			}
			id.outcome, id.bar, id.detail = s.bar.outcome, s.bar, "it "+s.bar.does(t)+", so that it cannot prove to be "+t.Title+": "+why
			return id, res, nil
		case unwell:
			id.outcome, id.detail = backend.NotReady, "it cannot prove to be "+t.Title+" now: "+why
			return id, res, nil
		case unmet:
			id.outcome, id.detail = backend.WrongIdentity, "it does not answer as "+t.Title+" does: "+why
			return id, res, nil
		}
	}
	other, err := s.unmask(t, base, false)
	if other != "" {
		id.outcome, id.detail = backend.WrongIdentity, other
		return id, unmet, err
	}
	return id, met, err
}

// unmask says which relative of the type it is, or "". Where it has refused to answer, only checks that expect a refusal
// are worth a request.
func (s *session) unmask(t *catalog.Type, base string, refusal bool) (string, error) {
	for i := range t.Probe.Not {
		c := &t.Probe.Not[i]
		if refusal && !slices.ContainsFunc(c.Status, isRefusal) {
			continue
		}
		_, res, _, err := s.meet("lookalike", base, c)
		if err != nil {
			return "", err
		}
		if res == met {
			return "it is not " + t.Title + ": " + c.Because, nil
		}
	}
	return "", nil
}

// meet makes a check's request and those of its alternatives, until one is answered as expected. why tells of the first;
// a refusal by any of them counts as one, then being unwell.
func (s *session) meet(purpose, base string, c *catalog.Check) (why string, res result, v string, err error) {
	at := base
	if c.Root {
		at = ""
	}
	a, err := s.get(purpose, at, c.Get, false)
	if err != nil {
		return "", unmet, "", err
	}
	defer a.done()
	if why = match(c, a); why == "" {
		return "", met, version(c, a), nil
	}
	request, _, _ := strings.Cut(at+c.Get, "?")
	barred, stands := a.barred(slices.Contains(c.Status, a.status))
	switch why = request + " answers " + a.describe() + "; " + why; {
	case stands:
		res, why, s.bar = refused, a.refusal(), barred
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		res = unwell
	default:
		res = unmet
	}
	if c.Because != "" && res == unmet {
		why += " (" + c.Because + ")"
	}
	a.done() // before the alternatives hold theirs
	for i := range c.Or {
		otherWhy, other, v, err := s.meet(purpose, base, &c.Or[i])
		if err != nil || other == met {
			return "", other, v, err
		}
		if other > res {
			res, why = other, otherWhy
		}
	}
	return why, res, "", nil
}

func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// learn takes base paths from a redirect, whatever host it names: only the path is used, on the host that is being asked.
// It says whether the redirect means "the same request below another base path".
func (s *session) learn(base, asked, location string) (moved bool) {
	asked, _, _ = strings.Cut(asked, "?")
	location = strings.TrimSuffix(path.Clean("/"+location), "/")
	if asked == "/" {
		// The root leads to the base path or to a page right below it.
		s.remember(location)
		s.remember(strings.TrimSuffix(path.Dir("/"+location), "/"))
		return s.searching && location != base
	}
	other, ok := strings.CutSuffix(location, strings.TrimSuffix(asked, "/"))
	if !ok || other == base {
		return false
	}
	s.remember(other)
	return !s.cand.FixedPath
}

func (s *session) remember(base string) {
	if base != "" && len(base) <= maxBase && !strings.ContainsFunc(base, strangeInPath) && len(s.learned) < maxBases {
		s.learned = append(s.learned, base)
	}
}

const maxBase = 100 // characters of a base path that a redirect may teach

func strangeInPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-._~", r)
}

func (s *session) takeLearned() []string {
	l := s.learned
	s.learned = nil
	return l
}
