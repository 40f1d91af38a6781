package controller

import (
	"slices"
	"time"
)

// A Service that is published too often must stay unchanged for a while before it is published again.
const (
	flapWindow = time.Minute
	flapLimit  = 3                // publications within flapWindow
	firstQuiet = 30 * time.Second // how long it must stay unchanged at first; doubled each further time
	longQuiet  = 10 * time.Minute // the longest that it must stay unchanged
	forgotten  = 2 * longQuiet    // the time without a publication after which earlier ones do not count
)

// flapping records how often one Service was published lately. The zero value means never.
type flapping struct {
	times []time.Time // within flapWindow before the last one
	need  time.Duration
}

// enter records a publication.
func (f *flapping) enter(now time.Time) {
	if f.over(now) {
		*f = flapping{}
	}
	f.times = slices.DeleteFunc(f.times, func(t time.Time) bool { return now.Sub(t) >= flapWindow })
	f.times = append(f.times, now)
	if f.need > 0 || len(f.times) >= flapLimit {
		f.need = min(max(2*f.need, firstQuiet), longQuiet)
	}
}

// quiet returns how long the Service must stay unchanged before it is published again.
func (f *flapping) quiet(now time.Time) time.Duration {
	if f.over(now) {
		return 0
	}
	return f.need
}

func (f *flapping) over(now time.Time) bool {
	return len(f.times) == 0 || now.Sub(f.times[len(f.times)-1]) >= forgotten
}
