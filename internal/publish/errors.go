package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// The reasons why nothing, or not everything, was written.
var (
	ErrImmutable = errors.New("it is immutable and cannot be updated; " +
		"delete it: it is then created again with its overrides")
	ErrTooLarge = errors.New("it would grow too large, so the last one stays; " +
		"shorten the overrides or other keys, restrict the namespaces, or write one format only (output.formats)")
	ErrSuperseded = errors.New("another replica has written it in the meantime; the next cycle reads it again")
	ErrConflict   = errors.New("another writer changed it at each attempt; the next cycle tries again")
)

// Op is the step that failed.
type Op string

// The steps of Publish, as in the label of reconciliation_errors_total.
const (
	OpRead    Op = "list"    // reading the ConfigMap without the cache
	OpApply   Op = "apply"   // the generated keys
	OpPrune   Op = "prune"   // keys that are no longer generated
	OpRestore Op = "restore" // a deleted ConfigMap, with its overrides
)

// Error is the error that Publish returns, except for errors of Build. Its text is one line: what, where, what to do.
type Error struct {
	Op   Op
	text string
	err  error
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.err }

// NewError returns an Error for another output than the ConfigMap. Its text must be one line: what, where, what to do.
func NewError(op Op, text string, err error) *Error { return &Error{op, text, err} }

func (p *Publisher) where() string {
	return "ConfigMap " + p.options.Namespace + "/" + p.options.Name
}

func (p *Publisher) fail(op Op, err error) error {
	return &Error{op, p.where() + ": " + err.Error(), err}
}

// conflict returns the error after the last of several conflicts. The API server's error stays in the chain.
func (p *Publisher) conflict(err error) error {
	return &Error{OpApply, p.where() + ": " + ErrConflict.Error(), errors.Join(ErrConflict, err)}
}

// retryable reports whether the write failed because the ConfigMap has changed, so that it must be read again. If there
// was no live ConfigMap, "invalid" may mean that another writer created one in the meantime.
func retryable(err error, live *corev1.ConfigMap) bool {
	if e := (*Error)(nil); !errors.As(err, &e) {
		return false // Build's
	}
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) ||
		live != nil && apierrors.IsNotFound(err) || live == nil && apierrors.IsInvalid(err)
}

// explain returns an error that describes a failed request in one line. The cause stays in the chain.
func (p *Publisher) explain(op Op, err error) error {
	text := p.options.Reason(err)
	switch {
	case errors.Is(err, context.Canceled):
		text = "stopped before it was written"
	case text != "":
	case apierrors.IsUnauthorized(err):
		text = "the API server does not accept the credentials (401); check the ServiceAccount's token"
	case apierrors.IsForbidden(err):
		text = "refused by the API server (403): " + line(err)
	case apierrors.IsNotFound(err) && strings.Contains(err.Error(), "namespaces"):
		text = fmt.Sprintf("the namespace %q does not exist; create it, or set output.namespace", p.options.Namespace)
	case apierrors.IsInvalid(err), apierrors.IsRequestEntityTooLargeError(err), apierrors.IsBadRequest(err):
		text = "refused by the API server as invalid: " + line(err)
	default:
		text = "cannot be written now: " + line(err)
		if op == OpRead {
			text = "cannot be read now: " + line(err)
		}
	}
	return &Error{op, p.where() + ": " + text, err}
}

// line returns an error's text as one line of at most 300 bytes.
func line(err error) string { return safetext.Clean(err.Error(), 300) }
