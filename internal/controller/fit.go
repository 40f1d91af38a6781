package controller

import (
	"crypto/sha256"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// leftOut holds the backends that a cycle left out, and the hash of what decided that.
type leftOut struct {
	from [sha256.Size]byte
	keys map[backend.Key]bool
}

// fit builds the document and the keys. If they are too large, it leaves out backends of the largest namespaces. If the
// keys of others alone take all the room, it leaves out nothing: the result stays too large, and the last document
// stays published.
func (c *Controller) fit(s *Snapshot, live *corev1.ConfigMap) (*toolset.Document, map[string]string, error) {
	room := publish.MaxBytes - publish.Foreign(live, s.Own)
	if text := c.memory.overrides.restore(live); text != "" {
		room -= len(toolset.KeyOverrides) + len(text)
	}
	undo := leavesOut(s.Findings)
	from, last := c.fitsFrom(s, room), c.memory.left
	// While nothing has changed, the same backends are left out without building all of them. Sizes measured before a
	// change must not decide, because a process that has just started would leave out other backends.
	if last != nil && last.from == from {
		for _, f := range s.Findings {
			if f.Verdict == backend.Accepted && last.keys[f.Candidate.Key()] {
				inventory.Leave(f)
			}
		}
		doc, keys, err := c.generate(s)
		if err == nil && publish.SizeOf(keys) <= room {
			inventory.Sort(s.Findings, c.opts.Catalog.Lookup)
			return doc, keys, nil
		}
		undo()
	}
	c.memory.left = nil
	doc, keys, err := c.generate(s)
	for err == nil && publish.SizeOf(keys) > room {
		sizes := measure(s.Findings, doc, publish.SizeOf(keys))
		size := func(f *backend.Finding) int { return sizes[f.Candidate.Key()] }
		// Leave out a little more than needed, so that once is enough.
		over := sum(sizes) - room
		if over <= 0 || !inventory.LeaveOut(s.Findings, over+room/50, size, c.opts.Inventory) {
			undo()
			return c.generate(s)
		}
		doc, keys, err = c.generate(s)
	}
	if left := crowded(s.Findings); err == nil && len(left) > 0 {
		c.memory.left = &leftOut{from, left}
		inventory.Sort(s.Findings, c.opts.Catalog.Lookup)
	}
	return doc, keys, err
}

// crowded returns the backends that are left out because the document would be too large.
func crowded(findings []*backend.Finding) map[backend.Key]bool {
	keys := map[backend.Key]bool{}
	for _, f := range findings {
		if f.Reason.Code == backend.CodeDocumentSize {
			keys[f.Candidate.Key()] = true
		}
	}
	return keys
}

// fitsFrom returns a hash of all that decides what is left out: what is written of each backend, and of what else.
func (c *Controller) fitsFrom(s *Snapshot, room int) (sum [sha256.Size]byte) {
	h, o := sha256.New(), &c.memory.overrides
	_, _ = fmt.Fprintf(h, "%d %q %q %t %t %q %q %v\n",
		room, s.Own, s.Taken, s.Discovered, o.candidate != nil, o.text, o.goodText, c.memory.primaries)
	for _, f := range s.Findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		candidate, seen := f.Candidate, &f.Observation
		_, _ = fmt.Fprintf(h, "%q %q %t %q %t %t %t %q", candidate.Key(), inventory.Text(f), f.Primary, f.ShardOf,
			f.Vouched, f.Entitled, f.KeepToken, f.Credentials)
		_, _ = fmt.Fprintf(h, "%t %q %q %q %d %q %q\n", candidate.Custom, candidate.Bundled, candidate.Headers,
			candidate.Files, candidate.Service.Created.UnixNano(), seen.Version, seen.Warnings)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// measure returns the share of each backend in keys of the given size.
func measure(findings []*backend.Finding, doc *toolset.Document, bytes int) map[backend.Key]int {
	sizes := doc.Sizes()
	all := sum(sizes)
	taken := map[backend.Key]int{}
	for _, f := range findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key := f.Candidate.Key()
		if taken[key] = 0; sizes[key] > 0 { // 0 if the overrides have removed the backend
			taken[key] = sizes[key]*bytes/all + 1
		}
	}
	return taken
}

func sum(sizes map[backend.Key]int) (total int) {
	for _, n := range sizes {
		total += n
	}
	return total
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
