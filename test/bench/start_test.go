//go:build integration && bench

package bench

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// Names of figures that are plotted.
const (
	coldStart   = "cold start"
	memory      = "resident memory"
	processor   = "processor time of the first minute"
	reactionP50 = "reaction, p50"
)

const (
	self     = "dynamic-toolset" // its account
	document = "custom_toolset.yaml"
	bareList = "bare LIST"
)

// serve starts the service with its defaults, but for where it listens.
func (b *bench) serve(t *testing.T, args ...string) *program {
	t.Helper()
	return run(t, b.service, b.arguments(t, args...)...)
}

func (b *bench) arguments(t *testing.T, more ...string) []string {
	t.Helper()
	return append([]string{
		"serve", "--kubeconfig", b.account(t, self), "--set", "auth.mode=none", "--set", "log.format=text",
		"--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0",
		// More backends of one namespace are published than of one that is not trusted, and sooner.
		"--set", "security.trustedNamespaces=[dead, living, observability, " + slotSpace + "]",
	}, more...)
}

// clean deletes the ConfigMap and the lease, as before a first installation.
func (b *bench) clean(t *testing.T) {
	t.Helper()
	ctx, gone := t.Context(), metav1.DeleteOptions{}
	for _, err := range []error{
		b.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Delete(ctx, testenv.ConfigMapName, gone),
		b.env.Client.CoordinationV1().Leases(testenv.OutputNamespace).Delete(ctx, self, gone),
	} {
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	testenv.Eventually(t, 10*time.Second, "the ConfigMap is gone", func() error {
		if c := b.record.Changes(); len(c) > 0 && c[len(c)-1].Type != "DELETED" {
			return errors.New("it is there")
		}
		return nil
	})
}

// await waits for a change of the ConfigMap, not before the n-th, for which holds is true, and returns it.
func (b *bench) await(t *testing.T, n int, what string, holds func(data map[string]string) bool) (c testenv.Change) {
	t.Helper()
	testenv.Eventually(t, 2*time.Minute, what, func() error {
		for all := b.record.Changes(); n < len(all); n++ {
			if c = all[n]; c.Type != "DELETED" && holds(c.ConfigMap.Data) {
				return nil
			}
		}
		return fmt.Errorf("not in any of %d changes", n)
	})
	return c
}

// complete says whether all of the backends are published.
func complete(all []*testenv.Backend) func(map[string]string) bool {
	return func(data map[string]string) bool {
		for _, b := range all {
			if !strings.Contains(data[document], b.DNS()) {
				return false
			}
		}
		return true
	}
}

// list is how long a bare client takes to start and list everything.
func (b *bench) list(t *testing.T, args ...string) time.Duration {
	t.Helper()
	p := run(t, filepath.Join(b.peers, "list"), append(args, "-kubeconfig", b.account(t, "list"))...)
	return p.must(t, "listed ").at.Sub(p.begun)
}

// start measures a cold start and the minute after it.
func (b *bench) start(t *testing.T, first bool) {
	t.Helper()
	limit := report.Series{Name: bareList, Values: report.Millis(b.list(t))}
	parallel := b.list(t, "-parallel")
	b.clean(t)
	n := b.record.Len()
	p := b.serve(t)
	begun := b.await(t, n, "the ConfigMap is written", func(map[string]string) bool { return true }).At
	done := b.await(t, n, "all backends are published", complete(b.backends)).At
	cpu := p.cpu(t)
	b.add(report.Figure{
		Requirement: "DTS-PERF-1", Name: coldStart, Unit: report.Milliseconds, Runs: report.Millis(done.Sub(p.begun)),
		Limit: limit, Target: b.targetAt(mainSize, report.Limits(1.5)),
		Note: fmt.Sprintf("from just before exec until a watch shows the ConfigMap with all %d backends in it, with the defaults, "+
			"without a ConfigMap or a lease before. The limit is the same for a program that does nothing but LIST Services and "+
			"EndpointSlices one after the other in protobuf. The polling program knows four types of backends and does not look at "+
			"EndpointSlices; Prometheus's discovery is done when it knows every Service. It neither probes nor writes.", backends),
	})
	b.add(report.Figure{Name: "first write", Unit: report.Milliseconds, Runs: report.Millis(begun.Sub(p.begun)), Limit: limit})
	b.add(report.Figure{Name: "LIST of both at once", Unit: report.Milliseconds, Runs: report.Millis(parallel)})
	b.add(report.Figure{Name: "processor time until published", Unit: report.Milliseconds, Runs: report.Millis(cpu)})

	p.until(t, b.minute/2)
	half := p.cpu(t)
	p.until(t, b.minute)
	m, cpu := p.memory(t), p.cpu(t)
	b.add(report.Figure{Name: "writes of a start", Runs: []float64{float64(b.record.Len() - n)}})
	target := b.targetAt(100_000, report.AtMost(256))
	if b.n == mainSize {
		target = report.AtMost(64)
	}
	b.add(report.Figure{
		Requirement: "DTS-PERF-4", Name: memory, Unit: report.MiB, Runs: []float64{m.all}, Target: target,
		Note: fmt.Sprintf("VmRSS %s after the start.", b.minute),
	})
	b.add(report.Figure{Name: "of it anonymous", Unit: report.MiB, Runs: []float64{m.anonymous}})
	b.add(report.Figure{Name: "of it the program file", Unit: report.MiB, Runs: []float64{m.file}})
	b.add(report.Figure{
		Name: "most resident memory", Unit: report.MiB, Runs: []float64{m.peak}, Note: "VmHWM of the first minute, without a limit on memory: reading everything once.",
	})
	b.add(report.Figure{Name: processor, Unit: report.Milliseconds, Runs: report.Millis(cpu)})
	b.add(report.Figure{
		Name: "processor when nothing happens, probes included", Unit: report.Percent,
		Runs: []float64{100 * float64(cpu-half) / float64(b.minute/2)}, Note: "of one core, with the default intervals, in the second half of the first minute.",
	})
	if first {
		b.requested(t, self, p.begun)
	}
	if b.main {
		b.settled(t)
	}
	p.stop(t)
	b.limited(t)
}

// none measures a start where there is nothing to find.
func (b *bench) none(t *testing.T) {
	t.Helper()
	for range b.runs {
		b.clean(t)
		n := b.record.Len()
		p := b.serve(t)
		at := b.await(t, n, "the ConfigMap is written", func(map[string]string) bool { return true }).At
		b.add(report.Figure{Name: "cold start without backends", Unit: report.Milliseconds, Runs: report.Millis(at.Sub(p.begun))})
		p.stop(t)
	}
}

// limited measures a start with the limit on memory that the chart gives.
func (b *bench) limited(t *testing.T) {
	t.Helper()
	const limit = 256 // MiB, of which the chart tells the Go runtime nine tenths
	b.clean(t)
	n := b.record.Len()
	p := run(t, "/usr/bin/env", append([]string{fmt.Sprintf("GOMEMLIMIT=%dMiB", limit*9/10), b.service}, b.arguments(t)...)...)
	done := b.await(t, n, "all backends are published", complete(b.backends)).At
	m := p.memory(t)
	p.stop(t)
	b.add(report.Figure{Name: "cold start with the chart's limit on memory", Unit: report.Milliseconds, Runs: report.Millis(done.Sub(p.begun))})
	b.add(report.Figure{
		Name: "most resident memory with the chart's limit", Unit: report.MiB, Runs: []float64{m.peak}, Target: b.targetAt(100_000, report.AtMost(limit)),
		Note: fmt.Sprintf("VmHWM until all is published. The chart limits it to %d MiB and tells the Go runtime nine tenths of that.", limit),
	})
}

// dead measures how long the living wait for the dead.
func (b *bench) dead(t *testing.T) {
	t.Helper()
	const each = 200
	prometheus := kinds()[:1]
	live := b.create(t, "living", each, prometheus)
	prometheus[0].standin = ""
	for _, gone := range b.create(t, "dead", each, prometheus) {
		deaf(t, gone)
	}
	live = append(live, b.backends...)
	for range b.runs {
		limit := report.Series{Name: bareList, Values: report.Millis(b.list(t))}
		b.clean(t)
		n := b.record.Len()
		p := b.serve(t)
		at := b.await(t, n, "the living are published", complete(live)).At
		b.add(report.Figure{
			Requirement: "DTS-PERF-8", Name: "200 live backends published beside 200 that time out", Unit: report.Milliseconds,
			Runs: report.Millis(at.Sub(p.begun)), Limit: limit, Target: b.targetAt(mainSize, report.AtMost(2000)),
			Note: "from just before exec. The addresses of the 200 drop every connection, so that dialling one takes the whole timeout.",
		})
		p.stop(t)
	}
	b.clean(t)
	n := b.record.Len()
	p := b.serve(t, "--set", "discovery.settle=0s")
	b.await(t, n, "the living are published", complete(live))
	var many []time.Duration
	for _, s := range b.slots(t)[:slots/2] {
		in, _ := b.serviceLast(t, s)
		many = append(many, in)
	}
	p.stop(t)
	b.add(report.Figure{
		Name: "reaction beside 420 backends, p50", Unit: report.Milliseconds, Runs: []float64{report.Quantile(report.Millis(many...), 0.5)},
		Note: "as the reaction, beside 220 live backends and 200 that time out.",
	})
	const patience = 30 * time.Second
	p = run(t, filepath.Join(b.peers, "poll"), "-kubeconfig", b.account(t, "poll"), "-namespace", testenv.OutputNamespace, "-name", "polled")
	other := report.Series{Name: "polling, given up after", Values: report.Millis(patience)}
	if l, ok := p.says("written", patience); ok {
		other = report.Series{Name: "polling", Values: report.Millis(l.at.Sub(p.begun))}
	}
	b.report.Find("200 live backends published beside 200 that time out", b.n).Others = []report.Series{other}
	p.stop(t)
}
