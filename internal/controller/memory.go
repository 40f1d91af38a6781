package controller

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/health"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// memory is what one cycle leaves to the next, and state.json to the next process (DTS-OUT-10).
type memory struct {
	began     time.Time
	state     string             // the text of state.json that was last taken in
	lost      bool               // something is published, and nothing is remembered of it
	own       bool               // what is published is this replica's own, in this term
	published []publish.Instance // before this replica began to write
	primaries map[string]backend.Ref
	gone      map[string]time.Time // since when the Service of a type's primary has not been there

	overrides  overrides
	references references // who gets which variable, as published last in this term; nil before
	filled     types.UID  // the ConfigMap that was written last
	repairs    publish.Repairs
	failures   int
}

const (
	// firstRound is how long a backend may take to answer for the first time before the discovery counts as done without it.
	firstRound  = 5 * time.Second
	behindRetry = 500 * time.Millisecond
)

// recall reads what was published: by an earlier process, or by the replica that leads. What works according to it counts
// as working here too, so that neither a restart nor a change of leaders withdraws anything. Of what it has written itself
// a leader knows more than is written there.
func (c *Controller) recall(live *corev1.ConfigMap) {
	m := &c.memory
	if m.began.IsZero() {
		m.began = time.Now()
		m.lost = live != nil && live.Data[toolset.KeyHolmesGPT] != ""
	}
	if m.own || live == nil || live.Data[toolset.KeyState] == m.state || live.Data[toolset.KeyState] == "" {
		return
	}
	m.state = live.Data[toolset.KeyState]
	state, err := publish.DecodeState(m.state)
	if err != nil {
		c.opts.Report.Forgotten(err)
		return
	}
	m.lost = false
	records := map[backend.Key]health.Record{}
	for _, i := range state.Published {
		if i.Outcome == backend.Unprobed {
			continue // its owner wanted it so: it is published without asking
		}
		records[backend.Key{Ref: i.Service, Type: cmp.Or(i.Detected, i.Type), Tenant: i.Tenant}] = record(i)
	}
	c.monitor.Remember(records)
	m.published, m.primaries = state.Published, state.Primaries
	c.damper.recall(state.Published)
	m.overrides.recall(state.Overrides)
}

// behind: the ConfigMap is gone, and the watch, which tells its last state, has not said so.
func (c *Controller) behind(live *corev1.ConfigMap) bool {
	shown := c.output.Live()
	return c.memory.overrides.deleted(live) && shown != nil && (live == nil || live.UID != shown.UID)
}

// repaired counts repairs, and returns those that are too many. To fill a ConfigMap that was made anew is none of them.
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

// early is how much longer nothing is written: until every backend was asked once, so that the first document is whole, but
// not for longer than any change is gathered. Where something is published of which nothing is remembered, it may take the
// whole first round, so that a process which knows nothing does not empty what works.
func (c *Controller) early(s *Snapshot) time.Duration {
	if c.memory.own || s.Discovered {
		return 0
	}
	wait := c.opts.Settle
	if c.memory.lost {
		wait = firstRound
	}
	return max(0, wait-time.Since(c.memory.began))
}

func (c *Controller) firstRoundOver() bool {
	return c.monitor.Tried() || time.Since(c.memory.began) >= firstRound
}
