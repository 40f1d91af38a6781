package probe

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// maxBases bounds the base paths that are tried.
const maxBases = 8

// identity is the result of the search for a type. The outcome is "" if the type was proven.
type identity struct {
	outcome  backend.Outcome
	seen     backend.Seen
	base     string
	version  string
	bar      bar           // refuses the requests
	typ      *catalog.Type // the type of the search
	is       string        // the relative that a response has shown, "" if none
	refuted  bool          // a response has shown a product that cannot be queried
	warning  string        // why less is known about it than about others of its type
	degraded string        // why it answers only in part
}

// telling ranks the outcomes at several base paths: an outcome that says more about the backend ranks higher.
func telling(o backend.Outcome) int {
	return slices.Index([]backend.Outcome{
		backend.WrongIdentity, backend.Forbidden, backend.LoginRequired, backend.ForbiddenByMesh, backend.NotReady,
	}, o)
}

// identify searches for the type and for the relative that a response shows. If neither is proven, it searches for each
// relative of the type, and at last for any backend that answers like the family.
func (s *session) identify(t *catalog.Type) (identity, error) {
	defer func() { s.searching = false }()
	id, err := s.follow(t)
	if err != nil || s.otherScheme || id.refuted || id.proven() || id.outcome == backend.NotReady {
		return id, err
	}
	if id.outcome == backend.WrongIdentity {
		for _, relative := range t.Relatives() {
			other, err := s.follow(relative)
			switch {
			case errors.Is(err, errSpent):
				return id, nil
			case err != nil: // a lost connection shows no relative
				return id, err
			case other.proven() || other.refuted:
				return other, nil
			}
		}
	}
	other, err := s.compatible(t, id)
	if errors.Is(err, errSpent) {
		return id, nil
	}
	if err != nil || other.typ == nil {
		return id, err
	}
	return other, nil
}

func (id *identity) proven() bool { return id.outcome == "" && id.typ != nil }

// follow searches for a type, then for the relative that a response shows, and so on. If the responses lead back to an
// earlier type, it is that type, because its relatives cannot say more.
func (s *session) follow(t *catalog.Type) (identity, error) {
	s.settled = false
	id, err := s.search(t, s.cand.Path)
	seen := []*catalog.Type{t}
	for err == nil && id.is != "" && !s.settled {
		next := t.Relative(id.is)
		if next == nil {
			break
		}
		s.settled = slices.Contains(seen, next)
		seen = append(seen, next)
		id, err = s.search(next, id.base)
	}
	return id, err
}

// search tries base paths until a response proves the type, shows a relative, or requires credentials.
func (s *session) search(t *catalog.Type, first string) (identity, error) {
	s.typ, s.searching = t, !s.cand.FixedPath
	tried := []string{}
	var told *identity // the most telling result so far
	for base, more := first, true; more && len(tried) < maxBases; base, more = s.nextBase(t, tried) {
		tried = append(tried, base)
		id, err := s.identifyAt(t, base)
		if told != nil && errors.Is(err, errSpent) {
			if id = *told; telling(id.outcome) > 0 {
				return id, nil
			}
		}
		settled := id.outcome == "" || id.outcome == backend.AuthRequired || id.is != "" || id.refuted
		if err != nil || settled || s.otherScheme {
			return id, err
		}
		if told == nil || telling(id.outcome) > telling(told.outcome) {
			told = &id
		}
	}
	others := slices.DeleteFunc(tried[1:], func(b string) bool { return !slices.Contains(t.Probe.Paths, b) })
	if len(others) > 0 && told.outcome == backend.WrongIdentity {
		told.seen.Paths = others
	}
	return *told, nil
}

// nextBase returns the base path to try next, false if there is none: the paths that responses have named, then the
// root, then the type's usual paths. A request that shows where the root leads comes before the usual paths, because
// each of these may take several requests.
func (s *session) nextBase(t *catalog.Type, tried []string) (string, bool) {
	if !s.searching {
		return "", false
	}
	untried := func(lists ...[]string) []string {
		return slices.DeleteFunc(slices.Concat(lists...), func(b string) bool { return slices.Contains(tried, b) })
	}
	if !s.askedRoot && len(untried(s.learned)) == 0 {
		s.askedRoot = true
		if a, err := s.get("base path", "", "/", false); err == nil {
			s.learnFromText(a)
		}
	}
	list := untried(s.learned, []string{""}, t.Probe.Paths)
	if len(list) == 0 {
		return "", false
	}
	return list[0], true
}

// identifyAt searches for the type at one base path.
func (s *session) identifyAt(t *catalog.Type, base string) (identity, error) {
	id := identity{base: base, typ: t}
	for i := range t.Probe.Identity {
		v, err := s.meetAnywhere("identity", base, &t.Probe.Identity[i])
		if err != nil {
			return id, err
		}
		id.version = cmp.Or(id.version, v.version)
		if v.result == unwell {
			id.outcome = backend.NotReady
			id.seen = backend.Seen{Code: backend.CodeNoProof, Type: t.Title, Answer: v.why}
			return id, nil
		}
		worth := s.known
		if v.result == refused {
			worth = expectsRefusal // some relatives can be recognised even then
		}
		if err := s.unmask(&id, worth); err != nil || id.outcome != "" {
			return id, err
		}
		switch v.result {
		case refused:
			id.outcome, id.bar, id.seen = v.bar.outcome, v.bar, v.bar.seen(backend.CodeRefusedProof, t, v.why)
			return id, nil
		case unmet:
			id.outcome = backend.WrongIdentity
			id.seen = backend.Seen{Code: backend.CodeWrongAnswer, Type: t.Title, Answer: v.why}
			return id, nil
		}
	}
	err := s.unmask(&id, func(*catalog.Check, string) bool { return true })
	return id, err
}

// expectsRefusal reports whether a check is worth a request to a backend that has refused another request.
func expectsRefusal(c *catalog.Check, _ string) bool {
	return slices.ContainsFunc(c.Status, func(status int) bool {
		return status == http.StatusUnauthorized || status == http.StatusForbidden
	})
}

// known reports whether a check can show a relative by a response that the session already has.
func (s *session) known(c *catalog.Check, base string) bool {
	if c.Root {
		base = s.root
	}
	return c.Is != "" && s.cache[base+c.Get] != nil
}

// unmask sets in the identity which relative of the type the backend is, or that it is another product. It runs only
// the checks that are worth a request.
func (s *session) unmask(id *identity, worth func(c *catalog.Check, base string) bool) error {
	for i := range id.typ.Probe.Not {
		c := &id.typ.Probe.Not[i]
		if !worth(c, id.base) || c.Is != "" && s.settled {
			continue
		}
		v, err := s.meet("lookalike", id.base, c)
		switch {
		case err != nil:
			return err
		case v.result != met:
			continue
		case c.Is != id.typ.Type: // else the response names the type itself
			id.outcome = backend.WrongIdentity
			id.seen = backend.Seen{Code: backend.CodeOtherProduct, Type: id.typ.Title, Because: c.Because}
			id.is, id.refuted = c.Is, c.Is == ""
		}
		return nil
	}
	return nil
}

// compatible searches for a backend that answers the agent's queries like the family, although nothing else is known
// about it. This is the last resort: the responses that would say more are missing or forbidden.
func (s *session) compatible(t *catalog.Type, so identity) (identity, error) {
	family := append([]*catalog.Type{t}, t.Relatives()...)
	i := slices.IndexFunc(family, func(r *catalog.Type) bool { return len(r.Probe.Compatible) > 0 })
	if i < 0 {
		return identity{}, nil
	}
	as := family[i]
	bases := []string{so.base}
	if so.outcome == backend.WrongIdentity && !s.cand.FixedPath {
		bases = slices.Concat([]string{s.cand.Path, ""}, s.learned, as.Probe.Paths, t.Probe.Paths)
	}
	var tried []string
	for _, base := range bases {
		if slices.Contains(tried, base) {
			continue
		}
		tried = append(tried, base)
		if status := s.status[base+as.Probe.Identity[0].Get]; status > 0 && status < 400 {
			continue // the response that would say more exists, and is that of another product
		}
		for i := range as.Probe.Compatible {
			c := &as.Probe.Compatible[i]
			switch v, err := s.meet("identity", base, c); {
			case err != nil || v.result == met:
				return identity{base: base, typ: as, warning: c.Because}, err
			case v.result == refused && so.outcome == backend.WrongIdentity:
				seen := v.bar.seen(backend.CodeRefusedProof, t, v.why)
				return identity{base: base, typ: t, outcome: v.bar.outcome, bar: v.bar, seen: seen}, nil
			}
		}
	}
	return identity{}, nil
}
