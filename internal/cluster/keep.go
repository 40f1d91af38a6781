package cluster

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// The informers' caches keep the types below: little more than the names, which they need to detect deletions. Objects
// are reduced before they are cached: a decoded Service takes a kilobyte, and a cluster may have a hundred thousand.

type object interface {
	metav1.Object
	runtime.Object
}

// identity holds the fields of an object that an informer reads.
type identity struct {
	object // nil, because an informer calls no other methods
	backend.Ref
	version string
}

func (i *identity) GetNamespace() string       { return i.Namespace }
func (i *identity) GetName() string            { return i.Name }
func (i *identity) GetResourceVersion() string { return i.version }

type keptService struct {
	identity
	service   *backend.Service // nil once the store has it
	unmatched bool             // no type matches it
}

type keptSlice struct {
	identity
	of        backend.Ref  // the Service
	slice     *store.Slice // nil once the store has it
	unmatched bool         // it belongs to an unmatched Service
}

type keptExposer struct {
	identity
	kind     string
	services map[string][]backend.Exposure
	fresh    bool // not yet in the store
}

// keep is the informers' transform. Informers call it a second time for some objects, with its own result.
func (w *Watch) keep(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Service:
		k := &keptService{identity: identityOf(o)}
		if s := store.FromService(o, w.opts.Reader.keep); w.store.Matters(&s) {
			k.service = &s
		} else {
			k.unmatched = true
		}
		return k, nil
	case *discoveryv1.EndpointSlice:
		k := &keptSlice{identity: identityOf(o)}
		if k.of = store.ServiceOf(o); w.store.Ignores(k.of) {
			k.unmatched = true
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

func refOf(o metav1.Object) backend.Ref {
	return backend.Ref{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func identityOf(o metav1.Object) identity {
	return identity{Ref: refOf(o), version: o.GetResourceVersion()}
}
