package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// scope is what is listed and watched together: the Services and EndpointSlices of one namespace or of all, the objects
// of one kind that expose Services, or the ConfigMap. If the Services or EndpointSlices were never listed because that
// is forbidden, their namespace is frozen: its published backends stay, and the other namespaces are not affected. A
// namespace that becomes forbidden after it was listed keeps its last state, as all namespaces do while the API server
// cannot be reached.
type scope struct {
	namespace string // "" means all namespaces
	watch     *Watch
	informers []cache.SharedIndexInformer
	listings  []cache.DoneChecker // of the informers: whether the handlers have everything that was listed
	services  bool                // the scope has Services and EndpointSlices
	exposer   string              // the resource that exposes Services; the cluster may lack it; "" in the other scopes
	settled   chan struct{}       // closed when everything was listed, or is known to be forbidden
	settle    func()              // closes settled

	mu   sync.Mutex
	seen bool               // everything was listed once
	last map[string]failure // by kind of object
}

type failure struct {
	text    string
	missing string // the verb that is not allowed; "" for any other failure
	at      time.Time
	since   time.Time // when the first of a row of failures was
	over    bool      // it has worked since
}

// watched is one kind of object of a scope.
type watched struct {
	informer cache.SharedIndexInformer
	handler  cache.ResourceEventHandler
}

// add adds a scope. It returns an error only if an informer already runs.
func (w *Watch) add(s *scope, all ...watched) error {
	s.watch, s.settled, s.last = w, make(chan struct{}), map[string]failure{}
	s.settle = sync.OnceFunc(func() { close(s.settled) })
	w.scopes = append(w.scopes, s)
	for _, one := range all {
		registration, err := one.informer.AddEventHandler(one.handler)
		if err != nil {
			return err
		}
		if err := one.informer.SetWatchErrorHandlerWithContext(s.failed); err != nil {
			return err
		}
		s.informers = append(s.informers, one.informer)
		s.listings = append(s.listings, registration.HasSyncedChecker())
	}
	return nil
}

// start watches until ctx ends. running ends when nothing of the scope runs any more.
func (s *scope) start(ctx context.Context, running *sync.WaitGroup) {
	if s.exposer != "" {
		time.AfterFunc(longestForLinks, s.settle)
	}
	for _, informer := range s.informers {
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	go func() {
		if cache.WaitFor(ctx, "", s.listings...) {
			s.listed()
		}
	}()
}

// listed records that everything was listed, so that no right to list is missing.
func (s *scope) listed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.last, func(_ string, f failure) bool { return f.missing == "list" })
	s.seen = true
	s.settle()
	if !s.services {
		return
	}
	s.watch.oneSeen()
	if s.watch.store.Thaw(s.namespace) {
		s.watch.opts.Log.Info("namespace watch allowed", "namespace", s.namespace)
	}
}

// longestForLinks is how long the first document waits for the objects that expose Services.
const longestForLinks = 5 * time.Second

// forgotten is the time after which a failure that occurs again is logged again.
const forgotten = 3 * time.Minute

// lasting is how long a failure counts after the last attempt. The watches retry at least every minute.
const lasting = 90 * time.Second

// notable is how long any failure other than a missing right has to last before it counts: an API server that restarts
// answers with errors for some seconds.
const notable = 15 * time.Second

// failed is called for each list or watch that fails. It logs each kind of failure once, not with every retry.
func (s *scope) failed(ctx context.Context, r *cache.Reflector, err error) {
	if ctx.Err() != nil {
		return
	}
	if s.exposer == "" {
		s.watch.opts.Failed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if apierrors.IsForbidden(err) && s.services && !s.seen {
		s.settle()
		s.watch.store.Freeze(s.namespace)
	}
	kind := cmp.Or(s.exposer, kindOf(r.TypeDescription()))
	f := describe(r.TypeDescription(), kind, err)
	if s.exposer != "" {
		if apierrors.IsNotFound(err) {
			f.text = view.InputFault(&store.Warning{Code: store.WarningLinksResource, Resource: s.exposer})
		}
		s.settle()
	}
	f.at = time.Now()
	f.since = f.at
	old, known := s.last[kind]
	if known && !old.over {
		f.since = old.since
	}
	s.last[kind] = f
	switch news := !known || old.text != f.text || f.at.Sub(old.at) >= forgotten; {
	case news && s.exposer != "":
		s.watch.opts.Log.Warn("links not read", "namespace", s.namespace, "kind", kind, "err", f.text)
	case news:
		s.watch.opts.Log.Warn("objects cannot be watched now", "namespace", s.namespace, "kind", kind, "err", f.text)
	}
}

// noting records the lists and watches of lw that work.
func (s *scope) noting(lw *cache.ListWatch, example runtime.Object) *cache.ListWatch {
	kind := kindOf(fmt.Sprintf("%T", example))
	return listWatch(
		func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := lw.ListWithContext(ctx, o)
			s.worked(kind, "list", err)
			return list, err
		},
		func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			events, err := lw.WatchWithContext(ctx, o)
			s.worked(kind, "watch", err)
			return events, err
		})
}

func (s *scope) worked(kind, verb string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, known := s.last[kind]; known && err == nil && (verb == "watch" || f.missing != "watch") {
		f.over = true
		s.last[kind] = f
	}
}

// describe returns the failure with the cluster's name of a type instead of the library's.
func describe(typ, kind string, err error) failure {
	if q, text, ok := missing(err); ok {
		return failure{text: text, missing: q.Verb}
	}
	return failure{text: strings.ReplaceAll(err.Error(), typ, kind)}
}

// kindOf returns the cluster's name of a Go type: configmaps for *v1.ConfigMap.
func kindOf(goType string) string {
	return strings.ToLower(goType[strings.LastIndexByte(goType, '.')+1:]) + "s"
}

// missing returns the rights that are missing now, and the other failures that last. The rights for a frozen namespace
// are reported elsewhere.
func (s *scope) missing(now time.Time, synced bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	if s.exposer != "" {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(s.last)) {
		f := s.last[kind]
		counts := f.missing != "" || now.Sub(f.since) >= notable
		if counts && !f.over && now.Sub(f.at) < lasting && (s.seen || !synced) {
			list = append(list, f.text)
		}
	}
	return list
}
