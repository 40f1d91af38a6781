package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

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
		if told := r.report.told("RepairedTooOften"); len(told) != 1 || !strings.Contains(told[0], key+" is changed again and again by vandal") {
			t.Errorf("nobody is told who it is: %q", told)
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
		own := r.output.now().Data[key]
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
	t.Attr("req", "DTS-OUT-8 DTS-LOG-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		for n := range 6 {
			r.output.set(func(m map[string]string) map[string]string {
				m[toolset.KeyHolmesGPT] = fmt.Sprint("vandal ", n)
				return m
			})
			pass(100 * time.Millisecond)
		}
		r.report.lines("")
		r.add("a")
		pass(2 * time.Second)
		r.expect(t, "held", "vandal", "-ns/a")
		if s := r.Snapshot(); s.InForce {
			t.Error("the document that is not there is in force")
		}
		if got := r.report.lines("backend added"); len(got) > 0 {
			t.Errorf("reported before it is published: %q", got)
		}
		pass(31 * time.Second)
		r.expect(t, "after a resync", "-vandal", "ns/a")
		if got := r.report.lines("backend added"); len(got) != 1 || !r.Snapshot().InForce {
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
		told := r.report.told("RepairedTooOften")
		if len(told) != 1 || !strings.Contains(told[0], "the whole ConfigMap is changed again and again:") {
			t.Errorf("Events %q, want one about the deletions", told)
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
	t.Attr("req", "DTS-OUT-8 DTS-OUT-9")
	start(t, map[string]string{toolset.KeyOverrides: helm}, nil, true, Options{}, func(r *rig) {
		o, writes := r.output, r.output.count()
		shown := o.Live()
		o.change(func(o *fakeOutput) { o.stuck, o.data, o.tries = shown, nil, 0 })
		r.add("a")
		pass(8 * time.Second)
		if told := r.report.told("PublishFailed"); len(told) > 0 {
			t.Errorf("reported before the watch had time: %q", told)
		}
		pass(12 * time.Second)
		if s := r.Snapshot(); s.Err == nil || s.InForce || len(r.report.told("PublishFailed")) != 1 {
			t.Errorf("nobody is told: %v", s.Err)
		}
		pass(30 * time.Second)
		o.change(func(o *fakeOutput) {
			if o.tries > 10 || o.writes != writes {
				t.Errorf("%d tries and %d writes in 50 s", o.tries, o.writes-writes)
			}
		})
		pass(45 * time.Second)
		if now := o.now(); now == nil || now.Data[toolset.KeyOverrides] != helm || !strings.Contains(now.Data[toolset.KeyHolmesGPT], "ns/a") {
			t.Errorf("after a minute and a half there is %+v", now)
		}
		if failed := r.report.told("PublishFailed"); len(failed) != 1 || r.Snapshot().Err != nil {
			t.Errorf("Events %q, want one; at last %v", failed, r.Snapshot().Err)
		}
	})
}

// Wrong and unknown annotations are reported once per change, also of Services that no type matches, and when they are
// corrected, even while the namespace cannot be read. An unknown one has no effect.
func TestBadAnnotationIsToldOncePerChange(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		annotate := func(s backend.Service, name, value string) {
			if name != "" {
				s.Annotations = map[string]string{"kubernaut.io/" + name: value}
			}
			r.world.Service(s)
			pass(time.Second)
		}
		told := func(want ...string) {
			t.Helper()
			if events := r.report.Events.(*recorded).take(); !slices.EqualFunc(events, want, strings.HasPrefix) {
				t.Errorf("told %q, want %q", events, want)
			}
		}
		odd, shop, good := plain("odd"), plain("shop"), prometheus("good")
		odd.Ports = []backend.Port{{Name: "x", Number: 8080, Protocol: "TCP"}}
		shop.Ports = odd.Ports
		const bad = "odd BadAnnotation: annotation kubernaut.io/toolset"
		const unknown = " BadAnnotation: annotation kubernaut.io/toolset-nmae: unknown, so it has no effect; did you mean kubernaut.io/toolset-name?"
		annotate(odd, "toolset", "perhaps")
		told(bad)
		annotate(odd, "toolset", "maybe")
		told("odd clear", bad)
		annotate(odd, "", "") // nothing else about it is of interest
		told("odd clear")
		annotate(shop, "toolset-nmae", "orders")
		annotate(good, "toolset-nmae", "orders")
		told("shop"+unknown, "good"+unknown)
		r.expect(t, "it is published all the same", "ns/good", "-ns/shop")
		r.world.Freeze("ns")
		annotate(shop, "", "")
		annotate(good, "", "")
		told()
		r.world.Thaw("ns")
		pass(time.Second)
		told("good clear", "shop clear")
		r.expect(t, "it stays", "ns/good")
	})
}

// Whose a key is that has the name of a configured one, or of one that was.
func TestWhoseKey(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	doc, err := toolset.Build(nil, toolset.Options{Own: toolset.OwnKeys{"k": map[string]any{"a": "b"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := doc.Keys()
	if err != nil {
		t.Fatal(err)
	}
	text, binary := &corev1.ConfigMap{Data: map[string]string{"k": "x"}}, &corev1.ConfigMap{BinaryData: map[string][]byte{"k": {1}}}
	generated := &corev1.ConfigMap{Data: map[string]string{"k": keys["k"]}}
	for _, c := range []struct {
		name                 string
		configured, recorded bool
		live                 *corev1.ConfigMap
		want                 string
	}{
		{"no ConfigMap", true, false, nil, "own"},
		{"no such key", true, false, &corev1.ConfigMap{}, "own"},
		{"by hand", true, false, text, "taken"},
		{"by hand, in binaryData", true, false, binary, "taken"},
		{"ours, and the record is lost", true, false, generated, "own"},
		{"changed", true, true, text, "own"},
		{"moved", true, true, binary, "own"},
		{"no longer configured", false, true, generated, "own"},
		{"no longer configured, and written by hand since", false, true, text, ""},
		{"no longer configured, and gone", false, true, &corev1.ConfigMap{}, ""},
		{"never configured", false, false, generated, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Controller
			if c.configured {
				r.opts.Toolset.Own = toolset.OwnKeys{"k": nil}
			}
			if c.recorded {
				r.memory.keys = []string{"k"}
			}
			own, taken := r.ownKeys(c.live)
			got := strings.Repeat("own", len(own)) + strings.Repeat("taken", len(taken))
			if got != c.want {
				t.Errorf("own %v, taken %v; want %q", own, taken, c.want)
			}
		})
	}
}
