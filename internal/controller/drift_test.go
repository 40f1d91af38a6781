package controller

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Somebody who writes again and again is answered five times a minute, and then at each resync. What is new from us
// does not wait for that.
func TestRepairsAreLimited(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		vandalise := func(key, text string) {
			r.output.set(func(m map[string]string) map[string]string { m[key] = text; return m })
			pass(100 * time.Millisecond)
		}
		const key = "kubernetes-toolset.yaml"
		for n := range 5 {
			if vandalise(key, fmt.Sprint("vandal ", n)); strings.Contains(r.output.Live().Data[key], "vandal") {
				t.Fatalf("change %d was not repaired at once", n+1)
			}
		}
		if !r.notes.has("limited: " + key + " by vandal") {
			t.Errorf("nobody is told who it is: %q", r.notes.list)
		}
		writes := r.output.count()
		for n := range 20 {
			vandalise(key, fmt.Sprint("vandal ", n))
		}
		if got := r.output.count(); got != writes {
			t.Errorf("%d more repairs", got-writes)
		}
		vandalise(toolset.KeyHolmesGPT, "another key")
		r.expect(t, "another key is repaired at once", "kubernetes/core")
		pass(31 * time.Second)
		if got := r.output.Live().Data[key]; strings.Contains(got, "vandal") {
			t.Errorf("not repaired at a resync: %q", got)
		}
		// It has been repaired six times within the last minute, and nobody changes it now.
		r.output.mu.Lock()
		own := r.output.data[key]
		r.output.mu.Unlock()
		r.add("a")
		pass(time.Second)
		r.expect(t, "what is new is published at once", "ns/a")
		if own != r.output.Live().Data[key] {
			t.Errorf("%s is %q", key, r.output.Live().Data[key])
		}
	})
}

// While another writer keeps the document from being written, what is new is neither published nor reported as such.
func TestHeldDocumentIsNotInForce(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	t.Attr("req", "DTS-LOG-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		for n := range 6 {
			r.output.set(func(m map[string]string) map[string]string {
				m[toolset.KeyHolmesGPT] = fmt.Sprint("vandal ", n)
				return m
			})
			pass(100 * time.Millisecond)
		}
		r.notes.report.lines("")
		r.add("a")
		pass(2 * time.Second)
		r.expect(t, "held", "vandal", "-ns/a")
		if s := r.Snapshot(); s.InForce {
			t.Error("the document that is not there is in force")
		}
		if got := r.notes.report.lines("backend added"); len(got) > 0 {
			t.Errorf("reported before it is published: %q", got)
		}
		pass(31 * time.Second)
		r.expect(t, "after a resync", "-vandal", "ns/a")
		if got := r.notes.report.lines("backend added"); len(got) != 1 || !r.Snapshot().InForce {
			t.Errorf("reported %q, want it once when it is published", got)
		}
	})
}

// A ConfigMap that is deleted again and again is created five times within a minute, and then at each resync.
func TestRecreationsAreLimited(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		writes := r.output.count()
		for range 10 {
			r.output.set(func(map[string]string) map[string]string { return nil })
			pass(time.Second)
		}
		if n := r.output.count() - writes; n != 5 {
			t.Errorf("it is created again %d times, want 5", n)
		}
		told := 0
		for _, event := range events(r.notes.report) {
			if strings.HasPrefix(event, "RepairedTooOften: the whole ConfigMap is changed again and again:") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("Events %q, want one about the deletions", events(r.notes.report))
		}
		pass(30 * time.Second)
		if r.output.Live() == nil {
			t.Error("it is not created at a resync")
		}
	})
}

// While the watch of the ConfigMap is stuck, a deletion that only a write has shown is reported, and after a minute the
// ConfigMap is created with what is known of it.
func TestDeletionThatTheWatchDoesNotShow(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	t.Attr("req", "DTS-OUT-9")
	start(t, map[string]string{toolset.KeyOverrides: helm}, nil, true, Options{}, func(r *rig) {
		o, writes := r.output, r.output.count()
		shown := o.Live()
		o.mu.Lock()
		o.stuck, o.data, o.tries = shown, nil, 0
		o.mu.Unlock()
		r.add("a")
		pass(8 * time.Second)
		if r.notes.has("failed: ") {
			t.Errorf("reported before the watch had time: %q", r.notes.list)
		}
		pass(12 * time.Second)
		if s := r.Snapshot(); s.Err == nil || s.InForce || !r.notes.has("failed: the ConfigMap was deleted") {
			t.Errorf("nobody is told: %v, %q", s.Err, r.notes.list)
		}
		pass(30 * time.Second)
		o.mu.Lock()
		if o.tries > 10 || o.writes != writes {
			t.Errorf("%d tries and %d writes in 50 s", o.tries, o.writes-writes)
		}
		o.mu.Unlock()
		pass(45 * time.Second)
		if now := o.now(); now == nil || now.Data[toolset.KeyOverrides] != helm || !strings.Contains(now.Data[toolset.KeyHolmesGPT], "ns/a") {
			t.Errorf("after a minute and a half there is %+v", now)
		}
		failed := 0
		for _, event := range events(r.notes.report) {
			if strings.HasPrefix(event, "PublishFailed: ") {
				failed++
			}
		}
		if failed != 1 || r.Snapshot().Err != nil {
			t.Errorf("%d Events, want one; at last %v", failed, r.Snapshot().Err)
		}
	})
}

func TestBadAnnotationIsToldOncePerChange(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		annotate := func(value string) {
			s := backend.Service{Ref: backend.Ref{Namespace: "ns", Name: "odd"}, Ports: prometheus("x").Ports}
			if value != "" {
				s.Annotations = map[string]string{"kubernaut.io/toolset": value}
			}
			r.world.Service(s)
			pass(time.Second)
		}
		count := func(text string) int {
			r.notes.mu.Lock()
			defer r.notes.mu.Unlock()
			return strings.Count(strings.Join(r.notes.list, "\n"), text)
		}
		annotate("perhaps")
		annotate("maybe")
		if n := count("ns/odd: annotation kubernaut.io/toolset"); n != 2 {
			t.Errorf("two bad values were told %d times: %q", n, r.notes.list)
		}
		if n := count("ns/odd: mended"); n != 1 {
			t.Errorf("the first of two is over, which was told %d times", n)
		}
		annotate("") // nothing else about it is of interest
		if n := count("ns/odd: mended"); n != 2 {
			t.Errorf("the annotation removed was told %d times in all: %q", n, r.notes.list)
		}
		annotate("perhaps")
		r.world.Freeze("ns")
		annotate("")
		r.world.Thaw("ns")
		pass(time.Second)
		if n := count("ns/odd: mended"); n != 3 {
			t.Errorf("removed while the namespace could not be read, it was told %d times in all: %q", n, r.notes.list)
		}
	})
}

// An annotation that does not exist is told as a bad one is, of Services that are nothing too, and publishes and
// withdraws nothing.
func TestUnknownAnnotationIsTold(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		annotate := func(name string, s backend.Service, annotations map[string]string) {
			s.Ref, s.Annotations = backend.Ref{Namespace: "ns", Name: name}, annotations
			r.world.Service(s)
			pass(time.Second)
		}
		misspelt := map[string]string{"kubernaut.io/toolset-nmae": "orders"}
		good := prometheus("x")
		nothing := backend.Service{Ports: []backend.Port{{Name: "x", Number: 8080, Protocol: "TCP"}}}
		annotate("odd", nothing, misspelt)
		annotate("good", good, misspelt)
		r.expect(t, "it is published all the same", "ns/good", "-ns/odd")
		for _, name := range []string{"odd", "good"} {
			if text := "ns/" + name + ": annotation kubernaut.io/toolset-nmae: unknown, so it has no effect; did you mean kubernaut.io/toolset-name?"; !r.notes.has(text) {
				t.Errorf("want %q of %q", text, r.notes.list)
			}
		}
		annotate("odd", nothing, nil)
		annotate("good", good, nil)
		r.expect(t, "it stays", "ns/good")
		for _, name := range []string{"odd", "good"} {
			if !r.notes.has("ns/" + name + ": mended") {
				t.Errorf("%s: that it is over is not told: %q", name, r.notes.list)
			}
		}
	})
}

// A namespace that may not be watched keeps what is published of it, and nothing else waits for it.
func TestFrozenNamespace(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	var left map[string]string
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.add("a")
		custom := prometheus("runbooks")
		custom.Labels = nil
		custom.Annotations = map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "runbooks", "kubernaut.io/toolset-name": "books",
			"kubernaut.io/toolset-health-path": "/healthz", "kubernaut.io/toolset-description": `what to do at "night"`,
			"kubernaut.io/toolset-path": "/api",
		}
		r.world.Service(custom)
		silent := prometheus("silent")
		silent.Labels = nil
		silent.Annotations = map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "grafana", "kubernaut.io/toolset-health-endpoint": "none",
		}
		r.world.Service(silent)
		pass(time.Second)
		left = r.output.Live().Data
	})
	other := prometheus("other")
	other.Namespace = "elsewhere"
	start(t, maps.Clone(left), nil, true, Options{}, func(r *rig) {
		// start runs a second before this: what was published is gone, as nobody said that the namespace is forbidden.
		r.expect(t, "not forbidden", "-ns/a")
	})
	start(t, maps.Clone(left), []string{"forbidden: ns"}, true, Options{}, func(r *rig) {
		if n := r.output.count(); n != 0 {
			t.Errorf("%d writes, and nothing has changed:\n%s", n, r.document())
		}
		r.add("b") // seen in part
		r.world.Service(other)
		pass(time.Second)
		r.expect(t, "while it is forbidden", "name: ns/a\n", "custom/ns/books", "elsewhere/other", "-name: ns/b\n")
		if got := r.output.Live().Data["prometheus-toolset.yaml"]; !strings.Contains(got, "\n  url: http://a.ns") {
			t.Errorf("the primary moved:\n%s", got)
		}
		if s := r.Snapshot(); len(s.Frozen) != 1 || s.Frozen[0] != "ns" {
			t.Errorf("frozen: %q", s.Frozen)
		}
		pass(10 * time.Minute)
		r.expect(t, "for long", "name: ns/a\n", "custom/ns/books")
		r.add("a")
		r.world.Thaw("ns")
		pass(time.Second)
		r.expect(t, "when it is allowed", "name: ns/a\n", "ns/b", "-custom/ns/books", "elsewhere/other")
	})
	older := maps.Clone(left)
	older[toolset.KeyState] = strings.Replace(older[toolset.KeyState], `"name": "ns/books"`, `"name": "books"`, 1)
	start(t, older, []string{"forbidden: ns"}, true, Options{}, func(r *rig) {
		r.expect(t, "recorded by an older version", "name: ns/a\n", "custom/ns/books", "-custom/books")
	})
}
