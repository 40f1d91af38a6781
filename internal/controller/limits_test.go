package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// crowd is what a controller decides about Services that all answer.
func crowd(t testing.TB, o inventory.Options, services []backend.Service) (*Controller, *Snapshot) {
	t.Helper()
	c, d := builtin(t)
	o.Type = c.Lookup
	var detections []inventory.Detection
	observations := map[backend.Key]backend.Observation{}
	for i := range services {
		s := &services[i]
		result := d.Detect(s, nil)
		detections = append(detections, inventory.Detection{Service: s, Result: result})
		for _, candidate := range result.Candidates {
			observations[candidate.Key()] = backend.Observation{Outcome: backend.Ready, Identity: true, Scheme: "http", At: time.Now()}
		}
	}
	given := o
	given.Type = nil // as the configuration gives them
	controller := New(fakeSource{store.New(store.Options{Relevant: d.Matters}), nil}, &fakeOutput{}, &fakeLeader{}, new(health.Monitor), Options{
		Catalog: c, Detector: d, Inventory: given, Toolset: toolset.Options{Types: c.Types}, Report: newLogged().Report,
	})
	return controller, &Snapshot{Findings: inventory.Build(detections, observations, o)}
}

func aged(s backend.Service, minutes int) backend.Service {
	s.Created = time.Date(2026, 1, 1, 0, minutes, 0, 0, time.UTC)
	return s
}

// A document that would be too large loses the newest backends of the namespace that takes the most, and nothing else.
func TestTooLargeIsMadeToFit(t *testing.T) {
	t.Attr("req", "DTS-OUT-11 DTS-SEC-3")
	note := strings.Repeat("x", 500)
	var services []backend.Service
	for i := range 3000 {
		services = append(services, aged(custom("evil", fmt.Sprintf("x%04d", i), note), i))
	}
	for i := range 20 {
		services = append(services, aged(custom("good", fmt.Sprintf("g%02d", i), note), 5000+i))
	}
	for i := range 100 {
		services = append(services, aged(custom("platform", fmt.Sprintf("t%02d", i), note), 6000+i))
	}
	metric := in("evil", prometheus("metrics"))
	services = append(services, aged(metric, 9000))
	c, s := crowd(t, inventory.Options{TrustedNamespaces: []string{"platform"}}, services)
	_, keys, err := c.fit(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes := publish.SizeOf(keys); bytes > publish.MaxBytes || bytes < publish.MaxBytes*8/10 {
		t.Errorf("%d bytes, want what fits into %d", bytes, publish.MaxBytes)
	}
	accepted := map[string]int{}
	newest, oldestOut := time.Time{}, time.Time{}
	for _, f := range s.Findings {
		switch {
		case f.Verdict == backend.Accepted:
			accepted[f.Namespace]++
			if f.Namespace == "evil" && f.Type == "custom" && f.Service.Created.After(newest) {
				newest = f.Service.Created
			}
		case f.Reason.Code.Limit() != backend.LimitSize || f.Verdict != backend.Rejected || f.Namespace != "evil":
			t.Fatalf("%s is %s: %s", f.Ref, f.Verdict, view.Reason(f))
		case oldestOut.IsZero() || f.Service.Created.Before(oldestOut):
			oldestOut = f.Service.Created
		}
	}
	if accepted["good"] != 20 || accepted["platform"] != 100 {
		t.Errorf("accepted: %v, want all of good and of platform", accepted)
	}
	if !newest.Before(oldestOut) {
		t.Errorf("one of %s is left out and one of %s is not: want the newest out first", oldestOut, newest)
	}
	if !slices.ContainsFunc(s.Findings, func(f *backend.Finding) bool { return f.Ref == metric.Ref && f.Verdict == backend.Accepted }) {
		t.Error("a first-class type is left out before an owner's own API")
	}
	if !slices.IsSortedFunc(s.Findings, func(a, b *backend.Finding) int {
		return slices.Index(backend.Verdicts, a.Verdict) - slices.Index(backend.Verdicts, b.Verdict)
	}) {
		t.Error("the findings are out of order")
	}
}

// The overrides that are restored with a deleted ConfigMap, or with one that was made again without them, take room too.
func TestRestoredOverridesFit(t *testing.T) {
	t.Attr("req", "DTS-OUT-8 DTS-OUT-11")
	var services []backend.Service
	for i := range 220 {
		services = append(services, aged(custom("evil", fmt.Sprintf("x%04d", i), strings.Repeat("x", 500)), i))
	}
	text := "# " + strings.Repeat("x", 350<<10) + "\n" + helm // which state.json has too
	for what, live := range map[string]*corev1.ConfigMap{"deleted": nil, "made again": configMap("b", "2", absent)} {
		c, s := crowd(t, inventory.Options{}, services)
		c.memory.overrides.observe(configMap("a", "1", text), nil)
		d, err := c.build(s, live)
		if err != nil {
			t.Fatal(err)
		}
		if d.Restore != text {
			t.Fatalf("%s: %d bytes are restored, want %d", what, len(d.Restore), len(text))
		}
		diff := publish.New(nil, publish.Options{}).Compare(live, d)
		if diff.Bytes > publish.MaxBytes || diff.Bytes < publish.MaxBytes*9/10 {
			t.Errorf("%s: %d bytes, want what fits into %d", what, diff.Bytes, publish.MaxBytes)
		}
	}
}

// Only what is not generated leaves no choice: then the last document stays.
func TestForeignKeysLeaveNoRoom(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	c, s := crowd(t, inventory.Options{}, []backend.Service{prometheus("a")})
	live := &corev1.ConfigMap{Data: map[string]string{"somebody-elses": strings.Repeat("x", publish.MaxBytes)}}
	_, keys, err := c.fit(s, live)
	if err != nil || s.Findings[0].Verdict != backend.Accepted || !strings.Contains(keys[toolset.KeyHolmesGPT], "ns/a") {
		t.Errorf("%s (%s), %v: want it in the document, which is too large to be written", s.Findings[0].Verdict, view.Reason(s.Findings[0]), err)
	}
}

// Of one namespace so many backends are published, the oldest first; what is left out is reported once.
func TestNamespaceLimit(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	o := Options{Inventory: inventory.Options{MaxPerNamespace: 3, TrustedNamespaces: []string{"platform"}}}
	start(t, nil, nil, true, o, func(r *rig) {
		for i := range 5 {
			r.world.Service(aged(custom("evil", fmt.Sprint("x", i), ""), 10-i))
			r.world.Service(aged(custom("platform", fmt.Sprint("x", i), ""), i))
		}
		pass(time.Second)
		r.expect(t, "the oldest", "custom/evil/x4:", "custom/evil/x2:", "-custom/evil/x1:", "-custom/evil/x0:", "custom/platform/x4:")
		pass(10 * time.Minute)
		if got := r.report.told("BackendsLeftOut"); len(got) != 1 || !strings.Contains(got[0], "namespace evil") {
			t.Errorf("Events: %q, want one about the namespace", got)
		}
		r.world.Freeze("evil")
		pass(time.Minute)
		if got := r.report.lines("no longer left out"); len(got) > 0 {
			t.Errorf("while nothing is known of the namespace: %q", got)
		}
		r.world.Thaw("evil")
		pass(time.Minute)
		r.remove("evil", "x4")
		pass(time.Second)
		r.expect(t, "there is room for another", "-custom/evil/x4:", "custom/evil/x1:")
	})
}

// A Service that is deleted and made again with the same wrong annotation is another one, whose Event takes its turn.
func TestComplaintsAboutWhatIsMadeAgainAreFew(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-ANN-1")
	const wrong = "kubernaut.io/toolset-port: expected a port"
	for name, tell := range map[string]func(r *Report, s *backend.Service){
		"by its owner": func(r *Report, s *backend.Service) { r.BadAnnotation(s, "prometheus", wrong) },
		"by another Service": func(r *Report, s *backend.Service) {
			r.Cycle(&Snapshot{Findings: []*backend.Finding{{
				Ref: s.Ref, Service: s, Type: "prometheus", Verdict: backend.Rejected, Reason: backend.Reason{Code: backend.CodeNameTaken},
			}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newLogged()
				for i := range 600 {
					s := &backend.Service{Ref: backend.Ref{Namespace: "evil", Name: "a"}, UID: fmt.Sprint("u", i)}
					tell(r.Report, s)
					tell(r.Report, s) // it is looked at again
					pass(time.Second)
				}
				if n := len(r.History.Since(0)); n < 24 || n > 26 {
					t.Errorf("%d Services are reported in ten minutes, want 6 and then 2 in each", n)
				}
			})
		})
	}
}

// What is left out depends on what is there now: a process that has run for long writes what one writes that was just
// started. It measures the backends anew only after a change.
func TestTooLargeIsAsAfterAStart(t *testing.T) {
	t.Attr("req", "DTS-OUT-11 DTS-OUT-5")
	var services []backend.Service
	for i := range 1500 {
		s := custom([]string{"a", "b", "c"}[i%3], fmt.Sprintf("x%04d", i), strings.Repeat("x", 500))
		services = append(services, aged(s, i))
	}
	running, s := crowd(t, inventory.Options{}, services)
	all := slices.Clone(s.Findings)
	describe := func(each, length int) func(int, *backend.Finding) {
		return func(i int, f *backend.Finding) {
			if i%each == 0 {
				f.Candidate.Description = strings.Repeat("x", length)
			}
		}
	}
	same := func(int, *backend.Finding) {}
	for _, step := range []struct {
		what   string
		change func(i int, f *backend.Finding)
	}{
		{"as at first", same},
		{"as before", same},
		{"a few notes are longer", describe(10, 580)},
		{"a few are gone", func(i int, f *backend.Finding) {
			if i%100 == 0 {
				f.Verdict = backend.Unavailable
			}
		}},
		{"and back", same},
		{"all notes are longer", describe(1, 1500)},
		{"all notes are short", describe(1, 1)},
		{"there is room for all", func(i int, f *backend.Finding) {
			if i%60 > 0 {
				f.Verdict = backend.Rejected
			}
		}},
	} {
		write := func(c *Controller) map[string]string {
			s.Findings = slices.Clone(all)
			for i, f := range all {
				f.Verdict, f.Reason = backend.Accepted, backend.Reason{}
				step.change(i, f)
			}
			_, keys, err := c.fit(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			return keys
		}
		measured := running.memory.left
		got := write(running)
		left, bytes, room := running.memory.left, publish.SizeOf(got), step.what == "there is room for all"
		fresh, _ := crowd(t, inventory.Options{}, nil)
		if want := write(fresh); !maps.Equal(got, want) {
			t.Errorf("%s: %d bytes, want the %d that a new process writes", step.what, bytes, publish.SizeOf(want))
		}
		if bytes > publish.MaxBytes || !room && bytes < publish.MaxBytes*9/10 || room != (left == nil) {
			t.Errorf("%s: %d bytes, want what fits into %d; left out: %t", step.what, bytes, publish.MaxBytes, left != nil)
		}
		if again := measured == nil || measured != left; again == (step.what == "as before") {
			t.Errorf("%s: measured again: %t", step.what, again)
		}
	}
}
