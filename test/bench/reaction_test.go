//go:build integration && bench

package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const (
	// Services that become backends and cease to be. Each does so three times within a minute at most: what does more often
	// is held back.
	slots     = 100
	slotSpace = "slots"
	bareReact = "bare watch and apply"
)

// slot is a Service that nobody takes for a backend before it is labelled as one. What answers behind it is a Prometheus.
type slot struct {
	*testenv.Backend
	slice *discoveryv1.EndpointSlice
}

// slots makes them, or finds those that it made.
func (b *bench) slots(t *testing.T) []slot {
	t.Helper()
	if b.made != nil {
		return b.made
	}
	for i := range slots {
		backend := b.env.Create(t, testenv.Service{
			Namespace: slotSpace, Name: fmt.Sprintf("slot-%02d", i), Labels: map[string]string{"team": "bench"}, Port: "http", Number: 80,
			Kind: standin.Prometheus,
		})
		slice, err := b.env.Client.DiscoveryV1().EndpointSlices(slotSpace).Get(t.Context(), backend.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		slice.ResourceVersion, slice.UID = "", ""
		b.made = append(b.made, slot{backend, slice})
	}
	return b.made
}

// label makes the Service a Prometheus, or nothing again, and tells from when that was asked for.
func (b *bench) label(t *testing.T, s slot, software string) time.Time {
	t.Helper()
	value := "null"
	if software != "" {
		value = fmt.Sprintf("%q", software)
	}
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{"app.kubernetes.io/name":%s,"app.kubernetes.io/component":%s}}}`, value,
		strings.ReplaceAll(value, "prometheus", "server"))
	begin := time.Now()
	if _, err := b.env.Client.CoreV1().Services(slotSpace).Patch(t.Context(), s.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	return begin
}

// published waits until the slot is in the document, or no longer, and returns how long that took.
func (b *bench) published(t *testing.T, s slot, since time.Time, n int, wanted bool) time.Duration {
	t.Helper()
	c := b.await(t, n, fmt.Sprintf("%s published: %t", s.DNS(), wanted), func(data map[string]string) bool {
		return strings.Contains(data[document], s.DNS()) == wanted
	})
	return c.At.Sub(since)
}

// serviceLast labels the Service, whose slice is there, and takes the label away again.
func (b *bench) serviceLast(t *testing.T, s slot) (published, withdrawn time.Duration) {
	t.Helper()
	n := b.record.Len()
	published = b.published(t, s, b.label(t, s, "prometheus"), n, true)
	n = b.record.Len()
	return published, b.published(t, s, b.label(t, s, ""), n, false)
}

// sliceLast makes the slice of a labelled Service.
func (b *bench) sliceLast(t *testing.T, s slot) time.Duration {
	t.Helper()
	slices := b.env.Client.DiscoveryV1().EndpointSlices(slotSpace)
	if err := slices.Delete(t.Context(), s.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.label(t, s, "prometheus")
	n := b.record.Len()
	begin := time.Now()
	if _, err := slices.Create(t.Context(), s.slice, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	took := b.published(t, s, begin, n, true)
	n = b.record.Len()
	b.published(t, s, b.label(t, s, ""), n, false)
	return took
}

// limit is how long the bare program takes from a change to a ConfigMap.
func (b *bench) limit(t *testing.T) (all []time.Duration) {
	t.Helper()
	list := b.slots(t)
	b.clean(t)
	p := run(t, filepath.Join(b.peers, "react"), "-kubeconfig", b.account(t, "react"), "-namespace", testenv.OutputNamespace, "-name", testenv.ConfigMapName)
	p.must(t, "watching")
	for i := range list {
		s, n := list[i%len(list)], b.record.Len()
		begin := time.Now()
		live, err := b.env.Client.CoreV1().Services(slotSpace).Patch(t.Context(), s.Name, types.MergePatchType,
			// Another value each time: in a second run the same one would change nothing, and be no event.
			fmt.Appendf(nil, `{"metadata":{"labels":{"turn":"%d"}}}`, time.Now().UnixNano()), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c := b.await(t, n, "the bare program has written", func(data map[string]string) bool {
			return data["last"] == s.Name+" "+live.ResourceVersion
		})
		all = append(all, c.At.Sub(begin))
	}
	p.stop(t)
	return all
}

// reaction measures changes and drift, with settle 0.
func (b *bench) reaction(t *testing.T) {
	t.Helper()
	limit := report.Millis(b.limit(t)...)
	at := func(q float64) report.Series {
		return report.Series{Name: bareReact, Values: []float64{report.Quantile(limit, q)}}
	}
	b.clean(t)
	n := b.record.Len()
	p := b.serve(t, "--set", "discovery.settle=0s")
	b.await(t, n, "all backends are published", complete(b.backends))
	var labelled, endpoints, withdrawn []time.Duration
	before := b.record.Len()
	for _, s := range b.slots(t) {
		in, out := b.serviceLast(t, s)
		labelled, withdrawn = append(labelled, in), append(withdrawn, out)
		endpoints = append(endpoints, b.sliceLast(t, s))
	}
	writes := float64(b.record.Len()-before) / float64(2*len(labelled)+2*len(endpoints))
	b.add(report.Figure{Name: "writes of a change", Runs: []float64{writes}, Note: "1 where no change is written in two steps."})
	in, out := report.Millis(append(labelled, endpoints...)...), report.Millis(withdrawn...)
	b.add(report.Figure{
		Requirement: "DTS-PERF-2", Name: reactionP50, Unit: report.Milliseconds, Runs: []float64{report.Quantile(in, 0.5)},
		Limit: at(0.5), Target: b.targetAt(mainSize, report.AtMost(25)),
		Note: fmt.Sprintf("with settle 0, from just before the request that makes a Service a backend (its label, or its ready slice, by turns) until "+
			"a watch shows it in the ConfigMap, the probe over HTTP included: %d changes a run. The limit watches Services and applies one key.", len(in)),
	})
	b.add(report.Figure{
		Requirement: "DTS-PERF-2", Name: "reaction, p99", Unit: report.Milliseconds, Runs: []float64{report.Quantile(in, 0.99)},
		Limit: at(0.99), Target: b.targetAt(mainSize, report.AtMost(100)),
	})
	for i, took := range [][]time.Duration{labelled, endpoints} {
		b.add(report.Figure{
			Name: []string{"reaction to a Service, p50", "reaction to a slice, p50"}[i], Unit: report.Milliseconds,
			Runs: []float64{report.Quantile(report.Millis(took...), 0.5)}, Limit: at(0.5),
		})
	}
	b.add(report.Figure{Name: "withdrawal, p50", Unit: report.Milliseconds, Runs: []float64{report.Quantile(out, 0.5)}, Limit: at(0.5)})
	b.add(report.Figure{Name: "withdrawal, p99", Unit: report.Milliseconds, Runs: []float64{report.Quantile(out, 0.99)}, Limit: at(0.99)})
	b.drift(t, at)
	if b.main && b.measures("api") {
		b.pages(t, "without authentication", p, "")
	}
	p.stop(t)
	if b.main && b.measures("api") {
		b.authenticated(t)
	}
}

// drift breaks every generated key four times: of more within a minute the service is weary (DTS-OUT-8).
func (b *bench) drift(t *testing.T, limit func(float64) report.Series) {
	t.Helper()
	var took []time.Duration
	for turn := range 4 {
		live := b.env.ConfigMap(t)
		keys := slices.Collect(func(yield func(string) bool) {
			for k := range live.Data {
				if k != "overrides.yaml" && !yield(k) {
					return
				}
			}
		})
		for _, key := range keys {
			n, right := b.record.Len(), live.Data[key]
			begin := time.Now()
			_, err := b.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Patch(t.Context(), testenv.ConfigMapName, types.MergePatchType,
				fmt.Appendf(nil, `{"data":{%q:"broken %d"}}`, key, turn), metav1.PatchOptions{FieldManager: "vandal"})
			if err != nil {
				t.Fatal(err)
			}
			c := b.await(t, n, key+" is repaired", func(data map[string]string) bool { return data[key] == right })
			took = append(took, c.At.Sub(begin))
		}
	}
	all := report.Millis(took...)
	b.add(report.Figure{
		Requirement: "DTS-PERF-3", Name: "drift repaired, p99", Unit: report.Milliseconds, Runs: []float64{report.Quantile(all, 0.99)},
		Limit: limit(0.99), Target: b.targetAt(mainSize, report.AtMost(100)),
		Note: fmt.Sprintf("from just before another manager's patch of one key until a watch shows the right text again: %d in a run, each generated key four times.", len(all)),
	})
	b.add(report.Figure{Name: "drift repaired, p50", Unit: report.Milliseconds, Runs: []float64{report.Quantile(all, 0.5)}, Limit: limit(0.5)})
}

// settled measures some changes at a running service that has the default settle.
func (b *bench) settled(t *testing.T) {
	t.Helper()
	const settle = 250
	var all []time.Duration
	for _, s := range b.slots(t)[:slots/4] {
		in, _ := b.serviceLast(t, s)
		all = append(all, in)
	}
	took := report.Millis(all...)
	b.add(report.Figure{
		Requirement: "DTS-PERF-2", Name: "reaction with the default settle, p50", Unit: report.Milliseconds,
		Runs: []float64{report.Quantile(took, 0.5)}, Target: b.targetAt(mainSize, report.AtMost(25+settle)),
	})
	b.add(report.Figure{
		Requirement: "DTS-PERF-2", Name: "reaction with the default settle, p99", Unit: report.Milliseconds,
		Runs: []float64{report.Quantile(took, 0.99)}, Target: b.targetAt(mainSize, report.AtMost(100+settle)),
	})
}
