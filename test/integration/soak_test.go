//go:build integration && soak

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const (
	soakServices = 500
	soakBackends = 60 // of them
)

// TestSoak runs two replicas for SOAK (10m unless set) with 500 Services of which something changes all the time, backends
// that break and hang, watches that are cut, and people who edit, vandalise and delete the ConfigMap. Built with the race
// detector, there must be no race; and neither goroutines nor memory may grow.
func TestSoak(t *testing.T) {
	t.Attr("req", "DTS-QA-3 DTS-RUN-5 DTS-PRB-6 DTS-OUT-8")
	length := 10 * time.Minute
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < 20*time.Second {
			t.Fatalf("SOAK=%s: want a duration of at least 20s", text)
		}
	}
	env := testenv.Start(t)
	env.Fill(t, soakServices-soakBackends)
	s := newSoak(t, env)
	all := newReplicas(t, env)
	args := []string{"--set", "health.interval=2s", "--set", "discovery.interval=30s", "--set", "output.resync=5s", "--set", "discovery.settle=50ms"}
	list := []*replica{all.add(t, args...), all.add(t, args...)}
	published(t, env, "all is published at first", s.urls()...)
	for _, one := range list {
		one.answers(t, 30*time.Second, "/readyz", http.StatusOK)
	}
	stops := []func(){list[0].pulse(t), list[1].pulse(t)}

	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	samples := make([][]sample, len(list))
	var running sync.WaitGroup
	running.Go(func() { s.churn(ctx) })
	running.Go(func() { s.meddle(ctx) })
	cuts := 0
	running.Go(func() { cuts = all.cut(ctx) })
	every(ctx, time.Second, func() {
		for i, one := range list {
			samples[i] = append(samples[i], one.sample(t))
		}
	})
	running.Wait()
	for _, stop := range stops {
		stop()
	}

	s.settle(t)
	testenv.Eventually(t, time.Minute, "all that works is published at the end, but for what changed too often", func() error {
		text := env.ConfigMap(t).Data[document]
		held := list[0].heldBack(t)
		maps.Copy(held, list[1].heldBack(t))
		for _, b := range s.backends {
			if !strings.Contains(text, b.url) && !held[b.Namespace+"/"+b.Name] {
				return fmt.Errorf("%s is neither published nor held back", b.url)
			}
		}
		return nil
	})
	t.Logf("%s: %d changes of Services, %d of the ConfigMap by others, %d deletions of it, %d writes of ours, %d cuts",
		length, s.changes.Load(), s.edits.Load(), s.deletions.Load(), len(all.written(nil)), cuts)
	for i, one := range list {
		compare(t, one.name, samples[i])
		one.Signal(t, syscall.SIGTERM)
		if code := one.Wait(t, 30*time.Second); code != 0 { // 66 where a race was found
			t.Errorf("%s: exit code %d", one.name, code)
		}
	}
	all.add(t, args...) // which knows nothing of what changed too often
	cm := published(t, env, "all that works is published by a fresh one", s.urls()...)
	if got := cm.Data["overrides.yaml"]; got != s.text() {
		t.Errorf("the overrides are %q, the admin wrote %q last", got, s.text())
	}
}

// heldBack are the Services that are not published because they or their namespaces change too often, as namespace/name.
func (i *instance) heldBack(t *testing.T) map[string]bool {
	t.Helper()
	_, body := get(i.api + "/api/v1/services?verdict=unavailable&limit=500")
	var page struct {
		Services []struct{ Namespace, Name, Reason string }
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	held := map[string]bool{}
	for _, s := range page.Services {
		if strings.Contains(s.Reason, "too often") { // that it changes, or its namespace
			held[s.Namespace+"/"+s.Name] = true
		}
	}
	return held
}

// cut cuts the watches of all replicas now and then, and says how often.
func (r *replicas) cut(ctx context.Context) (cuts int) {
	every(ctx, 7*time.Second, func() {
		for _, f := range r.fronts {
			f.Cut()
			cuts++
		}
	})
	return cuts
}

// sample is how large a process is at one time.
type sample struct{ rss, heap, goroutines float64 }

func (i *instance) sample(t *testing.T) sample {
	t.Helper()
	return sample{
		rss:        float64(i.RSS(t)),
		heap:       i.metric(t, "go_memstats_heap_inuse_bytes"),
		goroutines: i.metric(t, "go_goroutines"),
	}
}

// compare holds the last quarter against the second: by then everything has been done once.
func compare(t *testing.T, name string, samples []sample) {
	t.Helper()
	n := len(samples)
	if n < 8 {
		t.Fatalf("%s: %d samples are too few", name, n)
	}
	second, last := samples[n/4:n/2], samples[n*3/4:]
	for _, of := range []struct {
		what  string
		value func(sample) float64
		unit  float64
		slack float64 // what may come and go
	}{
		{"resident memory, MiB", func(s sample) float64 { return s.rss }, 1 << 20, 16 << 20},
		{"heap in use, MiB", func(s sample) float64 { return s.heap }, 1 << 20, 8 << 20},
		{"goroutines", func(s sample) float64 { return s.goroutines }, 1, 10},
	} {
		a, b := median(second, of.value), median(last, of.value)
		t.Logf("%s: %s: %.1f in the second quarter, %.1f in the last (medians), %.1f at most", name, of.what,
			a/of.unit, b/of.unit, slices.Max(values(samples, of.value))/of.unit)
		if b > a*1.05+of.slack {
			t.Errorf("%s: %s grows", name, of.what)
		}
	}
}

func values(samples []sample, value func(sample) float64) (list []float64) {
	for _, s := range samples {
		list = append(list, value(s))
	}
	return list
}

func median(samples []sample, value func(sample) float64) float64 {
	list := values(samples, value)
	slices.Sort(list)
	return list[len(list)/2]
}

// every calls do now and then until the end.
func every(ctx context.Context, pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}
