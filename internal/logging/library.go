package logging

import (
	"context"
	standard "log"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// Redirect sends the log entries of the Kubernetes libraries to log, at a lower level: errors become warnings,
// information becomes debug entries, and verbose entries are dropped. Many of these entries concern only the libraries'
// authors, and many errors are retried. Entries of the standard library become debug entries too: net/http quotes each
// unsolicited response of a backend.
//
// Call it at the start of the process, before the libraries run: it sets their global loggers.
func Redirect(log *slog.Logger) {
	klog.SetLoggerWithOptions(Library(log), klog.ContextualLogger(true))
	standard.SetFlags(0)
	standard.SetOutput(slog.NewLogLogger(library{log.Handler()}, slog.LevelInfo).Writer())
}

// Library returns a logr.Logger for a library that takes one, with the levels of Redirect.
func Library(log *slog.Logger) logr.Logger {
	return logr.FromSlogHandler(library{log.Handler()})
}

// library lowers the level of entries.
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
