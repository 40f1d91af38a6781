package server

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// calm logs what a server complains about, at most ten lines at once and one each six seconds: any client can cause a line.
type calm struct {
	log   *slog.Logger
	limit *rate.Limiter
	left  atomic.Int64 // not logged
}

func newCalm(log *slog.Logger) *calm {
	return &calm{log: log, limit: rate.NewLimiter(rate.Every(6*time.Second), 10)}
}

// Write implements io.Writer for log.Logger, which writes whole lines.
func (c *calm) Write(p []byte) (int, error) {
	if !c.limit.Allow() {
		c.left.Add(1)
		return len(p), nil
	}
	c.log.Warn("HTTP connection failed", "err", strings.TrimSuffix(string(p), "\n"), "left_out", c.left.Swap(0))
	return len(p), nil
}
