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

// RecorderOptions configure a Recorder.
type RecorderOptions struct {
	ConfigMap backend.Ref              // the ConfigMap that is written
	Live      func() *corev1.ConfigMap // returns the ConfigMap as it is now, nil if there is none
	Instance  string                   // the name of this replica
	Optional  bool                     // a missing right to write Events is not a failure
	Record    func() bool              // whether this replica records Events, which only the leader does
	Failed    func()                   // called for each Event that is lost
	Log       *slog.Logger
}

const (
	queuedEvents  = 256
	eventTimeout  = 5 * time.Second // for one try
	eventTries    = 3
	eventRetry    = 2 * time.Second // between two tries
	eventOftenest = 5 * time.Second // the shortest time between two increments of an Event's count
	maxNote       = 1024            // the API's limit in bytes
	remembered    = 8192            // how many Events are remembered, and how many Services
	eventRefused  = 4 * time.Minute // until a state whose Event was refused is due again: at the next discovery
)

// Recorder writes Kubernetes Events about Services and about the ConfigMap, one after the other from a queue. It needs
// only create and patch on events.k8s.io. Its methods are safe for concurrent use and never wait for the API server.
//
// client-go's recorders do not fit. That of events.k8s.io (tools/events) merges two Events on one object if only their
// texts differ. That of the core API (tools/record) records a state again each time it is checked, does not report the
// Events that it drops, and delays all others for up to two minutes if one cannot be written.
type Recorder struct {
	options RecorderOptions
	client  eventsv1.EventsGetter
	queue   chan event

	mu       sync.Mutex
	recorded *lru.Cache // the last Events by name: occurrence
	cleared  *lru.Cache // the time of the last Clear by the UID of a Service
	lost     int        // Events lost since the last one that was written
}

// occurrence is the last time of an Event, and how often it was recorded.
type occurrence struct {
	count   int
	at      time.Time
	refused bool // by the API server
}

// event is a queued Event, and how often it was recorded, including this time.
type event struct {
	*v1.Event
	count int
}

// NewRecorder returns a Recorder with a separate client, so that many Events do not delay other requests. Run writes
// the Events.
func NewRecorder(config *rest.Config, o RecorderOptions) (*Recorder, error) {
	c := rest.CopyConfig(config)
	c.Timeout = eventTimeout
	c.RateLimiter = nil // not shared with other clients
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

// ConfigMap records that something happened to the ConfigMap. If the same was recorded before, the count of that Event
// is incremented. A warning asks for action. The reason is a word in CamelCase. The note is for people; it is cleaned
// and cut at 1 KiB.
func (r *Recorder) ConfigMap(warning bool, reason, note string) {
	o := r.options.ConfigMap
	on := corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: o.Namespace, Name: o.Name}
	if live := r.options.Live(); live != nil {
		on.UID = live.UID // kubectl describe shows only Events with the object's UID
	}
	r.record(&v1.Event{Regarding: on, Action: "Publish", Reason: reason, Note: note}, warning, true)
}

// Service records a state of a Service. The same state is not recorded again until Clear, so that Service may be called
// each time the Service is checked. A replica that does not lead neither records nor remembers the state: call Service
// again when it leads.
func (r *Recorder) Service(s *backend.Service, warning bool, reason, note string) {
	on := corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: s.Namespace, Name: s.Name}
	on.UID = types.UID(s.UID)
	r.record(&v1.Event{Regarding: on, Action: "Detect", Reason: reason, Note: note}, warning, false)
}

// Clear ends the recorded states of a Service, so that they are recorded again if they come back.
func (r *Recorder) Clear(s *backend.Service) { r.cleared.Add(types.UID(s.UID), time.Now()) }

// record queues an Event if it is due. If again is true, the Event is something that happened and is counted each time.
// Otherwise it is a state and is recorded once while it lasts.
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
	now := occurrence{count: 1, at: time.Now()}
	e.Namespace, e.Name, e.EventTime = e.Regarding.Namespace, nameOf(e), metav1.NewMicroTime(now.at)
	e.ReportingController, e.ReportingInstance = "kubernaut.io/dynamic-toolset", r.options.Instance
	if e.Type = corev1.EventTypeNormal; warning {
		e.Type = corev1.EventTypeWarning
	}
	if known, ok := r.recorded.Get(e.Name); ok {
		last, _ := known.(occurrence)
		cleared, _ := r.cleared.Get(e.Regarding.UID)
		over, _ := cleared.(time.Time)
		since := now.at.Sub(last.at)
		again = again || over.After(last.at) || last.refused && since >= eventRefused
		if !again || since < eventOftenest {
			return
		}
		now.count += last.count
	}
	r.recorded.Add(e.Name, now)
	select {
	case r.queue <- event{e, now.count}:
	default:
		r.lose(event{e, now.count}, fmt.Errorf("the queue of %d events is full", queuedEvents))
	}
}

// nameOf returns the name of an Event: the object's name and a hash of the content. The same content has the same name
// after a restart and on another leader, so that it is not recorded twice.
func nameOf(e *v1.Event) string {
	const longest = 253
	o := e.Regarding
	says := []string{o.Kind, o.Namespace, o.Name, string(o.UID), e.Reason, e.Note}
	sum := sha256.Sum256([]byte(strings.Join(says, "\x00")))
	suffix := "." + hex.EncodeToString(sum[:16])
	return strings.TrimRight(o.Name[:min(len(o.Name), longest-len(suffix))], ".-") + suffix
}

// Run writes the recorded Events until ctx ends.
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

// write tries to write an Event, and reports whether that was the last try. While Events are being lost, each Event has
// only one try, so that the queue keeps moving.
func (r *Recorder) write(ctx context.Context, e event, try int) (done bool) {
	leads := r.options.Record()
	var err error
	if leads {
		err = r.send(ctx, e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !leads: // another replica records it now, or this one when it leads again
		r.recorded.Remove(e.Name)
	case err == nil:
		if r.lost > 0 {
			r.options.Log.Info("events written again", "lost", r.lost)
		}
		r.lost = 0
	case ctx.Err() != nil:
	case try < eventTries && r.lost == 0 && !isRefused(err):
		return false
	default:
		r.lose(e, err)
	}
	return true
}

// isRefused reports whether the API server refuses an Event: for lack of a right, because a quota is used up or the
// namespace is gone, or because it is not valid.
func isRefused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) ||
		apierrors.IsBadRequest(err)
}

// lose counts an Event that is lost. The next call records it again, or a later one if it was refused. Only the first
// one is logged until an Event is written again. The caller holds mu.
func (r *Recorder) lose(e event, err error) {
	r.recorded.Remove(e.Name)
	if isRefused(err) {
		r.recorded.Add(e.Name, occurrence{count: e.count - 1, at: e.EventTime.Time, refused: true})
	}
	r.lost++
	optional := r.options.Optional && apierrors.IsForbidden(err)
	switch {
	case r.lost > 1:
	case optional:
		r.options.Log.Info("no Events are recorded", "needed", "create and patch on events.k8s.io")
	default:
		o := &e.Regarding
		r.options.Log.Warn("events lost", "namespace", o.Namespace, "kind", o.Kind, "name", o.Name, "reason", e.Reason,
			"err", Explain(err))
	}
	if !optional {
		r.options.Failed()
	}
}

// send creates the Event, or increments the count of the existing one.
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
