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

// Prober asks backends; probe.Prober is the one.
type Prober interface {
	ProbeAll(ctx context.Context, targets []probe.Target, done func(i int, o backend.Observation)) []backend.Observation
}

// Pass is one discovery for a command, without all that a Controller remembers.
type Pass struct {
	Catalog  *catalog.Catalog
	Detector *detect.Detector
	Prober   Prober // nil: nothing is probed
	// Denied says, without a request, whether an address behind a target may not be used: probe.Prober's. It is asked
	// of each, probed or not; nil means that none is denied.
	Denied    func(probe.Target) (backend.Observation, bool)
	Inventory inventory.Options
	// ProbeOnly, where it is not nil, says which candidates are worth a probe.
	ProbeOnly func(*backend.Candidate) bool
	// Progress is called before the first probe and as probes end; may be nil.
	Progress func(done, total int)
}

// Run makes findings of what was collected.
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
			Service: s, Endpoints: endpoints, Exposures: known.Exposures(s.Ref), Result: p.Detector.Detect(s, endpoints),
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

// untouched is what the addresses and the EndpointSlices say without a probe.
func (p *Pass) untouched(t probe.Target) (o backend.Observation, known bool) {
	if p.Denied != nil {
		if o, known = p.Denied(t); known {
			return o, known
		}
	}
	if p.probes(t.Candidate) { // which says it as well, and when
		return o, false
	}
	return probe.NoEndpoints(t)
}

func (p *Pass) probes(c *backend.Candidate) bool {
	return p.Prober != nil && (p.ProbeOnly == nil || p.ProbeOnly(c))
}

// probe enters what the probes see.
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
