package publish

import (
	"maps"
	"slices"
	"time"
)

// One key is repaired at once so many times within the window. Then it waits for the next resync.
const (
	maxRepairs   = 5
	repairWindow = time.Minute
)

// Repairs counts repairs, so that two writers with different texts do not write without end. The zero value is ready.
// It is for one goroutine.
type Repairs struct {
	made map[string][]time.Time // by key
}

// Hold returns the drifted keys that must wait for the next resync, for Desired.Hold. At a resync no key must wait.
func (r *Repairs) Hold(drifted []Drift, now time.Time) []string {
	var hold []string
	for _, d := range drifted {
		if len(within(r.made[d.Key], now)) >= maxRepairs {
			hold = append(hold, d.Key)
		}
	}
	return hold
}

// Made counts the repairs that Publish made (Result.Drifted). It returns those that have just reached the limit, so
// that the caller reports the other writer.
func (r *Repairs) Made(drifted []Drift, now time.Time) []Drift {
	if r.made == nil {
		r.made = map[string][]time.Time{}
	}
	maps.DeleteFunc(r.made, func(_ string, times []time.Time) bool { return len(within(times, now)) == 0 })
	var limited []Drift
	for _, d := range drifted {
		r.made[d.Key] = append(within(r.made[d.Key], now), now)
		if len(r.made[d.Key]) == maxRepairs {
			limited = append(limited, d)
		}
	}
	return limited
}

func within(times []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(times), func(t time.Time) bool { return now.Sub(t) >= repairWindow })
}
