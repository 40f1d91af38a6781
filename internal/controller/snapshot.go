package controller

import (
	"cmp"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Snapshot is what one cycle came to, for whoever wants to know. It must not be changed.
type Snapshot struct {
	Findings []*backend.Finding
	Document *toolset.Document // nil where Err says why it could not be built
	Keys     map[string]string // what the output should hold
	At       time.Time
	Took     time.Duration
	// Discovered: every candidate was asked once, or had the time to answer.
	Discovered bool
	Leading    bool
	Frozen     []string // namespaces that may not be watched: what is published of them stays as it is
	Err        error    // why the output is not as it should be
	Overrides  error    // what is wrong with the admin's overrides
}

func (c *Controller) newSnapshot(findings []*backend.Finding) *Snapshot {
	return &Snapshot{Findings: findings, At: time.Now(), Leading: c.leader.Leading(), Discovered: c.firstRoundOver(), Frozen: c.source.Frozen()}
}

// tell logs a line for each backend that was added, withdrawn or changed since the last cycle.
func (c *Controller) tell(s *Snapshot) {
	before := map[backend.Key]string{}
	if last := c.snapshot.Load(); last != nil {
		before = accepted(last.Findings)
	}
	now := accepted(s.Findings)
	for _, f := range s.Findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		key := f.Candidate.Key()
		switch old, known := before[key]; {
		case !known:
			c.opts.Log.Info("backend added", attributes(key, "endpoint", f.Endpoint(), "version", f.Observation.Version)...)
		case old != f.Endpoint():
			c.opts.Log.Info("backend changed", attributes(key, "endpoint", f.Endpoint(), "was", old)...)
		}
	}
	reasons := map[backend.Key]string{}
	for _, f := range s.Findings {
		reasons[backend.Key{Ref: f.Ref, Type: f.Type}] = f.Reason
	}
	for key, endpoint := range before {
		if _, still := now[key]; !still {
			reason := cmp.Or(reasons[key], reasons[backend.Key{Ref: key.Ref}])
			if reason == "" {
				reason = "it is no longer there, or no longer looks like one"
			}
			c.opts.Log.Info("backend withdrawn", attributes(key, "endpoint", endpoint, "reason", reason)...)
		}
	}
}

func attributes(key backend.Key, more ...any) []any {
	return append([]any{"namespace", key.Namespace, "service", key.Name, "type", key.Type}, more...)
}

func accepted(findings []*backend.Finding) map[backend.Key]string {
	m := map[backend.Key]string{}
	for _, f := range findings {
		if f.Verdict == backend.Accepted {
			m[f.Candidate.Key()] = f.Endpoint()
		}
	}
	return m
}
