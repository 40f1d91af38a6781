package inventory

import (
	"cmp"
	"net/url"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
)

// link sets the URL at which people reach a backend: the URL from its owner or the configuration, otherwise the URL of
// a route that leads to it.
func (o *Options) link(d *Detection, f *backend.Finding) {
	if f.Link = f.Candidate.Link; f.Link != "" {
		return
	}
	path := f.Candidate.Path
	if f.Observation.Scheme != "" {
		path = f.Observation.Path
	}
	f.Link, f.NoLinks = links.Choose(d.Exposures, f.Candidate, o.Type(f.Type), path)
}

// limitLinks removes the links of a namespace if their paths are too long in total, because the agent reads them as it
// reads base paths.
func (o *Options) limitLinks(all []*backend.Finding) {
	sums := map[string]int{}
	strangers := filter(all, func(f *backend.Finding) bool {
		return f.Verdict == backend.Accepted && f.Link != "" && !o.Trusts(f.Namespace)
	})
	slices.SortFunc(strangers, func(a, b *backend.Finding) int { return cmp.Or(o.byVouched(a, b), byAge(a, b)) })
	for _, f := range strangers {
		u, err := url.Parse(f.Link)
		if err != nil || u.Path != "" && sums[f.Namespace]+len(u.Path) > maxPaths {
			f.Link, f.NoLinks = "", append(f.NoLinks, backend.Exposure{Not: backend.NoLinkLong})
			continue
		}
		sums[f.Namespace] += len(u.Path)
	}
}
