package controller

import (
	"fmt"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// How often the Services of one owner may change what is published (DTS-PRB-7). Each change makes the agent rebuild its
// tools.
const (
	flapWindow = time.Minute
	flapLimit  = 3                // publications of a Service within flapWindow before it has to stay the same for a while
	firstQuiet = 30 * time.Second // how long that is at first; twice as long each further time
	longQuiet  = 10 * time.Minute // at most
	forgotten  = 2 * longQuiet    // without a change, after which the past counts no more

	budgetBurst = 60              // publications of one namespace at once
	budgetWait  = 2 * time.Second // between two more of them
)

// damper decides what may be published and withdrawn now. It is for one goroutine.
type damper struct {
	trusted func(namespace string) bool // has neither a budget nor turns
	// stands reports that nothing dangerous is behind a candidate by now, and that this is known.
	stands func(*backend.Candidate) bool

	published  map[backend.Key]publication
	candidates map[backend.Key]publication // what each would be published as, and since when
	services   map[backend.Ref]*flapping
	turns      map[string]*turns // of changes of the document, by namespace
	budgets    limiters[string]  // of publications, by namespace
}

func newDamper(trusted func(namespace string) bool, stands func(*backend.Candidate) bool) damper {
	return damper{trusted: trusted, stands: stands, budgets: limiters[string]{burst: budgetBurst, wait: budgetWait}}
}

// publication is what a candidate is written as: everything of it that the keys hold.
type publication struct {
	text    string // "" if another process wrote it: anything is the same then
	since   time.Time
	finding *backend.Finding // as it was published; nil if another process did
}

func (p publication) is(text string) bool { return p.text == text || p.text == "" }

// stays is the finding of what is published for a while longer.
func (p publication) stays() backend.Finding {
	f := p.finding
	return backend.Finding{
		Ref: f.Ref, Service: f.Service, Type: f.Type, Candidate: f.Candidate, Observation: f.Observation, Verdict: backend.Accepted,
		Stays: true,
		Reason: fmt.Sprintf("its owner has changed or removed it; since its namespace changes what is published too often, "+
			"that follows with what else changes there, in %s at most", turnWait),
	}
}

// recall takes in what another process, or another replica, has published: that it is published still is no change.
func (d *damper) recall(list []publish.Instance) {
	d.published = map[backend.Key]publication{}
	for i := range list {
		d.published[backend.Key{Ref: list[i].Service, Type: list[i].Type, Tenant: list[i].Tenant}] = publication{}
	}
}

// hold keeps what changes too often as it is for now, among findings that are judged, and returns them with what stays
// published though it is gone. again is when the first of them may be published or withdrawn; 0 for not before something
// changes.
func (d *damper) hold(now time.Time, findings []*backend.Finding) (all []*backend.Finding, again time.Duration) {
	d.note(now, findings)
	all, again = d.takeTurns(now, findings)
	again = d.keepRanks(now, all, again)
	left := map[string]int{} // publications that each namespace may still make
	wait := func(f *backend.Finding, until time.Duration, why string) {
		f.Verdict, f.Reason = backend.Unavailable, why
		again = sooner(again, until)
	}
	for _, f := range all {
		if f.Verdict != backend.Accepted {
			continue
		}
		key := f.Candidate.Key()
		if p, ok := d.published[key]; ok && p.is(inventory.Text(f)) {
			continue
		}
		quiet := d.services[f.Ref].quiet(now)
		if rest := quiet - now.Sub(d.candidates[key].since); rest > 0 {
			wait(f, rest, fmt.Sprintf("it changes too often: it is published when it has stayed as it is for %s", quiet))
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
	return all, again
}

// note takes in what each candidate would be published as.
func (d *damper) note(now time.Time, findings []*backend.Finding) {
	candidates := map[backend.Key]publication{}
	for _, f := range findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key, text := f.Candidate.Key(), inventory.Text(f)
		c := d.candidates[key]
		if c.text != text {
			c = publication{text: text, since: now}
		}
		candidates[key] = c
	}
	d.candidates = candidates
}

// takeTurns leaves what is published of a namespace as it is until the namespace has its next turn.
func (d *damper) takeTurns(now time.Time, findings []*backend.Finding) (all []*backend.Finding, again time.Duration) {
	all = findings
	wait := func(f *backend.Finding, until time.Duration) {
		f.Verdict, f.Reason = backend.Unavailable, fmt.Sprintf("its namespace changes what is published too often: "+
			"it is published with what else changes there, in %s at most", until.Round(time.Second))
		again = sooner(again, until)
	}
	current := map[backend.Key]*backend.Finding{}
	for _, f := range findings {
		if f.Candidate == nil {
			continue
		}
		key := f.Candidate.Key()
		current[key] = f
		if _, known := d.published[key]; known || f.Verdict != backend.Accepted || !d.pays(f) {
			continue
		}
		if until := d.turns[f.Namespace].wait(now); until > 0 {
			wait(f, until)
		}
	}
	behind := map[string]bool{} // namespaces of which more is published than is wanted
	for key, p := range d.published {
		f, t := current[key], d.turns[key.Namespace]
		until := t.wait(now)
		if until == 0 || !d.mayStay(p, f) {
			continue
		}
		if behind[key.Namespace] = true; t.overdue(now) {
			continue
		}
		if t.waiting.IsZero() {
			t.waiting = now
		}
		again = sooner(again, min(until, t.waiting.Add(turnWait).Sub(now)))
		if f != nil {
			*f = p.stays()
		} else {
			gone := p.stays()
			all = append(all, &gone)
		}
	}
	for namespace, t := range d.turns {
		if !behind[namespace] {
			t.waiting = time.Time{}
		}
	}
	return all, again
}

// mayStay reports whether what is published is no longer wanted, f being what is found now, and may stay for a while all the
// same. What its owner did may; not so what no longer works, what leads to a denied address, and what holds a credential.
func (d *damper) mayStay(p publication, f *backend.Finding) bool {
	switch {
	case p.finding == nil, len(p.finding.Credentials) > 0, p.finding.Entitled:
		return false
	case f == nil:
		return d.stands(p.finding.Candidate)
	case duplicatesAnothers(f):
		return false
	case f.Verdict == backend.Accepted:
		return !p.is(inventory.Text(f)) && d.pays(f) && d.stands(p.finding.Candidate)
	}
	asked := f.Observation.Outcome != backend.Unprobed
	elsewhere := f.Verdict == backend.Duplicate || f.Limit != "" || f.Annotation != "" // beside other Services of its owner's
	if asked && !elsewhere && health.Same(f.Candidate, p.finding.Candidate) {
		return false
	}
	return d.stands(p.finding.Candidate)
}

// duplicatesAnothers reports that a Service of another namespace is used instead, which is not its owner's doing.
func duplicatesAnothers(f *backend.Finding) bool {
	return f.Verdict == backend.Duplicate && f.Winner.Namespace != f.Namespace
}

// pays reports whether publishing it counts against the budget and the turns of its namespace. What wants credentials is
// published only where the configuration says so.
func (d *damper) pays(f *backend.Finding) bool {
	return f.Observation.Outcome != backend.AuthRequired && !d.trusted(f.Namespace)
}

// enter notes what is published by now.
func (d *damper) enter(now time.Time, findings []*backend.Finding) {
	after := map[backend.Key]publication{}
	namespaces := map[string]bool{} // those that have changed the document
	changed := map[backend.Ref]bool{}
	crowded := map[backend.Key]bool{} // left out because of what others publish
	for _, f := range findings {
		if f.Limit == backend.LimitSize || duplicatesAnothers(f) {
			crowded[f.Candidate.Key()] = true
		}
		if f.Verdict != backend.Accepted {
			continue
		}
		key, text := f.Candidate.Key(), inventory.Text(f)
		p, known := d.published[key]
		if known && p.is(text) {
			after[key] = publication{text, p.since, f}
			if p.finding != nil && rank(f) != rank(p.finding) && !d.trusted(f.Namespace) {
				namespaces[f.Namespace] = true
			}
			continue
		}
		after[key] = publication{text, now, f}
		changed[f.Ref] = true // once, however many backends it fronts
		if d.pays(f) {
			d.budgets.take(f.Namespace, now)
			namespaces[f.Namespace] = true
		}
	}
	for key := range d.published {
		if _, still := after[key]; !still && !crowded[key] && !d.trusted(key.Namespace) {
			namespaces[key.Namespace] = true
		}
	}
	for ref := range changed {
		d.service(ref).enter(now)
	}
	for namespace := range namespaces {
		d.turn(namespace).take(now)
	}
	d.published = after
	d.forget(now)
}

// holds are the Services that are published.
func (d *damper) holds() map[backend.Ref]bool {
	refs := make(map[backend.Ref]bool, len(d.published))
	for key := range d.published {
		refs[key.Ref] = true
	}
	return refs
}

func (d *damper) service(ref backend.Ref) *flapping {
	if d.services == nil {
		d.services = map[backend.Ref]*flapping{}
	}
	if d.services[ref] == nil {
		d.services[ref] = &flapping{}
	}
	return d.services[ref]
}

func (d *damper) turn(namespace string) *turns {
	if d.turns == nil {
		d.turns = map[string]*turns{}
	}
	if d.turns[namespace] == nil {
		d.turns[namespace] = &turns{left: turnBurst}
	}
	return d.turns[namespace]
}

// forget drops what no longer matters, so that names which come and go leave nothing behind.
func (d *damper) forget(now time.Time) {
	for ref, f := range d.services {
		if f.over(now) {
			delete(d.services, ref)
		}
	}
	for name, t := range d.turns {
		if t.full(now) {
			delete(d.turns, name)
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
