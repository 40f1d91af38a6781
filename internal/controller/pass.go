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
	// Denied reports without a request whether an address of a target is denied.
	Denied(t probe.Target) (backend.Observation, bool)
}

// Pass is one discovery for a command, without the memory of a Controller.
type Pass struct {
	Catalog   *catalog.Catalog
	Detector  *detect.Detector
	Prober    Prober
	Probes    func(*backend.Candidate) bool // reports whether a candidate is probed
	Inventory inventory.Options
	Progress  func(done, total int) // is called before the first probe and after each probe
}

// Run returns the findings about the known Services.
func (p *Pass) Run(ctx context.Context, known *store.Store) ([]*backend.Finding, error) {
	var detections []inventory.Detection
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
	observations := p.observe(ctx, detections)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	options := p.Inventory
	options.Type, options.FirstRoundOver = p.Catalog.Lookup, true
	return inventory.Build(detections, observations, options), nil
}

// observe probes the candidates. Of the others it observes what the addresses and the EndpointSlices show.
func (p *Pass) observe(ctx context.Context, detections []inventory.Detection) map[backend.Key]backend.Observation {
	observations := map[backend.Key]backend.Observation{}
	var targets []probe.Target
	for _, d := range detections {
		for _, candidate := range d.Candidates {
			t := probe.Target{Candidate: candidate, Type: p.Catalog.Lookup(candidate.Type), Endpoints: d.Endpoints}
			o, known := p.Prober.Denied(t)
			switch {
			case known:
			case p.Probes(candidate): // the probe also reports missing endpoints
				targets = append(targets, t)
			default:
				o, known = probe.NoEndpoints(t)
			}
			if known {
				observations[candidate.Key()] = o
			}
		}
	}
	ended := 0
	p.Progress(0, len(targets))
	for i, o := range p.Prober.ProbeAll(ctx, targets, func(int, backend.Observation) {
		ended++
		p.Progress(ended, len(targets))
	}) {
		observations[targets[i].Candidate.Key()] = o
	}
	return observations
}
