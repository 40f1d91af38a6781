package agent

import (
	"slices"
	"time"
)

// A publication is a document that was published.
type publication struct {
	generation string
	at         time.Time
}

// maxHistory is how many publications are remembered.
const maxHistory = 64

// remember notes when a document is published. The caller holds the lock.
func (a *Agent) remember(generation string) {
	a.history = append(a.history, publication{generation, a.since})
	a.history = a.history[max(0, len(a.history)-maxHistory):]
}

// publishedAt is when a document was published last, the zero value if that is not known.
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
