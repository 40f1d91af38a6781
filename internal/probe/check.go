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
	met     result = iota
	unmet          // the response does not match
	unwell         // a 5xx or 429, which does not show what the backend is
	refused        // the backend, a proxy or a mesh refuses the request; see bar
)

// meetAnywhere runs a check below the base path and at the root of the server, because software below a base path
// serves some of its paths at either place. A check marked root runs at the root first. If a path that need not be
// passed on is not, the other place may still show that the backend is unwell.
func (s *session) meetAnywhere(purpose, base string, c *catalog.Check) (
	why *backend.Answer, res result, v string, err error,
) {
	root := s.root
	why, res, v, err = s.meet(purpose, base, c)
	if c.Root && err == nil && res != met && s.root != root { // the response named another root
		why, res, v, err = s.meet(purpose, base, c)
	}
	withheld := res == met && s.withheld(base, c)
	if err != nil || res == met && !withheld || base == s.root || purpose == "identity" && !c.Root {
		return why, res, v, err
	}
	there := *c
	there.Root, there.Or = !c.Root, nil
	if len(c.Status) > 0 { // there these prove nothing
		there.Status = slices.DeleteFunc(slices.Clone(c.Status), notPassedOn)
	}
	otherWhy, other, otherV, err := s.meet(purpose, base, &there)
	switch {
	case withheld && other != unwell:
		return nil, met, v, nil
	case err != nil, other == met, other == unwell && (withheld || res == unmet):
		return otherWhy, other, otherV, err
	}
	return why, res, "", nil
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

// meet sends the requests of a check and its alternatives until one response matches. If none matches, the result is
// refused if any was refused, else unwell if any was unwell, and why describes the first such response.
func (s *session) meet(purpose, base string, c *catalog.Check) (why *backend.Answer, res result, v string, err error) {
	at := base
	if c.Root {
		at = s.root
	}
	a, err := s.get(purpose, at, c.Get, false)
	if err != nil {
		return nil, unmet, "", err
	}
	lack := match(c, a)
	if lack.Part == "" {
		return nil, met, version(c, a), nil
	}
	s.learnFromText(a)
	request, _, _ := strings.Cut(at+c.Get, "?")
	why = a.shortOf(request, lack)
	switch barred := a.barred(slices.Contains(c.Status, a.status)); {
	case barred.outcome != "":
		res, why, s.bar = refused, a.refusal(), barred
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		res = unwell
	default:
		res, why.Because = unmet, c.Because
	}
	for i := range c.Or {
		otherWhy, other, v, err := s.meet(purpose, base, &c.Or[i])
		if err != nil || other == met {
			return nil, other, v, err
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
