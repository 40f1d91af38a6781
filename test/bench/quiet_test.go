//go:build integration && bench

package bench

import (
	"fmt"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
)

// quietHour runs the service through all that a quiet hour has, with every interval shorter by the same factor, once with
// probes and once with next to none.
func (b *bench) quietHour(t *testing.T) {
	t.Helper()
	factor := time.Hour / b.hour
	short := func(key string, interval time.Duration) []string {
		return []string{"--set", fmt.Sprintf("%s=%s", key, interval/factor)}
	}
	args := short("discovery.interval", 5*time.Minute)
	args = append(args, short("output.resync", 30*time.Second)...)
	args = append(args, short("leaderElection.retryPeriod", 2*time.Second)...)
	const most = 0.5 // percent of a core
	writes, beside := b.quiet(t, append(args, "--set", "health.interval=1h")...)
	b.add(report.Figure{
		Requirement: "DTS-PERF-5", Name: "processor in a quiet hour beside probes", Unit: report.Percent, Runs: []float64{beside},
		Target: b.targetAt(mainSize, report.Less(most)),
		Note: fmt.Sprintf("of one core: an hour's discoveries, comparisons of the ConfigMap and renewals of the lease within %s. "+
			"The probes of the discoveries are in it.", b.hour),
	})
	more, all := b.quiet(t, append(args, short("health.interval", 30*time.Second)...)...)
	b.add(report.Figure{Name: "processor in a quiet hour, probes included", Unit: report.Percent, Runs: []float64{all}})
	b.add(report.Figure{
		Requirement: "DTS-PERF-5", Name: "writes in a quiet hour", Runs: []float64{float64(writes + more)}, Target: report.AtMost(0),
	})
}

// quiet returns how often the ConfigMap was written in the hour, and how much of a core that took, in percent.
func (b *bench) quiet(t *testing.T, args ...string) (writes int, core float64) {
	t.Helper()
	b.clean(t)
	n := b.record.Len()
	p := b.serve(t, args...)
	b.await(t, n, "all backends are published", complete(b.backends))
	const calm = 5 * time.Second // what follows a start is no part of it
	begin := time.Since(p.begun) + calm
	p.until(t, begin)
	n, used := b.record.Len(), p.cpu(t)
	p.until(t, begin+b.hour)
	writes, used = b.record.Len()-n, p.cpu(t)-used
	p.stop(t)
	return writes, 100 * float64(used) / float64(time.Hour)
}
