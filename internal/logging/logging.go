// Package logging sets up log/slog: one line per entry, constant messages, a few agreed keys, and no secrets.
package logging

import (
	"io"
	"log/slog"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// New makes the logger of the process. It replaces credentials by asterisks: in URLs, in headers, and in values whose
// key says that they are secret. The configuration must be valid.
func New(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level))
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttr}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
