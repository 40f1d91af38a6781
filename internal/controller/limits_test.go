package controller

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// crowd is what a controller decides about Services that all answer.
func crowd(t testing.TB, o inventory.Options, services []backend.Service) (*Controller, *Snapshot) {
	t.Helper()
	c, err := builtinCatalog()
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(c, detect.Options{})
	if err != nil {
		t.Fatal(err)
	}
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
	controller := New(fakeSource{store.New(store.Options{Relevant: d.Matters}), nil}, &fakeOutput{}, &fakeLeader{}, nil, Options{
		Catalog: c, Detector: d, Inventory: given, Toolset: toolset.Options{Types: c.Types}, Report: &notes{},
	})
	return controller, &Snapshot{Findings: inventory.Build(detections, observations, o)}
}

func aged(s backend.Service, minutes int) backend.Service {
	s.Created = time.Date(2026, 1, 1, 0, minutes, 0, 0, time.UTC)
	return s
}

// A document that would be too large loses the newest backends of the namespace that takes the most, and nothing else.
func TestTooLargeIsMadeToFit(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	t.Attr("req", "DTS-SEC-3")
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
	metric := prometheus("metrics")
	metric.Namespace = "evil"
	services = append(services, aged(metric, 9000))
	c, s := crowd(t, inventory.Options{TrustedNamespaces: []string{"platform"}}, services)
	began := time.Now()
	_, keys, err := c.fit(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fitted in %s", time.Since(began))
	bytes := 0
	for k, text := range keys {
		bytes += len(k) + len(text)
	}
	if bytes > publish.MaxBytes || bytes < publish.MaxBytes*8/10 {
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
	t.Attr("req", "DTS-OUT-8")
	t.Attr("req", "DTS-OUT-11")
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
		events := &recorded{}
		report := &Report{Metrics: uncounted{}, Events: events, History: new(Changes), Log: slog.New(slog.DiscardHandler)}
		for range 3 {
			report.Cycle(&Snapshot{Leading: true, Findings: r.Snapshot().Findings})
		}
		if len(events.configMap) != 1 || !strings.Contains(events.configMap[0], "namespace evil") {
			t.Errorf("Events: %q, want one about the namespace", events.configMap)
		}
		r.remove("evil", "x4")
		pass(time.Second)
		r.expect(t, "there is room for another", "-custom/evil/x4:", "custom/evil/x1:")
	})
}

// What is logged as added is published, and what could not be written is not.
func TestOnlyWhatIsPublishedIsLogged(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
		if !r.Snapshot().InForce {
			t.Error("what is published is not in force")
		}
		r.output.change(func(o *fakeOutput) { o.fail = publish.NewError(publish.OpApply, "refused", publish.ErrTooLarge) })
		r.add("b")
		pass(time.Second)
		s := r.Snapshot()
		if s.InForce {
			t.Fatal("what could not be written is in force")
		}
		var text strings.Builder
		report := &Report{Metrics: uncounted{}, Events: &recorded{}, History: new(Changes), Log: slog.New(slog.NewTextHandler(&text, nil))}
		report.Cycle(s)
		if strings.Contains(text.String(), "backend added") {
			t.Errorf("logged although it was not written:\n%s", text.String())
		}
		r.output.change(func(o *fakeOutput) { o.fail = nil })
		pass(time.Minute)
		report.Cycle(r.Snapshot())
		if n := strings.Count(text.String(), "backend added"); n != 2 {
			t.Errorf("%d backends logged as added, want 2:\n%s", n, text.String())
		}
	})
}

// A Service that is deleted and made again with the same wrong annotation is another one, whose Event takes its turn.
func TestComplaintsAboutWhatIsMadeAgainAreFew(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	t.Attr("req", "DTS-ANN-1")
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
			events := toldAbout{}
			r := newLogged()
			r.Events = events
			for i := range 20 {
				s := &backend.Service{Ref: backend.Ref{Namespace: "evil", Name: "a"}, UID: fmt.Sprint("u", i)}
				tell(r.Report, s)
				tell(r.Report, s) // it is looked at again
			}
			if len(events) != ownerBurst {
				t.Errorf("Events on %d Services, want %d", len(events), ownerBurst)
			}
		})
	}
}

// toldAbout are the UIDs of Services that Events are recorded on.
type toldAbout map[string]bool

func (toldAbout) ConfigMap(bool, string, string)                    {}
func (a toldAbout) Service(s *backend.Service, _ bool, _, _ string) { a[s.UID] = true }
func (toldAbout) Clear(*backend.Service)                            {}

// What had no room in a round has none in the next ones, and is measured anew where anything has changed.
func TestTooLargeIsMeasuredOnce(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	note := strings.Repeat("x", 500)
	var services []backend.Service
	for i := range 1500 {
		services = append(services, aged(custom("evil", fmt.Sprintf("x%04d", i), note), i))
	}
	c, s := crowd(t, inventory.Options{}, services)
	all := slices.Clone(s.Findings)
	round := func(change func(f *backend.Finding)) (bytes int, out map[backend.Ref]bool) {
		t.Helper()
		out = map[backend.Ref]bool{}
		for _, f := range all {
			f.Verdict, f.Reason = backend.Accepted, backend.Reason{}
			change(f)
		}
		_, keys, err := c.fit(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			if f.Reason.Code == backend.CodeDocumentSize {
				out[f.Ref] = true
			}
		}
		return publish.SizeOf(keys), out
	}
	as := func(*backend.Finding) {}
	first, out := round(as)
	measured := c.memory.left
	again, same := round(as)
	if first != again || !maps.Equal(out, same) || len(out) == 0 {
		t.Errorf("%d bytes without %d, then %d without %d: want the same", first, len(out), again, len(same))
	}
	if measured == nil || measured != c.memory.left {
		t.Error("it is measured again though nothing has changed")
	}
	for what, description := range map[string]string{"smaller": "x", "larger": strings.Repeat(note, 3)} {
		bytes, _ := round(func(f *backend.Finding) { f.Candidate.Description = description })
		if bytes > publish.MaxBytes || bytes < publish.MaxBytes*9/10 {
			t.Errorf("%s: %d bytes, want what fits into %d", what, bytes, publish.MaxBytes)
		}
	}
	bytes, out := round(func(f *backend.Finding) {
		if f.Service.Created.Minute() > 0 { // one of sixty is left
			f.Verdict = backend.Rejected
		}
	})
	if len(out) > 0 || bytes == 0 || c.memory.left != nil {
		t.Errorf("%d are left out where there is room", len(out))
	}
}
