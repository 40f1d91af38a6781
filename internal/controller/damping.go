package controller

import (
	"maps"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// The publications of one namespace have a budget. Each change makes the agent rebuild its tools.
const (
	budgetBurst = 60              // at once
	budgetWait  = 2 * time.Second // until there is one more
)

// damper decides what may be published and withdrawn now. It is for one goroutine.
type damper struct {
	trusted func(namespace string) bool // has neither a budget nor turns
	// stands reports that a candidate's name is safe to keep.
	stands func(*backend.Candidate) bool

	published  map[backend.Key]publication
	candidates map[backend.Key]publication // what each would be published as, and since when
	services   map[backend.Ref]*flapping
	moved      moved
	turns      turns           // of changes of the document, by namespace
	budgets    budgets[string] // of publications, by namespace
}

func newDamper(trusted func(namespace string) bool, stands func(*backend.Candidate) bool) damper {
	return damper{
		trusted: trusted, stands: stands, services: map[backend.Ref]*flapping{},
		turns: newTurns(), budgets: budgets[string]{burst: budgetBurst, wait: budgetWait},
	}
}

// publication is all that the keys hold of a candidate.
type publication struct {
	text    string // "" if another process wrote it: any text counts as unchanged then
	since   time.Time
	finding *backend.Finding // as it was published; nil if another process did
}

func (p publication) is(text string) bool { return p.text == text || p.text == "" }

// waits is the reason why something is not published, or not withdrawn, before that time is over.
func waits(code backend.Code, wait time.Duration) backend.Reason {
	return backend.Reason{Code: code, Details: backend.Details{Wait: wait}}
}

// recall takes in what another process or replica has published: publishing it again is no change.
func (d *damper) recall(list []publish.Instance) {
	d.published = map[backend.Key]publication{}
	for i := range list {
		d.published[backend.Key{Ref: list[i].Service, Type: list[i].Type, Tenant: list[i].Tenant}] = publication{}
	}
}

// hold keeps what changes too often as it is for now. It changes the findings, and adds those that stay published
// though they are gone. again is when the first of them may be published or withdrawn; 0 is not before something
// changes.
func (d *damper) hold(now time.Time, findings []*backend.Finding) (all []*backend.Finding, again time.Duration) {
	d.note(now, findings)
	rest := d.keepMoved(now, findings)
	all, again = d.takeTurns(now, findings)
	if rest > 0 {
		again = sooner(again, rest)
	}
	again = d.keepRanks(now, all, again)
	left := map[string]int{} // publications that each namespace may still make
	wait := func(f *backend.Finding, until time.Duration, why backend.Reason) {
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
		quiet := d.quiet(f.Ref, now)
		if rest := quiet - now.Sub(d.candidates[key].since); rest > 0 {
			wait(f, rest, waits(backend.CodeChangesTooOften, quiet))
			continue
		}
		if !d.pays(f) {
			continue
		}
		if _, counted := left[f.Namespace]; !counted {
			left[f.Namespace] = d.budgets.left(f.Namespace, now)
		}
		if left[f.Namespace]--; left[f.Namespace] < 0 {
			details := backend.Details{Limit: budgetBurst, Wait: budgetWait}
			wait(f, budgetWait, backend.Reason{Code: backend.CodeNamespaceBudget, Details: details})
		}
	}
	return all, again
}

// note takes in the text that each candidate would be published with.
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

// pays reports whether publishing it counts against the budget and the turns of its namespace. What wants credentials
// is published only where the configuration says so.
func (d *damper) pays(f *backend.Finding) bool {
	return f.Observation.Outcome != backend.AuthRequired && !d.trusted(f.Namespace)
}

// enter notes what is published now, and charges those who changed it.
func (d *damper) enter(now time.Time, findings []*backend.Finding) {
	after := map[backend.Key]publication{}
	namespaces := map[string]bool{} // those that have changed the document
	changed := map[backend.Ref]bool{}
	crowded := map[backend.Key]bool{} // left out because of what others publish
	for _, f := range findings {
		if f.Reason.Code == backend.CodeDocumentSize {
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
		if d.services[ref] == nil {
			d.services[ref] = &flapping{}
		}
		d.services[ref].enter(now)
	}
	maps.DeleteFunc(d.services, func(_ backend.Ref, f *flapping) bool { return f.over(now) })
	for namespace := range namespaces {
		d.turns.take(namespace, now)
	}
	d.published = after
}

// quiet is how long a Service must stay the same before it is published again.
func (d *damper) quiet(ref backend.Ref, now time.Time) time.Duration {
	if f := d.services[ref]; f != nil {
		return f.quiet(now)
	}
	return 0
}

// holds are the Services that are published.
func (d *damper) holds() map[backend.Ref]bool {
	refs := make(map[backend.Ref]bool, len(d.published))
	for key := range d.published {
		refs[key.Ref] = true
	}
	return refs
}
