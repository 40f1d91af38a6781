package controller

import (
	"errors"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// errNotLeading ends a write after another replica has begun to lead.
var errNotLeading = errors.New("this replica no longer leads")

// errBehind ends a write that might restore an old text of the overrides.
var errBehind error = publish.NewError(publish.OpRestore, "the ConfigMap was deleted, and its watch does not show "+
	"that; if that lasts for a minute, the ConfigMap is restored with the overrides that the watch showed last", nil)

// build returns what the ConfigMap should hold, from the findings and from the overrides in the live ConfigMap. It is
// called again after each conflict.
func (c *Controller) build(s *Snapshot, live *corev1.ConfigMap) (publish.Desired, error) {
	if !c.opts.DryRun && c.leading && !c.leader.Leading() {
		return publish.Desired{}, errNotLeading
	}
	if c.behind(live) {
		return publish.Desired{}, errBehind
	}
	o := &c.memory.overrides
	o.observe(live, c.output.Gone())
	s.Own, s.Taken = c.ownKeys(live)
	doc, keys, err := c.fit(s, live)
	if err != nil {
		return publish.Desired{}, err
	}
	s.Document, s.Keys = doc, keys
	d := publish.Desired{Keys: keys, Own: s.Own, Restore: o.restore(live)}
	d.Hold = c.hold(live, d)
	return d, nil
}

// generate builds the document and the keys.
func (c *Controller) generate(s *Snapshot) (*toolset.Document, map[string]string, error) {
	doc, err := c.memory.overrides.build(s.Findings, c.opts.Toolset, s.Discovered)
	if err != nil {
		return nil, nil, err
	}
	keys, err := doc.Keys()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range s.Taken {
		delete(keys, name)
	}
	state := c.state(s.Findings)
	state.Keys = s.Own
	if keys[toolset.KeyState], err = state.Encode(); err != nil {
		return nil, nil, err
	}
	return doc, keys, nil
}

// wholeConfigMap is counted like a key for each time that a deleted ConfigMap is created again.
const wholeConfigMap = "the whole ConfigMap"

func deletion() []publish.Drift { return []publish.Drift{{Key: wholeConfigMap}} }

// hold returns the keys that another writer keeps changing. Their repair waits for the next resync. If another writer
// keeps deleting the ConfigMap, these are all keys.
func (c *Controller) hold(live *corev1.ConfigMap, d publish.Desired) []string {
	switch {
	case c.resync:
		return nil
	case live != nil:
		return c.memory.repairs.Hold(c.output.Drifted(live, d), time.Now())
	case len(c.memory.repairs.Hold(deletion(), time.Now())) == 0:
		return nil
	}
	return slices.Collect(maps.Keys(d.Keys))
}

// ownKeys returns the names of the admin's additional keys (config output.keys): those that this service writes or has
// written, and those that another writer has written, which are left as they are. A name that is no longer configured
// stays recorded until its key is removed.
func (c *Controller) ownKeys(live *corev1.ConfigMap) (own, taken []string) {
	names := slices.Concat(slices.Collect(maps.Keys(c.opts.Toolset.Own)), c.memory.keys)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		_, configured := c.opts.Toolset.Own[name]
		recorded := slices.Contains(c.memory.keys, name)
		there, generated := false, false
		if live != nil {
			text, plain := live.Data[name]
			_, binary := live.BinaryData[name]
			there, generated = plain || binary, toolset.Generated(text)
		}
		switch {
		case configured && (!there || recorded || generated), recorded && generated:
			own = append(own, name)
		case configured:
			taken = append(taken, name)
		}
	}
	return own, taken
}
