package files

import (
	"fmt"
	"maps"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/source"
)

// content is what a file says. It implements source.Sink.
type content struct {
	opts     *SourceOptions
	services map[backend.Ref]*backend.Service
	slices   map[backend.Ref][]slice // by Service
}

type slice struct {
	backend.EndpointSlice
	fqdn bool
}

func newContent(s *Source) *content {
	return &content{opts: &s.opts, services: map[backend.Ref]*backend.Service{}, slices: map[backend.Ref][]slice{}}
}

var _ source.Sink = (*content)(nil)

// Service implements source.Sink.
func (c *content) Service(s backend.Service) {
	if c.leftOut(s.Namespace) {
		return
	}
	if c.opts.Relevant != nil && !c.opts.Relevant(&s) {
		s = backend.Service{Ref: s.Ref}
	}
	c.services[s.Ref] = &s
}

// Endpoints implements source.Sink.
func (c *content) Endpoints(ref backend.Ref, s backend.EndpointSlice, fqdn bool) {
	if !c.leftOut(ref.Namespace) {
		c.slices[ref] = append(c.slices[ref], slice{s, fqdn})
	}
}

func (c *content) leftOut(namespace string) bool {
	return len(c.opts.Namespaces) > 0 && !slices.Contains(c.opts.Namespaces, namespace) ||
		slices.Contains(c.opts.Exclude, namespace)
}

// keep takes over from before what was refused now: a Service that somebody spoilt is no Service that somebody deleted.
// It reports false if it cannot be told what was refused.
func (c *content) keep(before *content, r source.Report) bool {
	n := 0
	for _, w := range r.Warnings {
		if !w.Refused {
			continue
		}
		n++
		switch w.Kind {
		case "Service":
			if s := before.services[w.Ref]; s != nil && c.services[w.Ref] == nil {
				c.services[w.Ref] = s
			}
		case "EndpointSlice": // whose Service is not known
			c.slices = before.slices
		}
	}
	return n == r.Refused
}

// refused is the error of a file in which not every object can be used, nil if all can.
func refused(r source.Report) error {
	for _, w := range r.Warnings {
		if !w.Refused {
			continue
		}
		more := ""
		if r.Refused > 1 {
			more = fmt.Sprintf(" (and %d more)", r.Refused-1)
		}
		return fmt.Errorf("%s%s; mend it: what was known of it before stays until then", w, more)
	}
	return nil
}

// part is a slice of a Service.
type part struct {
	slice
	service backend.Ref
}

// apply makes the World hold what all files say together.
func (s *Source) apply() {
	services, parts := map[backend.Ref]*backend.Service{}, map[backend.Ref]part{}
	twice := map[backend.Ref]bool{}
	for i, f := range s.files {
		for ref, service := range f.content.services {
			if _, ok := services[ref]; ok {
				twice[ref] = true
			}
			services[ref] = service
		}
		for ref, list := range f.content.slices {
			for n, one := range list { // their own names are not told; these are the same at each reading
				name := backend.Ref{Namespace: ref.Namespace, Name: fmt.Sprintf("%d/%s/%d", i, ref.Name, n)}
				parts[name] = part{one, ref}
			}
		}
	}
	for name, p := range parts { // first: a Service of which slices are missing would seem to have no endpoints
		s.SetSlice(name, p.service, p.EndpointSlice, p.fqdn)
	}
	for ref, service := range services {
		if s.services[ref] != service {
			s.SetService(*service)
		}
	}
	for ref := range s.services {
		if services[ref] == nil {
			s.DeleteService(ref)
		}
	}
	for name := range s.slices {
		if _, ok := parts[name]; !ok {
			s.DeleteSlice(name)
		}
	}
	s.services, s.slices = services, map[backend.Ref]struct{}{}
	for name := range parts {
		s.slices[name] = struct{}{}
	}
	s.tellTwice(twice)
}

// tellTwice warns of the first Service that is new in more than one file.
func (s *Source) tellTwice(twice map[backend.Ref]bool) {
	for _, ref := range slices.SortedFunc(maps.Keys(twice), backend.Ref.Compare) {
		if !s.twice[ref] {
			s.opts.Log.Warn("Services are in several files: what the later named file says counts, as with kubectl apply",
				"first", ref.String(), "services", len(twice))
			break
		}
	}
	s.twice = twice
}
