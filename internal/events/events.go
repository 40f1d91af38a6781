// Package events tells what concerns a Service or the ConfigMap as Kubernetes Events on it, where its owner looks
// (DTS-ANN-1). It needs create and patch on events.k8s.io, and nothing else.
//
// client-go's recorders are not used. That of events.k8s.io (tools/events) takes two Events on one object that differ only in
// their text for one, so that the second problem of a Service would be told in the words of the first. That of the core API
// (tools/record) tells a state again at each look, says nothing of the Events that it drops, and holds all others back for
// up to two minutes where one cannot be written.
package events

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Options of a Recorder.
type Options struct {
	ConfigMap backend.Ref // the one that is written
	Instance  string      // this replica; "" is none in particular
	Record    func() bool // whether this replica records, which is where it leads; nil always does
	Failed    func()      // called for each Event that is lost; may be nil
	Log       *slog.Logger
}

const (
	controller     = "kubernaut.io/dynamic-toolset"
	queued         = 256             // Events that wait to be written
	remembered     = 4096            // objects with Events told already
	requestTimeout = 5 * time.Second // of one try
	tries          = 3
	betweenTries   = 2 * time.Second
	oftenest       = 5 * time.Second // that one Event is counted up
)

// Recorder writes Events, one after the other, from a queue. Its methods may be called side by side and never wait for the
// API server.
type Recorder struct {
	options Options
	client  eventsv1.EventsGetter
	queue   chan entry

	mu        sync.Mutex
	configMap types.UID
	memory    *memory
	lost      int  // since the last that was written
	away      bool // the API server does not take any
}

// New makes a Recorder with a client of its own, so that many Events do not hold up anything else. Run writes what it
// records.
func New(config *rest.Config, o Options) (*Recorder, error) {
	c := rest.CopyConfig(config)
	c.Timeout = requestTimeout
	c.RateLimiter = nil // its own
	client, err := eventsv1.NewForConfig(rest.AddUserAgent(c, "events"))
	if err != nil {
		return nil, fmt.Errorf("client for events: %w", err)
	}
	return newRecorder(client, o), nil
}

func newRecorder(client eventsv1.EventsGetter, o Options) *Recorder {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Record == nil {
		o.Record = func() bool { return true }
	}
	if o.Failed == nil {
		o.Failed = func() {}
	}
	if o.Instance == "" {
		o.Instance = controller // the API asks for one
	}
	o.Instance = cut(o.Instance, maxWord)
	return &Recorder{options: o, client: client, queue: make(chan entry, queued), memory: newMemory(remembered)}
}

// ConfigMapUID says which object the ConfigMap is by now. kubectl describe shows only the Events that name it.
func (r *Recorder) ConfigMapUID(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.configMap = types.UID(uid)
}

// ConfigMap tells that something happened to the ConfigMap. A warning wants somebody to act; the reason is a word in
// CamelCase; the note is for people, made fit to be shown and cut at 1 KiB. What was told before is counted up.
func (r *Recorder) ConfigMap(warning bool, reason, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record(event{
		regarding: corev1.ObjectReference{
			APIVersion: "v1", Kind: "ConfigMap",
			Namespace: r.options.ConfigMap.Namespace, Name: r.options.ConfigMap.Name, UID: r.configMap,
		},
		warning: warning, reason: reason, action: "Publish", note: note, again: true,
	})
}

// Service tells how it stands with a Service, once: the same again is not told until Clear. It may be called whenever the
// Service is looked at. A replica that does not record does not remember it either: call it again when it leads.
func (r *Recorder) Service(s *backend.Service, warning bool, reason, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record(event{
		regarding: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name, UID: types.UID(s.UID),
		},
		warning: warning, reason: reason, action: "Detect", note: note,
	})
}

// Clear says that what a Service was told is over, so that it is told anew when it comes back.
func (r *Recorder) Clear(s *backend.Service) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory.clear(types.UID(s.UID))
}

// record queues an Event if it is to be told. The caller holds the lock.
func (r *Recorder) record(e event) {
	if !r.options.Record() {
		return
	}
	e = clean(e)
	now := time.Now()
	k := keyOf(e)
	count := r.memory.tell(k, e, now)
	if count == 0 {
		return
	}
	next := entry{event: e, key: k, count: count, at: now}
	select {
	case r.queue <- next:
	default:
		r.lose(next, fmt.Errorf("%d events wait already", queued))
	}
}

// Run writes what is recorded until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-r.queue:
			r.write(ctx, e)
		}
	}
}

// lose notes that an Event is lost, and logs it once until one is written again. The caller holds the lock.
func (r *Recorder) lose(e entry, err error) {
	r.memory.forget(e) // it is taken again when it is told again
	r.lost++
	r.options.Failed()
	if r.away {
		return
	}
	r.away = true
	r.options.Log.Warn("event lost, as others will be until one can be written", append(e.about(), "err", err)...)
}
