package events

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
	v1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	client "k8s.io/client-go/kubernetes/typed/events/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// apiServer keeps Events; it takes creating and patching only.
type apiServer struct {
	mu       sync.Mutex
	events   []*v1.Event
	requests int
	err      error
	hang     bool
}

var resource = schema.GroupResource{Group: "events.k8s.io", Resource: "events"}

func (s *apiServer) set(change func(*apiServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *apiServer) find(namespace, name string) *v1.Event {
	for _, e := range s.events {
		if e.Namespace == namespace && e.Name == name {
			return e
		}
	}
	return nil
}

// told lists what the server has: "object: reason note xN".
func (s *apiServer) told() []string {
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

func (s *apiServer) Events(namespace string) client.EventInterface {
	return access{server: s, namespace: namespace}
}

type access struct {
	client.EventInterface // what is not needed stays nil
	server                *apiServer
	namespace             string
}

func (a access) request(ctx context.Context) error {
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

func (a access) Create(ctx context.Context, e *v1.Event, _ metav1.CreateOptions) (*v1.Event, error) {
	if err := a.request(ctx); err != nil {
		return nil, err
	}
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	if a.server.find(a.namespace, e.Name) != nil {
		return nil, apierrors.NewAlreadyExists(resource, e.Name)
	}
	a.server.events = append(a.server.events, e.DeepCopy())
	return e, nil
}

func (a access) Patch(ctx context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*v1.Event, error) {
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
		return nil, apierrors.NewNotFound(resource, name)
	}
	return e, json.Unmarshal(data, e)
}

type fixture struct {
	*Recorder
	server  *apiServer
	log     *bytes.Buffer
	leading atomic.Bool
	failed  atomic.Int64
}

// test runs a Recorder by the clock of synctest.
func test(t *testing.T, do func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{server: &apiServer{}, log: &bytes.Buffer{}}
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
func (f *fixture) restart() {
	f.Recorder = newRecorder(f.server, Options{
		ConfigMap: backend.Ref{Namespace: "kubernaut-system", Name: "kubernaut-toolset-config"},
		Instance:  "replica-1",
		Record:    f.leading.Load,
		Failed:    func() { f.failed.Add(1) },
		Log:       slog.New(slog.NewTextHandler(f.log, nil)),
	})
}

func (f *fixture) logged(message string) int {
	synctest.Wait()
	return strings.Count(f.log.String(), message)
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func service(name, uid string) *backend.Service {
	return &backend.Service{Ref: backend.Ref{Namespace: "shop", Name: name}, UID: uid}
}

// The API refuses an Event that lacks any of these.
func TestFields(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	test(t, func(t *testing.T, f *fixture) {
		f.ConfigMapUID("u2")
		f.Service(service("orders", "u1"), true, "BadAnnotation", "kubernaut.io/toolset-port: expected a port")
		f.ConfigMap(false, "OverridesValid", "the overrides are in force")
		f.server.told()
		for i, want := range []v1.Event{
			{Type: "Warning", Reason: "BadAnnotation", Action: "Detect", Note: "kubernaut.io/toolset-port: expected a port"},
			{Type: "Normal", Reason: "OverridesValid", Action: "Publish", Note: "the overrides are in force"},
		} {
			got := f.server.events[i]
			if got.Type != want.Type || got.Reason != want.Reason || got.Action != want.Action || got.Note != want.Note {
				t.Errorf("event %d: %+v", i, got)
			}
			if got.Namespace != got.Regarding.Namespace || got.EventTime.IsZero() || got.ReportingInstance != "replica-1" {
				t.Errorf("event %d: %+v", i, got)
			}
			if e := validation.IsDNS1123Subdomain(got.Name); len(e) > 0 {
				t.Errorf("event %d: name %q %v", i, got.Name, e)
			}
			if e := validation.IsQualifiedName(got.ReportingController); len(e) > 0 {
				t.Errorf("event %d: reporting controller %q %v", i, got.ReportingController, e)
			}
		}
		if r := f.server.events[0].Regarding; r.Kind != "Service" || r.Name != "orders" || r.UID != "u1" || r.APIVersion != "v1" {
			t.Errorf("on %+v", r)
		}
		if r := f.server.events[1].Regarding; r.Kind != "ConfigMap" || r.Name != "kubernaut-toolset-config" || r.UID != "u2" {
			t.Errorf("on %+v", r)
		}
	})
}

func TestOncePerChange(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	test(t, func(t *testing.T, f *fixture) {
		orders := service("orders", "u1")
		for range 10 { // in every cycle
			f.Service(orders, true, "BadAnnotation", "bad port")
			<-time.After(time.Minute)
		}
		f.Service(orders, true, "BadAnnotation", "bad scheme") // another text, another reason, another object
		f.Service(orders, true, "NameTaken", "bad port")
		f.Service(service("orders", "u9"), true, "BadAnnotation", "bad port")
		want := []string{
			"shop/orders: BadAnnotation bad port", "shop/orders: BadAnnotation bad scheme",
			"shop/orders: NameTaken bad port", "shop/orders: BadAnnotation bad port",
		}
		expect(t, "told", f.server.told(), want...)

		f.Clear(orders) // it is right now, and then wrong again
		f.Clear(service("unknown", "u7"))
		<-time.After(time.Minute)
		f.Service(orders, true, "BadAnnotation", "bad port")
		f.Service(orders, true, "BadAnnotation", "bad port")
		want[0] += " x2"
		expect(t, "told after it came back", f.server.told(), want...)
	})
}

func TestConfigMapIsToldEachTime(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	test(t, func(t *testing.T, f *fixture) {
		for range 3 {
			f.ConfigMap(true, "OverridesInvalid", "line 3")
			<-time.After(time.Minute)
			f.ConfigMap(false, "OverridesValid", "in force")
			<-time.After(time.Minute)
		}
		line := "kubernaut-system/kubernaut-toolset-config: "
		expect(t, "told", f.server.told(), line+"OverridesInvalid line 3 x3", line+"OverridesValid in force x3")

		before := f.server.requests
		for range 1000 { // a loop of someone's making
			f.ConfigMap(true, "OverridesInvalid", "line 3")
		}
		synctest.Wait()
		if n := f.server.requests - before; n > 1 {
			t.Errorf("%d requests within a moment", n)
		}

		f.server.set(func(s *apiServer) { s.events = nil }) // the API server keeps Events for an hour
		<-time.After(time.Hour)
		f.ConfigMap(true, "OverridesInvalid", "line 3")
		expect(t, "told after an hour", f.server.told(), line+"OverridesInvalid line 3")
	})
}

// After a restart, and from the next leader, the same is not told twice.
func TestRestart(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	test(t, func(t *testing.T, f *fixture) {
		f.Service(service("orders", "u1"), true, "BadAnnotation", "bad port")
		f.server.told()
		f.restart()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go f.Run(ctx)
		f.Service(service("orders", "u1"), true, "BadAnnotation", "bad port")
		expect(t, "told", f.server.told(), "shop/orders: BadAnnotation bad port")
		if f.failed.Load() > 0 || f.log.Len() > 0 {
			t.Errorf("%d failed; logged %s", f.failed.Load(), f.log)
		}
	})
}

func TestOnlyTheLeader(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	test(t, func(t *testing.T, f *fixture) {
		f.leading.Store(false)
		f.Service(service("orders", "u1"), true, "BadAnnotation", "bad port")
		expect(t, "told by a follower", f.server.told())

		f.leading.Store(true)
		f.Service(service("orders", "u1"), true, "BadAnnotation", "bad port")
		expect(t, "told by the leader", f.server.told(), "shop/orders: BadAnnotation bad port")

		// Leadership lost while an Event waits.
		f.server.set(func(s *apiServer) { s.err = errors.New("connection refused") })
		f.Service(service("stock", "u2"), true, "BadAnnotation", "bad port")
		synctest.Wait()
		f.leading.Store(false)
		f.server.set(func(s *apiServer) { s.err = nil })
		<-time.After(time.Minute)
		expect(t, "told after the loss", f.server.told(), "shop/orders: BadAnnotation bad port")
		f.leading.Store(true)
		f.Service(service("stock", "u2"), true, "BadAnnotation", "bad port")
		expect(t, "told when leading again", f.server.told(), "shop/orders: BadAnnotation bad port", "shop/stock: BadAnnotation bad port")
	})
}

func TestAShortFailureLosesNothing(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	test(t, func(t *testing.T, f *fixture) {
		f.server.set(func(s *apiServer) { s.err = errors.New("connection reset") })
		f.Service(service("orders", "u1"), true, "BadAnnotation", "bad port")
		<-time.After(3 * time.Second)
		f.server.set(func(s *apiServer) { s.err = nil })
		<-time.After(3 * time.Second)
		expect(t, "told", f.server.told(), "shop/orders: BadAnnotation bad port")
		if f.failed.Load() > 0 || f.log.Len() > 0 {
			t.Errorf("%d failed; logged %s", f.failed.Load(), f.log)
		}
	})
}

func TestAway(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	for name, fail := range map[string]func(*apiServer){
		"refused": func(s *apiServer) { s.err = errors.New("connection refused") },
		"hangs":   func(s *apiServer) { s.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(t *testing.T, f *fixture) {
				f.server.set(fail)
				begin := time.Now()
				for i := range 3 * queued {
					f.Service(service(fmt.Sprint("s", i), fmt.Sprint("u", i)), true, "BadAnnotation", "bad port")
				}
				if took := time.Since(begin); took > 0 {
					t.Errorf("recording waited for %s", took)
				}
				<-time.After(time.Hour)
				if f.logged("event lost") != 1 || f.failed.Load() != 3*queued || f.logged("\n") != 1 {
					t.Errorf("%d lost, want %d; logged %s", f.failed.Load(), 3*queued, f.log)
				}
				f.server.set(func(s *apiServer) { s.err, s.hang = nil, false })
				f.Service(service("s1", "u1"), true, "BadAnnotation", "bad port") // lost before, so told now
				expect(t, "told", f.server.told(), "shop/s1: BadAnnotation bad port")
				if f.logged("events are written again") != 1 {
					t.Errorf("logged %s", f.log)
				}
			})
		})
	}
}

func TestRefused(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	test(t, func(t *testing.T, f *fixture) {
		f.server.set(func(s *apiServer) { s.err = apierrors.NewForbidden(resource, "x", errors.New("no rights")) })
		for range 10 {
			f.Service(service("orders", "u1"), true, "BadAnnotation", "bad port")
			<-time.After(time.Minute)
		}
		if f.logged("refused") != 1 || f.server.requests != 1 || f.failed.Load() != 1 {
			t.Errorf("%d requests, %d failed; logged %s", f.server.requests, f.failed.Load(), f.log)
		}
	})
}

// What owners of Services write is in the text.
func TestText(t *testing.T) {
	t.Attr("req", "DTS-ANN-2")
	t.Attr("req", "DTS-SEC-3")
	test(t, func(t *testing.T, f *fixture) {
		for i, text := range []string{
			"{{ env.TOKEN }} ${HOME}\n\x1b[31m\u202e http://user:secret@host",
			strings.Repeat("ä", 2000),
			strings.Repeat("x", 1023) + "ä",
			strings.Repeat("{", 2000),
			"\xff\xfe",
		} {
			f.Service(service(fmt.Sprint("s", i), fmt.Sprint("u", i)), true, "BadAnnotation", text)
		}
		f.ConfigMap(true, strings.Repeat("R", 300), "x")
		f.server.told()
		for _, e := range f.server.events {
			if err := safetext.Check(e.Note); err != nil || len(e.Note) > 1024 || !utf8.ValidString(e.Note) {
				t.Errorf("%d bytes: %q %v", len(e.Note), e.Note, err)
			}
			if len(e.Reason) > 128 {
				t.Errorf("reason of %d bytes", len(e.Reason))
			}
		}
		if len(f.server.events) != 6 {
			t.Errorf("%d events, want 6", len(f.server.events))
		}
	})
}

// Names of 253 characters leave no room for the key.
func TestEventName(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	k := keyOf(event{note: "x"})
	for _, object := range []string{"a", strings.Repeat("a", 253), strings.Repeat("a", 219) + "." + strings.Repeat("b", 33), strings.Repeat("a-", 126)} {
		if e := validation.IsDNS1123Subdomain(k.name(object)); len(e) > 0 {
			t.Errorf("%q: %v", k.name(object), e)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	m := newMemory(100)
	tell := func(uid, note string) {
		e := event{note: note}
		e.regarding.UID = types.UID(uid)
		if m.tell(keyOf(e), e, time.Now()) != 1 {
			t.Fatal("not told")
		}
	}
	for i := range 10_000 {
		tell(fmt.Sprint(i), "note")
		tell("one object", fmt.Sprint(i))
	}
	if objects, of := m.objects.Len(), len(m.of("one object")); objects != 100 || of > perObject {
		t.Errorf("%d objects and %d Events of one remembered, want 100 and at most %d", objects, of, perObject)
	}
}
