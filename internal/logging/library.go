package logging

import (
	"context"
	standard "log"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// Redirect sends what the Kubernetes libraries log through log. They say much that concerns only their authors and call
// errors what they then try again, so their entries rank lower: errors are warnings, information is for debugging, and what
// they themselves call verbose is dropped. What the standard library logs is for debugging too: net/http quotes what a
// backend sends without being asked, as often as it does.
//
// It is for the start of the process, before the libraries run: where they keep their loggers is theirs and global.
func Redirect(log *slog.Logger) {
	l := Library(log)
	klog.SetLoggerWithOptions(l, klog.ContextualLogger(true))
	ctrllog.SetLogger(l)
	standard.SetFlags(0)
	standard.SetOutput(slog.NewLogLogger(library{log.Handler()}, slog.LevelInfo).Writer())
}

// Library is a logr.Logger for a library that takes one, ranked as Redirect says.
func Library(log *slog.Logger) logr.Logger {
	return logr.FromSlogHandler(library{log.Handler()})
}

// library ranks entries lower.
type library struct{ next slog.Handler }

func rank(l slog.Level) slog.Level {
	switch {
	case l >= slog.LevelError:
		return slog.LevelWarn
	case l >= slog.LevelInfo:
		return slog.LevelDebug
	}
	return slog.LevelDebug + l // l < 0: below debugging
}

func (h library) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, rank(l)) }

func (h library) Handle(ctx context.Context, r slog.Record) error {
	r.Level = rank(r.Level)
	return h.next.Handle(ctx, r)
}

func (h library) WithAttrs(attrs []slog.Attr) slog.Handler { return library{h.next.WithAttrs(attrs)} }

func (h library) WithGroup(name string) slog.Handler { return library{h.next.WithGroup(name)} }
