package links

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Choose is the best link to a backend, whose base path is path: with TLS before without, then the shorter path, then the shorter
// host. "" where no way leads to it. typ may be nil.
func Choose(ways []backend.Exposure, c *backend.Candidate, typ *catalog.Type, path string) string {
	if c.ForeignHost {
		return ""
	}
	var best *backend.Exposure
	for _, e := range ways {
		if !e.LeadsTo(c.Service, &c.Port) {
			continue
		}
		switch {
		case backend.Below(path, e.Path):
			e.Path = path
		case backend.Below(e.Path, path) && !requests(typ, strings.TrimPrefix(e.Path, path)):
		default: // the backend is elsewhere, or only a part of it is exposed
			continue
		}
		if best == nil || better(&e, best) < 0 {
			best = &e
		}
	}
	if best == nil {
		return ""
	}
	return best.Scheme + "://" + best.Host + best.Path
}

func better(a, b *backend.Exposure) int {
	return cmp.Or(-strings.Compare(a.Scheme, b.Scheme), len(a.Path)-len(b.Path), len(a.Host)-len(b.Host),
		strings.Compare(a.Path, b.Path), strings.Compare(a.Host, b.Host))
}

// requests reports whether a path is among those of the type's own API, so that it is no base path: Loki's for pushing, say.
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

// first is the first part of a path.
func first(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return path
}
