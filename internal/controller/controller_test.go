package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// fakeSource is a World that is synced.
type fakeSource struct {
	*store.Store
	synced chan struct{}
}

func (s fakeSource) Synced() <-chan struct{} { return s.synced }
func (s fakeSource) Err() error              { return nil }

// fakeOutput is a ConfigMap in memory.
type fakeOutput struct {
	mu      sync.Mutex
	data    map[string]string // nil: there is none
	uid     types.UID
	version int
	gone    *corev1.ConfigMap
	written map[string]string // generated keys, as they were written last
	moved   chan struct{}
	writes  int
	terms   int
	fail    error
	stuck   *corev1.ConfigMap // what the watch shows for ever; nil: what there is
	tries   int
}

func (o *fakeOutput) Moved() <-chan struct{} { return o.moved }
func (o *fakeOutput) NewTerm()               { o.change(func(o *fakeOutput) { o.terms++ }) }
func (o *fakeOutput) Drifted(live *corev1.ConfigMap, _ publish.Desired) (list []publish.Drift) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, text := range o.written {
		if live.Data[k] != text {
			list = append(list, publish.Drift{Key: k, Manager: "vandal"})
		}
	}
	return list
}

func (o *fakeOutput) Live() *corev1.ConfigMap {
	o.mu.Lock()
	stuck := o.stuck
	o.mu.Unlock()
	if stuck != nil {
		return stuck
	}
	return o.now()
}

// now is what there is, whatever the watch shows.
func (o *fakeOutput) now() *corev1.ConfigMap {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.data == nil {
		return nil
	}
	return o.object(o.data)
}

func (o *fakeOutput) object(data map[string]string) *corev1.ConfigMap {
	meta := metav1.ObjectMeta{UID: o.uid, ResourceVersion: strconv.Itoa(100 + o.version)}
	return &corev1.ConfigMap{ObjectMeta: meta, Data: maps.Clone(data)}
}

func (o *fakeOutput) Gone() *corev1.ConfigMap {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone
}

// change changes the output.
func (o *fakeOutput) change(do func(o *fakeOutput)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do(o)
}

func (o *fakeOutput) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writes
}

func (o *fakeOutput) set(change func(map[string]string) map[string]string) {
	o.mu.Lock()
	o.version++
	if before := o.data; before != nil {
		if o.data = change(maps.Clone(before)); o.data == nil {
			o.gone = o.object(before)
		}
	} else {
		o.data = change(nil)
	}
	o.mu.Unlock()
	o.moved <- struct{}{}
}

func (o *fakeOutput) Publish(_ context.Context, build publish.Build) (publish.Result, error) {
	want, err := build(o.now())
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tries++
	if err != nil {
		return publish.Result{}, err
	}
	if o.fail != nil {
		return publish.Result{}, o.fail
	}
	created, held := o.data == nil, publish.Result{Held: want.Hold}
	if created && len(want.Hold) >= len(want.Keys) {
		return held, nil
	}
	next := maps.Clone(want.Keys)
	text, there := o.data[toolset.KeyOverrides]
	if !there {
		text = want.Restore
	}
	if text != "" {
		next[toolset.KeyOverrides] = text
	}
	var drifted []publish.Drift
	for k, was := range o.written {
		if now := o.data[k]; slices.Contains(want.Hold, k) {
			next[k] = now
		} else if now != was {
			drifted = append(drifted, publish.Drift{Key: k, Manager: "vandal"})
		}
	}
	if maps.Equal(next, o.data) {
		return held, nil
	}
	o.data, o.written = next, maps.Clone(want.Keys)
	o.writes++
	o.version++
	select {
	case o.moved <- struct{}{}:
	default:
	}
	return publish.Result{
		Written: true, Created: created, Drifted: drifted, Held: want.Hold,
		Live: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{UID: o.uid}},
	}, nil
}

type fakeLeader struct {
	leading atomic.Bool
	terms   atomic.Int64
	changed chan struct{}
}

func (l *fakeLeader) Changed() <-chan struct{} { return l.changed }
func (l *fakeLeader) Leading() bool            { return l.leading.Load() }
func (l *fakeLeader) Term() int                { return int(l.terms.Load()) }

// set begins another term, or ends the present one.
func (l *fakeLeader) set(leading bool) {
	if leading {
		l.terms.Add(1)
	}
	l.leading.Store(leading)
	l.changed <- struct{}{}
}

// fakeProber says what it is told of each Service; without a word, that it is ready.
type fakeProber struct {
	mu       sync.Mutex
	outcome  map[string]backend.Outcome
	version  string
	relative string            // the type that everything turns out to be
	types    map[string]string // the types that Services turn out to be
	empty    string            // the Service that has no data
	takes    time.Duration
	asked    int // probes
	denylist []string
}

// change changes what the prober says.
func (p *fakeProber) change(do func(p *fakeProber)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(p)
}

func (p *fakeProber) set(outcome map[string]backend.Outcome) {
	p.change(func(p *fakeProber) { p.outcome = outcome })
}

func (p *fakeProber) Probe(_ context.Context, t probe.Target) backend.Observation {
	p.mu.Lock()
	p.asked++
	takes := p.takes
	p.mu.Unlock()
	if t.Candidate.Service.Name == "slow" {
		takes = time.Minute
	}
	time.Sleep(takes) //nolint:forbidigo // on the clock of synctest
	p.mu.Lock()
	defer p.mu.Unlock()
	o := backend.Observation{Outcome: backend.Ready, Identity: true, Scheme: t.Candidate.Scheme, Path: t.Candidate.Path, At: time.Now()}
	o.Version, o.Type, o.NoData = p.version, p.relative, p.empty == t.Candidate.Service.Name
	o.Type = cmp.Or(p.types[t.Candidate.Service.Name], o.Type)
	if told := p.outcome[t.Candidate.Service.Name]; told != "" {
		o.Outcome = told
	}
	if !o.Outcome.Up() {
		o.Identity, o.Type = false, ""
	}
	return o
}

func (p *fakeProber) Denied(t probe.Target) (backend.Observation, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.denylist, t.Candidate.Service.Name) {
		return backend.Observation{}, false
	}
	return backend.Observation{Outcome: backend.Unreachable, Cause: backend.CauseDenied, Seen: backend.Seen{Code: backend.CodeNamesUnchecked}}, true
}

// rig is a controller with everything around it in memory.
type rig struct {
	*Controller
	world  *store.Store
	output *fakeOutput
	leader *fakeLeader
	prober *fakeProber
	report *logged
	ctx    context.Context // of the test, on synctest's clock
}

// builtinCatalog is read once: the tests start often.
var builtinCatalog = sync.OnceValues(catalog.Builtin)

func builtin(t testing.TB) (*catalog.Catalog, *detect.Detector) {
	t.Helper()
	c, err := builtinCatalog()
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(c, detect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c, d
}

// start runs a controller on synctest's clock while body runs.
//
// data is the ConfigMap that there is, there are the Services, and namespaces that may not be watched as "forbidden:
// NAME".
func start(t *testing.T, data map[string]string, there []string, leading bool, options Options, body func(r *rig)) {
	t.Helper()
	c, d := builtin(t)
	if options.Detector != nil {
		d = options.Detector
	}
	synctest.Test(t, func(t *testing.T) {
		r := &rig{
			world: store.New(store.Options{Relevant: d.Matters}), report: newLogged(),
			output: &fakeOutput{data: data, moved: make(chan struct{}, 8)},
			leader: &fakeLeader{changed: make(chan struct{}, 1)},
			prober: &fakeProber{outcome: map[string]backend.Outcome{}},
		}
		r.leader.leading.Store(leading)
		for _, name := range there {
			if namespace, ok := strings.CutPrefix(name, "forbidden: "); ok {
				r.world.Freeze(namespace)
			} else {
				r.add(name)
			}
		}
		synced := make(chan struct{})
		close(synced)
		monitor := health.New(r.prober, health.Options{Interval: 30 * time.Second, Threshold: 3, Concurrency: 8})
		options.Catalog, options.Detector = c, d
		options.Toolset = toolset.Options{Types: c.Types, Baseline: []string{"kubernetes/core"}, GenerationMarker: true}
		options.Settle, options.Interval, options.Resync = 250*time.Millisecond, 5*time.Minute, 30*time.Second
		options.Report = r.report.Report
		r.Controller = New(fakeSource{r.world, synced}, r.output, r.leader, monitor, options)
		ctx, stop := context.WithCancel(t.Context())
		r.ctx = ctx
		var running sync.WaitGroup
		running.Go(func() { monitor.Run(ctx) })
		running.Go(func() { r.Run(ctx) })
		pass(time.Second)
		body(r)
		stop()
		running.Wait()
	})
}

func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // on the clock of synctest
	synctest.Wait()
}

func (r *rig) add(name string) { r.world.Service(prometheus(name)) }

func (r *rig) remove(namespace, name string) {
	r.world.DeleteService(backend.Ref{Namespace: namespace, Name: name})
}

func prometheus(name string) backend.Service {
	return backend.Service{
		Ref: backend.Ref{Namespace: "ns", Name: name}, ClusterIP: "10.0.0.1",
		Labels: map[string]string{"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "server"},
		Ports:  []backend.Port{{Name: "http", Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(9090)}},
	}
}

// plain is a Service that no type matches.
func plain(name string) backend.Service {
	s := prometheus(name)
	s.Labels = nil
	return s
}

// in is the Service in another namespace.
func in(namespace string, s backend.Service) backend.Service {
	s.Namespace = namespace
	return s
}

// finding is an accepted backend of the Service.
func finding(s backend.Service, typ string) *backend.Finding {
	return &backend.Finding{
		Ref: s.Ref, Service: &s, Type: typ, Verdict: backend.Accepted, Candidate: &backend.Candidate{Service: &s, Type: typ},
	}
}

func (r *rig) document() string { return r.output.Live().Data[toolset.KeyHolmesGPT] }

func (r *rig) expect(t *testing.T, what string, want ...string) {
	t.Helper()
	text := r.document()
	for _, w := range want {
		w, unwanted := strings.CutPrefix(w, "-")
		if strings.Contains(text, w) == unwanted {
			t.Errorf("%s: %q in the document: want the opposite:\n%s", what, w, text)
		}
	}
}

func TestChangesArePublished(t *testing.T) {
	t.Attr("req", "DTS-RUN-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.expect(t, "at first", "kubernetes/core")
		for i := range 20 { // a burst is one write
			r.add(fmt.Sprintf("p%d", i))
		}
		before := r.output.count()
		pass(time.Second)
		r.expect(t, "after a burst", "ns/p0", "ns/p19")
		if n := r.output.count() - before; n > 2 {
			t.Errorf("a burst of twenty Services led to %d writes", n)
		}
		r.remove("ns", "p0")
		pass(time.Second)
		r.expect(t, "after a deletion", "-name: ns/p0\n", "ns/p1")
		before = r.output.count()
		pass(10 * time.Minute)
		if r.output.count() != before {
			t.Errorf("ten quiet minutes led to %d writes", r.output.count()-before)
		}
	})
}

// What no event tells of is seen by the next full discovery.
func TestMissedChangesAreDiscovered(t *testing.T) {
	t.Attr("req", "DTS-RUN-1")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		name := ""
		for i := 0; name == ""; i++ { // until this test takes the change before the controller does
			r.add(fmt.Sprint("p", i))
			if missed := r.world.Take(); len(missed) > 0 {
				name = missed[0].Ref.String()
			}
		}
		pass(4 * time.Minute)
		r.expect(t, "before the discovery", "-"+name)
		pass(time.Minute)
		r.expect(t, "after it", name)
	})
}

func TestRestartWithdrawsNothing(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	var left map[string]string
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.add("a")
		r.add("b")
		pass(time.Second)
		left = r.output.Live().Data
	})
	dead := map[string]backend.Outcome{"a": backend.Unreachable}
	start(t, maps.Clone(left), []string{"a", "b"}, true, Options{}, func(r *rig) {
		r.prober.set(dead)
		pass(20 * time.Second)
		if n := r.output.count(); n != 0 {
			t.Errorf("a restart led to %d writes", n)
		}
		pass(2 * time.Minute)
		r.expect(t, "after three failures", "-ns/a", "ns/b")
	})
	left[toolset.KeyState] = "{"
	start(t, left, []string{"a", "b"}, true, Options{}, func(r *rig) {
		r.expect(t, "its record cannot be read", "ns/a", "ns/b")
		log := r.report.lines("")
		count := func(text string) int { return strings.Count(strings.Join(log, ""), text) }
		if n := r.output.count(); n != 1 || count("recorded state not readable") != 1 || count("backend withdrawn") > 0 {
			t.Errorf("%d writes, want that of the record alone: %q", n, log)
		}
	})
}

// Another replica may have led and written between two terms, of which the loop saw neither the end nor the beginning.
func TestTermThatNobodySaw(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
		before := r.output.terms
		r.leader.set(true)
		pass(time.Second)
		if n := r.output.terms - before; n != 1 {
			t.Errorf("it began %d terms, want 1", n)
		}
		r.leader.changed <- struct{}{}
		pass(time.Second)
		if n := r.output.terms - before; n != 1 {
			t.Errorf("it began %d terms for one of the leader's, want 1", n)
		}
	})
}

func TestFollowerWritesNothing(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	start(t, nil, nil, false, Options{}, func(r *rig) {
		asked := func(d time.Duration) (n int) {
			r.prober.change(func(p *fakeProber) { n = -p.asked })
			pass(d)
			r.prober.change(func(p *fakeProber) { n += p.asked })
			return n
		}
		r.add("a")
		if n := asked(270 * time.Second); n != 3 { // the first time, and every two minutes
			t.Errorf("a follower asks %d times, want a quarter as often as a leader", n)
		}
		if r.output.count() != 0 {
			t.Fatalf("a follower wrote %d times", r.output.count())
		}
		if s := r.Snapshot(); s == nil || len(s.Findings) != 1 || s.Leading {
			t.Errorf("a follower knows %+v", s)
		}
		r.leader.set(true)
		pass(time.Second)
		r.expect(t, "after taking over", "ns/a")
		if n := asked(180 * time.Second); n < 5 || n > 8 {
			t.Errorf("a leader asks %d times in 180 s, want once in 30 s", n)
		}
		writes := r.output.count()
		r.leader.set(false)
		r.add("b")
		pass(5 * time.Minute)
		if r.output.count() != writes {
			t.Error("it writes after losing the lease")
		}
	})
}

// Who begins to lead tells owners what it has seen before: the recorder drops what a follower tells.
func TestNewLeaderTellsOwners(t *testing.T) {
	t.Attr("req", "DTS-ANN-1 DTS-RUN-2")
	start(t, nil, nil, false, Options{}, func(r *rig) {
		odd, told := plain("odd"), r.report.Events.(*recorded)
		odd.Annotations = map[string]string{"kubernaut.io/toolset": "perhaps"}
		r.world.Service(odd)
		pass(time.Minute)
		told.take()
		r.leader.set(true)
		pass(time.Second)
		if events := told.take(); len(events) != 1 || !strings.HasPrefix(events[0], "odd BadAnnotation") {
			t.Errorf("the new leader tells %q", events)
		}
	})
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	start(t, nil, nil, true, Options{DryRun: true}, func(r *rig) {
		r.add("a")
		pass(time.Minute)
		if r.output.count() != 0 || !strings.Contains(r.Snapshot().Keys[toolset.KeyHolmesGPT], "ns/a") {
			t.Errorf("wrote %d times, knows %v", r.output.count(), r.Snapshot().Keys)
		}
	})
}

// While nothing can be written, that is reported, nothing new counts as published, and the loop goes on.
func TestFailedWriteIsTriedAgain(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-LOG-1")
	var beat atomic.Int64
	start(t, nil, []string{"a"}, true, Options{Beat: func() { beat.Store(time.Now().UnixNano()) }}, func(r *rig) {
		added := func(what, want string) {
			t.Helper()
			if got := r.report.lines("backend added"); len(got) != 1 || !strings.Contains(got[0], want) {
				t.Errorf("%s: %q is logged, want one line with %s", what, got, want)
			}
		}
		r.output.change(func(o *fakeOutput) { o.fail = errors.New("the API server is away") })
		r.add("b")
		pass(10 * time.Second)
		if s := r.Snapshot(); s.Err == nil || s.InForce || len(r.report.told("PublishFailed")) != 1 {
			t.Error("nobody is told that nothing can be written")
		}
		if time.Since(time.Unix(0, beat.Load())) > 2*time.Second {
			t.Error("the loop stands still")
		}
		added("while it is away", "service=a ")
		r.output.change(func(o *fakeOutput) { o.fail = nil })
		pass(31 * time.Second)
		r.expect(t, "when it is back", "ns/b")
		added("when it is back", "service=b ")
	})
}

func TestUnknownPastIsNotEmptied(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	old := map[string]string{toolset.KeyHolmesGPT: "toolsets: {old: {}}\n", toolset.KeyState: "rubbish"}
	start(t, old, []string{"slow", "quick"}, true, Options{}, func(r *rig) {
		r.expect(t, "while one backend has not answered", "old")
		pass(5 * time.Second)
		r.expect(t, "when all had their time", "-old", "ns/quick", "-ns/slow")
	})
}
