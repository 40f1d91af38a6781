// Package discovery is one pass over a cluster, read top to bottom in Pass.Run: what a source has read goes through
// detection, the probes and the inventory.
package discovery

import (
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/source"
)

// Collector takes what a source reads and keeps what matters: the Services that detection has something to say about,
// their endpoints, and only the names of all others.
type Collector struct {
	detector *detect.Detector
	opts     CollectorOptions

	services  map[backend.Ref]*backend.Service
	others    map[backend.Ref]struct{}
	endpoints source.Endpoints
	sliced    map[string]bool // namespaces with EndpointSlices
	sizes     map[string]int  // of those that are kept, by namespace
}

// CollectorOptions narrow what is kept.
type CollectorOptions struct {
	// Namespaces, where there are any, are the only ones looked at; Exclude are not looked at.
	Namespaces, Exclude []string
	// Whole is kept in full even if it is nothing, to be explained.
	Whole backend.Ref
}

// NewCollector makes an empty one.
func NewCollector(d *detect.Detector, opts CollectorOptions) *Collector {
	return &Collector{
		detector: d, opts: opts,
		services: map[backend.Ref]*backend.Service{}, others: map[backend.Ref]struct{}{},
		endpoints: source.Endpoints{}, sliced: map[string]bool{}, sizes: map[string]int{},
	}
}

var _ source.Sink = (*Collector)(nil)

// Service implements source.Sink.
func (c *Collector) Service(s backend.Service) {
	if c.leftOut(s.Namespace) {
		return
	}
	delete(c.services, s.Ref)
	delete(c.others, s.Ref)
	if kept := c.keep(&s); kept != nil {
		c.services[s.Ref] = kept
		return
	}
	c.others[s.Ref] = struct{}{}
	delete(c.endpoints, s.Ref)
}

// keep returns a copy of the Service where it is worth keeping. Of most Services there is no copy.
func (c *Collector) keep(s *backend.Service) *backend.Service {
	if s.Ref != c.opts.Whole && !c.detector.Matters(s) {
		return nil
	}
	kept := *s
	return &kept
}

// Endpoints implements source.Sink. Slices may come before their Service.
func (c *Collector) Endpoints(ref backend.Ref, slice backend.EndpointSlice, fqdn bool) {
	c.sliced[ref.Namespace] = true
	if _, nothing := c.others[ref]; nothing || c.leftOut(ref.Namespace) {
		return
	}
	if c.sizes[ref.Namespace] += slice.Size(); c.sizes[ref.Namespace] > backend.MaxSlices {
		c.endpoints.Crowd(ref)
		slice = backend.EndpointSlice{Denied: slice.Denied}
	}
	c.endpoints.Add(ref, slice, fqdn)
}

func (c *Collector) leftOut(namespace string) bool {
	return len(c.opts.Namespaces) > 0 && !slices.Contains(c.opts.Namespaces, namespace) ||
		slices.Contains(c.opts.Exclude, namespace)
}

// Services that detection has something to say about, by namespace and name.
func (c *Collector) Services() []*backend.Service {
	return slices.SortedFunc(maps.Values(c.services), func(a, b *backend.Service) int { return a.Ref.Compare(b.Ref) })
}

// Lookup is a Service by name with its endpoints, nil where there is none or only its name was kept.
func (c *Collector) Lookup(ref backend.Ref) (*backend.Service, *backend.Endpoints) {
	return c.services[ref], c.endpointsOf(ref)
}

// endpointsOf is nil where no EndpointSlices of the namespace were read: then nothing is known of readiness. Where some
// were, a Service that selects pods and has none has no endpoints.
func (c *Collector) endpointsOf(ref backend.Ref) *backend.Endpoints {
	e := c.endpoints[ref]
	if s := c.services[ref]; e == nil && s != nil && c.sliced[ref.Namespace] && len(s.Selector) > 0 {
		return &backend.Endpoints{}
	}
	return e
}

// Others are the Services that nothing was said about, by namespace and name.
func (c *Collector) Others() []backend.Ref {
	return slices.SortedFunc(maps.Keys(c.others), backend.Ref.Compare)
}

// Count is the number of Services read.
func (c *Collector) Count() int { return len(c.services) + len(c.others) }

// HasNamespace says whether a Service of the namespace was read.
func (c *Collector) HasNamespace(namespace string) bool {
	for r := range c.services {
		if r.Namespace == namespace {
			return true
		}
	}
	for r := range c.others {
		if r.Namespace == namespace {
			return true
		}
	}
	return false
}
