package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// memory is kept from one cycle to the next, and by state.json to the next process.
type memory struct {
	began     time.Time
	state     string             // the text of state.json that was recalled last
	lost      bool               // something is published, and there is no record of it
	own       bool               // this replica has published in this term
	published []publish.Instance // before this replica began to write
	primaries map[string]backend.Ref
	shards    map[backend.Key]shard // as they were last seen
	keys      []string              // of the admin's own, that were written
	gone      map[string]time.Time  // since when the Service of a type's primary has not been there

	left *leftOut // for lack of room, in the last round; nil while there is room for all

	overrides  overrides
	references references // who gets which variable, as published last in this term; nil before
	filled     types.UID  // the ConfigMap that was written last
	repairs    publish.Repairs
	failures   int
}

const (
	// firstRound is how long a backend may take to answer for the first time before the discovery counts as done
	// without it.
	firstRound  = 5 * time.Second
	behindRetry = 500 * time.Millisecond
)

// behind reports whether the ConfigMap is gone and the watch, which will have its last state, has not shown that yet.
func (c *Controller) behind(live *corev1.ConfigMap) bool {
	shown := c.output.Live()
	return c.memory.overrides.deleted(live) && shown != nil && (live == nil || live.UID != shown.UID)
}

// repaired counts repairs, and returns those that are too many. Filling a new ConfigMap is no repair.
func (m *memory) repaired(r *publish.Result) (limited []publish.Drift) {
	if r.Live == nil {
		return nil
	}
	if m.filled == r.Live.UID {
		limited = m.repairs.Made(r.Drifted, time.Now())
	}
	m.filled = r.Live.UID
	return limited
}

// backoff is how soon to try again after a failure: 1 s, doubled to at most 30 s.
func (m *memory) backoff() time.Duration {
	wait := min(time.Second<<min(m.failures, 5), 30*time.Second)
	m.failures++
	return wait
}

// early is how much longer nothing is written: until every backend was probed once, so that the first document is
// complete, but not for longer than any change is gathered. If something is published without a record of it, it is
// the whole first round, so that a process that knows nothing does not withdraw what works.
func (c *Controller) early(s *Snapshot) time.Duration {
	if c.memory.own || s.Discovered {
		return 0
	}
	wait := c.opts.Settle
	if c.memory.lost || c.opts.Whole && c.memory.state == "" {
		wait = firstRound
	}
	return max(0, wait-time.Since(c.memory.began))
}

func (c *Controller) firstRoundOver() bool {
	return c.monitor.Tried() || time.Since(c.memory.began) >= firstRound
}
