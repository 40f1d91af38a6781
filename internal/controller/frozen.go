package controller

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// freeze reads which namespaces may not be watched. It passes the published backends of those that have become
// forbidden to addFrozen. When one is allowed again, its backends count as working until they are probed.
func (c *Controller) freeze() {
	before := c.frozen
	c.frozen = c.source.Frozen()
	c.stale = c.stale || !slices.Equal(before, c.frozen)
	fresh := func(namespace string) bool {
		return slices.Contains(c.frozen, namespace) && !slices.Contains(before, namespace)
	}
	if !slices.ContainsFunc(c.frozen, fresh) {
		return
	}
	m, published := &c.memory, c.damper.published
	m.published = slices.DeleteFunc(slices.Clone(m.published), func(i publish.Instance) bool {
		p, still := published[i.Key()]
		return fresh(i.Service.Namespace) && (!still || p.finding != nil)
	})
	for _, key := range slices.SortedFunc(maps.Keys(published), backend.Key.Compare) {
		if f := published[key].finding; f != nil && fresh(key.Namespace) {
			published[key] = publication{}
			m.published = append(m.published, instance(f))
		}
	}
	c.monitor.Set(c.targets()) // drops the targets of these namespaces, so that what is remembered of them stays
	c.remember(slices.DeleteFunc(slices.Clone(m.published), func(i publish.Instance) bool {
		return m.own && !slices.Contains(c.frozen, i.Service.Namespace)
	}))
}

// thawed records that a namespace may be watched again: a change of it was taken since freeze.
func (c *Controller) thawed(namespace string) {
	if i := slices.Index(c.frozen, namespace); i >= 0 {
		c.frozen, c.stale = slices.Delete(c.frozen, i, i+1), true
	}
}

// addFrozen adds the instances of namespaces that may not be watched, as they were published, and their observations.
func (c *Controller) addFrozen(
	detections []inventory.Detection, observations map[backend.Key]backend.Observation,
) []inventory.Detection {
	for _, i := range c.memory.published {
		if slices.Contains(c.frozen, i.Service.Namespace) {
			detections = append(detections, c.detection(i))
			observations[i.Key()] = record(i).Observation
		}
	}
	return detections
}

// detection returns the detection for a recorded instance whose Service cannot be read. Its age, and that a product
// brought it along, are not recorded, but decide about other instances too. They are known if it was read before.
func (c *Controller) detection(i publish.Instance) inventory.Detection {
	service := &backend.Service{Ref: i.Service, Created: time.Unix(0, 0)} // as the oldest it keeps its name
	bundled := ""
	if before, known := c.detections[i.Service]; known {
		service.Created = before.Service.Created
		for _, candidate := range before.Candidates {
			if candidate.Type == cmp.Or(i.Detected, i.Type) {
				bundled = candidate.Bundled
			}
		}
	}
	port := backend.Port{Number: i.Port, Protocol: "TCP"}
	d := inventory.Detection{Service: service}
	d.Type = i.Type
	d.Candidates = []*backend.Candidate{{
		Service: service, Type: i.Type,
		Instance: c.opts.Detector.InstanceName(i.Service, i.Name), // older versions recorded the bare name
		Custom:   i.Type != backend.TypeMCP && c.opts.Catalog.Lookup(i.Type) == nil,
		Port:     port, PortNumber: i.Port, Host: i.Host, Scheme: i.Scheme, Path: i.Path,
		Strength: backend.Explicit, Signs: []backend.Sign{{Code: backend.SignRecorded}},
		PortReason: backend.Reason{Code: backend.CodePortRecorded}, Bundled: bundled,
		HealthPath: i.HealthPath, Description: i.Description, Unproven: i.Outcome == backend.Unprobed,
		Detected: i.Detected, Tenant: i.Tenant, TenantHeader: i.TenantHeader, Link: i.Link,
	}}
	if why := c.opts.Detector.Recorded(d.Candidates[0]); why.Is() {
		d.Candidates, d.Rejected = nil, why
	}
	return d
}
