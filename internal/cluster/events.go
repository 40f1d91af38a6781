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
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// RecorderOptions of a Recorder.
type RecorderOptions struct {
	ConfigMap backend.Ref // the one that is written
	Instance  string      // this replica
	Record    func() bool // whether this replica records, which is where it leads
	Failed    func()      // called for each Event that is lost
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

// Recorder writes Kubernetes Events on Services and on the ConfigMap, one after the other from a queue. It needs create and
// patch on events.k8s.io, and nothing else. Its methods are safe for concurrent use and never wait for the API server.
//
// client-go's recorders do not fit: that of events.k8s.io (tools/events) takes two Events on one object that differ in their
// text alone for one, so that the second problem of a Service would have the words of the first. That of the core API
// (tools/record) records a state again at each look, does not report the Events that it drops, and holds all others back for
// up to two minutes where one cannot be written.
type Recorder struct {
	options RecorderOptions
	client  eventsv1.EventsGetter
	queue   chan event

	mu        sync.Mutex
	configMap types.UID
	recorded  *lru.Cache // the last Events by name: occurrence
	cleared   *lru.Cache // when, by the UID of a Service
	lost      int        // since the last that was written
	away      logging.Condition[bool]
}

// occurrence is what is remembered of an Event.
type occurrence struct {
	count int
	at    time.Time
}

// event is one on its way.
type event struct {
	regarding            corev1.ObjectReference
	kind                 string
	reason, action, note string
	name                 string // follows from all that it says
	occurrence
}

// NewRecorder makes a Recorder with a client of its own, so that many Events do not delay anything else. Run writes what it
// records.
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

// ConfigMapUID says which object the ConfigMap is by now. kubectl describe shows only the Events that name it.
func (r *Recorder) ConfigMapUID(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.configMap = types.UID(uid)
}

// ConfigMap records that something happened to the ConfigMap; what was recorded before is counted up. A warning needs someone
// to act; the reason is a word in CamelCase; the note is for people, made fit to be shown and cut at 1 KiB.
func (r *Recorder) ConfigMap(warning bool, reason, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record(warning, true, event{reason: reason, action: "Publish", note: note, regarding: corev1.ObjectReference{
		Kind: "ConfigMap", Namespace: r.options.ConfigMap.Namespace, Name: r.options.ConfigMap.Name, UID: r.configMap,
	}})
}

// Service records a state of a Service, once: the same again is not recorded until Clear. It may be called whenever the
// Service is looked at. A replica that does not record does not remember it either: call it again when it leads.
func (r *Recorder) Service(s *backend.Service, warning bool, reason, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record(warning, false, event{reason: reason, action: "Detect", note: note, regarding: corev1.ObjectReference{
		Kind: "Service", Namespace: s.Namespace, Name: s.Name, UID: types.UID(s.UID),
	}})
}

// Clear says that what was recorded of a Service is over, so that it is recorded anew when it comes back.
func (r *Recorder) Clear(s *backend.Service) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleared.Add(s.UID, time.Now())
}

// record queues an Event that is due. The caller holds the lock.
func (r *Recorder) record(warning, again bool, e event) {
	if !r.options.Record() {
		return
	}
	e.regarding.APIVersion, e.kind = "v1", corev1.EventTypeNormal
	if warning {
		e.kind = corev1.EventTypeWarning
	}
	full := e.note
	if e.note = safetext.Clean(full, maxNote-len("…")+1); len(e.note) > maxNote {
		e.note = safetext.Clean(full, maxNote/utf8.UTFMax)
	}
	e.name = nameOf(&e)
	if !r.due(&e, again) {
		return
	}
	select {
	case r.queue <- e:
	default:
		r.lose(&e, fmt.Errorf("%d events wait already", queuedEvents))
	}
}

// due reports whether the Event is to be written now, and counts it. again is for what happens, and is counted each time; a
// state is recorded once while it lasts.
func (r *Recorder) due(e *event, again bool) bool {
	e.count, e.at = 1, time.Now()
	if known, ok := r.recorded.Get(e.name); ok {
		last, _ := known.(occurrence)
		cleared, _ := r.cleared.Get(string(e.regarding.UID))
		over, _ := cleared.(time.Time)
		if !again && !over.After(last.at) || e.at.Sub(last.at) < eventOftenest {
			return false
		}
		e.count += last.count
	}
	r.recorded.Add(e.name, e.occurrence)
	return true
}

// nameOf is the Event's object and a hash of what it says: after a restart, or from another leader, the same is the same Event
// and is not recorded twice.
func nameOf(e *event) string {
	const longest = 253
	o := e.regarding
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Kind, o.Namespace, o.Name, string(o.UID), e.reason, e.note}, "\x00")))
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
			for try := 1; !r.write(ctx, &e, try); try++ {
				select {
				case <-ctx.Done():
					return
				case <-time.After(eventRetry):
				}
			}
		}
	}
}

// write tries to write an Event, and reports whether that was the last try. While the API server is away, each Event has one,
// so that the queue moves on.
func (r *Recorder) write(ctx context.Context, e *event, try int) (done bool) {
	leads := r.options.Record()
	var err error
	if leads {
		err = r.send(ctx, e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !leads: // another replica records it by now, or this one when it leads again
		r.recorded.Remove(e.name)
	case err == nil:
		if r.away.Changed(false) {
			r.options.Log.Info("events written again", "lost", r.lost)
		}
		r.lost = 0
	case ctx.Err() != nil:
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsNotFound(err):
		r.options.Failed() // it stays recorded: it would be refused again
		r.options.Log.Warn("event refused by the API server", append(e.about(), "err", Explain(err))...)
	case try < eventTries && r.lost == 0:
		return false
	default:
		r.lose(e, err)
	}
	return true
}

// lose notes that an Event is lost, and logs the first until one is written again. The caller holds the lock.
func (r *Recorder) lose(e *event, err error) {
	r.recorded.Remove(e.name) // it is taken when it is recorded again
	r.lost++
	r.options.Failed()
	if r.away.Changed(true) {
		r.options.Log.Warn("events lost until one can be written", append(e.about(), "err", err)...)
	}
}

// about names the Event in the log.
func (e *event) about() []any {
	return []any{"namespace", e.regarding.Namespace, "kind", e.regarding.Kind, "name", e.regarding.Name, "reason", e.reason}
}

// send creates the Event, or counts up the one that is there.
func (r *Recorder) send(ctx context.Context, e *event) error {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	events, at := r.client.Events(e.regarding.Namespace), metav1.NewMicroTime(e.at)
	if e.count > 1 {
		patch, err := json.Marshal(map[string]any{"series": v1.EventSeries{Count: int32(e.count), LastObservedTime: at}})
		if err != nil {
			return fmt.Errorf("counting an event: %w", err)
		}
		if _, err = events.Patch(ctx, e.name, types.MergePatchType, patch, metav1.PatchOptions{}); !apierrors.IsNotFound(err) {
			return err
		}
	}
	_, err := events.Create(ctx, &v1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.regarding.Namespace, Name: e.name},
		EventTime:  at, ReportingController: "kubernaut.io/dynamic-toolset", ReportingInstance: r.options.Instance,
		Action: e.action, Reason: e.reason, Regarding: e.regarding, Note: e.note, Type: e.kind,
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
