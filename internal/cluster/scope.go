package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// scope is what one cache watches: the Services and EndpointSlices of one namespace, of all of them, or the ConfigMap.
// While Services or EndpointSlices may not be listed, and have never been, their namespace is frozen: what is published
// of it stays, and all else goes on. One that was seen and is forbidden later stays as it was last seen, as do all
// while the API server is away.
type scope struct {
	namespace string // "": all of them
	watch     *Watch
	cache     cache.Cache
	handlers  map[client.Object]toolscache.ResourceEventHandler
	services  bool          // not the ConfigMap
	exposer   string        // the resource that leads people to Services, which may be missing; else ""
	settled   chan struct{} // closed when it was seen, or is known not to be allowed
	settle    func()        // closes it

	mu   sync.Mutex
	seen bool               // in full, once
	last map[string]failure // by kind of object
}

type failure struct {
	text    string
	missing string // the verb that is not allowed; "" where it is something else
	at      time.Time
}

// start watches until ctx ends.
func (s *scope) start(ctx context.Context, ended chan<- error) error {
	var synced []toolscache.DoneChecker
	for object, handler := range s.handlers {
		informer, err := s.cache.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watching %T: %w", object, err)
		}
		r, err := informer.AddEventHandler(handler)
		if err != nil {
			return fmt.Errorf("watching %T: %w", object, err)
		}
		synced = append(synced, r.HasSyncedChecker())
	}
	if s.exposer != "" {
		time.AfterFunc(longestForLinks, s.settle)
	}
	go func() { ended <- s.cache.Start(ctx) }()
	go func() {
		if toolscache.WaitFor(ctx, "", synced...) {
			s.listed()
		}
	}()
	return nil
}

// listed notes that all there is was listed: no right to do so is missing.
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

// longestForLinks is how long the first document waits for the objects that lead people to Services.
const longestForLinks = 5 * time.Second

// forgotten is how long after its last occurrence a failure is news again.
const forgotten = 3 * time.Minute

// lasting is how long a right counts as missing that was missing last: the watches are tried again at least every
// minute.
const lasting = 90 * time.Second

// failed is called for each list or watch that failed. It logs each kind of failure once, not with every retry.
func (s *scope) failed(ctx context.Context, r *toolscache.Reflector, err error) {
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
	kind, f := describe(r.TypeDescription(), err)
	if s.exposer != "" {
		kind = s.exposer
		if apierrors.IsNotFound(err) {
			f.text = noSuchResource(s.exposer)
		}
		s.settle()
	}
	f.at = time.Now()
	old, known := s.last[kind]
	s.last[kind] = f
	switch news := !known || old.text != f.text || f.at.Sub(old.at) >= forgotten; {
	case news && s.exposer != "":
		s.watch.opts.Log.Warn("links not read", "namespace", s.namespace, "kind", kind, "err", f.text)
	case news:
		s.watch.opts.Log.Warn("cannot be watched now, which is tried again: what is published stays",
			"namespace", s.namespace, "kind", kind, "err", f.text)
	}
}

// describe says what failed in the words of the cluster: configmaps, and not *v1.ConfigMap.
func describe(goType string, err error) (kind string, f failure) {
	kind = strings.ToLower(goType[strings.LastIndexByte(goType, '.')+1:]) + "s"
	q, text, ok := missing(err)
	if ok {
		return kind, failure{text: text, missing: q.Verb}
	}
	return kind, failure{text: strings.ReplaceAll(err.Error(), goType, kind)}
}

// missing are the rights that are missing now. What is missing for a frozen namespace is reported elsewhere.
func (s *scope) missing(now time.Time, synced bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	if s.exposer != "" {
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(s.last)) {
		if f := s.last[kind]; f.missing != "" && now.Sub(f.at) < lasting && (s.seen || !synced) {
			list = append(list, f.text)
		}
	}
	return list
}
