//go:build integration && day

package day

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// ledger is the truth: what was done to which backend, and when. Backends go by the names of their hosts.
type ledger struct {
	mu      sync.Mutex
	entries []entry
	away    []window // when the API server was not there
	killed  []time.Time
}

// entry says what became of a backend.
type entry struct {
	at   time.Time
	host string
	up   bool // it is there, works and may be published, from now on; else it may be withdrawn
	why  string
	// admin: it is the admin who hides it, and no withdrawal that the service reports.
	admin bool
}

// window is a time from one moment to another.
type window struct{ from, to time.Time }

func (w window) overlaps(from, to time.Time) bool { return w.from.Before(to) && from.Before(w.to) }

func (l *ledger) note(e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.at = time.Now()
	l.entries = append(l.entries, e)
}

func (l *ledger) isUp(host, why string) { l.note(entry{host: host, up: true, why: why}) }

func (l *ledger) mayGo(host, why string) { l.note(entry{host: host, why: why}) }

// late is how long after it came back a backend may be withdrawn for what had gone before: a namespace that changes
// all the time keeps what is deleted for 30 s.
const late = 45 * time.Second

// mayHaveGone reports whether a withdrawal that was seen then is for something that was done to the backend. It is,
// where the backend was not up at some moment in the time before, to which the API server's absence adds.
func (l *ledger) mayHaveGone(host string, seen time.Time) (last entry, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := seen.Add(-late)
	for _, w := range l.away {
		if w.overlaps(from, seen) {
			from = from.Add(-w.to.Sub(w.from))
		}
	}
	down := true // what was never noted is none of ours
	for _, e := range l.entries {
		if e.host != host || e.at.After(seen) {
			continue
		}
		if !e.at.Before(from) && !e.up || down && e.at.After(from) {
			ok = true
		}
		if down = !e.up; !e.up || last.host == "" {
			last = e
		}
	}
	return last, ok || down
}

// upAll reports whether the backend was up all the time from one moment to another.
func (l *ledger) upAll(host string, from, to time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	up := false
	for _, e := range l.entries {
		switch {
		case e.host != host || e.at.After(to):
		case e.at.After(from) && (!up || !e.up):
			return false
		default:
			up = e.up
		}
	}
	return up
}

// now are the backends that are up, and those that are not.
func (l *ledger) now() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]bool{}
	for _, e := range l.entries {
		all[e.host] = e.up
	}
	return all
}

// absent notes when the API server was not there, and killings when a replica was killed.
func (l *ledger) absent(w window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = append(l.away, w)
}

func (l *ledger) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed = append(l.killed, time.Now())
}

// apart reports whether nothing of what breaks the API server or a replica happened around that time.
func (l *ledger) apart(at time.Time, around time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.away {
		if w.overlaps(at.Add(-around), at.Add(around)) {
			return false
		}
	}
	for _, k := range l.killed {
		if k.After(at.Add(-around)) && k.Before(at.Add(around)) {
			return false
		}
	}
	return true
}

// of are the last entries about a backend, for messages.
func (l *ledger) of(host string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, e := range l.entries {
		if e.host == host {
			lines = append(lines, fmt.Sprintf("%s up=%t %s", clock(e.at), e.up, e.why))
		}
	}
	return strings.Join(lines[max(0, len(lines)-6):], "; ")
}

func clock(at time.Time) string { return at.Format("15:04:05.000") }
