package probe

import (
	"errors"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// maxBases bounds the base paths that are tried.
const maxBases = 8

// identity is what came of looking for a type. outcome is "" where it was proven.
type identity struct {
	outcome  backend.Outcome
	seen     backend.Seen
	base     string
	version  string
	bar      bar           // what keeps it from being asked
	typ      *catalog.Type // that was looked for
	is       string        // the relative that an answer has shown it to be; "" for none
	refuted  bool          // an answer has shown that it is nothing that could be queried
	warning  string        // where less is known of it than of others of its type
	degraded string        // why it answers only in part
}

// telling orders the outcomes of several base paths: what says more about the backend comes before another's page.
func telling(o backend.Outcome) int {
	return slices.Index([]backend.Outcome{
		backend.WrongIdentity, backend.Forbidden, backend.LoginRequired, backend.ForbiddenByMesh, backend.NotReady,
	}, o)
}

// identify looks for the type; where an answer shows one of its relatives, for that; and where nothing is proven, for
// each of them, and at last for anything that answers as the family does.
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
			case err != nil || other.proven():
				return other, err
			case other.refuted:
				return other, nil
			}
		}
	}
	other, err := s.compatible(t, id)
	switch {
	case errors.Is(err, errSpent):
		return id, nil
	case err != nil || other.typ != nil:
		return other, err
	}
	return id, nil
}

func (id *identity) proven() bool { return id.outcome == "" && id.typ != nil }

// follow looks for a type, then for the relative that an answer shows, and so on. What leads back to a type that was
// looked for is that type: its relatives cannot tell better.
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

// search tries base paths until one proves the type, shows a relative, or wants credentials.
func (s *session) search(t *catalog.Type, first string) (identity, error) {
	s.typ, s.searching = t, !s.cand.FixedPath
	tried := []string{}
	var told *identity // the first answer, unless a later one was at least unwell
	for base, more := first, true; more && len(tried) < maxBases; base, more = s.nextBase(t, tried) {
		tried = append(tried, base)
		id, res, err := s.identifyAt(t, base)
		if told != nil && errors.Is(err, errSpent) {
			if id = *told; telling(id.outcome) > 0 {
				return id, nil
			}
		}
		settled := res == met || id.outcome == backend.AuthRequired || id.is != "" || id.refuted
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

// nextBase is the base path to try next: what answers have named, the root, and the type's usual ones. To ask the root
// where it leads comes before the usual ones, each of which may take several requests.
func (s *session) nextBase(t *catalog.Type, tried []string) (string, bool) {
	if !s.searching {
		return "", false
	}
	fresh := func(list []string) int {
		return slices.IndexFunc(list, func(b string) bool { return !slices.Contains(tried, b) })
	}
	i := fresh(s.learned)
	if i < 0 && !s.askedRoot {
		s.askedRoot = true
		if a, err := s.get("base path", "", "/", false); err == nil {
			s.learnFromText(a)
			a.done()
		}
		i = fresh(s.learned)
	}
	if i >= 0 {
		return s.learned[i], true
	}
	if !slices.Contains(tried, "") {
		return "", true
	}
	if i = fresh(t.Probe.Paths); i >= 0 {
		return t.Probe.Paths[i], true
	}
	return "", false
}

// identifyAt looks for the type below one base path.
func (s *session) identifyAt(t *catalog.Type, base string) (identity, result, error) {
	id := identity{base: base, typ: t}
	for i := range t.Probe.Identity {
		why, res, v, err := s.meetAnywhere("identity", base, &t.Probe.Identity[i])
		if err != nil {
			return id, res, err
		}
		if id.version == "" {
			id.version = v
		}
		switch res {
		case refused:
			// Some relatives give themselves away even there.
			if err := s.unmask(&id, expectsRefusal); err != nil || id.outcome != "" {
				return id, unmet, err
			}
			id.outcome, id.bar, id.seen = s.bar.outcome, s.bar, s.bar.seen(backend.CodeRefusedProof, t, why)
			return id, res, nil
		case unwell:
			id.outcome, id.seen = backend.NotReady, backend.Seen{Code: backend.CodeNoProof, Type: t.Title, Answer: why}
			return id, res, nil
		case unmet:
			if err := s.unmask(&id, s.known); err != nil || id.outcome != "" {
				return id, unmet, err
			}
			id.outcome = backend.WrongIdentity
			id.seen = backend.Seen{Code: backend.CodeWrongAnswer, Type: t.Title, Answer: why}
			return id, res, nil
		}
		if err := s.unmask(&id, s.known); err != nil || id.outcome != "" {
			return id, unmet, err
		}
	}
	err := s.unmask(&id, func(*catalog.Check, string) bool { return true })
	if id.outcome != "" {
		return id, unmet, err
	}
	return id, met, err
}

// expectsRefusal: where it has refused to answer, no other check is worth a request.
func expectsRefusal(c *catalog.Check, _ string) bool { return slices.ContainsFunc(c.Status, isRefusal) }

// known: an answer that was given already may show a relative, where the type itself was not proven.
func (s *session) known(c *catalog.Check, base string) bool {
	if c.Root {
		base = s.root
	}
	return c.Is != "" && s.cache[base+c.Get] != nil
}

// unmask enters into an identity which relative of the type it is, or that it is none.
func (s *session) unmask(id *identity, worth func(c *catalog.Check, base string) bool) error {
	for i := range id.typ.Probe.Not {
		c := &id.typ.Probe.Not[i]
		if !worth(c, id.base) || c.Is != "" && s.settled {
			continue
		}
		_, res, _, err := s.meet("lookalike", id.base, c)
		if err != nil {
			return err
		}
		if res == met {
			if c.Is == id.typ.Type {
				return nil // it says so itself
			}
			id.outcome = backend.WrongIdentity
			id.seen = backend.Seen{Code: backend.CodeOtherProduct, Type: id.typ.Title, Because: c.Because}
			id.is, id.refuted = c.Is, c.Is == ""
			return nil
		}
	}
	return nil
}

// compatible looks for a backend of which nothing is known but that it answers what the agent asks: as a last resort,
// where what would tell more is missing or forbidden.
func (s *session) compatible(t *catalog.Type, so identity) (identity, error) {
	as := t
	if len(as.Probe.Compatible) == 0 {
		i := slices.IndexFunc(t.Relatives(), func(r *catalog.Type) bool { return len(r.Probe.Compatible) > 0 })
		if i < 0 {
			return identity{}, nil
		}
		as = t.Relatives()[i]
	}
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
			continue // what would tell more is there, and tells of something else
		}
		for i := range as.Probe.Compatible {
			c := &as.Probe.Compatible[i]
			switch why, res, _, err := s.meet("identity", base, c); {
			case err != nil || res == met:
				return identity{base: base, typ: as, warning: c.Because}, err
			case res == refused && so.outcome == backend.WrongIdentity:
				seen := s.bar.seen(backend.CodeRefusedProof, t, why)
				return identity{base: base, typ: t, outcome: s.bar.outcome, bar: s.bar, seen: seen}, nil
			}
		}
	}
	return identity{}, nil
}
