package probe

import (
	"net/http"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// result of a check.
type result int

const (
	unmet   result = iota // the response does not match
	met                   // it matches
	unwell                // a 5xx or 429, which does not show what the backend is
	refused               // the backend, a proxy or a mesh refuses the request; see bar
)

// verdict is what a check has shown.
type verdict struct {
	result  result
	why     *backend.Answer // the response, unless it matches
	version string
	bar     bar // what refused the request
}

// meetAnywhere runs a check below the base path and at the root of the server, because software below a base path
// serves some of its paths at either place. A check marked root runs at the root first. If a path that need not be
// passed on is not, the other place may still show that the backend is unwell.
func (s *session) meetAnywhere(purpose, base string, c *catalog.Check) (verdict, error) {
	root := s.root
	here, err := s.meet(purpose, base, c)
	if c.Root && err == nil && here.result != met && s.root != root { // the response named another root
		here, err = s.meet(purpose, base, c)
	}
	withheld := here.result == met && s.withheld(base, c)
	if err != nil || here.result == met && !withheld || base == s.root || purpose == "identity" && !c.Root {
		return here, err
	}
	elsewhere := *c
	elsewhere.Root, elsewhere.Or = !c.Root, nil
	if len(c.Status) > 0 { // there these prove nothing
		elsewhere.Status = slices.DeleteFunc(slices.Clone(c.Status), notPassedOn)
	}
	there, err := s.meet(purpose, base, &elsewhere)
	switch {
	case withheld && there.result != unwell:
		return here, nil
	case err != nil, there.result == met, there.result == unwell && (withheld || here.result == unmet):
		return there, err
	}
	return here, nil
}

// withheld reports whether a check is met only by a response that shows nothing of the backend, and a request for the
// other place is left beside the one for the query.
func (s *session) withheld(base string, c *catalog.Check) bool {
	if q := s.typ.Probe.Query; q != nil && s.cache[base+q.Get] == nil && s.left <= 1 {
		return false
	}
	if c.Root {
		base = s.root
	}
	status := s.status[base+c.Get]
	return notPassedOn(status) && slices.Contains(c.Status, status)
}

// notPassedOn reports whether a status may come from what is in front of a backend and lets only some paths through.
func notPassedOn(status int) bool {
	return status == http.StatusForbidden || status == http.StatusNotFound
}

// meet sends the requests of a check and its alternatives until one response matches. If none matches, the verdict is
// that of the first response that was refused, else of the first that shows the backend unwell, else of the first one.
func (s *session) meet(purpose, base string, c *catalog.Check) (v verdict, err error) {
	at := base
	if c.Root {
		at = s.root
	}
	a, err := s.get(purpose, at, c.Get, false)
	if err != nil {
		return v, err
	}
	lack := match(c, a)
	if lack.Part == "" {
		return verdict{result: met, version: version(c, a)}, nil
	}
	s.learnFromText(a)
	request, _, _ := strings.Cut(at+c.Get, "?")
	v.why, v.bar = a.shortOf(request, lack), a.barred(slices.Contains(c.Status, a.status))
	switch {
	case v.bar.outcome != "":
		v.result, v.why = refused, a.refusal()
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		v.result = unwell
	default:
		v.why.Because = c.Because
	}
	for i := range c.Or {
		other, err := s.meet(purpose, base, &c.Or[i])
		if err != nil || other.result == met {
			return other, err
		}
		if other.result > v.result {
			v = other
		}
	}
	return v, nil
}
