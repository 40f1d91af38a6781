package agent

import (
	"slices"
	"time"
)

// publication is a published document.
type publication struct {
	generation string
	at         time.Time
}

// maxHistory is the number of publications to keep.
const maxHistory = 64

// remember records that a document was published at a.since. The caller holds the lock.
func (a *Agent) remember(generation string) {
	a.history = append(a.history, publication{generation, a.since})
	a.history = a.history[max(0, len(a.history)-maxHistory):]
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
