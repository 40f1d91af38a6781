package probe

import "kubernaut.io/dynamic-toolset/internal/backend"

// Denied is the observation of a target with an address in DenyCIDRs, without any request.
func (p *Prober) Denied(t Target) (o backend.Observation, denied bool) {
	if t.Candidate.ForeignHost {
		return o, false
	}
	err := p.deny.checkEndpoints(t.Endpoints)
	if err == nil {
		return o, false
	}
	f := classify(err, p.opts.Timeout)
	o = backend.Observation{Scheme: t.Candidate.Scheme, Path: t.Candidate.Path}
	o.Outcome, o.Cause, o.Detail = f.outcome, f.cause, f.detail
	return o, true
}
