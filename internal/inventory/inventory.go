// Package inventory turns candidates into findings. It decides the verdicts, which Services are duplicates, which
// instance of a type is the primary, and which instances get a reference to credentials. It is pure: the results of
// detection and of the probes go in, findings come out.
package inventory

import (
	"cmp"
	"fmt"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
)

// Detection is the result of detection for one Service.
type Detection struct {
	Service   *backend.Service
	Endpoints *backend.Endpoints
	Exposures []backend.Exposure
	detect.Result

	finding *backend.Finding // of a Service without candidates; it is final
}

// Options holds what the configuration and earlier cycles decide.
type Options struct {
	// Primary: type -> the Service that the configuration sets as the primary.
	Primary map[string]backend.Ref
	// Recorded: type -> the last primary. Its place is kept, even if its Service does not exist.
	Recorded map[string]backend.Ref
	// StandIns: type -> the last primary for the time being, if the Service that it stands in for cannot be read now.
	StandIns map[string]backend.StandIn
	// FirstRoundOver means that each candidate was probed once, or had the time to respond. Before that, the oldest
	// working instance is unknown.
	FirstRoundOver bool
	// TrustedNamespaces: a primary there gets a reference to credentials by default, and the number of published
	// backends has no limit.
	TrustedNamespaces []string
	// OpenShift reports whether HolmesGPT runs on OpenShift, given all findings. nil means no.
	OpenShift func([]*backend.Finding) bool
	// MaxPerNamespace is the maximum of published backends per namespace that is not trusted; 0 means no limit.
	MaxPerNamespace int
	// Credentials: type -> Service -> field -> environment variable.
	Credentials map[string]map[backend.Ref]map[string]string
	// Taken lists the environment variables that the overrides name.
	Taken []string
	// MustProve means that a candidate waits for its first probe. Without it, for example if nothing is probed, strong
	// evidence is enough.
	MustProve   bool
	onOpenShift bool // the result of OpenShift
	// Type returns the catalog entry of a type, nil for custom and mcp.
	Type func(name string) *catalog.Type
}

// Build returns the findings for all detections, sorted by verdict, then by type and Service. A candidate without an
// observation is unprobed.
func Build(detections []Detection, observations map[backend.Key]backend.Observation, o Options) []*backend.Finding {
	all := Judge(detections, observations, o)
	Choose(all, o)
	return all
}

// Judge is the first half of Build: it gives a verdict on each candidate, alone and compared with the others.
func Judge(detections []Detection, observations map[backend.Key]backend.Observation, o Options) []*backend.Finding {
	all := make([]*backend.Finding, 0, len(detections))
	endpoints := map[backend.Ref]*backend.Endpoints{}
	for i := range detections {
		d := &detections[i]
		if len(d.Candidates) == 0 {
			all = append(all, d.rejected())
			continue
		}
		all = append(all, o.findings(d, observations)...)
		endpoints[d.Service.Ref] = d.Endpoints
	}
	o.claimNames(all)
	collapse(all, endpoints, &o)
	limitNamespaces(all, o)
	o.limitLinks(all)
	o.markShards(all, detections, endpoints)
	return all
}

// Choose is the second half of Build: from the accepted findings it chooses the primaries and the instances that get
// references to credentials.
func Choose(all []*backend.Finding, o Options) {
	o.onOpenShift = o.OpenShift != nil && o.OpenShift(all)
	choosePrimaries(all, o)
	giveCredentials(all, o)
	keepToken(all, o)
	Sort(all, o.Type)
}

// Text returns a finding as text for comparison; it is not shown. It changes with everything about the finding that is
// written to the documents or to state.json.
func Text(f *backend.Finding) string {
	c, o := f.Candidate, &f.Observation
	remembered := fmt.Sprintf("%s %d %s %d %s %s", c.Host, c.PortNumber, o.Host, o.Port, c.Detected, c.TenantHeader)
	return fmt.Sprintf("%s\n%s\n%s\n%t %t %s%s\n%s\n%s\n%s", c.Instance, f.Endpoint(), c.HealthPath,
		c.Unproven, o.SkipVerify, o.Outcome, o.Wants, remembered, f.Link, c.Description)
}

// rejected returns the finding of a Service without candidates.
func (d *Detection) rejected() *backend.Finding {
	if d.finding == nil {
		f := &backend.Finding{
			Ref: d.Service.Ref, Service: d.Service, Type: d.Type,
			Verdict: backend.Rejected, Reason: d.Rejected, Warning: d.Warning,
		}
		if d.Nothing() {
			f.Reason.Code = backend.CodeUnmatched
		}
		d.finding = f
	}
	return d.finding
}

// Reuse copies unchanged findings of Services without candidates from before, so that tens of thousands of them cost
// little. Both lists are sorted by the Services' names.
func Reuse(list, before []Detection) {
	for i, j := 0, 0; i < len(list) && j < len(before); {
		a, b := &list[i], &before[j]
		c := a.Service.Ref.Compare(b.Service.Ref)
		if c == 0 && len(a.Candidates) == 0 && a.Service == b.Service && a.Type == b.Type &&
			a.Rejected.Equal(b.Rejected) && a.Warning.Equal(b.Warning) {
			a.finding = b.finding
		}
		if c <= 0 {
			i++
		}
		if c >= 0 {
			j++
		}
	}
}

// findings judges each candidate of a Service by itself.
func (o *Options) findings(d *Detection, observations map[backend.Key]backend.Observation) []*backend.Finding {
	var list []*backend.Finding
	for _, c := range d.Candidates {
		f := &backend.Finding{Ref: c.Service.Ref, Service: c.Service, Type: c.Type, Candidate: c, Warning: d.Warning}
		f.Observation = observations[c.Key()]
		if typ := f.Observation.Type; typ != "" && typ != c.Type && !c.Custom {
			c = c.As(typ)
			f.Type, f.Candidate = typ, c
		}
		if f.Observation.Outcome == "" {
			f.Observation.Outcome = backend.Unprobed
		}
		if o.MustProve && f.Observation.Outcome == backend.Unprobed && !c.Unproven {
			f.Verdict, f.Reason.Code = backend.Unavailable, backend.CodeNotAskedYet
		} else {
			f.Verdict, f.Reason.Code = judge(c, &f.Observation)
		}
		if why := detect.NotLookedFor(o.Type(f.Type), f.Namespace); why.Is() { // a relative that the probe has shown
			f.Verdict, f.Reason = backend.Rejected, why
		}
		o.link(d, f)
		o.wantTenant(f)
		list = append(list, f)
	}
	return onePerType(onePerPort(list))
}

// onePerType keeps one candidate if several candidates of one Service have the same type: the one that works,
// otherwise the one that detection assigned the type. Two have the same type only if a probe found a relative.
func onePerType(list []*backend.Finding) []*backend.Finding {
	var out []*backend.Finding
	for _, f := range list {
		i := slices.IndexFunc(out, func(o *backend.Finding) bool { return o.Candidate.Key() == f.Candidate.Key() })
		switch {
		case i < 0:
			out = append(out, f)
		case cmp.Or(certainty(f)-certainty(out[i]),
			backend.CompareBool(f.Candidate.Detected != "", out[i].Candidate.Detected != "")) < 0:
			out[i] = f
		}
	}
	return out
}

// onePerPort keeps one candidate if several types claim one port: the type that a probe confirmed, otherwise the
// first. Only one can be right. A candidate that the owner included stays beside the guessed one.
func onePerPort(list []*backend.Finding) []*backend.Finding {
	type port struct {
		number   int32
		explicit bool
	}
	at := func(f *backend.Finding) port {
		return port{f.Candidate.Port.Number, f.Candidate.Strength == backend.Explicit}
	}
	best := map[port]*backend.Finding{}
	for _, f := range list {
		if b := best[at(f)]; b == nil || certainty(f) < certainty(b) {
			best[at(f)] = f
		}
	}
	return slices.DeleteFunc(list, func(f *backend.Finding) bool { return best[at(f)].Type != f.Type })
}

// tenant returns the tenant whose data a finding serves, "" if there is no particular tenant.
func tenant(f *backend.Finding) string {
	if f.Candidate == nil {
		return ""
	}
	return f.Candidate.Tenant
}

// certainty returns a rank, lower for a more certain finding.
func certainty(f *backend.Finding) int { return slices.Index(backend.Verdicts, f.Verdict) }

// Sort orders findings by verdict, type and Service.
func Sort(all []*backend.Finding, lookup func(string) *catalog.Type) {
	order := func(name string) int {
		switch t := lookup(name); {
		case name == "":
			return 1 << 20
		case t == nil:
			return 1 << 10
		default:
			return t.Order
		}
	}
	slices.SortStableFunc(all, func(a, b *backend.Finding) int {
		return cmp.Or(certainty(a)-certainty(b), order(a.Type)-order(b.Type), cmp.Compare(a.Type, b.Type),
			a.Ref.Compare(b.Ref), cmp.Compare(tenant(a), tenant(b)))
	})
}
