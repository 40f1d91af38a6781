package files

import (
	"context"
	"time"
)

// Defaults of SourceOptions and OutputOptions.
const (
	defaultSettle = 100 * time.Millisecond
	defaultPoll   = time.Second
)

// poll calls look at once and then time and again until ctx ends: sooner where look says that something is being
// written.
func poll(ctx context.Context, every, soon time.Duration, look func() (again bool)) {
	for {
		wait := every
		if look() {
			wait = soon
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
