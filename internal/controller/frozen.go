package controller

import (
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// addFrozen adds the instances of namespaces that may not be watched, as they were published, and their observations.
// It also adds a recorded primary that was not published, so that no other Service takes its place.
func (c *Controller) addFrozen(
	detections []inventory.Detection, observations map[backend.Key]backend.Observation,
) []inventory.Detection {
	frozen := c.source.Frozen()
	there := map[backend.Ref]bool{}
	for _, i := range c.memory.published {
		if slices.Contains(frozen, i.Service.Namespace) {
			there[i.Service] = true
			detections = append(detections, c.detection(i))
			observations[i.Key()] = record(i).Observation
		}
	}
	for typ, ref := range c.memory.primaries {
		if slices.Contains(frozen, ref.Namespace) && !there[ref] {
			d := inventory.Detection{Service: &backend.Service{Ref: ref}}
			d.Type, d.Rejected = typ, backend.Reason{Code: backend.CodeNamespaceUnwatched}
			detections = append(detections, d)
		}
	}
	return detections
}

// detection returns the detection for a recorded instance whose Service cannot be read.
func (c *Controller) detection(i publish.Instance) inventory.Detection {
	// Its age is not recorded. As the oldest it keeps its name.
	service := &backend.Service{Ref: i.Service, Created: time.Unix(0, 0)}
	port := backend.Port{Number: i.Port, Protocol: "TCP"}
	d := inventory.Detection{Service: service}
	d.Type = i.Type
	d.Candidates = []*backend.Candidate{{
		Service: service, Type: i.Type,
		Instance: c.opts.Detector.InstanceName(i.Service, i.Name), // older versions recorded the bare name
		Custom:   i.Type != backend.TypeMCP && c.opts.Catalog.Lookup(i.Type) == nil,
		Port:     port, PortNumber: i.Port, Host: i.Host, Scheme: i.Scheme, Path: i.Path,
		Strength: backend.Explicit, Signs: []backend.Sign{{Code: backend.SignRecorded}},
		PortReason: backend.Reason{Code: backend.CodePortRecorded},
		HealthPath: i.HealthPath, Description: i.Description, Unproven: i.Outcome == backend.Unprobed,
		Detected: i.Detected, Tenant: i.Tenant, TenantHeader: i.TenantHeader, Link: i.Link,
	}}
	return d
}
