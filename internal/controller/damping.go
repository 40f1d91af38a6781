package controller

import (
	"maps"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// The publications of one namespace have a budget, because each change makes the agent rebuild its tools.
const (
	budgetBurst = 60              // publications at once
	budgetWait  = 2 * time.Second // until there is one more
)

// damper decides what may be published and withdrawn now. It is for one goroutine.
type damper struct {
	trusted func(namespace string) bool   // reports namespaces without budget and turns
	stands  func(*backend.Candidate) bool // reports whether it is safe to keep a candidate's name published

	published  map[backend.Key]publication
	candidates map[backend.Key]publication // what each candidate would be published as, and since when
	services   map[backend.Ref]*flapping
	moved      map[backend.Key]time.Time // since when the endpoint has changed and does not work yet
	patience   time.Duration             // until a backend counts as failing; see keepMoved
	turns      turns                     // for changes of the document, by namespace
	budgets    budgets                   // for publications, by namespace
}

func newDamper(
	trusted func(namespace string) bool, stands func(*backend.Candidate) bool, patience time.Duration,
) damper {
	return damper{
		trusted: trusted, stands: stands, patience: patience,
		services: map[backend.Ref]*flapping{}, moved: map[backend.Key]time.Time{},
		turns: newTurns(), budgets: budgets{burst: budgetBurst, wait: budgetWait},
	}
}

// publication is the published state of a candidate.
type publication struct {
	text    string // "" if another process published it: then any text counts as unchanged
	since   time.Time
	finding *backend.Finding // as it was published; nil if another process published it
}

func (p publication) is(text string) bool { return p.text == text || p.text == "" }

// waits returns the reason why a backend is not published or withdrawn before the wait is over.
func waits(code backend.Code, wait time.Duration) backend.Reason {
	return backend.Reason{Code: code, Details: backend.Details{Wait: wait}}
}

// recall records what another process or replica has published. Publishing it again does not count as a change.
func (d *damper) recall(list []publish.Instance) {
	d.published = map[backend.Key]publication{}
	for i := range list {
		d.published[list[i].Key()] = publication{}
	}
}

// hold delays changes of backends that change too often. It changes the findings, and adds findings of deleted backends
// that stay published. again is how soon to call it again; 0 means not before something changes.
func (d *damper) hold(now time.Time, findings []*backend.Finding) (all []*backend.Finding, again time.Duration) {
	d.note(now, findings)
	rest := d.keepMoved(now, findings)
	all, again = d.takeTurns(now, findings)
	if rest > 0 {
		again = sooner(again, rest)
	}
	again = d.keepRanks(now, all, again)
	spent := map[string]int{} // publications by namespace
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
		if spent[f.Namespace]++; spent[f.Namespace] > d.budgets.left(f.Namespace, now) {
			details := backend.Details{Limit: budgetBurst, Wait: budgetWait}
			wait(f, budgetWait, backend.Reason{Code: backend.CodeNamespaceBudget, Details: details})
		}
	}
	return all, again
}

// present returns the present findings of candidates by key. A published relative that no longer answers has a finding
// of the type that detection chose, because only an answer shows the relative: that finding has both keys.
func (d *damper) present(findings []*backend.Finding) map[backend.Key]*backend.Finding {
	present := map[backend.Key]*backend.Finding{}
	for _, f := range findings {
		if f.Candidate != nil {
			present[f.Candidate.Key()] = f
		}
	}
	for key, p := range d.published {
		if p.finding == nil || p.finding.Candidate.Detected == "" || present[key] != nil {
			continue
		}
		detected := p.finding.Candidate.DetectedKey()
		f := present[detected]
		if _, itself := d.published[detected]; f != nil && !itself && !f.Observation.Outcome.Up() {
			present[key] = f
		}
	}
	return present
}

// note records the text with which each candidate would be published.
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

// pays reports whether a publication counts against the budget and the turns of its namespace. That of a backend that
// needs credentials does not, because the configuration decides about it.
func (d *damper) pays(f *backend.Finding) bool {
	return f.Observation.Outcome != backend.AuthRequired && !d.trusted(f.Namespace)
}

// enter records what is published now, and charges the namespaces that changed it.
func (d *damper) enter(now time.Time, findings []*backend.Finding) {
	after := map[backend.Key]publication{}
	namespaces := map[string]bool{} // namespaces that have changed the document
	changed := map[backend.Ref]bool{}
	for _, f := range findings {
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
		changed[f.Ref] = true // once for all backends of the Service
		if d.pays(f) {
			d.budgets.take(f.Namespace, now)
			namespaces[f.Namespace] = true
		}
	}
	leftOut := crowded(findings)
	for key := range d.published {
		if _, still := after[key]; !still && !leftOut[key] && !d.trusted(key.Namespace) {
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

// quiet returns how long a Service must stay unchanged before it is published again.
func (d *damper) quiet(ref backend.Ref, now time.Time) time.Duration {
	if f := d.services[ref]; f != nil {
		return f.quiet(now)
	}
	return 0
}

// holds returns the Services that are published.
func (d *damper) holds() map[backend.Ref]bool {
	refs := make(map[backend.Ref]bool, len(d.published))
	for key := range d.published {
		refs[key.Ref] = true
	}
	return refs
}
