package controller

import (
	"context"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// Prober probes backends. probe.Prober implements it.
type Prober interface {
	ProbeAll(ctx context.Context, targets []probe.Target, done func(i int, o backend.Observation)) []backend.Observation
}

// Pass is one discovery for a command, without the memory of a Controller.
type Pass struct {
	Catalog  *catalog.Catalog
	Detector *detect.Detector
	Prober   Prober // nil means that nothing is probed
	// Denied reports without a request whether an address of a target is denied, like probe.Prober's. It is called for
	// each target, probed or not. nil means that no address is denied.
	Denied    func(probe.Target) (backend.Observation, bool)
	Inventory inventory.Options
	// ProbeOnly reports whether a candidate is probed. nil means all candidates.
	ProbeOnly func(*backend.Candidate) bool
	// Progress is called before the first probe and after each probe. It may be nil.
	Progress func(done, total int)
}

// Run returns the findings about the known Services.
func (p *Pass) Run(ctx context.Context, known *store.Store) ([]*backend.Finding, error) {
	var detections []inventory.Detection
	var targets []probe.Target
	observations := map[backend.Key]backend.Observation{}
	for _, b := range p.Detector.Outside() {
		detections = append(detections, inventory.Detection{Service: b.Service, Result: b.Result})
	}
	for _, s := range known.Services() {
		_, endpoints := known.Get(s.Ref)
		detections = append(detections, inventory.Detection{
			Service: s, Endpoints: endpoints, Exposures: known.Exposures(s.Ref),
			Result: p.Detector.Detect(s, endpoints),
		})
	}
	detections, _ = inventory.PerTenant(inventory.Bound(detections, p.Inventory), nil)
	for _, d := range detections {
		for _, candidate := range d.Candidates {
			t := probe.Target{Candidate: candidate, Type: p.Catalog.Lookup(candidate.Type), Endpoints: d.Endpoints}
			if o, known := p.untouched(t); known {
				observations[candidate.Key()] = o
			} else if p.probes(candidate) {
				targets = append(targets, t)
			}
		}
	}
	p.probe(ctx, targets, observations)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	options := p.Inventory
	options.Type, options.FirstRoundOver = p.Catalog.Lookup, true
	return inventory.Build(detections, observations, options), nil
}

// untouched returns the observation that the addresses and the EndpointSlices give without a probe.
func (p *Pass) untouched(t probe.Target) (o backend.Observation, known bool) {
	if p.Denied != nil {
		if o, known = p.Denied(t); known {
			return o, known
		}
	}
	if p.probes(t.Candidate) { // the probe also reports missing endpoints
		return o, false
	}
	return probe.NoEndpoints(t)
}

func (p *Pass) probes(c *backend.Candidate) bool {
	return p.Prober != nil && (p.ProbeOnly == nil || p.ProbeOnly(c))
}

// probe probes the targets and adds the observations.
func (p *Pass) probe(ctx context.Context, targets []probe.Target, observations map[backend.Key]backend.Observation) {
	if p.Prober == nil {
		return
	}
	ended := 0
	if p.Progress != nil {
		p.Progress(0, len(targets))
	}
	for i, o := range p.Prober.ProbeAll(ctx, targets, func(int, backend.Observation) {
		if ended++; p.Progress != nil {
			p.Progress(ended, len(targets))
		}
	}) {
		observations[targets[i].Candidate.Key()] = o
	}
}
