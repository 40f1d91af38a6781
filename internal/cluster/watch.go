// Package cluster makes the requests to the API server: it lists and watches Services and EndpointSlices, watches
// the ConfigMap, records Events, and elects the replica that leads with a Lease (election.go). Package publish decides
// what is written to the ConfigMap, and writes it.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// Options configure a Watch.
type Options struct {
	// Namespaces are watched one by one, so that Roles are enough. No namespaces means the whole cluster.
	Namespaces []string
	// ConfigMap is the ConfigMap that is watched. The zero value means none.
	ConfigMap backend.Ref
	// Reader reads the Services and EndpointSlices that were not kept. It decides which annotations and addresses are
	// kept.
	Reader *Reader
	// Failed is called for each list or watch that fails.
	Failed func()
	Log    *slog.Logger
}

// Watch fills a Store from the API server and caches the ConfigMap.
type Watch struct {
	opts     Options
	store    *store.Store
	scopes   []*scope
	live     atomic.Pointer[corev1.ConfigMap]
	gone     atomic.Pointer[corev1.ConfigMap]
	moved    chan struct{}
	someSeen chan struct{} // closed when the Services of at least one namespace were listed
	oneSeen  func()        // closes someSeen
	synced   chan struct{}
	dialer   *dialer
}

// NewWatch returns a Watch. It makes no request before Run.
func NewWatch(config *rest.Config, known *store.Store, opts Options) (*Watch, error) {
	w := &Watch{opts: opts, store: known, moved: make(chan struct{}, 1)}
	w.someSeen, w.synced = make(chan struct{}), make(chan struct{})
	w.oneSeen = sync.OnceFunc(func() { close(w.someSeen) })
	http, dialer, err := httpClient(config, opts.Failed, opts.Log)
	if err != nil {
		return nil, fmt.Errorf("client for the watches: %w", err)
	}
	w.dialer = dialer
	c, err := newClients(protobuf(config), http)
	if err != nil {
		return nil, err
	}
	namespaces, err := sortedNamespaces(opts.Namespaces)
	if err != nil {
		return nil, err
	}
	if target := opts.ConfigMap; target != (backend.Ref{}) {
		objects := c.core.ConfigMaps(target.Namespace)
		one := named(target.Name, listWatch(objects.List, objects.Watch))
		w.newScope(target.Namespace).follow("configmaps", one, &corev1.ConfigMap{}, w.configMapHandler())
	}
	for _, name := range namespaces {
		s, services, slices := w.newScope(name), c.core.Services(name), c.discovery.EndpointSlices(name)
		s.services = true
		s.follow("services", w.paged(listWatch(services.List, services.Watch)), &corev1.Service{}, w.serviceHandler())
		s.follow("endpointslices", w.paged(listWatch(slices.List, slices.Watch)), &discoveryv1.EndpointSlice{},
			w.sliceHandler())
		for _, kind := range opts.Reader.Links.Kinds { // one scope each, because a kind may be missing or forbidden
			object := &unstructured.Unstructured{}
			object.SetGroupVersionKind(kind.GroupVersionKind)
			objects := c.dynamic.Resource(kind.GVR()).Namespace(name)
			s := w.newScope(name)
			s.exposer = kind.Resource
			s.follow(kind.Resource, w.paged(listWatch(objects.List, objects.Watch)), object, w.exposerHandler())
		}
	}
	return w, nil
}

// Run watches until ctx ends. If the API server is unreachable, Run waits for it.
func (w *Watch) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer w.dialer.end()
	for _, s := range w.scopes {
		s.start(ctx, &running)
	}
	go func() {
		if w.awaitAll(ctx) { // only when all Services are listed is it known for which there is room
			readMissing(ctx, w.store, w.readService)
		}
	}()
	running.Wait()
}

// awaitAll waits until the start is complete: the ConfigMap and the Services of at least one namespace were listed, and
// each other namespace was listed or is known to be forbidden. It returns false if ctx has ended.
func (w *Watch) awaitAll(ctx context.Context) bool {
	all := []<-chan struct{}{w.someSeen}
	for _, s := range w.scopes {
		all = append(all, s.settled)
	}
	for _, one := range all {
		select {
		case <-one:
		case <-ctx.Done():
			return false
		}
	}
	close(w.synced)
	return true
}

// Synced returns a channel that is closed when everything that may be listed was listed once.
func (w *Watch) Synced() <-chan struct{} { return w.synced }

// Err returns why the store may be outdated: the API server cannot be reached, it does not allow a watch, or a list or
// watch has failed for a while. It returns nil if the store is up to date. Frozen namespaces are reported elsewhere.
func (w *Watch) Err() error {
	if err := w.dialer.err(); err != nil {
		return err
	}
	synced, now := false, time.Now()
	select {
	case <-w.synced:
		synced = true
	default:
	}
	var missing []string
	for _, s := range w.scopes {
		missing = append(missing, s.missing(now, synced)...)
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New(strings.Join(missing, "; "))
}

// Live returns the ConfigMap as the watch last saw it, nil if there is none. It must not be changed.
func (w *Watch) Live() *corev1.ConfigMap { return w.live.Load() }

// Gone returns the last state of the ConfigMap that was deleted last, nil if none was.
func (w *Watch) Gone() *corev1.ConfigMap { return w.gone.Load() }

// Moved returns a channel that receives a value after the ConfigMap has changed.
func (w *Watch) Moved() <-chan struct{} { return w.moved }

func (w *Watch) serviceHandler() cache.ResourceEventHandler {
	return handler[*keptService]{set: func(s *keptService) {
		switch {
		case s.unmatched:
			w.store.SetOther(s.Ref)
		case s.service != nil:
			w.store.Service(*s.service)
			s.service = nil // saves memory: only the store reads it
		}
	}, remove: func(s *keptService) { w.store.DeleteService(s.Ref) }}
}

func (w *Watch) sliceHandler() cache.ResourceEventHandler {
	return handler[*keptSlice]{set: func(s *keptSlice) {
		switch {
		case s.unmatched:
			w.store.Skip(s.Ref, s.of)
		case s.slice != nil:
			w.store.Slice(s.of, *s.slice)
			s.slice = nil // saves memory: only the store reads it
		}
	}, remove: func(s *keptSlice) { w.store.DeleteSlice(s.Ref) }}
}

func (w *Watch) exposerHandler() cache.ResourceEventHandler {
	return handler[*keptExposer]{set: func(e *keptExposer) {
		if e.fresh {
			w.store.Expose(store.Exposer{Kind: e.kind, Ref: e.Ref}, e.services)
			e.fresh, e.services = false, nil // saves memory: only the store reads them
		}
	}, remove: func(e *keptExposer) { w.store.Expose(store.Exposer{Kind: e.kind, Ref: e.Ref}, nil) }}
}

func (w *Watch) configMapHandler() cache.ResourceEventHandler {
	set := func(cm *corev1.ConfigMap) {
		w.live.Store(cm)
		select {
		case w.moved <- struct{}{}:
		default:
		}
	}
	return handler[*corev1.ConfigMap]{set: set, remove: func(cm *corev1.ConfigMap) {
		w.gone.Store(cm)
		set(nil)
	}}
}

// handler is a ResourceEventHandler that handles an addition like an update.
type handler[T any] struct{ set, remove func(T) }

func (h handler[T]) OnAdd(object any, _ bool) { h.OnUpdate(nil, object) }

func (h handler[T]) OnUpdate(_, object any) {
	if o, ok := object.(T); ok {
		h.set(o)
	}
}

func (h handler[T]) OnDelete(object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	if o, ok := object.(T); ok {
		h.remove(o)
	}
}
