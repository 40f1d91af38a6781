package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	v1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/lru"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// RecorderOptions of a Recorder.
type RecorderOptions struct {
	ConfigMap backend.Ref              // the one that is written
	Live      func() *corev1.ConfigMap // as it is by now, nil where there is none
	Instance  string                   // this replica
	Optional  bool                     // that it may not write Events is no failure
	Record    func() bool              // whether this replica records, which is where it leads
	Failed    func()                   // called for each Event that is lost
	Log       *slog.Logger
}

const (
	queuedEvents  = 256
	eventTimeout  = 5 * time.Second // of one try
	eventTries    = 3
	eventRetry    = 2 * time.Second
	eventOftenest = 5 * time.Second // that one Event is counted up
	maxNote       = 1024            // bytes that the API takes
	remembered    = 8192            // Events, and as many Services
)

// Recorder writes Kubernetes Events on Services and on the ConfigMap, one after the other from a queue. It needs create
// and patch on events.k8s.io, and nothing else. Its methods are safe for concurrent use and never wait for the API
// server.
//
// client-go's recorders do not fit: that of events.k8s.io (tools/events) takes two Events on one object that differ in
// their text alone for one, so that the second problem of a Service would have the words of the first. That of the core
// API (tools/record) records a state again at each look, does not report the Events that it drops, and holds all others
// back for up to two minutes where one cannot be written.
type Recorder struct {
	options RecorderOptions
	client  eventsv1.EventsGetter
	queue   chan event

	mu       sync.Mutex
	recorded *lru.Cache // the last Events by name: occurrence
	cleared  *lru.Cache // when, by the UID of a Service
	lost     int        // since the last that was written
	refused  bool       // it was told that Events may not be written
}

// occurrence is what is remembered of an Event.
type occurrence struct {
	count int
	at    time.Time
}

// event is one on its way, and how often it was recorded, this time included.
type event struct {
	*v1.Event
	count int
}

// NewRecorder makes a Recorder with a client of its own, so that many Events do not delay anything else. Run writes
// what it records.
func NewRecorder(config *rest.Config, o RecorderOptions) (*Recorder, error) {
	c := rest.CopyConfig(config)
	c.Timeout = eventTimeout
	c.RateLimiter = nil // its own
	client, err := eventsv1.NewForConfig(rest.AddUserAgent(c, "events"))
	if err != nil {
		return nil, fmt.Errorf("client for events: %w", err)
	}
	return newRecorder(client, o), nil
}

func newRecorder(client eventsv1.EventsGetter, o RecorderOptions) *Recorder {
	return &Recorder{
		options: o, client: client, queue: make(chan event, queuedEvents),
		recorded: lru.New(remembered), cleared: lru.New(remembered),
	}
}

// ConfigMap records that something happened to the ConfigMap; what was recorded before is counted up. A warning needs
// someone to act; the reason is a word in CamelCase; the note is for people, made fit to be shown and cut at 1 KiB.
func (r *Recorder) ConfigMap(warning bool, reason, note string) {
	o := r.options.ConfigMap
	on := corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: o.Namespace, Name: o.Name}
	if live := r.options.Live(); live != nil {
		on.UID = live.UID // kubectl describe shows only the Events that name it
	}
	r.record(&v1.Event{Regarding: on, Action: "Publish", Reason: reason, Note: note}, warning, true)
}

// Service records a state of a Service, once: the same again is not recorded until Clear. It may be called whenever the
// Service is looked at. A replica that does not record does not remember it either: call it again when it leads.
func (r *Recorder) Service(s *backend.Service, warning bool, reason, note string) {
	on := corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name}
	on.UID = types.UID(s.UID)
	r.record(&v1.Event{Regarding: on, Action: "Detect", Reason: reason, Note: note}, warning, false)
}

// Clear says that what was recorded of a Service is over, so that it is recorded anew when it comes back.
func (r *Recorder) Clear(s *backend.Service) { r.cleared.Add(types.UID(s.UID), time.Now()) }

// record queues an Event that is due. again is for what happens, and is counted each time; a state is recorded once
// while it lasts.
func (r *Recorder) record(e *v1.Event, warning, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.options.Record() {
		return
	}
	full := e.Note
	if e.Note = safetext.Clean(full, maxNote-len("…")+1); len(e.Note) > maxNote {
		e.Note = safetext.Clean(full, maxNote/utf8.UTFMax)
	}
	now := occurrence{1, time.Now()}
	e.Namespace, e.Name, e.EventTime = e.Regarding.Namespace, nameOf(e), metav1.NewMicroTime(now.at)
	e.ReportingController, e.ReportingInstance = "kubernaut.io/dynamic-toolset", r.options.Instance
	if e.Type = corev1.EventTypeNormal; warning {
		e.Type = corev1.EventTypeWarning
	}
	if known, ok := r.recorded.Get(e.Name); ok {
		last, _ := known.(occurrence)
		cleared, _ := r.cleared.Get(e.Regarding.UID)
		over, _ := cleared.(time.Time)
		if !again && !over.After(last.at) || now.at.Sub(last.at) < eventOftenest {
			return
		}
		now.count += last.count
	}
	r.recorded.Add(e.Name, now)
	select {
	case r.queue <- event{e, now.count}:
	default:
		r.lose(e, fmt.Errorf("%d events wait already", queuedEvents))
	}
}

// nameOf is the Event's object and a hash of what it says: after a restart, or from another leader, the same is the
// same Event and is not recorded twice.
func nameOf(e *v1.Event) string {
	const longest = 253
	o := e.Regarding
	says := []string{o.Kind, o.Namespace, o.Name, string(o.UID), e.Reason, e.Note}
	sum := sha256.Sum256([]byte(strings.Join(says, "\x00")))
	suffix := "." + hex.EncodeToString(sum[:16])
	return strings.TrimRight(o.Name[:min(len(o.Name), longest-len(suffix))], ".-") + suffix
}

// Run writes what is recorded until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-r.queue:
			for try := 1; !r.write(ctx, e, try); try++ {
				select {
				case <-ctx.Done():
					return
				case <-time.After(eventRetry):
				}
			}
		}
	}
}

// write tries to write an Event, and reports whether that was the last try. While the API server is away, each Event
// has one, so that the queue moves on.
func (r *Recorder) write(ctx context.Context, e event, try int) (done bool) {
	leads := r.options.Record()
	var err error
	if leads {
		err = r.send(ctx, e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !leads: // another replica records it by now, or this one when it leads again
		r.recorded.Remove(e.Name)
	case err == nil:
		if r.lost > 0 {
			r.options.Log.Info("events written again", "lost", r.lost)
		}
		r.lost = 0
	case ctx.Err() != nil:
	case r.options.Optional && apierrors.IsForbidden(err):
		if !r.refused {
			r.options.Log.Info("no Events are recorded, which needs create and patch on events.k8s.io")
		}
		r.refused = true
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsNotFound(err):
		r.options.Failed() // it stays recorded: it would be refused again
		r.options.Log.Warn("event refused by the API server", about(e.Event, Explain(err))...)
	case try < eventTries && r.lost == 0:
		return false
	default:
		r.lose(e.Event, err)
	}
	return true
}

// lose notes that an Event is lost, and logs the first until one is written again. The caller holds the lock.
func (r *Recorder) lose(e *v1.Event, err error) {
	r.recorded.Remove(e.Name) // it is taken when it is recorded again
	if r.lost++; r.lost == 1 {
		r.options.Log.Warn("events lost until one can be written", about(e, err)...)
	}
	r.options.Failed()
}

// about is an Event in the log.
func about(e *v1.Event, err error) []any {
	o := &e.Regarding
	return []any{"namespace", o.Namespace, "kind", o.Kind, "name", o.Name, "reason", e.Reason, "err", err}
}

// send creates the Event, or counts up the one that is there.
func (r *Recorder) send(ctx context.Context, e event) error {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	events := r.client.Events(e.Namespace)
	if e.count > 1 {
		series := v1.EventSeries{Count: int32(e.count), LastObservedTime: e.EventTime}
		patch, err := json.Marshal(map[string]any{"series": series})
		if err != nil {
			return fmt.Errorf("counting an event: %w", err)
		}
		_, err = events.Patch(ctx, e.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if !apierrors.IsNotFound(err) {
			return err
		}
	}
	_, err := events.Create(ctx, e.Event, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
