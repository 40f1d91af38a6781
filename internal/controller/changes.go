package controller

import (
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ChangeKind is what kind of change it is.
type ChangeKind string

// The kinds, by subject: backends, the ConfigMap, overrides and annotations, the service itself.
const (
	ChangeAdded     ChangeKind = "added"     // a backend is published
	ChangeChanged   ChangeKind = "changed"   // it is reached in another way
	ChangeWithdrawn ChangeKind = "withdrawn" // it is taken out

	ChangePublished ChangeKind = "published" // something new was written
	ChangeRepaired  ChangeKind = "repaired"  // a change by another writer was undone
	ChangeFailed    ChangeKind = "failed"    // it could not be written
	ChangeRecovered ChangeKind = "recovered" // it can again

	ChangeReferences ChangeKind = "references" // who gets a credential has changed

	ChangeOverridesInvalid  ChangeKind = "overrides-invalid"
	ChangeOverridesValid    ChangeKind = "overrides-valid"
	ChangeAnnotationInvalid ChangeKind = "annotation-invalid"
	ChangeAnnotationValid   ChangeKind = "annotation-valid"

	ChangeSourceFailed    ChangeKind = "source-failed" // Services could not be read
	ChangeSourceRecovered ChangeKind = "source-recovered"
	ChangeLeadership      ChangeKind = "leadership"
	ChangeAgent           ChangeKind = "agent" // HolmesGPT has loaded what was published
)

// ChangeKinds are all of them.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{
		ChangeAdded, ChangeChanged, ChangeWithdrawn, ChangePublished, ChangeRepaired, ChangeFailed, ChangeRecovered,
		ChangeReferences, ChangeOverridesInvalid, ChangeOverridesValid, ChangeAnnotationInvalid, ChangeAnnotationValid,
		ChangeSourceFailed, ChangeSourceRecovered, ChangeLeadership, ChangeAgent,
	}
}

// Change is one thing that happened.
type Change struct {
	Seq  uint64 // counts up from 1 within one process
	At   time.Time
	Kind ChangeKind
	backend.Ref
	Type    string // of the backend, "" where it is about none
	Message string // one sentence for people
}

// keptChanges is how many changes are remembered: a day of a busy cluster, in less than 200 KiB.
const keptChanges = 500

// Changes keeps the last changes, for people who ask what changed lately. It is safe for concurrent use; the zero
// value is empty.
type Changes struct {
	mu   sync.Mutex
	seq  uint64
	list []Change // oldest first
}

// Add enters a change; its Seq and, where it has none, its time are filled in. A nil Changes forgets it.
func (l *Changes) Add(c Change) {
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
	if len(l.list) == keptChanges {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, c)
}

// Since returns the changes after the one of that number, oldest first; 0 is all that are remembered.
func (l *Changes) Since(seq uint64) []Change {
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
