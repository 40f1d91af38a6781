package controller

import (
	"maps"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Snapshot is the result of one cycle. It must not be changed.
type Snapshot struct {
	Findings []*backend.Finding
	Document *toolset.Document // nil if it could not be built; see Err
	Keys     map[string]string // what the output should hold
	At       time.Time
	Took     Times
	// Discovered means that every candidate was probed once or has timed out.
	Discovered bool
	Leading    bool
	Frozen     []string             // namespaces that may not be watched: their published backends stay as they are
	Err        error                // why the output does not hold Keys
	Source     error                // why the Services may be outdated
	Overrides  error                // what is wrong with the overrides
	Misnamed   []inventory.Misnamed // configured primaries that cannot be primaries
	// Own are the admin's additional keys (config output.keys) that are written, or that still exist. Taken are those
	// that are not written because other writers have written these keys.
	Own, Taken []string
	DryRun     bool    // nothing is written
	InForce    bool    // the output holds the document; in a dry run, it could be built
	Output     Written // what the output holds
	Write      *Write  // nil if no write was tried
	// Inherited is what another process had published before the first write of this replica in its term; nil
	// afterwards.
	Inherited  []publish.Instance
	References []ReferenceMove // that this write has made

	held time.Duration // until the first backend that changes too often may be published; 0 for none
}

// Write is the result of one attempt to write; Snapshot.Err says why it failed.
type Write struct {
	publish.Result
	// Limited are keys that another writer keeps changing. From now on they are repaired only at each resync.
	Limited []publish.Drift
	Waited  time.Duration // since the change was noticed; 0 for a repair
}

// Times are the durations of the parts of a cycle. Probes run concurrently and are not included.
type Times struct {
	Detect  time.Duration // Services to candidates
	Build   time.Duration // findings and overrides to keys
	Publish time.Duration // keys to the output; 0 if there was nothing to write
	Total   time.Duration
}

// Written is what the output holds, and what it held before.
type Written struct {
	Keys     map[string]string // the generated keys; empty if there are none
	Version  string            // resourceVersion of the ConfigMap; "" for files
	At       time.Time         // since when; zero if since before this process started
	Replaced map[string]string // the keys before; nil if not known or none
}

func (c *Controller) newSnapshot() *Snapshot {
	s := &Snapshot{
		At: time.Now(), Leading: c.leader.Leading(), Discovered: c.firstRoundOver(),
		Frozen: c.frozen, Source: c.source.Err(), DryRun: c.opts.DryRun,
	}
	if !c.memory.own {
		s.Inherited = c.memory.published
	}
	return s
}

// store makes a snapshot the current one.
func (c *Controller) store(s *Snapshot) {
	s.Output = c.written
	c.snapshot.Store(s)
	updated := make(chan struct{})
	close(*c.updated.Swap(&updated))
	c.answer(s)
}

// Updated returns a channel that is closed when there is a newer snapshot.
func (c *Controller) Updated() <-chan struct{} { return *c.updated.Load() }

// noteOutput records what the output holds, and what it held before.
func (c *Controller) noteOutput(own []string) {
	var keys map[string]string
	c.written.Version = ""
	if live := c.output.Live(); live != nil {
		keys, c.written.Version = map[string]string{}, live.ResourceVersion
		for k, text := range live.Data {
			if toolset.OwnedKey(k) || slices.Contains(own, k) {
				keys[k] = text
			}
		}
	}
	if !maps.Equal(keys, c.written.Keys) {
		c.written.Keys, c.written.Replaced, c.written.At = keys, c.written.Keys, time.Now()
	}
}
