// Package history remembers the last changes, for people who ask what changed lately.
package history

import (
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Kind of a change.
type Kind string

// The kinds, by subject: backends, the ConfigMap, overrides and annotations, the service itself.
const (
	Added     Kind = "added"     // a backend is published
	Changed   Kind = "changed"   // it is reached in another way
	Withdrawn Kind = "withdrawn" // it is taken out

	Published Kind = "published" // something new was written
	Repaired  Kind = "repaired"  // a change by another writer was undone
	Failed    Kind = "failed"    // it could not be written
	Recovered Kind = "recovered" // it can again

	References Kind = "references" // who gets a credential has changed

	OverridesInvalid  Kind = "overrides-invalid"
	OverridesValid    Kind = "overrides-valid"
	AnnotationInvalid Kind = "annotation-invalid"
	AnnotationValid   Kind = "annotation-valid"

	SourceFailed    Kind = "source-failed" // Services could not be read
	SourceRecovered Kind = "source-recovered"
	Leadership      Kind = "leadership"
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{
		Added, Changed, Withdrawn, Published, Repaired, Failed, Recovered, References, OverridesInvalid, OverridesValid,
		AnnotationInvalid, AnnotationValid, SourceFailed, SourceRecovered, Leadership,
	}
}

// Change is one thing that happened.
type Change struct {
	Seq  uint64 // counts up from 1 within one process
	At   time.Time
	Kind Kind
	backend.Ref
	Type    string // of the backend, "" where it is about none
	Message string // one sentence for people
}

// kept is how many changes are remembered: a day of a busy cluster, in less than 200 KiB.
const kept = 500

// Log keeps the last changes. It is safe for concurrent use; the zero value is empty.
type Log struct {
	mu   sync.Mutex
	seq  uint64
	list []Change // oldest first
}

// Add enters a change; its Seq and, where it has none, its time are filled in. A nil Log forgets it.
func (l *Log) Add(c Change) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	c.Seq = l.seq
	if c.At.IsZero() {
		c.At = time.Now()
	}
	if len(l.list) == kept {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, c)
}

// Since returns the changes after the one of that number, oldest first; 0 is all that are remembered.
func (l *Log) Since(seq uint64) []Change {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	from := len(l.list)
	for from > 0 && l.list[from-1].Seq > seq {
		from--
	}
	return slices.Clone(l.list[from:])
}
