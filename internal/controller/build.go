package controller

import (
	"errors"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// errNotLeading ends a write after another replica has begun to lead.
var errNotLeading = errors.New("this replica no longer leads")

// errBehind ends a write that might restore an old text of the overrides.
var errBehind = errors.New("the watch has not shown yet that the ConfigMap was deleted")

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

// fit builds the document and the keys. If they are too large, it leaves out backends of the largest namespaces. If the
// keys of others alone take all the room, it leaves out nothing: the result stays too large, and the last document
// stays published.
func (c *Controller) fit(s *Snapshot, live *corev1.ConfigMap) (*toolset.Document, map[string]string, error) {
	room := publish.MaxBytes - publish.Foreign(live, s.Own)
	undo := leavesOut(s.Findings)
	// The sizes measured in an earlier cycle show what to leave out, so that a document that is too large is not built
	// in each cycle.
	if c.leaveOut(s, room) {
		doc, keys, err := c.generate(s)
		if n := size(keys); err == nil && n <= room && n > room-room/20 {
			inventory.Sort(s.Findings, c.opts.Catalog.Lookup)
			return doc, keys, nil
		}
		undo()
	}
	c.memory.sizes = nil
	doc, keys, err := c.generate(s)
	for err == nil && size(keys) > room {
		c.memory.measure(s.Findings, doc, size(keys))
		if !c.leaveOut(s, room) {
			undo()
			return c.generate(s)
		}
		if doc, keys, err = c.generate(s); size(keys) <= room {
			inventory.Sort(s.Findings, c.opts.Catalog.Lookup)
		}
	}
	return doc, keys, err
}

// leaveOut leaves out the backends for which there is no room, by their measured sizes. It returns false if nothing is
// left out, also because the sizes are not known.
func (c *Controller) leaveOut(s *Snapshot, room int) bool {
	sizes, total, most := c.memory.sizes, 0, 0
	for _, n := range sizes {
		most = max(most, n)
	}
	of := func(f *backend.Finding) int {
		if n, known := sizes[f.Candidate.Key()]; known {
			return n
		}
		return most
	}
	for _, f := range s.Findings {
		if f.Verdict == backend.Accepted {
			total += of(f)
		}
	}
	// Leave out a little more than needed, so that once is enough.
	return total > room && inventory.LeaveOut(s.Findings, total-room+room/50, of, c.opts.Inventory)
}

// measure records the share of each backend in keys of the given size.
func (m *memory) measure(findings []*backend.Finding, doc *toolset.Document, bytes int) {
	sizes, sum := doc.Sizes(), 0
	for _, n := range sizes {
		sum += n
	}
	m.sizes = map[backend.Key]int{}
	for _, f := range findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key := f.Candidate.Key()
		if m.sizes[key] = 0; sizes[key] > 0 { // 0 if the overrides have removed the backend
			m.sizes[key] = sizes[key]*bytes/sum + 1
		}
	}
}

// leavesOut returns a function that undoes LeaveOut.
func leavesOut(findings []*backend.Finding) (undo func()) {
	type place struct {
		finding *backend.Finding
		reason  backend.Reason
		primary bool
	}
	var before []place
	for _, f := range findings {
		if f.Verdict == backend.Accepted { // LeaveOut changes no others
			before = append(before, place{f, f.Reason, f.Primary})
		}
	}
	return func() {
		for _, p := range before {
			p.finding.Verdict, p.finding.Reason, p.finding.Primary = backend.Accepted, p.reason, p.primary
		}
	}
}

// size returns the size of keys in a ConfigMap, in bytes.
func size(keys map[string]string) (n int) {
	for k, text := range keys {
		n += len(k) + len(text)
	}
	return n
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

// hold returns the keys that another writer keeps changing. Their repair waits for the next resync.
func (c *Controller) hold(live *corev1.ConfigMap, d publish.Desired) []string {
	if c.resync || live == nil {
		return nil
	}
	return c.memory.repairs.Hold(c.output.Drifted(live, d), time.Now())
}

// ownKeys returns two lists of names of the admin's additional keys (config output.keys): those that this service writes
// or has written, and those that another writer has written, which are left as they are. A name that is no longer
// configured stays recorded until its key is removed, so that a restart in between does not leave the key behind.
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
