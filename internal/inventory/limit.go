package inventory

import (
	"cmp"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// limitNamespaces leaves out what a namespace has beyond its limit, so that who may make Services in one
// namespace cannot crowd out the others, nor fill the agent's ear. Trusted namespaces have no limit.
func limitNamespaces(all []*backend.Finding, o Options) {
	for namespace, list := range o.byNamespace(all) {
		list = slices.DeleteFunc(list, o.lacksCredentials)
		if o.Trusts(namespace) {
			continue
		}
		most := len(list)
		if o.MaxPerNamespace > 0 {
			most = min(most, o.MaxPerNamespace)
		}
		limitSum(list[:most], limited(backend.CodeNamespacePaths, 0, maxPaths), maxPaths, o.chosenPath)
		limitSum(list[:most], limited(backend.CodeNamespaceTenants, 0, maxTenants), maxTenants, ownTenant)
		if o.MaxPerNamespace > 0 {
			limit := maxRead * max(1, o.MaxPerNamespace/usualMax)
			limitSum(list[:most], limited(backend.CodeNamespaceRead, 0, limit), limit, o.reading())
		}
		for _, f := range list[most:] {
			f.Verdict, f.Reason = backend.Rejected, limited(backend.CodeNamespaceBackends, len(list), o.MaxPerNamespace)
		}
	}
}

// limited is the reason why a namespace that has n of something is over a limit.
func limited(code backend.Code, n, limit int) backend.Reason {
	return backend.Reason{Code: code, Details: backend.Details{Number: n, Limit: limit}}
}

// What the owners of one namespace may choose of base paths, and of tenants, in bytes: the agent reads them. maxRead
// is what their backends may cost the agent with each request, in tokens: as much as 50 HTTP APIs, which is how many
// may be published. Who allows a multiple of that allows a multiple of this.
const (
	maxPaths   = 1 << 10
	maxTenants = 1 << 10
	maxRead    = 40_000
	usualMax   = 50
)

// ownTenant is the length of the tenant that an annotation names, 0 for none.
func ownTenant(f *backend.Finding) int {
	c := f.Candidate
	if !slices.Contains(c.Tenants, c.Tenant) {
		return 0
	}
	return len(c.Tenant)
}

// reading returns what HolmesGPT tells the agent about each of the backends of a namespace, in tokens. The first of a
// type pays for the toolset, as if no other namespace had one.
func (o *Options) reading() func(f *backend.Finding) int {
	seen := map[string]bool{}
	return func(f *backend.Finding) (n int) {
		t := o.Type(f.Type)
		if t == nil {
			return catalog.HTTPTokens().Of(1)
		}
		for i := range t.Toolset.HolmesGPT {
			n += t.Toolset.HolmesGPT[i].Read(!seen[t.Type])
		}
		seen[t.Type] = true
		return n
	}
}

// limitSum leaves out what has more of something, together with what keeps its place before it, than most.
func limitSum(list []*backend.Finding, why backend.Reason, most int, of func(*backend.Finding) int) {
	sum := 0
	for _, f := range list {
		if f.Verdict != backend.Accepted {
			continue
		}
		if n := of(f); n == 0 {
			continue
		} else if sum += n; sum > most {
			f.Verdict, f.Reason = backend.Rejected, why
		}
	}
}

// chosenPath is the length of the base path that an annotation or an answer named; 0 where it is the catalog's.
func (o *Options) chosenPath(f *backend.Finding) int {
	c, found := f.Candidate, f.Observation.Path
	switch t := o.Type(f.Type); {
	case c.FixedPath:
		return len(c.Path)
	case found == c.Path, t != nil && slices.Contains(t.Probe.Paths, found):
		return 0
	}
	return len(found)
}

// lacksCredentials: it wants credentials that nobody gives it outside the trusted namespaces, so that it is not
// published.
func (o *Options) lacksCredentials(f *backend.Finding) bool {
	return o.wants(f) && f.Observation.Outcome == backend.AuthRequired && len(o.Credentials[f.Type][f.Ref]) == 0 && o.Primary[f.Type] != f.Ref
}

// byNamespace are the accepted findings of each namespace, in the order in which they keep their place: types of the
// first class, then the catalog's others, then APIs of the owners' own; in each the oldest first.
func (o *Options) byNamespace(all []*backend.Finding) map[string][]*backend.Finding {
	out := map[string][]*backend.Finding{}
	for _, f := range all {
		if f.Verdict == backend.Accepted {
			out[f.Namespace] = append(out[f.Namespace], f)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, o.keepsPlace)
	}
	return out
}

func (o *Options) keepsPlace(a, b *backend.Finding) int {
	return cmp.Or(o.class(a)-o.class(b), byAge(a, b))
}

// class is lower for what is more likely to be missed.
func (o *Options) class(f *backend.Finding) int {
	switch t := o.Type(f.Type); {
	case t == nil:
		return 2
	case t.FirstClass:
		return 0
	}
	return 1
}

// LeaveOut makes room in a document that is too large: of the namespace with the largest share, the instance that
// keeps its place last is rejected, and so on until at least so many bytes are saved. Trusted namespaces come last.
// size is what an instance takes in the document, in bytes. It reports false if nothing is left to leave out.
func LeaveOut(all []*backend.Finding, bytes int, size func(*backend.Finding) int, o Options) bool {
	shares := o.byNamespace(all)
	total := map[string]int{}
	for namespace, list := range shares {
		for _, f := range list {
			total[namespace] += size(f)
		}
	}
	for saved := 0; saved < bytes; {
		largest := o.largest(total)
		if largest == "" {
			return saved > 0
		}
		list := shares[largest]
		f := list[len(list)-1]
		Leave(f)
		saved += size(f)
		total[largest] -= size(f)
		if shares[largest] = list[:len(list)-1]; len(list) == 1 {
			delete(total, largest)
		}
	}
	return true
}

// Leave leaves a backend out of a document that is too large.
func Leave(f *backend.Finding) {
	f.Verdict, f.Reason, f.Primary = backend.Rejected, backend.Reason{Code: backend.CodeDocumentSize}, false
}

// largest is the namespace that takes the most bytes, trusted ones only if there is no other; "" for none.
func (o *Options) largest(total map[string]int) string {
	best := ""
	before := func(a, b string) bool {
		ta, tb := o.Trusts(a), o.Trusts(b)
		return cmp.Or(yes(ta)-yes(tb), total[b]-total[a], cmp.Compare(a, b)) < 0
	}
	for namespace := range total {
		if best == "" || before(namespace, best) {
			best = namespace
		}
	}
	return best
}
