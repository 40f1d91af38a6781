//go:build integration && bench

package bench

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const (
	polling       = "polling"
	promDiscovery = "Prometheus discovery"
)

func (b *bench) promDiscovery(t *testing.T) *program {
	t.Helper()
	return run(t, filepath.Join(b.peers, "discover"), "-kubeconfig", b.account(t, "discover"), "-services", fmt.Sprint(b.n))
}

// others measures the programs that one would run instead: the start of each alone, and then the first minute of both.
func (b *bench) others(t *testing.T) {
	t.Helper()
	p := run(t, filepath.Join(b.peers, "poll"), "-kubeconfig", b.account(t, "poll"), "-namespace", testenv.OutputNamespace, "-name", "polled")
	b.beside(coldStart, polling, report.Milliseconds, report.Millis(p.must(t, "written").at.Sub(p.begun)))
	d := b.promDiscovery(t)
	b.beside(coldStart, promDiscovery, report.Milliseconds, report.Millis(d.must(t, "knows ").at.Sub(d.begun)))
	for program, name := range map[*program]string{p: polling, d: promDiscovery} {
		program.until(t, b.minute)
		b.beside(memory, name, report.MiB, []float64{program.memory(t).all})
		b.beside(processor, name, report.Milliseconds, report.Millis(program.cpu(t)))
	}
	b.requested(t, "poll", p.begun)
	b.requested(t, "discover", d.begun)
	p.stop(t)
	d.stop(t)
}

// beside puts another's value beside a figure.
func (b *bench) beside(figure, name string, unit report.Unit, values []float64) {
	b.add(report.Figure{Name: figure, Unit: unit, Others: []report.Series{{Name: name, Values: values}}})
}

// churn measures the cost of changes that matter to no type: labels of unmatched Services and their slices.
func (b *bench) churn(t *testing.T) {
	t.Helper()
	const length = 10 * time.Second
	b.clean(t)
	n := b.record.Len()
	p, d := b.serve(t), b.promDiscovery(t)
	b.await(t, n, "all backends are published", complete(b.backends))
	d.must(t, "knows ")
	for _, rate := range []int{0, 100, 1000} {
		p.until(t, time.Since(p.begun)+2*time.Second) // what was before is over
		n := b.record.Len()
		ours, theirs := p.cpu(t), d.cpu(t)
		made := b.change(t, rate, length)
		p.until(t, time.Since(p.begun)+time.Second) // the last ones arrive
		ours, theirs = p.cpu(t)-ours, d.cpu(t)-theirs
		share := func(used time.Duration) []float64 { return []float64{100 * float64(used) / float64(length)} }
		b.add(report.Figure{
			Name: fmt.Sprintf("processor at %d changes a second", rate), Unit: report.Percent, Runs: share(ours),
			Others: []report.Series{{Name: promDiscovery, Values: share(theirs)}},
			Note: fmt.Sprintf("of one core. The labels of unmatched Services and their slices change: %.0f changes a second arrived, and the ConfigMap "+
				"was written %d times. Memory after it: %.0f MiB.", float64(made)/length.Seconds(), b.record.Len()-n, p.memory(t).all),
		})
	}
	p.stop(t)
	d.stop(t)
}

// change changes Services and slices by turns, at most rate a second, and returns how many.
func (b *bench) change(t *testing.T, rate int, length time.Duration) int64 {
	t.Helper()
	var made atomic.Int64
	var running sync.WaitGroup
	begin := time.Now()
	due := make(chan int)
	for range 16 {
		running.Go(func() {
			for i := range due {
				namespace, name := testenv.FillName(rand.IntN(b.n - backends))
				patch := fmt.Appendf(nil, `{"metadata":{"labels":{"turn":"%d"}}}`, i)
				var err error
				if i%2 == 0 {
					_, err = b.env.Client.CoreV1().Services(namespace).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
				} else {
					_, err = b.env.Client.DiscoveryV1().EndpointSlices(namespace).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
				}
				if err != nil {
					t.Error(err)
					continue
				}
				made.Add(1)
			}
		})
	}
	end := time.After(length)
	for i := 0; ; i++ {
		next := end
		var turn <-chan time.Time
		if rate > 0 {
			turn = time.After(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		}
		select {
		case <-turn:
			select {
			case due <- i:
				continue
			case <-next:
			}
		case <-next:
		}
		close(due)
		running.Wait()
		return made.Load()
	}
}
