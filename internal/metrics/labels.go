package metrics

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Phase of a discovery.
type Phase string

// The phases of discovery_duration_seconds.
const (
	PhaseDetect  Phase = "detect"  // Services to candidates
	PhaseProbe   Phase = "probe"   // candidates to observations
	PhaseBuild   Phase = "build"   // observations and overrides to the document
	PhasePublish Phase = "publish" // the document to the ConfigMap
	PhaseTotal   Phase = "total"
)

// Phases are all of them.
func Phases() []Phase {
	return []Phase{PhaseDetect, PhaseProbe, PhaseBuild, PhasePublish, PhaseTotal}
}

// Result of one comparison of the ConfigMap with what it should be.
type Result string

// The results of configmap_reconcile_total.
const (
	ResultUnchanged Result = "unchanged" // nothing to write
	ResultCreated   Result = "created"
	ResultUpdated   Result = "updated"   // what is generated has changed
	ResultRepaired  Result = "repaired"  // someone else's change was undone
	ResultDeferred  Result = "deferred"  // repaired too often: left until the next resync
	ResultConflict  Result = "conflict"  // given up until the next cycle
	ResultTooLarge  Result = "too_large" // the last good one stays
	ResultImmutable Result = "immutable"
	ResultError     Result = "error"
)

// Results are all of them.
func Results() []Result {
	return []Result{
		ResultUnchanged, ResultCreated, ResultUpdated, ResultRepaired, ResultDeferred,
		ResultConflict, ResultTooLarge, ResultImmutable, ResultError,
	}
}

// Operation that may fail.
type Operation string

// The operations of reconciliation_errors_total.
const (
	OperationList    Operation = "list"    // reading Services, EndpointSlices or the ConfigMap
	OperationBuild   Operation = "build"   // the document
	OperationApply   Operation = "apply"   // the generated keys
	OperationPrune   Operation = "prune"   // keys that are no longer generated
	OperationRestore Operation = "restore" // the overrides of a deleted ConfigMap
	OperationState   Operation = "state"   // reading state.json
	OperationEvent   Operation = "event"
)

// Operations are all of them.
func Operations() []Operation {
	return []Operation{
		OperationList, OperationBuild, OperationApply, OperationPrune,
		OperationRestore, OperationState, OperationEvent,
	}
}

// FailureReasons are the values of FailureReason: the outcomes that are no success, and in the place of "unreachable" its
// causes.
func FailureReasons() []string {
	return []string{
		string(backend.AuthRequired), string(backend.NotReady), string(backend.WrongIdentity),
		string(backend.Forbidden), string(backend.ForbiddenByMesh), string(backend.LoginRequired),
		string(backend.UntrustedTLS), string(backend.NoEndpoints),
		"refused", "timeout", "reset", "closed", "dns", "denied", other,
	}
}

// FailureReason is the reason label of a failed health check.
func FailureReason(o backend.Observation) string {
	reason := string(o.Outcome)
	if o.Outcome == backend.Unreachable {
		reason = o.Cause
	}
	return known(FailureReasons(), reason)
}

// Type is the label of a backend type: its name if it is built in or "mcp", else "custom".
func (m *Metrics) Type(name string) string {
	if _, ok := slices.BinarySearch(m.types, name); ok {
		return name
	}
	return backend.TypeCustom
}

func labelTypes(builtin []string) []string {
	types := make([]string, 0, len(builtin)+2)
	for _, t := range append(slices.Clone(builtin), backend.TypeCustom, backend.TypeMCP) {
		types = append(types, valid(t))
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// valid makes a label's value fit for the registry, which takes UTF-8 only.
func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
