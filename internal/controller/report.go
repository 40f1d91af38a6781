package controller

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/history"
	"kubernaut.io/dynamic-toolset/internal/logging"
	"kubernaut.io/dynamic-toolset/internal/metrics"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// Events records Kubernetes Events; a replica that does not lead records none.
type Events interface {
	// ConfigMap records one about what is written, Service one for a Service's owner. A Warning wants somebody to act.
	ConfigMap(warning bool, reason, note string)
	Service(s *backend.Service, warning bool, reason, note string)
	// Clear says that what a Service was told is over.
	Clear(s *backend.Service)
}

// Report turns what happens into metrics, log lines and Events.
type Report struct {
	Metrics *metrics.Metrics
	Events  Events
	Log     *slog.Logger
	History *history.Log // may be nil
	// Resolver looks up names that are written; nil where the cluster's names are not known, as outside it.
	Resolver Resolver
	Trusted  func(namespace string) bool // whose names are looked up first; may be nil

	checked   nameCheck
	accepted  map[backend.Key]string // in the last cycle: endpoints
	failing   string                 // the error that was last told
	source    string                 // the same, of reading Services
	frozen    string                 // the namespaces that were last told
	bad       map[backend.Ref]complaint
	limited   map[limited]bool // namespaces of which backends are left out, as told
	owners    owners
	names     map[backend.Ref]*backend.Finding // annotations that other Services make wrong, as told
	warnings  []string                         // about the document, as told
	large     bool
	overrides logging.Condition[string] // what is wrong with the admin's
	misnamed  map[string]string         // primaries of the configuration that none can be, as told
	cutOff    bool                      // none of the backends can be reached, as told
	leading   bool
}

// Cycle implements Reporter.
func (r *Report) Cycle(s *Snapshot) {
	if s.Write != nil {
		r.reportWrite(s.Write, s.Err)
	}
	r.reportReferences(s.References)
	r.Metrics.Phase(metrics.PhaseDetect, s.Took.Detect)
	r.Metrics.Phase(metrics.PhaseBuild, s.Took.Build)
	if s.Took.Publish > 0 {
		r.Metrics.Phase(metrics.PhasePublish, s.Took.Publish)
	}
	r.Metrics.Phase(metrics.PhaseTotal, s.Took.Total)
	shown := metrics.Snapshot{Services: map[metrics.Group]int{}, Toolsets: map[string]bool{}}
	for _, f := range s.Findings {
		shown.Services[metrics.Group{Type: f.Type, State: f.Verdict}]++
		if f.Verdict != backend.Accepted {
			continue
		}
		name := f.Type + "/" + f.Candidate.Instance
		shown.Toolsets[name] = f.Observation.Outcome.Up()
	}
	r.Metrics.Show(shown)
	r.Metrics.Leading(s.Leading && !s.DryRun)
	if s.InForce {
		r.tellBackends(s)
	}
	r.checkNames(s)
	r.tellSource(s.Source)
	r.tellNames(s)
	r.reportOverrides(s)
	r.tellReach(s)
	r.tellWarnings(s)
	r.tellLimits(s)
	r.tellMisnamed(s)
	if r.leading != s.Leading {
		r.leading = s.Leading
		r.note(history.Leadership, "%s", map[bool]string{true: "this replica writes from now on", false: "another replica writes from now on"}[s.Leading])
	}
	if s.Document == nil && s.Err != nil {
		r.Metrics.Error(metrics.OperationBuild)
	}
	r.tellFrozen(s)
}

// tellFrozen tells of namespaces that may not be watched.
func (r *Report) tellFrozen(s *Snapshot) {
	frozen := strings.Join(s.Frozen, ", ")
	if !s.Leading || frozen == r.frozen {
		return
	}
	r.frozen = frozen
	if frozen == "" {
		r.Events.ConfigMap(false, "NamespacesWatched", "all namespaces may be watched by now")
		return
	}
	r.Events.ConfigMap(true, "NamespaceForbidden", "not allowed to watch "+frozen+": what is published of it stays as it is; "+
		"needed is a Role in each namespace with get, list and watch on services, and list and watch on endpointslices")
}

// Checked counts a health check.
func (r *Report) Checked(c *backend.Candidate, o *backend.Observation, took time.Duration) {
	r.Metrics.Phase(metrics.PhaseProbe, took)
	if !o.Outcome.Up() {
		r.Metrics.CheckFailed(c.Type, *o)
	}
}

// reportWrite reports what came of an attempt to write.
func (r *Report) reportWrite(w *Write, err error) {
	if w.Bytes > 0 { // else it came to nothing before
		r.Metrics.Size(w.Bytes)
		r.tellLarge(&w.Result)
	}
	if w.Created && len(w.Drifted) > 0 {
		r.Metrics.Drift(1) // all of them are one deletion
	} else {
		r.Metrics.Drift(len(w.Drifted))
	}
	r.Metrics.Reconciled(result(&w.Result, err))
	if w.Written {
		list := func(keys []string) []string { return append([]string{}, keys...) } // none is [] in JSON, not null
		r.Log.Info("published", "changed", list(w.Changed), "removed", list(w.Removed), "repaired", len(w.Drifted), "bytes", w.Bytes)
		if keys := fresh(&w.Result); len(keys) > 0 {
			r.note(history.Published, "%s", strings.Join(keys, ", "))
		}
		if w.Waited > 0 {
			r.Metrics.Published(w.Waited)
		}
	}
	r.tellRepairs(&w.Result)
	for _, d := range w.Limited {
		r.Events.ConfigMap(true, "RepairedTooOften",
			fmt.Sprintf("%s is changed again and again%s: from now on it is repaired only every resync", d.Key, by(d.Manager)))
	}
	if w.Restored {
		r.Events.ConfigMap(false, "OverridesRestored", "the ConfigMap was deleted and is back, with the overrides it had")
	}
	r.tellFailure(err)
}

func (r *Report) tellLarge(res *publish.Result) {
	if res.Large() && !r.large {
		r.Events.ConfigMap(true, "ConfigMapLarge", fmt.Sprintf("the ConfigMap has %d KiB; at 900 KiB nothing more is written", res.Bytes>>10))
	}
	r.large = res.Large()
}

// tellFailure tells each kind of failure once, and when it is over.
func (r *Report) tellFailure(err error) {
	if err == nil {
		if r.failing != "" {
			r.Log.Info("publishing works again")
			r.note(history.Recovered, "publishing works again")
			r.Events.ConfigMap(false, "PublishWorks", "publishing works again")
			r.failing = ""
		}
		return
	}
	if errors.Is(err, publish.ErrSuperseded) {
		r.Log.Info("another replica has written meanwhile", "err", err)
		return
	}
	operation := metrics.OperationApply
	if step := (*publish.Error)(nil); errors.As(err, &step) {
		operation = metrics.Operation(step.Op)
	}
	r.Metrics.Error(operation)
	if r.failing == err.Error() {
		return
	}
	r.failing = err.Error()
	r.Log.Error("publishing failed: what was published last stays", "err", err)
	r.note(history.Failed, "what was published last stays: %s", err.Error())
	r.Events.ConfigMap(true, "PublishFailed", err.Error())
}

func result(res *publish.Result, err error) metrics.Result {
	switch {
	case errors.Is(err, publish.ErrConflict), errors.Is(err, publish.ErrSuperseded):
		return metrics.ResultConflict
	case errors.Is(err, publish.ErrTooLarge):
		return metrics.ResultTooLarge
	case errors.Is(err, publish.ErrImmutable):
		return metrics.ResultImmutable
	case err != nil:
		return metrics.ResultError
	case res.Created:
		return metrics.ResultCreated
	case len(res.Drifted) > 0:
		return metrics.ResultRepaired
	case res.Written:
		return metrics.ResultUpdated
	case len(res.Held) > 0:
		return metrics.ResultDeferred
	}
	return metrics.ResultUnchanged
}

// fresh are the keys that were written or removed, but for those put right.
func fresh(res *publish.Result) []string {
	var list []string
	for _, k := range slices.Concat(res.Changed, res.Removed) {
		if !slices.ContainsFunc(res.Drifted, func(d publish.Drift) bool { return d.Key == k }) {
			list = append(list, k)
		}
	}
	return list
}

func by(manager string) string {
	if manager == "" {
		return ""
	}
	return " by " + manager
}

// reportReferences reports changes in who gets a variable.
func (r *Report) reportReferences(moves []ReferenceMove) {
	for _, m := range moves {
		text := fmt.Sprintf("%s of %s goes to %s", m.Variable, m.Toolset, m.To)
		switch {
		case m.To == "":
			text = fmt.Sprintf("%s of %s no longer goes to %s", m.Variable, m.Toolset, m.From)
		case m.From != "":
			text += " and no longer to " + m.From
		}
		r.Log.Info("credential reference changed", "variable", m.Variable, "toolset", m.Toolset, "from", m.From, "to", m.To)
		r.note(history.References, "%s", text)
		if m.From == "" {
			r.Events.ConfigMap(false, "CredentialGiven", text)
		} else {
			r.Events.ConfigMap(true, "CredentialWithdrawn", text)
		}
	}
}

// reportOverrides reports when the admin's text becomes invalid, and when it is valid again. A new leader reports an invalid
// one again: only leaders record Events.
func (r *Report) reportOverrides(s *Snapshot) {
	r.Metrics.OverridesValid(s.Overrides == nil)
	if s.Leading && !r.leading {
		r.overrides = logging.Condition[string]{}
	}
	switch text := textOf(s.Overrides); {
	case !r.overrides.Changed(text):
	case text == "":
		r.Log.Info("the overrides are valid again")
		r.note(history.OverridesValid, "the overrides are valid again and in force")
		r.Events.ConfigMap(false, "OverridesValid", "the overrides are valid again and in force")
	default:
		r.Log.Warn("the overrides are invalid: the last good ones stay in force", "err", text)
		r.note(history.OverridesInvalid, "the last good ones stay in force: %s", text)
		r.Events.ConfigMap(true, "OverridesInvalid", "the last good overrides stay in force: "+text)
	}
}

// textOf is an error's text, "" for none.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Forgotten implements Reporter.
func (r *Report) Forgotten(err error) {
	r.Metrics.Error(metrics.OperationState)
	r.Log.Warn("what was published before cannot be read: it stays until every backend was asked once", "err", err)
}

// complaint is what an owner was told, and about which Service: one that is made again is another.
type complaint struct{ uid, reason string }

// BadAnnotation implements Reporter. What changes too often is told again with the next discovery.
func (r *Report) BadAnnotation(s *backend.Service, typ, reason string) {
	if r.bad == nil {
		r.bad = map[backend.Ref]complaint{}
	}
	if now := (complaint{s.UID, reason}); r.bad[s.Ref] != now { // it is told with each discovery
		if !r.owners.mayTell(s.Namespace, time.Now()) {
			return
		}
		r.bad[s.Ref] = now
		r.Metrics.DetectorError(typ)
		r.backend(history.AnnotationInvalid, backend.Key{Ref: s.Ref, Type: typ}, reason)
	}
	r.Events.Service(s, true, "BadAnnotation", reason)
}

// GoodAnnotation implements Reporter.
func (r *Report) GoodAnnotation(s *backend.Service) {
	if _, told := r.bad[s.Ref]; told {
		r.backend(history.AnnotationValid, backend.Key{Ref: s.Ref}, "what was wrong with its annotations is mended, or gone")
	}
	delete(r.bad, s.Ref)
	r.Events.Clear(s)
}
