package links

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Choose returns the best link to a backend with the base path path: one with TLS before one without, then the shorter
// path, then the shorter host; "" if no way leads to it. none are the ways that give no link, each with the reason, in
// a fixed order. typ may be nil.
func Choose(
	ways []backend.Exposure, c *backend.Candidate, typ *catalog.Type, path string,
) (link string, none []backend.Exposure) {
	var best *backend.Exposure
	for _, e := range ways {
		if e.Not = not(&e, c, typ, path); e.Not != "" {
			none = append(none, e)
			continue
		}
		if backend.Below(path, e.Path) {
			e.Path = path
		}
		if best == nil || better(&e, best) < 0 {
			best = &e
		}
	}
	slices.SortFunc(none,
		func(a, b backend.Exposure) int { return cmp.Or(strings.Compare(a.By, b.By), better(&a, &b)) })
	if best == nil {
		return "", none
	}
	return best.Scheme + "://" + best.Host + best.Path, none
}

// not returns why a way gives no link to a backend, "" if it gives one.
func not(e *backend.Exposure, c *backend.Candidate, typ *catalog.Type, path string) backend.NoLink {
	switch {
	case e.Not != "":
		return e.Not
	case c.ForeignHost:
		return backend.NoLinkForeign
	case !e.LeadsTo(c.Service, &c.Port):
		return backend.NoLinkPort
	case backend.Below(path, e.Path):
		return ""
	case !backend.Below(e.Path, path):
		return backend.NoLinkElsewhere
	case requests(typ, strings.TrimPrefix(e.Path, path)):
		return backend.NoLinkPart
	}
	return ""
}

func better(a, b *backend.Exposure) int {
	return cmp.Or(-strings.Compare(a.Scheme, b.Scheme), len(a.Path)-len(b.Path), len(a.Host)-len(b.Host),
		strings.Compare(a.Path, b.Path), strings.Compare(a.Host, b.Host))
}

// requests reports whether the path is part of the type's own API and so no base path, such as Loki's path for pushing.
func requests(typ *catalog.Type, path string) bool {
	if typ == nil {
		return false
	}
	p := &typ.Probe
	checks := slices.Concat(p.Identity, p.Health, p.Version, p.Not)
	if p.Query != nil {
		checks = append(checks, *p.Query)
	}
	return slices.ContainsFunc(checks, func(c catalog.Check) bool { return first(c.Get) == first(path) })
}

// first returns the first segment of a path.
func first(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return path
}
