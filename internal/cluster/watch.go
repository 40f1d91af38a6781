// Package cluster is what this program asks of the API server: it lists and watches Services and EndpointSlices,
// watches and writes the one ConfigMap, records Events, and elects the replica that leads.
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
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// Options of a Watch.
type Options struct {
	// Namespaces to watch, each by itself, so that Roles are enough; none means the whole cluster.
	Namespaces []string
	// ConfigMap that is kept right; the zero value for none.
	ConfigMap backend.Ref
	// Reader reads what was not kept when it was seen. It knows which annotations and addresses are to be kept.
	Reader *Reader
	// Failed is called for each list or watch that failed.
	Failed func()
	Log    *slog.Logger
}

// Watch fills a Store from the API server and keeps the ConfigMap at hand.
type Watch struct {
	opts     Options
	store    *store.Store
	scopes   []*scope
	live     atomic.Pointer[corev1.ConfigMap]
	gone     atomic.Pointer[corev1.ConfigMap]
	moved    chan struct{}
	someSeen chan struct{} // closed when the Services of a namespace have been seen
	oneSeen  func()        // closes it
	synced   chan struct{}
	dialer   *dialer
}

// NewWatch prepares the watches; nothing is asked of the API server before Run.
func NewWatch(config *rest.Config, known *store.Store, opts Options) (*Watch, error) {
	w := &Watch{opts: opts, store: known, moved: make(chan struct{}, 1)}
	w.someSeen, w.synced = make(chan struct{}), make(chan struct{})
	w.oneSeen = sync.OnceFunc(func() { close(w.someSeen) })
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := discoveryv1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	http, dialer, err := httpClient(config, opts.Failed, opts.Log)
	if err != nil {
		return nil, fmt.Errorf("client for the watches: %w", err)
	}
	w.dialer = dialer
	namespaces, err := sortedNamespaces(opts.Namespaces)
	if err != nil {
		return nil, err
	}
	common := cache.Options{HTTPClient: http, Scheme: scheme, Mapper: staticMapper(opts.Reader.Links.Kinds)}
	if opts.ConfigMap != (backend.Ref{}) {
		err = w.addConfigMap(config, common)
	}
	common.DefaultTransform, common.NewInformer = w.keep, w.newInformer
	for _, name := range namespaces {
		common.DefaultNamespaces = inNamespace(name)
		err = errors.Join(err, w.add(config, common, &scope{
			namespace: name, services: true,
			handlers: map[client.Object]toolscache.ResourceEventHandler{
				&corev1.Service{}: w.serviceHandler(), &discoveryv1.EndpointSlice{}: w.sliceHandler(),
			},
		}))
		for _, kind := range opts.Reader.Links.Kinds { // each by itself: one may be missing, or not be allowed
			object := &unstructured.Unstructured{}
			object.SetGroupVersionKind(kind.GroupVersionKind)
			err = errors.Join(err, w.add(config, common, &scope{
				namespace: name, exposer: kind.Resource,
				handlers: map[client.Object]toolscache.ResourceEventHandler{object: w.exposerHandler()},
			}))
		}
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (w *Watch) addConfigMap(config *rest.Config, o cache.Options) error {
	target := w.opts.ConfigMap
	o.ByObject = map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {
		Namespaces: inNamespace(target.Namespace), Field: fields.OneTermEqualSelector("metadata.name", target.Name),
	}}
	return w.add(config, o, &scope{
		namespace: target.Namespace,
		handlers:  map[client.Object]toolscache.ResourceEventHandler{&corev1.ConfigMap{}: w.configMapHandler()},
	})
}

// add prepares the cache of a scope.
func (w *Watch) add(config *rest.Config, o cache.Options, s *scope) (err error) {
	o.DefaultWatchErrorHandler = s.failed
	if s.cache, err = cache.New(config, o); err != nil {
		return fmt.Errorf("preparing the watches: %w", err)
	}
	s.watch, s.settled, s.last = w, make(chan struct{}), map[string]failure{}
	s.settle = sync.OnceFunc(func() { close(s.settled) })
	w.scopes = append(w.scopes, s)
	return nil
}

// staticMapper knows the kinds that are watched, so that nothing is asked of the API server's discovery: it may
// be away when this program starts.
func staticMapper(exposers []links.Kind) meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	m.Add(corev1.SchemeGroupVersion.WithKind("Service"), meta.RESTScopeNamespace)
	m.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	m.Add(discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), meta.RESTScopeNamespace)
	for _, kind := range exposers {
		m.Add(kind.GroupVersionKind, meta.RESTScopeNamespace)
	}
	return m
}

func inNamespace(ns string) map[string]cache.Config {
	if ns == metav1.NamespaceAll {
		return nil
	}
	return map[string]cache.Config{ns: {}}
}

// Run watches until ctx ends. An API server that is away is waited for.
func (w *Watch) Run(ctx context.Context) error {
	ended := make(chan error, len(w.scopes))
	for _, s := range w.scopes {
		if err := s.start(ctx, ended); err != nil {
			return err
		}
	}
	go func() {
		if w.awaitAll(ctx) { // before that there seems to be room for Services for which there is none
			readMissing(ctx, w.store, w.readService)
		}
	}()
	for range w.scopes {
		if err := <-ended; err != nil {
			return fmt.Errorf("watching the cluster: %w", err)
		}
	}
	return nil
}

// awaitAll waits until nothing more is to be expected at the start: the ConfigMap and the Services of at least one
// namespace have been seen, and of each other namespace it is known that it may not be. It returns false when ctx has
// ended.
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

// Synced is closed when everything there was at the start, and that may be seen, has been seen.
func (w *Watch) Synced() <-chan struct{} { return w.synced }

// Err is why what is known may be old: the API server cannot be reached, or does not allow a watch. nil while all is
// well. Namespaces that are frozen are reported elsewhere.
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

// Live is the ConfigMap as the watch last saw it, nil where there is none. It must not be changed.
func (w *Watch) Live() *corev1.ConfigMap { return w.live.Load() }

// Gone is the last state of the ConfigMap that was deleted last, nil while none was.
func (w *Watch) Gone() *corev1.ConfigMap { return w.gone.Load() }

// Moved receives when the ConfigMap has changed.
func (w *Watch) Moved() <-chan struct{} { return w.moved }

func (w *Watch) serviceHandler() toolscache.ResourceEventHandler {
	return handler[*keptService]{set: func(s *keptService) {
		switch {
		case s.nothing:
			w.store.SetOther(s.Ref)
		case s.service != nil:
			w.store.Service(*s.service)
			s.service = nil // nobody else reads it
		}
	}, remove: func(s *keptService) { w.store.DeleteService(s.Ref) }}
}

func (w *Watch) sliceHandler() toolscache.ResourceEventHandler {
	return handler[*keptSlice]{set: func(s *keptSlice) {
		switch {
		case s.nothing:
			w.store.Skip(s.Ref, s.of)
		case s.slice != nil:
			w.store.Slice(s.of, *s.slice)
			s.slice = nil // nobody else reads it
		}
	}, remove: func(s *keptSlice) { w.store.DeleteSlice(s.Ref) }}
}

func (w *Watch) exposerHandler() toolscache.ResourceEventHandler {
	return handler[*keptExposer]{set: func(e *keptExposer) {
		if e.fresh {
			w.store.Expose(store.Exposer{Kind: e.kind, Ref: e.Ref}, e.services)
			e.fresh, e.services = false, nil // nobody else reads it
		}
	}, remove: func(e *keptExposer) { w.store.Expose(store.Exposer{Kind: e.kind, Ref: e.Ref}, nil) }}
}

func (w *Watch) configMapHandler() toolscache.ResourceEventHandler {
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

// handler is a ResourceEventHandler to which an object is there or is not.
type handler[T any] struct{ set, remove func(T) }

func (h handler[T]) OnAdd(object any, _ bool) { h.OnUpdate(nil, object) }

func (h handler[T]) OnUpdate(_, object any) {
	if o, ok := object.(T); ok {
		h.set(o)
	}
}

func (h handler[T]) OnDelete(object any) {
	if gone, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	if o, ok := object.(T); ok {
		h.remove(o)
	}
}
