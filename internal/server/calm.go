package server

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// calm writes a server's own complaints to the log, few a minute: anybody can cause one with each connection.
type calm struct {
	log *slog.Logger

	mu      sync.Mutex
	since   time.Time
	written int
	left    int
}

// Write implements io.Writer, for log.Logger, which writes whole lines.
func (c *calm) Write(p []byte) (int, error) {
	const aMinute = 10
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.since) >= time.Minute {
		if c.left > 0 {
			c.log.Warn("HTTP server complained more often than is told", "left_out", c.left)
		}
		c.since, c.written, c.left = now, 0, 0
	}
	if c.written++; c.written > aMinute {
		c.left++
		return len(p), nil
	}
	c.log.Warn(strings.TrimSuffix(string(p), "\n")) //nolint:sloglint // net/http's own words, as slog.NewLogLogger has them
	return len(p), nil
}
