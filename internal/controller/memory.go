package controller

import (
	"cmp"
	"errors"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

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

	uid           types.UID          // of the ConfigMap with overridesText
	version       string             // its resourceVersion then
	overridesText string             // the admin's, as last seen
	candidate     *candidate         // what it says, until a document was built with it
	taken         bool               // the admin's text was looked at
	overrides     *toolset.Overrides // the last that were good, nil for none
	goodText      string             // their text
	overridesErr  error              // what is wrong with overridesText

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
	c.recallOverrides(state)
}

// behind: the ConfigMap is gone, and the watch, which tells its last state, has not said so.
func (c *Controller) behind(live *corev1.ConfigMap) bool {
	shown := c.output.Live()
	return c.memory.deleted(live) && shown != nil && (live == nil || live.UID != shown.UID)
}

// readOverrides takes the admin's text in, if it is new. While it is invalid, the last good one stays in force. A ConfigMap
// that is gone takes nothing from the admin; the key removed from a living one does. What he wrote right before it was
// deleted counts, though it may never have been seen living.
func (c *Controller) readOverrides(live *corev1.ConfigMap) {
	if gone := c.output.Gone(); gone != nil && c.memory.older(gone) && !c.memory.deleted(gone) {
		c.takeOverrides(gone)
	}
	if !c.memory.deleted(live) {
		c.takeOverrides(live)
	}
}

func (c *Controller) takeOverrides(live *corev1.ConfigMap) {
	m := &c.memory
	m.uid, m.version = live.UID, live.ResourceVersion
	first := !m.taken
	m.taken = true
	text, _ := overridesIn(live)
	if text == m.overridesText && (text != "" || m.overrides == nil) {
		return
	}
	m.overridesText, m.candidate = text, nil
	if text == "" || text == m.goodText && m.overrides != nil {
		c.keepOverrides(text)
		return
	}
	if !utf8.ValidString(text) {
		c.refuseOverrides(errors.New(toolset.KeyOverrides + ": it is not text in UTF-8; save it as such"))
		return
	}
	o, err := toolset.ParseOverrides(toolset.KeyOverrides, []byte(text))
	if err != nil {
		c.refuseOverrides(err)
		return
	}
	// What stands beside what an earlier process has published was not written just now.
	m.candidate = &candidate{Overrides: o, found: first && !m.own && live.Data[toolset.KeyHolmesGPT] != ""}
}

// older: what is remembered is older than cm.
func (m *memory) older(cm *corev1.ConfigMap) bool {
	if m.version == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(m.version, cm.ResourceVersion)
	return err == nil && order < 0
}

// overridesIn is the admin's text. What is not UTF-8 comes as binaryData.
func overridesIn(live *corev1.ConfigMap) (string, bool) {
	if b, ok := live.BinaryData[toolset.KeyOverrides]; ok {
		return string(b), true
	}
	text, ok := live.Data[toolset.KeyOverrides]
	return text, ok
}

// deleted reports that the ConfigMap which had the admin's text is gone, whether or not somebody has made another since; a
// text in that one wins.
func (m *memory) deleted(live *corev1.ConfigMap) bool {
	if live == nil {
		return true
	}
	_, ok := overridesIn(live)
	return !ok && live.UID != m.uid && m.overridesText != ""
}

// restorable is the admin's text to bring back.
func (m *memory) restorable() string {
	if utf8.ValidString(m.overridesText) {
		return m.overridesText
	}
	return m.goodText
}

func (c *Controller) useOverrides(text string, o *toolset.Overrides) {
	m := &c.memory
	m.overrides, m.goodText, m.candidate = o, text, nil
	if m.overridesErr != nil {
		m.overridesErr = nil
		c.opts.Report.Overrides(nil)
	}
}

func (c *Controller) refuseOverrides(err error) {
	m := &c.memory
	if m.overridesErr == nil || m.overridesErr.Error() != err.Error() {
		c.opts.Report.Overrides(err)
	}
	m.overridesErr = err
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
