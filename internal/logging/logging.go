// Package logging sets up log/slog: one line per entry, constant messages, a few agreed keys, and no secrets.
package logging

import (
	"fmt"
	"io"
	"log/slog"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// Keys of attributes that every entry uses for these things.
const (
	KeyErr       = "err"
	KeyRequestID = "request_id"
)

// New makes the logger of the process. It replaces credentials by asterisks: in URLs, in headers, and in values whose
// key says that they are secret.
func New(w io.Writer, c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("log.level %q: expected debug, info, warn or error", c.Level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.Format {
	case "json":
		options.ReplaceAttr = newRedactor(encodeJSON).attr
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case "text":
		options.ReplaceAttr = newRedactor(encodeText).attr
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return nil, fmt.Errorf("log.format %q: expected json or text", c.Format)
}
