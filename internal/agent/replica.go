package agent

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"
)

// The times between requests to a replica.
const (
	reloadEvery = 10 * time.Second // at most
	soon        = 2 * time.Second  // while it has not loaded the document yet
	soonFor     = 20 * time.Second
	later       = 10 * time.Second // afterwards
	patience    = 3 * time.Minute  // kubelet takes up to two minutes until a ConfigMap is in its mount
)

// follow asks one replica until ctx ends.
func (a *Agent) follow(ctx context.Context, url string) {
	r := Replica{URL: url}
	defer a.forget(url)
	var refused refusal
	missed := true // it may not have got the reloads after the publication: it is new, or could not be asked
	for ctx.Err() == nil {
		a.mu.Lock()
		document, since, changed := a.document, a.since, a.changed
		a.mu.Unlock()
		patient := time.Since(since) < patience
		err := a.look(ctx, &r, &document)
		refused.show(&r, &document)
		missed = (missed || r.Outcome == Away || r.Outcome == WantsKey) && r.Outcome != Loaded
		pause := time.Duration(0)
		if (patient || missed) && (reloads(r.Outcome) || errors.Is(err, errTooLong)) && ctx.Err() == nil {
			var may bool
			if pause, may = a.mayReload(url, patient); may {
				a.note(r) // a reload takes long
				a.reload(ctx, &r, &document, &refused)
				missed = false
			}
		}
		if ctx.Err() != nil {
			return
		}
		a.note(r)
		wait := a.opts.Interval
		switch {
		case r.Outcome == Loaded || !patient:
		case time.Since(since) < soonFor:
			wait = soon
		default:
			wait = later
		}
		if pause > 0 {
			wait = min(wait, pause)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(wait):
		}
	}
}

// mayReload reports whether a reload request to a URL is allowed now, which then counts as sent, or returns the time
// until one is allowed. Without patience, each URL gets one for each document. The limits also hold for a URL that
// disappears and returns: a reload can make HolmesGPT's pod unready.
func (a *Agent) mayReload(url string, patient bool) (pause time.Duration, may bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !patient && a.late[url] {
		return 0, false
	}
	maps.DeleteFunc(a.nextReload, func(_ string, at time.Time) bool { return time.Until(at) <= 0 })
	if at, lately := a.nextReload[url]; lately {
		return time.Until(at), false
	}
	a.nextReload[url] = time.Now().Add(reloadEvery)
	if !patient {
		a.late[url] = true
	}
	return 0, true
}

// reload makes a replica read its file again, and then reads its state. Slow reloads do not follow each other at once:
// HolmesGPT has as long for other work, up to reloadEvery.
func (a *Agent) reload(ctx context.Context, r *Replica, document *Document, refused *refusal) {
	began := time.Now()
	err := a.client.reload(ctx, r.URL)
	took := time.Since(began)
	a.mu.Lock()
	a.nextReload[r.URL] = began.Add(max(reloadEvery, took+min(took, reloadEvery)))
	a.mu.Unlock()
	if err != nil && !errors.Is(err, errNoTime) {
		if r.fail(err); r.Outcome == Failed {
			*refused = refusal{document.Generation, r.Detail}
		}
		return
	}
	if err == nil {
		*refused = refusal{}
	}
	if r.Outcome != TooOld { // a replica that is too old cannot report its state
		_ = a.look(ctx, r, document) // the state has the error
		refused.show(r, document)
	}
}

// refusal is HolmesGPT's reason why it cannot load a document.
type refusal struct{ generation, reason string }

// show makes the refusal the state of a replica that has another document: HolmesGPT gives the reason only when it is
// told to reload.
func (f *refusal) show(r *Replica, document *Document) {
	switch {
	case f.reason == "":
	case f.generation != document.Generation, r.Outcome == Loaded:
		*f = refusal{}
	case r.Outcome == Waiting, r.Outcome == NoDocument, r.Outcome == Failed:
		r.Outcome, r.Detail = Failed, f.reason
	}
}

// reloads reports whether a reload may help.
func reloads(o Outcome) bool {
	return o == Waiting || o == NoDocument || o == TooOld || o == Failed
}

// look reads the state of a replica. It returns the error of the request, which the state has too.
func (a *Agent) look(ctx context.Context, r *Replica, document *Document) error {
	answer, err := a.client.info(ctx, r.URL, document)
	r.Checked = time.Now()
	if err != nil {
		r.fail(err)
		return err
	}
	before := r.Generation
	r.Version, r.Detail, r.KeyUnread = answer.Version, "", false
	r.Generation, r.Toolsets = answer.Generation, []Toolset{}
	for _, name := range slices.Sorted(maps.Keys(answer.Toolsets)) {
		r.Toolsets = append(r.Toolsets, answer.Toolsets[name])
	}
	r.Published, r.Changed = a.publishedAt(r.Generation), time.Time{}
	if r.Generation == document.Generation {
		r.Changed = document.Changed
	}
	if r.Generation != before || r.Since.IsZero() {
		r.Since = r.Checked
	}
	switch {
	case r.Generation == "":
		r.Outcome = NoDocument
	case r.Generation == document.Generation, document.Generation == "": // "": the user may not read the ConfigMap
		r.Outcome = Loaded
	default:
		r.Outcome = Waiting
	}
	return nil
}

// fail records that a request failed, and drops the state of the toolsets.
func (r *Replica) fail(err error) {
	r.Outcome, r.Detail, r.Toolsets, r.Checked = Away, shown(err.Error(), ""), nil, time.Now()
	var status *statusError
	switch r.KeyUnread = errors.Is(err, errKey); {
	case r.KeyUnread:
		r.Outcome = WantsKey
	case errors.Is(err, errUnreadable):
		r.Outcome = Unreadable
	case errors.As(err, &status):
		r.Outcome = outcomeOf(status.code)
	}
}

func outcomeOf(status int) Outcome {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return TooOld
	case http.StatusUnauthorized, http.StatusForbidden:
		return WantsKey
	}
	if status < http.StatusBadRequest {
		return Unreadable
	}
	return Failed
}

// publishedAt returns when a document was last published, zero if not known.
func (a *Agent) publishedAt(generation string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range slices.Backward(a.history) {
		if p.generation == generation {
			return p.at
		}
	}
	return time.Time{}
}

// note stores and reports the state of a replica.
func (a *Agent) note(now Replica) {
	a.mu.Lock()
	before, known := a.replicas[now.URL]
	a.replicas[now.URL] = now
	a.mu.Unlock()
	if known {
		a.opts.Report(&before, &now)
	} else {
		a.opts.Report(nil, &now)
	}
}

func (a *Agent) forget(url string) {
	a.mu.Lock()
	before, known := a.replicas[url]
	delete(a.replicas, url)
	a.mu.Unlock()
	if known {
		a.opts.Report(&before, nil)
	}
}
