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

// Why nothing, or not all, was written.
var (
	ErrImmutable = errors.New("it is immutable, so that its keys cannot be brought up to date; " +
		"delete it and it is made anew, with the overrides that it has")
	ErrTooLarge = errors.New("it would grow too large, so that the last one stays; " +
		"shorten the overrides or other keys, restrict the namespaces, or write one format only (output.formats)")
	ErrSuperseded = errors.New("another replica has written it meanwhile; it is looked at again at the next cycle")
	ErrConflict   = errors.New("another writer changed it each time; tried again at the next cycle")
)

// Op is the step that failed.
type Op string

// The steps of Publish, as reconciliation_errors_total names them.
const (
	OpRead    Op = "list"    // reading it, past the cache
	OpApply   Op = "apply"   // the generated keys
	OpPrune   Op = "prune"   // keys that are no longer generated
	OpRestore Op = "restore" // a ConfigMap that is gone, with its overrides
)

// Error is what Publish returns, but for errors of Build. Its text is one line: what, where, what to do.
type Error struct {
	Op   Op
	text string
	err  error
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.err }

// NewError is for other places to publish to. Its text is to be one line that says what, where and what to do.
func NewError(op Op, text string, err error) *Error { return &Error{op, text, err} }

func (p *Publisher) where() string {
	return "ConfigMap " + p.options.Namespace + "/" + p.options.Name
}

func (p *Publisher) fail(op Op, err error) error {
	return &Error{op, p.where() + ": " + err.Error(), err}
}

// conflict is the last of several. The API server's own error stays in the chain.
func (p *Publisher) conflict(err error) error {
	op := OpApply
	if e := (*Error)(nil); errors.As(err, &e) {
		op = e.Op
	}
	return &Error{op, p.where() + ": " + ErrConflict.Error(), errors.Join(ErrConflict, err)}
}

// retryable reports that the ConfigMap is to be read again: it is not what the write was computed from. Without a
// live one, "invalid" may be the first sign of one that was made meanwhile.
func retryable(err error, live *corev1.ConfigMap) bool {
	if e := (*Error)(nil); !errors.As(err, &e) {
		return false // Build's
	}
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) ||
		live != nil && apierrors.IsNotFound(err) || live == nil && apierrors.IsInvalid(err)
}

// explain puts what the API server or the network says into one line. The cause stays in the chain.
func (p *Publisher) explain(op Op, err error) error {
	text := p.options.Reason(err)
	switch {
	case errors.Is(err, context.Canceled):
		text = "stopped before it was written"
	case text != "":
	case apierrors.IsUnauthorized(err):
		text = "the API server does not accept the credentials (401); check the ServiceAccount's token"
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		text = "its namespace is being deleted; nothing can be made in it until it is there again"
	case apierrors.IsForbidden(err):
		text = "refused by the API server (403): " + line(err)
	case apierrors.IsNotFound(err) && strings.Contains(err.Error(), "namespaces"):
		text = fmt.Sprintf("the namespace %q does not exist; make it, or set output.namespace", p.options.Namespace)
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

// line is an error's text as one line of bounded length.
func line(err error) string { return safetext.Clean(err.Error(), 300) }
