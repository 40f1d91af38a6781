package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	v1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// event is what is told.
type event struct {
	regarding            corev1.ObjectReference
	warning              bool
	reason, action, note string
	// again: something that happens, and is told each time, by counting up the Event that there is. Otherwise it is a state,
	// and told once for as long as it lasts.
	again bool
}

// entry is an Event on its way.
type entry struct {
	event event
	key   key
	count int // how often it was told, this time included
	at    time.Time
}

// about names it in the log.
func (e entry) about() []any {
	o := e.event.regarding
	return []any{"namespace", o.Namespace, "kind", o.Kind, "name", o.Name, "reason", e.event.reason}
}

// write writes one Event, and notes what came of it. While the API server is away, each has one try, so that the queue
// moves on.
func (r *Recorder) write(ctx context.Context, e entry) {
	for try := 1; ; try++ {
		if !r.options.Record() {
			r.forget(e) // another replica tells it by now, or this one when it leads again
			return
		}
		err := r.send(ctx, e)
		if ctx.Err() != nil {
			return
		}
		if r.settled(e, err, try) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(betweenTries):
		}
	}
}

func (r *Recorder) forget(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory.forget(e)
}

// settled notes what came of a try, and says whether it was the last.
func (r *Recorder) settled(e entry, err error, try int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		if r.away {
			r.options.Log.Info("events are written again", "lost", r.lost)
		}
		r.away, r.lost = false, 0
	case refused(err): // stays remembered: it would be refused again
		r.options.Failed()
		r.options.Log.Warn("event refused by the API server", append(e.about(), "err", err)...)
	case try < tries && !r.away:
		return false
	default:
		r.lose(e, err)
	}
	return true
}

// refused: the API server works, and does not take this Event.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsNotFound(err)
}

// send creates the Event, or counts up one that is there already. Its name follows from what it says: after a restart, or
// from another leader, the same is the same Event and is not told twice.
func (r *Recorder) send(ctx context.Context, e entry) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	o := r.object(e)
	if e.count > 1 {
		if err := r.count(ctx, o, e); !apierrors.IsNotFound(err) {
			return err
		}
	}
	_, err := r.client.Events(o.Namespace).Create(ctx, o, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// count says that what the Event tells has come back.
func (r *Recorder) count(ctx context.Context, o *v1.Event, e entry) error {
	patch, err := json.Marshal(map[string]any{
		"series": v1.EventSeries{Count: int32(e.count), LastObservedTime: metav1.NewMicroTime(e.at)},
	})
	if err != nil {
		return fmt.Errorf("counting an event: %w", err)
	}
	_, err = r.client.Events(o.Namespace).Patch(ctx, o.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

func (r *Recorder) object(e entry) *v1.Event {
	kind := corev1.EventTypeNormal
	if e.event.warning {
		kind = corev1.EventTypeWarning
	}
	o := e.event.regarding
	return &v1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: o.Namespace, Name: e.key.name(o.Name)},
		EventTime:           metav1.NewMicroTime(e.at),
		ReportingController: controller,
		ReportingInstance:   r.options.Instance,
		Action:              e.event.action,
		Reason:              e.event.reason,
		Regarding:           o,
		Note:                e.event.note,
		Type:                kind,
	}
}
