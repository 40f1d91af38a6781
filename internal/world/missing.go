package world

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Slice is an EndpointSlice of a namespace.
type Slice struct {
	Name string
	backend.EndpointSlice
	FQDN  bool // it holds host names, which are never dialled
	Bared int  // the size that it had, where it is not kept in full
}

func find(sorted []Slice, name string) (at int, known bool) {
	return slices.BinarySearchFunc(sorted, name, func(s Slice, name string) int { return strings.Compare(s.Name, name) })
}

// Join makes one of the EndpointSlices of a Service, which are in the order of their names.
func Join(sorted []Slice) *backend.Endpoints {
	e := &backend.Endpoints{}
	for _, s := range sorted {
		e.FQDN, e.Crowded = e.FQDN || s.FQDN, e.Crowded || s.Bared > 0
		if !s.FQDN && (s.Bared == 0 || s.Denied.IsValid()) {
			e.Slices = append(e.Slices, s.EndpointSlice)
		}
	}
	return e
}

// A Service that was nothing and has become something, as by an annotation, has EndpointSlices that were not kept: they are
// missing until somebody reads them.

func (w *World) miss(ref backend.Ref) {
	if w.optional {
		return
	}
	w.missing[ref] = map[string]bool{}
	select {
	case w.missed <- struct{}{}:
	default:
	}
}

// deletedWhileMissing remembers an EndpointSlice that may still be among those that are being read.
func (w *World) deletedWhileMissing(name backend.Ref) {
	for ref, deleted := range w.missing {
		if ref.Namespace == name.Namespace {
			deleted[name.Name] = true
		}
	}
}

// Missed receives when there is something new in Missing.
func (w *World) Missed() <-chan struct{} { return w.missed }

// Missing are the Services whose EndpointSlices have to be read, in order.
func (w *World) Missing() []backend.Ref {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Keys(w.missing), backend.Ref.Compare)
}

// Fill enters the EndpointSlices of a Service that missed them, as they were read after that. What events have told since then
// counts more.
func (w *World) Fill(ref backend.Ref, read []Slice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	deleted, missing := w.missing[ref]
	if !missing {
		return
	}
	delete(w.missing, ref)
	for _, s := range read {
		own := backend.Ref{Namespace: ref.Namespace, Name: s.Name}
		if _, told := w.owners[own]; !told && !deleted[s.Name] {
			w.setSlice(own, ref, s)
		}
	}
	w.touch(ref)
}
