package cluster

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// What the informers' caches keep. A typed Service alone takes a kilobyte and a cluster has a hundred thousand, most of
// them nothing to us: objects are turned into these as they come off the wire, before anything is cached. What a cache
// keeps in the end is little more than the names that it needs to tell what was deleted; the rest belongs to the store.

// identity is what an informer asks of an object.
type identity struct {
	client.Object // nil: an informer asks for nothing else
	backend.Ref
	version string
}

func (i *identity) GetNamespace() string       { return i.Namespace }
func (i *identity) GetName() string            { return i.Name }
func (i *identity) GetResourceVersion() string { return i.version }

type keptService struct {
	identity
	service *backend.Service // nil once the store has it
	nothing bool             // it is nothing
}

type keptSlice struct {
	identity
	of    backend.Ref  // the Service
	slice *store.Slice // nil once the store has it
	// nothing: of a Service that is nothing.
	nothing bool
}

type keptExposer struct {
	identity
	kind     string
	services map[string][]backend.Exposure
	fresh    bool // the store does not have it yet
}

// keep is the informers' transform. It is given some objects a second time, as it has left them.
func (w *Watch) keep(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Service:
		k := &keptService{identity: identityOf(o)}
		if s := store.FromService(o, w.opts.Reader.keep); w.store.Matters(&s) {
			k.service = &s
		} else {
			k.nothing = true
		}
		return k, nil
	case *discoveryv1.EndpointSlice:
		k := &keptSlice{identity: identityOf(o)}
		if k.of = store.ServiceOf(o); w.store.Ignores(k.of) {
			k.nothing = true
			return k, nil
		}
		_, slice := store.FromEndpointSlice(o, w.opts.Reader.denied)
		k.slice = &slice
		return k, nil
	case *unstructured.Unstructured:
		k := &keptExposer{identity: identityOf(o), kind: o.GetKind(), fresh: true}
		for _, kind := range w.opts.Reader.Links.Kinds {
			if kind.Kind == k.kind {
				decode := links.Unstructured(o.Object) // the API server has checked it
				k.services, _ = w.opts.Reader.Links.Read(kind, k.Namespace, decode)
			}
		}
		return k, nil
	}
	return object, nil
}

func identityOf(o metav1.Object) identity {
	return identity{Ref: backend.Ref{Namespace: o.GetNamespace(), Name: o.GetName()}, version: o.GetResourceVersion()}
}
