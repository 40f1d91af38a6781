package server

import (
	"errors"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// The phases of discovery_duration_seconds.
const (
	PhaseDetect  = "detect"  // Services to candidates
	PhaseProbe   = "probe"   // candidates to observations
	PhaseBuild   = "build"   // observations and overrides to the document
	PhasePublish = "publish" // the document to the ConfigMap
	PhaseTotal   = "total"
)

// Phases returns all phases.
func Phases() []string {
	return []string{PhaseDetect, PhaseProbe, PhaseBuild, PhasePublish, PhaseTotal}
}

// The results of configmap_reconcile_total.
const (
	ResultUnchanged = "unchanged" // nothing to write
	ResultCreated   = "created"
	ResultUpdated   = "updated"   // the generated keys have changed
	ResultRepaired  = "repaired"  // another field manager's change was undone
	ResultDeferred  = "deferred"  // repaired too often: deferred until the next resync
	ResultConflict  = "conflict"  // retried in the next cycle
	ResultTooLarge  = "too_large" // the last good document stays
	ResultImmutable = "immutable"
	ResultError     = "error"
)

// Results returns all results.
func Results() []string {
	return []string{
		ResultUnchanged, ResultCreated, ResultUpdated, ResultRepaired, ResultDeferred,
		ResultConflict, ResultTooLarge, ResultImmutable, ResultError,
	}
}

// result returns the label of one attempt to write.
func result(r *publish.Result, err error) string {
	switch {
	case errors.Is(err, publish.ErrConflict), errors.Is(err, publish.ErrSuperseded):
		return ResultConflict
	case errors.Is(err, publish.ErrTooLarge):
		return ResultTooLarge
	case errors.Is(err, publish.ErrImmutable):
		return ResultImmutable
	case err != nil:
		return ResultError
	case r.Created:
		return ResultCreated
	case len(r.Drifted) > 0:
		return ResultRepaired
	case r.Written:
		return ResultUpdated
	case len(r.Held) > 0:
		return ResultDeferred
	}
	return ResultUnchanged
}

// The operations of reconciliation_errors_total.
const (
	OperationList    = "list"    // reading Services, EndpointSlices or the ConfigMap
	OperationBuild   = "build"   // the document
	OperationApply   = "apply"   // the generated keys
	OperationPrune   = "prune"   // keys that are no longer generated
	OperationRestore = "restore" // the overrides of a deleted ConfigMap
	OperationState   = "state"   // reading state.json
	OperationEvent   = "event"
)

// Operations returns all operations.
func Operations() []string {
	return []string{
		OperationList, OperationBuild, OperationApply, OperationPrune, OperationRestore, OperationState, OperationEvent,
	}
}

// FailureReasons returns the reasons of health_check_failures_total: the outcomes that are failures, with the causes of
// "unreachable" instead of that outcome.
func FailureReasons() []string {
	return []string{
		string(backend.AuthRequired), string(backend.NotReady), string(backend.WrongIdentity),
		string(backend.Forbidden), string(backend.ForbiddenByMesh), string(backend.LoginRequired),
		string(backend.UntrustedTLS), string(backend.NoEndpoints),
		"refused", "timeout", "reset", "closed", "dns", "denied", labelOther,
	}
}

func failureReason(o *backend.Observation) string {
	if o.Outcome == backend.Unreachable {
		return oneOf(FailureReasons(), o.Cause)
	}
	return oneOf(FailureReasons(), string(o.Outcome))
}

// labelOther is the label of every value that is not in the list of known values.
const labelOther = "other"

// oneOf returns v if the list contains it, else labelOther.
func oneOf[T ~string](list []T, v T) string {
	if slices.Contains(list, v) {
		return string(v)
	}
	return labelOther
}

// typeLabel returns the label of a backend type.
func (m *Metrics) typeLabel(name string) string {
	if slices.Contains(m.types, name) {
		return name
	}
	return backend.TypeCustom
}

// utf8 replaces invalid UTF-8 in a label, which the registry would reject.
func utf8(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// tokensByLabel returns the cost of the toolsets in tokens. HTTP toolsets are grouped by type, because owners of
// Services choose their names.
func (m *Metrics) tokensByLabel(toolsets []view.Toolset) map[string]float64 {
	tokens := map[string]float64{}
	for i := range toolsets {
		t := &toolsets[i]
		if t.Tokens == nil {
			continue
		}
		name := utf8(t.Name)
		if t.Config["endpoints"] != nil {
			name = m.typeLabel(t.Type)
		}
		tokens[name] += float64(*t.Tokens)
	}
	return tokens
}
