//go:build integration && day

// Package day runs the service through a day in a cluster, compressed to minutes: two replicas, one of which writes the
// ConfigMap, and a sidecar beside the real HolmesGPT, on a real API server, with real products and stand-ins. Run it
// with: make day
//
// The table below lists what happens and how often. Each happening records in the ledger what it does to which backend.
// Observers record the documents and the states of HolmesGPT and of the processes. At the end one judge compares them
// with the ledger. docs/development/day.md describes the rules.
package day

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// fullDay is the length that the numbers in the table are for.
const fullDay = 20 * time.Minute

// happening is something that happens in a cluster.
type happening struct {
	name, does string
	aDay       int // times in a full day; in a shorter one fewer, and at least once
	do         func(d *day, ctx context.Context, rng *rand.Rand) error
	middle     bool // early in the middle third: the last third shows whether its memory is given back
}

var table = []happening{
	{"rolling restart", "a backend gets a new pod, which is ready before the old one goes", 60, (*day).rollingRestart, false},
	{"chart upgrade", "a chart sets other labels, port names and port numbers, and rolls its pods", 14, (*day).chartUpgrade, false},
	{"namespace", "a team's namespace is deleted with all its backends, and made again", 5, (*day).namespaceAgain, false},
	{"install", "a team installs a backend, which HolmesGPT is to have, and removes it later", 14, (*day).install, false},
	{"outage", "a backend is down for longer than the threshold, and comes back", 5, (*day).outage, false},
	{"opt-out", "an owner takes a backend out by its annotation, and in again", 5, (*day).optOut, false},
	{"admin", "an admin edits the overrides: valid, invalid, valid again; and deletes the ConfigMap", 12, (*day).adminEdits, false},
	{"flood", "an owner makes thousands of Services that look like backends; a few of them are", 1, (*day).flood, true},
	{"leader killed", "the replica that leads gets SIGKILL, and another is started", 6, (*day).leaderKilled, false},
	{"API server restarts", "it is stopped or killed, and started again at once", 4, (*day).apiServerRestarts, false},
	{"API server away", "it is not there for a tenth of the day", 1, (*day).apiServerAway, false},
	{"agent restarts", "HolmesGPT is killed and started again", 2, (*day).agentRestarts, false},
	{"backend certificate", "a backend's is renewed, every other time by a new authority", 4, (*day).backendCertificate, false},
	{"own certificate", "the certificate that the replicas serve with is renewed", 4, (*day).ownCertificate, false},
}

// TestDay runs for DAY (20m unless set). SEED, which is printed, decides when what happens to which backend.
func TestDay(t *testing.T) {
	t.Attr("req", "DTS-QA-5 DTS-RUN-2 DTS-RUN-5 DTS-RUN-7 DTS-PRB-7 DTS-PERF-9")
	length, seed := settings(t)
	t.Logf("a day of %s: DAY=%s SEED=%d make day runs it again", length, length, seed)
	d := newDay(t, length)
	d.begin(t)

	ctx, stop := context.WithTimeout(t.Context(), length+10*time.Minute)
	defer stop()
	d.watch(ctx)
	start := time.Now()
	var all sync.WaitGroup
	for i, h := range table {
		all.Go(func() { d.happens(ctx, t, &h, start, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	all.Wait()
	t.Logf("all has happened after %s, %d happenings", time.Since(start).Round(time.Second), d.happened.Load())

	d.settle(ctx, t)
	d.lastChanges(ctx, t)
	d.fresh(ctx, t)
	d.unwatch()
	d.judge(t)
}

func settings(t *testing.T) (length time.Duration, seed uint64) {
	length, seed = fullDay, uint64(time.Now().UnixNano())%1_000_000
	var err error
	if text := os.Getenv("DAY"); text != "" {
		if length, err = time.ParseDuration(text); err != nil || length < time.Minute || length > 2*time.Hour {
			t.Fatalf("DAY=%s: want a duration from 1m to 2h", text)
		}
	}
	if text := os.Getenv("SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SEED=%s: want a number", text)
		}
	}
	return length, seed
}

// happens has one row of the table happen, again and again, each time at a moment of a part of the day of its own.
func (d *day) happens(ctx context.Context, t *testing.T, h *happening, start time.Time, rng *rand.Rand) {
	times := max(1, int(float64(h.aDay)*d.scale+0.5))
	first, span := d.length/50, d.length*9/10
	if h.middle {
		first, span = d.length/3, d.length/10
	}
	part := span / time.Duration(times)
	for i := range times {
		at := start.Add(first + time.Duration(i)*part + time.Duration(rng.Int64N(int64(part))))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(at)):
		}
		begun := time.Now()
		err := h.do(d, ctx, rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())))
		d.happened.Add(1)
		d.diary(fmt.Sprintf("%s %d of %d, %s: %v", h.name, i+1, times, time.Since(begun).Round(time.Millisecond), err))
		if err != nil {
			t.Errorf("%s: %v", h.name, err)
		}
	}
}

// scaled is a length of time of a full day, in this one.
func (d *day) scaled(full, atLeast time.Duration) time.Duration {
	return max(atLeast, time.Duration(float64(full)*d.scale))
}
