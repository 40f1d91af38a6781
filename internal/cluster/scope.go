package cluster

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// scope is what is listed and watched together: the Services and EndpointSlices of one namespace or of all, the objects
// of one kind that expose Services, or the ConfigMap. While the Services or EndpointSlices of a namespace may not be
// listed, it is frozen: its published backends stay, and the other namespaces are not affected. If all namespaces are
// watched at once and that is forbidden, they keep their last state, as while the API server cannot be reached.
type scope struct {
	namespace string // "" means all namespaces
	watch     *Watch
	informers []cache.SharedIndexInformer
	listings  []cache.DoneChecker // of the informers: whether the handlers have everything that was listed
	services  bool                // the scope has Services and EndpointSlices
	exposer   string              // the resource that exposes Services; the cluster may lack it; "" in the other scopes
	settled   chan struct{}       // closed when everything was listed, or is known to be forbidden
	settle    func()              // closes settled

	mu     sync.Mutex
	seen   bool // everything was listed once
	frozen bool
	last   map[request]failure
}

// request is a request that an informer repeats.
type request struct{ kind, verb string } // kind is the resource; verb is list or watch

type failure struct {
	text   string
	lasts  bool      // a right is missing, or the cluster lacks the resource
	since  time.Time // when the first of a row of failures was
	over   bool      // it has worked since
	logged bool
}

// counts reports whether a failure is reported. An API server that restarts answers with errors for some seconds.
func (f failure) counts(now time.Time) bool {
	return !f.over && (f.lasts || now.Sub(f.since) >= notable)
}

// newScope adds a scope for a namespace.
func (w *Watch) newScope(namespace string) *scope {
	s := &scope{namespace: namespace, watch: w, settled: make(chan struct{}), last: map[request]failure{}}
	s.settle = sync.OnceFunc(func() { close(s.settled) })
	w.scopes = append(w.scopes, s)
	return s
}

// follow adds the objects of a resource, which lw lists and watches, to the scope. The methods of an informer fail only
// after its start.
func (s *scope) follow(
	resource string, lw *cache.ListWatch, example runtime.Object, handler cache.ResourceEventHandler,
) {
	lister := cache.ToListWatcherWithWatchListSemantics(s.noting(resource, lw), noEvents{})
	informer := cache.NewSharedIndexInformer(lister, example, 0, cache.Indexers{})
	_ = informer.SetTransform(s.watch.keep)
	// noting has seen the error, and others that client-go keeps to itself.
	_ = informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {})
	registration, _ := informer.AddEventHandler(handler)
	s.informers = append(s.informers, informer)
	s.listings = append(s.listings, registration.HasSyncedChecker())
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

// listed records that everything was listed.
func (s *scope) listed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = true
	s.settle()
	if s.services {
		s.watch.oneSeen()
		s.thaw()
	}
}

// thaw ends that the namespace is frozen. The caller holds mu.
func (s *scope) thaw() {
	s.frozen = false
	if s.watch.store.Thaw(s.namespace) {
		s.watch.opts.Log.Info("namespace watch allowed", "namespace", s.namespace)
	}
}

// longestForLinks is how long the first document waits for the objects that expose Services.
const longestForLinks = 5 * time.Second

// notable is how long any failure other than a missing right or resource has to last before it counts.
const notable = 15 * time.Second

// failed records that a list or watch has failed. It logs a failure once, and not with every retry.
func (s *scope) failed(q request, err error) {
	if s.exposer == "" {
		s.watch.opts.Failed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, forbidden := time.Now(), apierrors.IsForbidden(err)
	if forbidden && q.verb == "list" && s.services && s.namespace != "" {
		s.settle()
		s.frozen = true
		s.watch.store.Freeze(s.namespace)
	}
	f := failure{text: s.describe(q, err), lasts: forbidden, since: now}
	if s.exposer != "" {
		s.settle()
		f.lasts = forbidden || apierrors.IsNotFound(err)
	}
	if old, known := s.last[q]; known && !old.over {
		f.since = old.since
		if withoutNumbers(old.text) == withoutNumbers(f.text) { // a version or a port that differs each time is no news
			f.text, f.logged = old.text, old.logged
		}
	}
	news := !f.logged && f.counts(now)
	f.logged = f.logged || news
	s.last[q] = f
	switch {
	case news && s.exposer != "":
		s.watch.opts.Log.Warn("links not read", "namespace", s.namespace, "kind", q.kind, "err", f.text)
	case news:
		s.watch.opts.Log.Warn("objects cannot be watched now", "namespace", s.namespace, "kind", q.kind, "err", f.text)
	}
}

// worked records that a list or watch works, and with a watch the list before it.
func (s *scope) worked(q request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	forbidden := false
	for r, f := range s.last {
		if r.kind == q.kind && (r.verb == "list" || q.verb == "watch") {
			f.over = true
			s.last[r] = f
		}
		forbidden = forbidden || r.verb == "list" && f.lasts && !f.over
	}
	if s.frozen && s.seen && !forbidden {
		s.thaw()
	}
}

// describe describes a failure without this program's names.
func (s *scope) describe(q request, err error) string {
	if text, ok := missing(err); ok {
		return text
	}
	if s.exposer != "" && apierrors.IsNotFound(err) {
		return view.InputFault(&store.Warning{Code: store.WarningLinksResource, Resource: s.exposer})
	}
	return fmt.Sprintf("cannot %s %s: %v", q.verb, q.kind, unwrapURL(err))
}

var digits = regexp.MustCompile(`[0-9]+`)

func withoutNumbers(text string) string { return digits.ReplaceAllString(text, "") }

// missing returns the rights that are missing now, and the other failures that last. The rights for a frozen namespace
// are reported elsewhere.
func (s *scope) missing(now time.Time, synced bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exposer != "" || s.frozen && synced {
		return nil
	}
	var list []string
	for _, kind := range []string{"configmaps", "endpointslices", "services"} {
		for _, verb := range []string{"list", "watch"} {
			if f, known := s.last[request{kind, verb}]; known && f.counts(now) {
				list = append(list, f.text)
				break // a list that fails explains the watch
			}
		}
	}
	return list
}
