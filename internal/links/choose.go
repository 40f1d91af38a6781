package links

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// maxNone limits the ways that are kept because they give no link, for people. An owner may write thousands, and each
// tenant of the backend would keep them all.
const maxNone = 10

// Choose returns the best link to a backend with the base path path: one with TLS before one without, then the shorter
// path, then the shorter host; "" if no way leads to it. none are the first ways that give no link, each with the
// reason, in a fixed order. typ may be nil.
func Choose(
	ways []backend.Exposure, c *backend.Candidate, typ *catalog.Type, path string,
) (link string, none []backend.Exposure) {
	var best backend.Exposure
	for _, e := range ways {
		if e.Not = not(&e, c, typ, path); e.Not != "" {
			if at, _ := slices.BinarySearchFunc(none, e, before); at < maxNone {
				none = slices.Insert(none[:min(len(none), maxNone-1)], at, e)
			}
			continue
		}
		if backend.Below(path, e.Path) {
			e.Path = path
		}
		if best.Host == "" || better(&e, &best) < 0 {
			best = e
		}
	}
	if best.Host == "" {
		return "", none
	}
	return best.Scheme + "://" + best.Host + best.Path, none
}

// before orders ways that give no link.
func before(a, b backend.Exposure) int {
	return cmp.Or(strings.Compare(a.By, b.By), better(&a, &b), strings.Compare(a.Port, b.Port),
		strings.Compare(string(a.Not), string(b.Not)))
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
	p, segment := &typ.Probe, first(path)
	for _, checks := range [...][]catalog.Check{p.Identity, p.Health, p.Version, p.Not} {
		for i := range checks {
			if first(checks[i].Get) == segment {
				return true
			}
		}
	}
	return p.Query != nil && first(p.Query.Get) == segment
}

// first returns the first segment of a path.
func first(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return path
}
