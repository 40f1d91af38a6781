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

// Snapshot is the outcome of one cycle. It must not be changed.
type Snapshot struct {
	Findings []*backend.Finding
	Document *toolset.Document // nil where Err says why it could not be built
	Keys     map[string]string // what the output should hold
	At       time.Time
	Took     Times
	// Discovered: every candidate was probed once, or had the time to answer.
	Discovered bool
	Leading    bool
	Frozen     []string // namespaces that may not be watched: their published backends stay as they are
	Err        error    // why the output is not as it should be
	Source     error    // why the Services as known may be outdated
	Overrides  error    // what is wrong with the admin's overrides
	// Misnamed are primaries of the configuration that none can be.
	Misnamed []inventory.Misnamed
	// Own are the keys of the admin's own (config output.keys) that are written, or still there, and Taken those that
	// are not written since others have written keys of these names.
	Own, Taken []string
	DryRun     bool    // nothing is written
	InForce    bool    // the output holds what Keys say; in a dry run they are taken for it
	Output     Written // what the output holds
	Write      *Write  // nil if no write was tried
	// Inherited is what another process had published before this replica wrote for the first time in its term; nil
	// afterwards.
	Inherited []publish.Instance
	// References are changes in who gets which variable of HolmesGPT's environment.
	References []ReferenceMove

	held time.Duration // until the first backend that changes too often may be published; 0 for none
}

// Write is the result of one attempt to write; Snapshot.Err says why it failed.
type Write struct {
	publish.Result
	// Limited are keys that another writer keeps changing; from now on they are repaired only at each resync.
	Limited []publish.Drift
	Waited  time.Duration // since the change was known; 0 for a repair
}

// Times are how long the parts of a cycle took. Probing goes on beside it.
type Times struct {
	Detect  time.Duration // Services to candidates
	Build   time.Duration // findings and overrides to keys
	Publish time.Duration // keys to the output; 0 where nothing was to be written
	Total   time.Duration
}

// Written is what the output holds, and what it held before.
type Written struct {
	Keys     map[string]string // generated ones; empty where there is none
	Version  string            // resourceVersion of the ConfigMap; "" for files
	At       time.Time         // since when, as far as this process knows; zero: since before it started
	Replaced map[string]string // what was there before; nil: not known, or nothing
}

func (c *Controller) newSnapshot() *Snapshot {
	s := &Snapshot{
		At: time.Now(), Leading: c.leader.Leading(), Discovered: c.firstRoundOver(),
		Frozen: c.source.Frozen(), Source: c.source.Err(), DryRun: c.opts.DryRun,
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

// Updated is closed when there is a newer snapshot than the one that is current at the time of the call.
func (c *Controller) Updated() <-chan struct{} { return *c.updated.Load() }

// noteOutput takes in what the output holds, and remembers what that replaced.
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
