package controller

import (
	"fmt"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// How often the Services of one owner may change what is published (DTS-PRB-7). Each change makes the agent rebuild its
// tools. A withdrawal is never delayed.
const (
	flapWindow = time.Minute
	flapLimit  = 3                // publications of a Service within flapWindow before it has to stay the same for a while
	firstQuiet = 30 * time.Second // how long that is at first; twice as long each further time
	longQuiet  = 10 * time.Minute // at most
	forgotten  = 2 * longQuiet    // without a change, after which the past counts no more

	budgetBurst = 60              // publications of one namespace at once
	budgetWait  = 2 * time.Second // between two more of them
)

// damper decides which candidates may be published now. It is for one goroutine.
type damper struct {
	trusted func(namespace string) bool // has no budget

	published  map[backend.Key]publication
	candidates map[backend.Key]publication // what each would be published as, and since when
	services   map[backend.Ref]*flapping
	namespaces map[string]*flapping
	budgets    limiters[string] // of publications, by namespace
}

func newDamper(trusted func(namespace string) bool) damper {
	return damper{trusted: trusted, budgets: limiters[string]{burst: budgetBurst, wait: budgetWait}}
}

// publication is what a candidate is written as: everything of it that the keys hold.
type publication struct {
	text  string // "" if another process wrote it: anything is the same then
	since time.Time
}

func (p publication) is(text string) bool { return p.text == text || p.text == "" }

// recall takes in what another process, or another replica, has published: that it is published still is no change.
func (d *damper) recall(list []publish.Instance) {
	d.published = map[backend.Key]publication{}
	for i := range list {
		d.published[backend.Key{Ref: list[i].Service, Type: list[i].Type}] = publication{}
	}
}

// publishes reports whether a candidate is published.
func (d *damper) publishes(key backend.Key) bool {
	_, ok := d.published[key]
	return ok
}

// hold keeps what changes too often from being published for now, among findings that are judged. It returns when the first
// of them may be published; 0 for not before something changes.
func (d *damper) hold(now time.Time, findings []*backend.Finding) (again time.Duration) {
	left := map[string]int{} // publications that each namespace may still make
	candidates := map[backend.Key]publication{}
	wait := func(f *backend.Finding, until time.Duration, why string) {
		f.Verdict, f.Reason = backend.Unavailable, why
		again = sooner(again, until)
	}
	for _, f := range findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key, text := f.Candidate.Key(), inventory.Text(f)
		c := d.candidates[key]
		if c.text != text {
			c = publication{text, now}
		}
		candidates[key] = c
		if p, ok := d.published[key]; ok && p.is(text) {
			continue
		}
		what, quiet := "it changes", d.services[f.Ref].quiet(now)
		if whole := d.namespaces[f.Namespace].quiet(now); whole > quiet {
			what, quiet = "what its namespace publishes changes", whole
		}
		if rest := quiet - now.Sub(c.since); rest > 0 {
			wait(f, rest, fmt.Sprintf("%s too often: it is published when it has stayed as it is for %s", what, quiet))
			continue
		}
		if !d.pays(f) {
			continue
		}
		if _, counted := left[f.Namespace]; !counted {
			left[f.Namespace] = d.budgets.left(f.Namespace, now)
		}
		if left[f.Namespace]--; left[f.Namespace] < 0 {
			wait(f, budgetWait, fmt.Sprintf("its namespace has published too much lately: at most %d backends at once, and then one every %s",
				budgetBurst, budgetWait))
		}
	}
	d.candidates = candidates
	return again
}

// pays reports whether publishing it counts against the budget of its namespace. What wants credentials is published only
// where the configuration says so.
func (d *damper) pays(f *backend.Finding) bool {
	return f.Observation.Outcome != backend.AuthRequired && !d.trusted(f.Namespace)
}

// enter notes what is published by now.
func (d *damper) enter(now time.Time, findings []*backend.Finding) {
	after := map[backend.Key]publication{}
	restless := map[string]bool{} // namespaces that changed what they had published a short time ago
	changed := map[backend.Ref]bool{}
	for _, f := range findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key, text := f.Candidate.Key(), inventory.Text(f)
		p, known := d.published[key]
		if known && p.is(text) {
			after[key] = publication{text, p.since}
			continue
		}
		after[key] = publication{text, now}
		changed[f.Ref] = true // once, however many backends it fronts
		if known && now.Sub(p.since) < flapWindow {
			restless[f.Namespace] = true
		}
		if d.pays(f) {
			d.budgets.take(f.Namespace, now)
		}
	}
	for key, p := range d.published {
		if _, still := after[key]; !still && now.Sub(p.since) < longQuiet {
			restless[key.Namespace] = true
		}
	}
	for ref := range changed {
		d.service(ref).enter(now)
	}
	for namespace := range restless {
		if !d.trusted(namespace) {
			d.namespace(namespace).enter(now)
		}
	}
	d.published = after
	d.forget(now)
}

func (d *damper) service(ref backend.Ref) *flapping {
	if d.services == nil {
		d.services = map[backend.Ref]*flapping{}
	}
	return entryOf(d.services, ref)
}

func (d *damper) namespace(name string) *flapping {
	if d.namespaces == nil {
		d.namespaces = map[string]*flapping{}
	}
	return entryOf(d.namespaces, name)
}

func entryOf[K comparable](m map[K]*flapping, key K) *flapping {
	if m[key] == nil {
		m[key] = &flapping{}
	}
	return m[key]
}

// forget drops what no longer matters, so that names which come and go leave nothing behind.
func (d *damper) forget(now time.Time) {
	for ref, f := range d.services {
		if f.over(now) {
			delete(d.services, ref)
		}
	}
	for name, f := range d.namespaces {
		if f.over(now) {
			delete(d.namespaces, name)
		}
	}
	d.budgets.sweep(now)
}

// flapping is how often something changed lately. A nil one never did.
type flapping struct {
	times []time.Time // within flapWindow before the last
	need  time.Duration
}

// enter notes a change.
func (f *flapping) enter(now time.Time) {
	if f.over(now) {
		*f = flapping{}
	}
	recent := f.times[:0]
	for _, t := range f.times {
		if now.Sub(t) < flapWindow {
			recent = append(recent, t)
		}
	}
	f.times = append(recent, now)
	if f.need > 0 || len(f.times) >= flapLimit {
		f.need = min(max(2*f.need, firstQuiet), longQuiet)
	}
}

// quiet is how long it must stay the same before it is published again.
func (f *flapping) quiet(now time.Time) time.Duration {
	if f == nil || f.over(now) {
		return 0
	}
	return f.need
}

func (f *flapping) over(now time.Time) bool {
	return len(f.times) == 0 || now.Sub(f.times[len(f.times)-1]) >= forgotten
}
