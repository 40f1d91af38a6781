package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// memory is kept from one cycle to the next. state.json keeps a part of it for the next process.
type memory struct {
	began     time.Time
	state     string             // the text of state.json that was read last
	lost      bool               // there is a published document, but no state
	own       bool               // this replica has published in this term
	published []publish.Instance // published before this replica began to write; of frozen namespaces, when they froze
	primaries map[string]backend.Ref
	standIns  map[string]backend.StandIn // by type: the primaries for the time being
	shards    map[backend.Key]shard      // as last seen
	keys      []string                   // the admin's additional keys (config output.keys) that were written
	gone      map[string]time.Time       // by type: since when the Service of its primary does not exist

	left *leftOut // for lack of room, in the last round; nil while there is room for all

	overrides  overrides
	references references // as last published in this term; nil before
	filled     types.UID  // the ConfigMap that was written last
	repairs    publish.Repairs
	behind     time.Time // since when the watch has not shown a deletion; zero if it has
	failures   int
}

const (
	firstRound   = 5 * time.Second  // how long the first discovery waits for backends that do not answer
	behindReport = 10 * time.Second // how long the watch may be behind a deletion until that is reported
	behindMost   = time.Minute      // how long it is then waited for
)

// behind reports whether the ConfigMap was deleted but the watch has not shown that yet. The watch will have its last
// state, unless it is stuck.
func (c *Controller) behind(live *corev1.ConfigMap) bool {
	shown := c.output.Live()
	if shown == nil {
		c.memory.behind = time.Time{}
	}
	if !c.memory.overrides.deleted(live) || shown == nil || live != nil && live.UID == shown.UID {
		return false
	}
	if c.memory.behind.IsZero() {
		c.memory.behind = time.Now()
	}
	return time.Since(c.memory.behind) < behindMost
}

// repaired counts repairs, and returns those that have reached the limit. Creating a deleted ConfigMap again counts as
// a repair of the whole. Filling one that another writer has created is not a repair.
func (m *memory) repaired(r *publish.Result) (limited []publish.Drift) {
	if r.Live == nil {
		return nil
	}
	switch {
	case r.Created && m.own:
		limited = m.repairs.Made(deletion(), time.Now())
	case m.filled == r.Live.UID:
		limited = m.repairs.Made(r.Drifted, time.Now())
	}
	m.filled = r.Live.UID
	return limited
}

// backoff returns how soon to try again after a failure: 1 s, doubled each time to at most 30 s.
func (m *memory) backoff() time.Duration {
	wait := min(time.Second<<min(m.failures, 5), 30*time.Second)
	m.failures++
	return wait
}

// early returns how much longer the first write waits until every backend was probed once: at most as long as changes
// are collected. If a document is published but its state is lost, it waits for up to firstRound, so that backends that
// work are not withdrawn.
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
