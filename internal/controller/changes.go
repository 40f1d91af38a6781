package controller

import (
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// ChangeKind is the kind of a change.
type ChangeKind string

// The kinds, by subject: backends, the ConfigMap, credentials, overrides and annotations, the service itself.
const (
	ChangeAdded     ChangeKind = "added"     // a backend is published
	ChangeChanged   ChangeKind = "changed"   // the endpoint of a backend has changed
	ChangeWithdrawn ChangeKind = "withdrawn" // a backend is no longer published

	ChangePublished ChangeKind = "published" // new content was written
	ChangeRepaired  ChangeKind = "repaired"  // a change by another writer was undone
	ChangeFailed    ChangeKind = "failed"    // the ConfigMap could not be written
	ChangeRecovered ChangeKind = "recovered" // the ConfigMap can be written again

	ChangeReferences ChangeKind = "references" // a credential reference was added, removed or moved

	ChangeOverridesInvalid  ChangeKind = "overrides-invalid"
	ChangeOverridesValid    ChangeKind = "overrides-valid"
	ChangeAnnotationInvalid ChangeKind = "annotation-invalid"
	ChangeAnnotationValid   ChangeKind = "annotation-valid"

	ChangeSourceFailed    ChangeKind = "source-failed" // Services could not be read
	ChangeSourceRecovered ChangeKind = "source-recovered"
	ChangeLeadership      ChangeKind = "leadership"
	ChangeAgent           ChangeKind = "agent" // HolmesGPT has loaded the published document
)

// ChangeKinds returns all kinds.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{
		ChangeAdded, ChangeChanged, ChangeWithdrawn, ChangePublished, ChangeRepaired, ChangeFailed, ChangeRecovered,
		ChangeReferences, ChangeOverridesInvalid, ChangeOverridesValid, ChangeAnnotationInvalid, ChangeAnnotationValid,
		ChangeSourceFailed, ChangeSourceRecovered, ChangeLeadership, ChangeAgent,
	}
}

// Change is an entry of the history.
type Change struct {
	Seq  uint64 // counts up from 1 within one process
	At   time.Time
	Kind ChangeKind
	backend.Ref
	Type    string // of the backend; "" if the change is not about a backend
	Message string // one sentence for people
}

// keptChanges is how many changes are kept: a day of a busy cluster, in less than 200 KiB.
const keptChanges = 500

// Changes keeps the last changes. It is safe for concurrent use. The zero value is empty.
type Changes struct {
	mu   sync.Mutex
	seq  uint64
	list []Change // oldest first
}

// Add adds a change. It sets Seq and the time.
func (l *Changes) Add(c Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	c.Seq, c.At = l.seq, time.Now()
	if len(l.list) == keptChanges {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, c)
}

// Last returns the number of the newest change, 0 if there is none.
func (l *Changes) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}

// Since returns the changes after the one with the given number, oldest first. 0 returns all that are kept.
func (l *Changes) Since(seq uint64) []Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := len(l.list)
	for from > 0 && l.list[from-1].Seq > seq {
		from--
	}
	return slices.Clone(l.list[from:])
}
