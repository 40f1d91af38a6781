package controller

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Events records Kubernetes Events. A replica that does not lead records none.
type Events interface {
	ConfigMap(warning bool, reason, note string) // a warning asks for action
	Service(s *backend.Service, warning bool, reason, note string)
	Clear(s *backend.Service) // ends the recorded states of a Service
}

// Metrics counts what happens.
type Metrics interface {
	Cycle(s *Snapshot)        // is called at the end of each cycle
	Discovered(typ string)    // a backend of that type is newly accepted
	Withdrawn(typ string)     // a backend of that type is no longer published
	BadAnnotation(typ string) // a Service has a wrong annotation of that type
	Error(operation string)   // an operation failed that no snapshot shows

	AgentLoaded(took time.Duration) // a replica of HolmesGPT has loaded a change, the given time after it was noticed
}

// Report reports what happens as metrics, log lines, Events and the history.
type Report struct {
	Metrics Metrics
	Events  Events
	Log     *slog.Logger
	History *Changes
	// Resolver looks up published names. It is nil if the cluster's names cannot be resolved, as outside the cluster.
	Resolver Resolver

	checked   nameCheck
	owners    budgets     // limits the reports about the Services of a namespace, by reason
	withdrawn withdrawals // without an Event so far
	agents    agentFailures

	// The fields below hold what was reported last.
	leading   logging.Condition[bool]
	failing   logging.Condition[string] // why the ConfigMap is not written
	source    logging.Condition[string] // why Services cannot be read
	frozen    logging.Condition[string] // the namespaces that may not be watched
	overrides logging.Condition[string] // what is wrong with the overrides
	taken     logging.Condition[string] // the keys of output.keys that others have written
	large     logging.Condition[bool]
	cutOff    logging.Condition[bool] // no backend can be reached
	backends  logging.Conditions[backend.Key, reported]
	limited   logging.Conditions[limited, bool]
	warnings  logging.Conditions[toolset.Warning, bool] // about the document
	misnamed  logging.Conditions[backend.Key, string]   // why the configured primary cannot be one
	bad       logging.Conditions[backend.Ref, complaint]
	clashes   logging.Conditions[backend.Ref, complaint] // the part of bad that is caused by another Service
}

// Cycle is called at the end of each cycle.
func (r *Report) Cycle(s *Snapshot) {
	led := r.leading.Changed(s.Leading)
	if s.Write != nil {
		r.reportWrite(s.Write, s.Err)
	}
	r.reportReferences(s.References)
	r.Metrics.Cycle(s)
	if s.InForce {
		r.reportBackends(s)
	}
	r.checkNames(s)
	r.reportSource(s.Source)
	r.reportClashes(s, led)
	r.reportOverrides(s, led)
	r.reportReach(s)
	r.reportWarnings(s)
	r.reportLimits(s)
	r.reportMisnamed(s)
	r.reportTaken(s)
	switch {
	case led && s.Leading:
		r.note(ChangeLeadership, "this replica writes from now on")
	case led:
		r.note(ChangeLeadership, "another replica writes from now on")
	}
	r.reportFrozen(s)
}

// reportSource reports when Services cannot be read, and when they can be again.
func (r *Report) reportSource(err error) {
	switch text := textOf(err); {
	case !r.source.Changed(text):
	case err == nil:
		r.Log.Info("Services readable again")
		r.note(ChangeSourceRecovered, "Services can be read again")
	default:
		r.Log.Warn("Services not readable", "err", err)
		r.note(ChangeSourceFailed, "the published backends stay: %s", text)
	}
}

// reportFrozen reports namespaces that may not be watched.
func (r *Report) reportFrozen(s *Snapshot) {
	frozen := strings.Join(s.Frozen, ", ")
	switch {
	case !s.Leading || !r.frozen.Changed(frozen):
	case frozen == "":
		r.Events.ConfigMap(false, "NamespacesWatched", "all namespaces can be watched now")
	default:
		r.Events.ConfigMap(true, "NamespaceForbidden",
			"not allowed to watch "+frozen+": the backends published there stay unchanged; "+
				"to allow it, add to each of these namespaces a Role with "+view.WatchRules())
	}
}

// reportOverrides reports when the overrides become invalid, and when they are valid again. A new leader reports
// invalid overrides again, because only leaders record Events.
func (r *Report) reportOverrides(s *Snapshot, led bool) {
	if led && s.Leading {
		r.overrides = logging.Condition[string]{}
	}
	switch text := textOf(s.Overrides); {
	case !r.overrides.Changed(text):
	case text == "":
		r.Log.Info("overrides valid again")
		r.note(ChangeOverridesValid, "the overrides are valid again and in force")
		r.Events.ConfigMap(false, "OverridesValid", "the overrides are valid again and in force")
	default:
		r.Log.Warn("overrides invalid", "err", text)
		r.note(ChangeOverridesInvalid, "the last good overrides stay in force: %s", text)
		r.Events.ConfigMap(true, "OverridesInvalid", "the last good overrides stay in force: "+text)
	}
}

// Forgotten is called if the recorded state cannot be read.
func (r *Report) Forgotten(err error) {
	r.Metrics.Error("state")
	r.Log.Warn("recorded state not readable", "err", err)
}

// note adds a change to the history that is not about a single backend.
func (r *Report) note(kind ChangeKind, format string, args ...any) {
	r.History.Add(Change{Kind: kind, Message: fmt.Sprintf(format, args...)})
}

// textOf returns an error's text, "" for nil.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
