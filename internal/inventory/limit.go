package inventory

import (
	"cmp"
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// limitNamespaces drops the backends of a namespace beyond its limit. So a stranger who can create Services in one
// namespace cannot crowd out others or flood the agent. Trusted namespaces have no limit.
func limitNamespaces(all []*backend.Finding, o Options) {
	for namespace, list := range o.byNamespace(all) {
		if o.Trusts(namespace) {
			continue
		}
		list = slices.DeleteFunc(list, o.lacksCredentials)
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

// limited returns the reason for a namespace that has n of something and exceeds the limit.
func limited(code backend.Code, n, limit int) backend.Reason {
	return backend.Reason{Code: code, Details: backend.Details{Number: n, Limit: limit}}
}

// maxPaths and maxTenants limit the base paths and the tenants, in bytes, that the owners of one namespace may choose,
// because the agent reads them. maxRead limits what their backends cost the agent with each request, in tokens: as much
// as usualMax HTTP APIs. If the configuration allows a multiple of usualMax backends, the limit is the same multiple of
// maxRead.
const (
	maxPaths   = 1 << 10
	maxTenants = 1 << 10
	maxRead    = 40_000
	usualMax   = 50
)

// ownTenant returns the length of the tenant that an annotation sets, 0 if there is no such annotation.
func ownTenant(f *backend.Finding) int {
	c := f.Candidate
	if !slices.Contains(c.Tenants, c.Tenant) {
		return 0
	}
	return len(c.Tenant)
}

// reading returns a function that returns the length of HolmesGPT's text for the agent about each backend of a
// namespace, in tokens. The first backend of a type also counts the toolset, as if no other namespace had one.
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

// limitSum drops each finding whose value brings the sum above most. Findings come in the order in which they keep
// their place.
func limitSum(list []*backend.Finding, why backend.Reason, most int, of func(*backend.Finding) int) {
	sum := 0
	for _, f := range list {
		if f.Verdict != backend.Accepted {
			continue
		}
		n := of(f)
		if sum += n; n > 0 && sum > most {
			f.Verdict, f.Reason = backend.Rejected, why
		}
	}
}

// chosenPath returns the length of the base path from an annotation or a response, 0 if the path is the catalog's. The
// tenant in a gateway's path is counted as a tenant.
func (o *Options) chosenPath(f *backend.Finding) int {
	c, found := f.Candidate, f.Observation.Path
	switch t := o.Type(f.Type); {
	case c.TenantPath != "":
		return 0
	case c.FixedPath:
		return len(c.Path)
	case found == c.Path, t != nil && slices.Contains(t.Probe.Paths, found):
		return 0
	}
	return len(found)
}

// lacksCredentials reports whether f requires credentials and can get them only in a trusted namespace. Elsewhere it is
// not published.
func (o *Options) lacksCredentials(f *backend.Finding) bool {
	return o.wants(f) && f.Observation.Outcome == backend.AuthRequired && !o.named(f.Type, f.Ref)
}

// byNamespace returns the accepted findings of each namespace, in the order in which they keep their place: those that
// the configuration names, types of the first class, the other types of the catalog, owners' own APIs; within each the
// oldest first.
func (o *Options) byNamespace(all []*backend.Finding) map[string][]*backend.Finding {
	out := map[string][]*backend.Finding{}
	for _, f := range all {
		if f.Verdict == backend.Accepted {
			out[f.Namespace] = append(out[f.Namespace], f)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b *backend.Finding) int {
			return cmp.Or(o.byVouched(a, b), o.class(a)-o.class(b), byAge(a, b))
		})
	}
	return out
}

// class returns a rank, lower for a backend that people would more likely miss.
func (o *Options) class(f *backend.Finding) int {
	switch t := o.Type(f.Type); {
	case t == nil:
		return 2
	case t.FirstClass:
		return 0
	}
	return 1
}

// LeaveOut rejects instances until a document that is too large has shrunk by a number of bytes. Each time it rejects
// the last instance in the order of keeping a place, of the namespace with the largest share. Trusted namespaces come
// last. size returns the size of an instance in the document, in bytes. LeaveOut returns false if nothing is left to
// leave out.
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

// Leave rejects a finding because the document is too large.
func Leave(f *backend.Finding) {
	f.Verdict, f.Reason, f.Primary = backend.Rejected, backend.Reason{Code: backend.CodeDocumentSize}, false
}

// largest returns the namespace that takes the most bytes, a trusted one only if there is no other, "" if there is no
// namespace.
func (o *Options) largest(total map[string]int) string {
	if len(total) == 0 {
		return ""
	}
	return slices.MinFunc(slices.Collect(maps.Keys(total)), func(a, b string) int {
		return cmp.Or(backend.CompareBool(o.Trusts(a), o.Trusts(b)), total[b]-total[a], cmp.Compare(a, b))
	})
}
