package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// large is a Service of a quarter of what is kept, the older the lower its number.
func large(i int) backend.Service {
	return backend.Service{
		Ref: ref(fmt.Sprintf("s%02d", i)), Created: time.Unix(int64(1000+i), 0), Type: "ClusterIP", ClusterIP: "10.0.0.1",
		Labels: map[string]string{"app": strings.Repeat("x", backend.MaxServices/4-1000)}, Selector: map[string]string{},
	}
}

// inFull are the Services that are kept so.
func inFull(w *Store) (names []string) {
	for _, s := range w.Services() {
		if s.Bared == 0 && s.Labels["app"] != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// What is kept of one namespace's Services is bounded, and the oldest are, in whatever order they come. Other namespaces are as
// ever, and when there is room again the others are read.
func TestServicesOfANamespaceAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for seed := range uint64(5) {
		servicesOfANamespaceAreBounded(t, rand.New(rand.NewPCG(1, seed)).Perm(20))
	}
}

func servicesOfANamespaceAreBounded(t *testing.T, order []int) {
	t.Helper()
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Labels["app"] != "" || s.Bared > 0 }})
	for _, i := range order {
		w.Service(large(i))
	}
	other := large(50)
	other.Namespace = "other"
	w.Service(other)
	oldest := []string{"s00", "s01", "s02", "s03"}
	if d := cmp.Diff(append(slices.Clone(oldest), "s50"), inFull(w)); d != "" {
		t.Fatalf("they come in the order %v (-want +got):\n%s", order, d)
	}
	for _, s := range w.Services()[4:20] {
		if s.Bared == 0 || s.Labels != nil || s.Selector != nil || s.ClusterIP == "" || s.Created.IsZero() {
			t.Errorf("of one that is not kept in full there is %+v", s)
		}
	}
	if got := taken(w); len(got) != 21 {
		t.Errorf("%d of them are told", len(got))
	}

	// The same again is no change, and a small newcomer has no place before those that wait.
	w.Service(large(10))
	w.Service(large(1))
	if got := taken(w); got != nil {
		t.Errorf("the same again changes %v", got)
	}
	small := backend.Service{Ref: ref("t"), Created: time.Unix(5000, 0), Labels: map[string]string{"app": "x"}}
	w.Service(small)
	if d := cmp.Diff([]string{"t"}, taken(w)); d != "" || w.IsBare(ref("s00")) || !w.IsBare(ref("t")) || missing(w) != nil {
		t.Errorf("a newcomer (-want +got):\n%s", d)
	}

	// One that grows takes the place of the youngest. When it is as before, that is read.
	grown := large(0)
	grown.Labels["more"] = strings.Repeat("x", 1000)
	w.Service(grown)
	if d := cmp.Diff([]string{"s00", "s03"}, taken(w)); d != "" {
		t.Errorf("one grows (-want +got):\n%s", d)
	}
	w.Service(large(0))
	if d := cmp.Diff([]backend.Ref{ref("s03")}, missing(w)); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	refilled(t, w, large(3))
	if d := cmp.Diff(append(slices.Clone(oldest), "s50"), inFull(w)); d != "" {
		t.Errorf("read again (-want +got):\n%s", d)
	}
	taken(w)

	// Those that are deleted make room, for one after the other.
	w.DeleteService(ref("s00"))
	w.Service(backend.Service{Ref: ref("s01")}) // nothing
	for i := range 2 {
		if d := cmp.Diff([]backend.Ref{ref(fmt.Sprintf("s%02d", 4+i))}, missing(w)); d != "" {
			t.Errorf("missing (-want +got):\n%s", d)
		}
		refilled(t, w, large(4+i))
	}
	if d := cmp.Diff([]string{"s02", "s03", "s04", "s05", "s50"}, inFull(w)); d != "" || missing(w) != nil {
		t.Errorf("-want +got:\n%s", d)
	}
	if d := cmp.Diff([]string{"s00", "s01", "s04", "s05"}, taken(w)); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
	for _, s := range w.Services() {
		w.DeleteService(s.Ref)
	}
	if len(w.shares)+len(w.lanes) != 0 {
		t.Errorf("left behind: %v, %v", w.shares, w.lanes)
	}
}

// Services that say next to nothing are bounded in number, because later stages keep more of each than it has.
func TestSmallServicesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := New(Options{Relevant: func(*backend.Service) bool { return true }})
	for i := range 7_000 {
		w.Service(backend.Service{Ref: ref(fmt.Sprint("s", i)), Labels: map[string]string{"app": "prometheus"}})
	}
	if n := len(inFull(w)); n < 5_000 || n > 6_000 {
		t.Errorf("%d are kept in full", n)
	}
}

// refilled has a Service read whose turn it is.
func refilled(t *testing.T, w *Store, s backend.Service) {
	t.Helper()
	next, ok := w.NextMissing()
	if !ok || next != s.Ref || !w.IsBare(next) {
		t.Fatalf("%v is read", next)
	}
	w.Fill(next, &s, nil)
}

// What was read of a Service while it changed may be old.
func TestBareServiceThatChangesIsReadAgain(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Labels["app"] != "" || s.Bared > 0 }})
	for i := range 6 {
		w.Service(large(i))
	}
	w.DeleteService(ref("s00"))
	next, _ := w.NextMissing()
	again := large(0)
	w.Service(again) // as old, so that there is no room
	now := large(4)
	now.ClusterIP = "10.0.0.2"
	w.Service(now)
	w.DeleteService(ref("s00"))
	old := large(4)
	w.Fill(next, &old, nil)
	if d := cmp.Diff([]backend.Ref{ref("s04")}, missing(w)); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	refilled(t, w, now)
	if s, _ := w.Get(ref("s04")); s.Bared > 0 || s.ClusterIP != "10.0.0.2" {
		t.Errorf("it is %q", s.ClusterIP)
	}
}

// A reader of a list knows of older ones that are not kept before the store does.
func TestNoneIsKeptBeforeAnOlderOne(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Labels["app"] != "" || s.Bared > 0 }})
	w.Service(large(7))
	w.Service(large(8))
	listed := large(6)
	listed = bare(&listed)
	w.Service(listed)
	w.Service(large(5))
	if d := cmp.Diff([]string{"s05"}, inFull(w)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for i := 6; i < 9; i++ {
		refilled(t, w, large(i))
	}
	if d := cmp.Diff([]string{"s05", "s06", "s07", "s08"}, inFull(w)); d != "" || missing(w) != nil {
		t.Errorf("-want +got:\n%s", d)
	}
}

// Ten thousand Services of one namespace that look like backends, as charts write them, are kept; those that are nothing
// take no room; and files are the admin's.
func TestUsualServicesFit(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	w := New(Options{Relevant: func(s *backend.Service) bool { return s.Labels["helm.sh/chart"] != "" || s.Bared > 0 }})
	for i := range 11_000 {
		name := fmt.Sprintf("prometheus-%05d", i)
		s := backend.Service{
			Ref: ref(name), ClusterIP: "10.0.0.1", Created: time.Unix(int64(i), 0),
			Labels: map[string]string{
				"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/instance": name, "app.kubernetes.io/version": "v3.5.0",
				"app.kubernetes.io/component": "server", "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "prometheus-27.1.0",
			},
			Selector: map[string]string{"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/instance": name},
			Ports:    []backend.Port{{Name: "http", Number: 80, Protocol: "TCP"}, {Name: "reloader", Number: 8080, Protocol: "TCP"}},
		}
		if i%2 == 0 {
			s.Labels = nil
		}
		w.Service(s)
	}
	if n := len(w.Services()); n != 5_500 || w.Count() != 11_000 {
		t.Errorf("%d are something, of %d", n, w.Count())
	}
	for _, s := range w.Services() {
		if s.Bared > 0 {
			t.Fatalf("%s is not kept, of %d bytes", s.Ref, s.Bared)
		}
	}
	files := New(Options{Relevant: func(*backend.Service) bool { return true }, Unbounded: true})
	for i := range 20 {
		files.Service(large(i))
	}
	if n := len(inFull(files)); n != 20 {
		t.Errorf("of 20 Services of files %d are kept", n)
	}
}
