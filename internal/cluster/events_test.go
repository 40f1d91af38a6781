package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	v1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	client "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/utils/lru"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// eventServer keeps Events; it takes creating and patching only.
type eventServer struct {
	mu       sync.Mutex
	events   []*v1.Event
	requests int
	err      error
	hang     bool
}

var eventResource = schema.GroupResource{Group: "events.k8s.io", Resource: "events"}

func (s *eventServer) set(change func(*eventServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *eventServer) find(namespace, name string) *v1.Event {
	for _, e := range s.events {
		if e.Namespace == namespace && e.Name == name {
			return e
		}
	}
	return nil
}

// told lists what the server has: "object: reason note xN".
func (s *eventServer) told() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []string{}
	for _, e := range s.events {
		line := fmt.Sprintf("%s/%s: %s %s", e.Regarding.Namespace, e.Regarding.Name, e.Reason, e.Note)
		if e.Series != nil {
			line += fmt.Sprintf(" x%d", e.Series.Count)
		}
		list = append(list, line)
	}
	return list
}

func (s *eventServer) Events(namespace string) client.EventInterface {
	return eventAccess{server: s, namespace: namespace}
}

type eventAccess struct {
	client.EventInterface // what is not needed stays nil
	server                *eventServer
	namespace             string
}

func (a eventAccess) request(ctx context.Context) error {
	a.server.mu.Lock()
	a.server.requests++
	err, hang := a.server.err, a.server.hang
	a.server.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (a eventAccess) Create(ctx context.Context, e *v1.Event, _ metav1.CreateOptions) (*v1.Event, error) {
	if err := a.request(ctx); err != nil {
		return nil, err
	}
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	if a.server.find(a.namespace, e.Name) != nil {
		return nil, apierrors.NewAlreadyExists(eventResource, e.Name)
	}
	a.server.events = append(a.server.events, e.DeepCopy())
	return e, nil
}

func (a eventAccess) Patch(ctx context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*v1.Event, error) {
	if err := a.request(ctx); err != nil {
		return nil, err
	}
	if kind != types.MergePatchType {
		return nil, errors.New("not a merge patch")
	}
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	e := a.server.find(a.namespace, name)
	if e == nil {
		return nil, apierrors.NewNotFound(eventResource, name)
	}
	return e, json.Unmarshal(data, e)
}

type recording struct {
	*Recorder
	server  *eventServer
	log     *bytes.Buffer
	live    *corev1.ConfigMap
	leading atomic.Bool
	failed  atomic.Int64
}

// testEvents runs a Recorder by the clock of synctest.
func testEvents(t *testing.T, do func(t *testing.T, f *recording)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &recording{server: &eventServer{}, log: &bytes.Buffer{}}
		f.leading.Store(true)
		f.restart()
		ctx, stop := context.WithCancel(t.Context())
		go f.Run(ctx)
		do(t, f)
		stop()
		synctest.Wait()
	})
}

// restart makes a Recorder without memory.
func (f *recording) restart() {
	f.Recorder = newRecorder(f.server, RecorderOptions{
		ConfigMap: backend.Ref{Namespace: "kubernaut-system", Name: "kubernaut-toolset-config"},
		Instance:  "replica-1",
		Live:      func() *corev1.ConfigMap { return f.live },
		Record:    f.leading.Load,
		Failed:    func() { f.failed.Add(1) },
		Log:       slog.New(slog.NewTextHandler(f.log, nil)),
	})
}

func (f *recording) logged(message string) int {
	synctest.Wait()
	return strings.Count(f.log.String(), message)
}

func expectEvents(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func eventService(name, uid string) *backend.Service {
	return &backend.Service{Ref: backend.Ref{Namespace: "shop", Name: name}, UID: uid}
}

// The API refuses an Event that lacks any of these.
func TestEventFields(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	testEvents(t, func(t *testing.T, f *recording) {
		f.live = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{UID: "u2"}}
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "kubernaut.io/toolset-port: expected a port")
		f.ConfigMap(false, "OverridesValid", "the overrides are in force")
		f.server.told()
		for i, want := range []*v1.Event{{
			Type: "Warning", Reason: "BadAnnotation", Action: "Detect", Note: "kubernaut.io/toolset-port: expected a port",
			Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: "shop", Name: "orders", UID: "u1"},
		}, {
			Type: "Normal", Reason: "OverridesValid", Action: "Publish", Note: "the overrides are in force",
			Regarding: corev1.ObjectReference{
				APIVersion: "v1", Kind: "ConfigMap", Namespace: "kubernaut-system", Name: "kubernaut-toolset-config", UID: "u2",
			},
		}} {
			got := f.server.events[i]
			want.Namespace, want.Name, want.EventTime = want.Regarding.Namespace, got.Name, got.EventTime
			want.ReportingController, want.ReportingInstance = "kubernaut.io/dynamic-toolset", "replica-1"
			if d := cmp.Diff(want, got); d != "" || got.EventTime.IsZero() || len(validation.IsDNS1123Subdomain(got.Name)) > 0 {
				t.Errorf("event %d, %s at %s (-want +got):\n%s", i, got.Name, got.EventTime, d)
			}
		}
	})
}

func TestOncePerChange(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	testEvents(t, func(t *testing.T, f *recording) {
		orders := eventService("orders", "u1")
		for range 10 { // in every cycle
			f.Service(orders, true, "BadAnnotation", "bad port")
			<-time.After(time.Minute)
		}
		f.Service(orders, true, "BadAnnotation", "bad scheme") // another text, another reason, another object
		f.Service(orders, true, "NameTaken", "bad port")
		f.Service(eventService("orders", "u9"), true, "BadAnnotation", "bad port")
		want := []string{
			"shop/orders: BadAnnotation bad port", "shop/orders: BadAnnotation bad scheme",
			"shop/orders: NameTaken bad port", "shop/orders: BadAnnotation bad port",
		}
		expectEvents(t, "told", f.server.told(), want...)

		f.Clear(orders) // it is right now, and then wrong again
		f.Clear(eventService("unknown", "u7"))
		<-time.After(time.Minute)
		f.Service(orders, true, "BadAnnotation", "bad port")
		f.Service(orders, true, "BadAnnotation", "bad port")
		want[0] += " x2"
		expectEvents(t, "told after it came back", f.server.told(), want...)
	})
}

func TestConfigMapIsToldEachTime(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	testEvents(t, func(t *testing.T, f *recording) {
		for range 3 {
			f.ConfigMap(true, "OverridesInvalid", "line 3")
			<-time.After(time.Minute)
			f.ConfigMap(false, "OverridesValid", "in force")
			<-time.After(time.Minute)
		}
		line := "kubernaut-system/kubernaut-toolset-config: "
		expectEvents(t, "told", f.server.told(), line+"OverridesInvalid line 3 x3", line+"OverridesValid in force x3")

		before := f.server.requests
		for range 1000 { // a loop of someone's making
			f.ConfigMap(true, "OverridesInvalid", "line 3")
		}
		synctest.Wait()
		if n := f.server.requests - before; n > 1 {
			t.Errorf("%d requests within a moment", n)
		}

		f.server.set(func(s *eventServer) { s.events = nil }) // the API server keeps Events for an hour
		<-time.After(time.Hour)
		f.ConfigMap(true, "OverridesInvalid", "line 3")
		expectEvents(t, "told after an hour", f.server.told(), line+"OverridesInvalid line 3")
	})
}

// After a restart, and from the next leader, the same is not told twice.
func TestRestart(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	testEvents(t, func(t *testing.T, f *recording) {
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		f.server.told()
		f.restart()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go f.Run(ctx)
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		expectEvents(t, "told", f.server.told(), "shop/orders: BadAnnotation bad port")
		if f.failed.Load() > 0 || f.log.Len() > 0 {
			t.Errorf("%d failed; logged %s", f.failed.Load(), f.log)
		}
	})
}

func TestOnlyTheLeader(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	testEvents(t, func(t *testing.T, f *recording) {
		f.leading.Store(false)
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		expectEvents(t, "told by a follower", f.server.told())

		f.leading.Store(true)
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		expectEvents(t, "told by the leader", f.server.told(), "shop/orders: BadAnnotation bad port")

		// Leadership lost while an Event waits.
		f.server.set(func(s *eventServer) { s.err = errors.New("connection refused") })
		f.Service(eventService("stock", "u2"), true, "BadAnnotation", "bad port")
		synctest.Wait()
		f.leading.Store(false)
		f.server.set(func(s *eventServer) { s.err = nil })
		<-time.After(time.Minute)
		expectEvents(t, "told after the loss", f.server.told(), "shop/orders: BadAnnotation bad port")
		f.leading.Store(true)
		f.Service(eventService("stock", "u2"), true, "BadAnnotation", "bad port")
		expectEvents(t, "told when leading again", f.server.told(), "shop/orders: BadAnnotation bad port", "shop/stock: BadAnnotation bad port")
	})
}

func TestAShortFailureLosesNothing(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	testEvents(t, func(t *testing.T, f *recording) {
		f.server.set(func(s *eventServer) { s.err = errors.New("connection reset") })
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		<-time.After(3 * time.Second)
		f.server.set(func(s *eventServer) { s.err = nil })
		<-time.After(3 * time.Second)
		expectEvents(t, "told", f.server.told(), "shop/orders: BadAnnotation bad port")
		if f.failed.Load() > 0 || f.log.Len() > 0 {
			t.Errorf("%d failed; logged %s", f.failed.Load(), f.log)
		}
	})
}

func TestEventsWhileAway(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	for name, fail := range map[string]func(*eventServer){
		"refused": func(s *eventServer) { s.err = errors.New("connection refused") },
		"hangs":   func(s *eventServer) { s.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			testEvents(t, func(t *testing.T, f *recording) {
				f.server.set(fail)
				begin := time.Now()
				for i := range 3 * queuedEvents {
					f.Service(eventService(fmt.Sprint("s", i), fmt.Sprint("u", i)), true, "BadAnnotation", "bad port")
				}
				if took := time.Since(begin); took > 0 {
					t.Errorf("recording waited for %s", took)
				}
				<-time.After(time.Hour)
				if f.logged("events lost") != 1 || f.failed.Load() != 3*queuedEvents || f.logged("\n") != 1 {
					t.Errorf("%d lost, want %d; logged %s", f.failed.Load(), 3*queuedEvents, f.log)
				}
				f.server.set(func(s *eventServer) { s.err, s.hang = nil, false })
				f.Service(eventService("s1", "u1"), true, "BadAnnotation", "bad port") // lost before, so told now
				expectEvents(t, "told", f.server.told(), "shop/s1: BadAnnotation bad port")
				if f.logged("events written again") != 1 {
					t.Errorf("logged %s", f.log)
				}
			})
		})
	}
}

// What the API server refuses is due again at the next discovery: a quota has room again, or the right is granted.
func TestEventRefused(t *testing.T) {
	t.Attr("req", "DTS-ANN-1 DTS-RUN-5")
	refuse := func(s *eventServer) { s.err = apierrors.NewForbidden(eventResource, "x", errors.New("exceeded quota")) }
	testEvents(t, func(t *testing.T, f *recording) {
		f.server.set(refuse)
		for range 10 {
			f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
			<-time.After(time.Minute)
		}
		if f.logged("events lost") != 1 || f.server.requests != 3 || f.failed.Load() != 3 {
			t.Errorf("%d requests, %d failed; logged %s", f.server.requests, f.failed.Load(), f.log)
		}
		f.server.set(func(s *eventServer) { s.err = nil })
		<-time.After(eventRefused)
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		expectEvents(t, "once it is allowed", f.server.told(), "shop/orders: BadAnnotation bad port")
		f.server.set(refuse)
		f.Service(eventService("billing", "u3"), true, "BadAnnotation", "bad port")
		if f.logged("events lost") != 2 {
			t.Errorf("that it is refused again is not logged: %s", f.log)
		}
	})
}

// Where Events are optional, that they may not be written is said once, and is no failure.
func TestOptionalEventsRefused(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	testEvents(t, func(t *testing.T, f *recording) {
		f.options.Optional = true
		f.server.set(func(s *eventServer) { s.err = apierrors.NewForbidden(eventResource, "x", errors.New("no rights")) })
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad port")
		f.Service(eventService("orders", "u1"), true, "BadAnnotation", "bad path")
		<-time.After(time.Minute)
		if f.logged("no Events are recorded") != 1 || f.logged("events lost") != 0 || f.failed.Load() != 0 {
			t.Errorf("%d failed; logged %s", f.failed.Load(), f.log)
		}
		f.server.set(func(s *eventServer) { s.err = nil })
		f.Service(eventService("billing", "u2"), true, "BadAnnotation", "bad port")
		expectEvents(t, "once it is allowed", f.server.told(), "shop/billing: BadAnnotation bad port")
	})
}

// What owners of Services write is in the text, and a name of 253 characters leaves no room for the hash.
func TestEventText(t *testing.T) {
	t.Attr("req", "DTS-ANN-2 DTS-SEC-3")
	testEvents(t, func(t *testing.T, f *recording) {
		for name, text := range map[string]string{
			"a":                      "{{ env.TOKEN }} ${HOME}\n\x1b[31m\u202e http://user:secret@host",
			"b":                      strings.Repeat("ä", 2000),
			strings.Repeat("a", 253): strings.Repeat("x", 1023) + "ä",
			strings.Repeat("a", 219) + "." + strings.Repeat("b", 33): strings.Repeat("{", 2000),
			strings.Repeat("a-", 126):                                "\xff\xfe",
		} {
			f.Service(eventService(name, name), true, "BadAnnotation", text)
		}
		f.ConfigMap(true, "OverridesInvalid", "x")
		f.server.told()
		for _, e := range f.server.events {
			if err := safetext.Check(e.Note); err != nil || len(e.Note) > 1024 || !utf8.ValidString(e.Note) {
				t.Errorf("%d bytes: %q %v", len(e.Note), e.Note, err)
			}
			if bad := validation.IsDNS1123Subdomain(e.Name); len(bad) > 0 {
				t.Errorf("name %q: %v", e.Name, bad)
			}
		}
		if len(f.server.events) != 6 {
			t.Errorf("%d events, want 6", len(f.server.events))
		}
	})
}

// Objects and texts that come and go are forgotten. What is recorded again then is the same Event.
func TestRecordedIsBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	testEvents(t, func(t *testing.T, f *recording) {
		const remembered = 100
		f.recorded, f.cleared = lru.New(remembered), lru.New(remembered)
		f.Service(eventService("first", "u"), true, "BadAnnotation", "bad port")
		for i := range 2 * remembered {
			s := eventService("s", fmt.Sprint(i))
			f.Service(s, true, "BadAnnotation", fmt.Sprint(i))
			f.Clear(s)
			synctest.Wait()
		}
		if events, cleared := f.recorded.Len(), f.cleared.Len(); events != remembered || cleared != remembered {
			t.Errorf("%d Events and %d Services remembered, want %d", events, cleared, remembered)
		}
		f.Service(eventService("first", "u"), true, "BadAnnotation", "bad port")
		if n := len(f.server.told()); n != 1+2*remembered || f.failed.Load() > 0 {
			t.Errorf("%d Events, want %d; %d failed", n, 1+2*remembered, f.failed.Load())
		}
	})
}
