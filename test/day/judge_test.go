//go:build integration && day

package day

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// withdrawal is a backend that a document had and then had not.
type withdrawal struct {
	host string
	at   time.Time
}

// withdrawals are those of a document's versions.
func withdrawals(versions []version) (list []withdrawal) {
	before := map[string]bool{}
	for _, v := range versions {
		now := hosts(v.text)
		for _, host := range slices.Sorted(maps.Keys(before)) {
			if !now[host] {
				list = append(list, withdrawal{host, v.at})
			}
		}
		before = now
	}
	return list
}

// judge compares what was observed with the ledger.
func (d *day) judge(t *testing.T) {
	forms := map[string][]version{"ConfigMap": d.configMap(), "sidecar": d.files.all()}
	for form, versions := range forms {
		list := withdrawals(versions)
		t.Logf("%s: %d versions of the document, %d withdrawals", form, len(versions), len(list))
		d.judgeWithdrawals(t, form, list)
	}
	d.judgeLines(t, forms)
	d.judgeMetrics(t)
	d.judgeAgent(t, forms["sidecar"])
	d.judgeToolsets(t, forms["sidecar"])
	d.judgeMemory(t)
	for _, s := range d.sick {
		t.Errorf("a process: %s", s)
	}
	t.Logf("%d happenings, %d changes of the cluster", d.happened.Load(), d.changes.Load())
	if t.Failed() {
		t.Logf("what happened:\n%s", strings.Join(d.lines, "\n"))
	}
}

// judgeWithdrawals: nothing that was up was withdrawn.
func (d *day) judgeWithdrawals(t *testing.T, form string, list []withdrawal) {
	for _, w := range list {
		if last, ok := d.ledger.mayHaveGone(w.host, w.at); !ok {
			t.Errorf("%s: %s was withdrawn at %s, and was up: the last that was done to it is %q; %s",
				form, w.host, clock(w.at), last.why, d.ledger.of(w.host))
		}
	}
}

// told is a line of a log about a withdrawal.
type told struct {
	at   time.Time
	host string
}

var withdrawnLine = regexp.MustCompile(`(?m)^time=(\S+) level=INFO msg="backend withdrawn" namespace=(\S+) service=(\S+) `)

func withdrawnLines(t *testing.T, r *replica) (list []told) {
	for _, m := range withdrawnLine.FindAllStringSubmatch(r.Log(t), -1) {
		at, err := time.Parse(time.RFC3339Nano, m[1])
		if err != nil {
			t.Errorf("%s: %v", m[0], err)
		}
		list = append(list, told{at, m[3] + "." + m[2] + ".svc.cluster.local"})
	}
	return list
}

// judgeLines: each withdrawal has a line in the log of what made it, and one in an Event. What the admin hides is no
// withdrawal of the service's; a replica that is killed with its line unsaid says it no more.
func (d *day) judgeLines(t *testing.T, forms map[string][]version) {
	lines := map[string][]told{}
	for _, r := range append(d.running(), d.past...) {
		form := "ConfigMap"
		if r.place == "sidecar" {
			form = "sidecar"
		}
		lines[form] = append(lines[form], withdrawnLines(t, r)...)
	}
	near := d.awayFor() + 20*time.Second // a replica that could not write said so before
	events := d.withdrawnEvents(t)
	for form, versions := range forms {
		for _, w := range withdrawals(versions) {
			if last, _ := d.ledger.mayHaveGone(w.host, w.at); last.admin {
				continue
			}
			said := slices.ContainsFunc(lines[form], func(l told) bool {
				return l.host == w.host && l.at.Sub(w.at).Abs() < near
			})
			if !said && d.ledger.apart(w.at, 5*time.Second) {
				t.Errorf("%s: no log says that %s was withdrawn at %s", form, w.host, clock(w.at))
			}
			if form == "ConfigMap" && !events[w.host] && d.ledger.apart(w.at, 5*time.Second) {
				t.Errorf("no Event says that %s was withdrawn at %s", w.host, clock(w.at))
			}
		}
	}
}

// withdrawnEvents are the backends that Events about withdrawals name.
func (d *day) withdrawnEvents(t *testing.T) map[string]bool {
	list, err := d.env.Client.EventsV1().Events("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Error(err)
		return nil
	}
	n, all := 0, map[string]bool{}
	for i := range list.Items {
		rest, ok := strings.CutPrefix(list.Items[i].Note, "no longer published of namespace ")
		if list.Items[i].Reason != "BackendsWithdrawn" || !ok {
			continue
		}
		n++
		namespace, rest, _ := strings.Cut(rest, ": ")
		names, _, _ := strings.Cut(rest, ":")
		for name := range strings.SplitSeq(names, ", ") {
			name, _, _ = strings.Cut(name, " ")
			all[name+"."+namespace+".svc.cluster.local"] = true
		}
	}
	t.Logf("%d Events about withdrawals", n)
	return all
}

// judgeMetrics: each process has counted as many withdrawals as its log has lines.
func (d *day) judgeMetrics(t *testing.T) {
	for _, r := range append(d.running(), d.past...) {
		lines := withdrawnLines(t, r)
		if len(r.counts) == 0 {
			continue
		}
		last := r.counts[len(r.counts)-1]
		before := func(at time.Time) (n int) {
			for _, l := range lines {
				if l.at.Before(at) {
					n++
				}
			}
			return n
		}
		if least, most := before(last.from), before(last.to); int(last.withdrawn) < least || int(last.withdrawn) > most {
			t.Errorf("%s: %s is %v, and its log has %d to %d lines", r.place, withdrawnMetric, last.withdrawn, least, most)
		}
	}
}

// judgeAgent: HolmesGPT has each version of the sidecar's document within the bound: after it was written, or after
// the pause between two reloads, or after HolmesGPT came back. What its own reload takes longer than alone is not the
// service's.
func (d *day) judgeAgent(t *testing.T, versions []version) {
	var ours, whole, reloads []time.Duration
	for i, v := range versions {
		due, has, took, ok := d.loaded(versions, i)
		if !ok {
			continue
		}
		part := has.Sub(due) - max(0, took-d.agent.alone)
		ours, whole, reloads = append(ours, part), append(whole, has.Sub(due)), append(reloads, took)
		if part > agentBound {
			t.Errorf("HolmesGPT has the version of %s at %s: %s after it was due, %s of it its reload",
				clock(v.at), clock(has), has.Sub(due), took)
		}
	}
	figures := func(list []time.Duration) string {
		return fmt.Sprintf("p50 %s, p99 %s, max %s", ms(quantile(list, 0.5)), ms(quantile(list, 0.99)), ms(quantile(list, 1)))
	}
	t.Logf("HolmesGPT has a version (%d of them): %s", len(whole), figures(whole))
	t.Logf("of it its reload: %s; alone %s", figures(reloads), ms(d.agent.alone))
	t.Logf("without what its reload takes longer than alone: %s; at most %s", figures(ours), agentBound)
	if len(whole) == 0 {
		t.Error("HolmesGPT was never seen to load a version")
	}
	var written []time.Duration
	for _, one := range d.installs {
		for _, v := range versions {
			if v.at.After(one.ready) && hosts(v.text)[one.host] {
				written = append(written, v.at.Sub(one.ready))
				break
			}
		}
	}
	t.Logf("a new backend is in the sidecar's file (%d of %d): %s", len(written), len(d.installs), figures(written))
}

// loaded is when HolmesGPT had a version and when it was due; not ok where it was superseded before.
func (d *day) loaded(versions []version, i int) (due, has time.Time, took time.Duration, ok bool) {
	a, v := d.agent, versions[i]
	end := time.Now()
	if i+1 < len(versions) {
		end = versions[i+1].at
	}
	due = v.at
	before := ""
	for _, s := range a.seen {
		if s.at.After(v.at) && s.generation == generation(v.text) {
			has = s.at
			break
		}
		before = s.generation
	}
	switch {
	case before == generation(v.text):
		return due, has, 0, false // it had not noticed that there was another in between
	case len(a.seen) > 0 && has.Equal(a.seen[0].at):
		return due, has, 0, false // it had the version before the day began: when is not known
	}
	for _, r := range a.reloads {
		switch {
		case r.told.Before(v.at): // it may still have been reading, and then has the version already
			due = later(due, r.told.Add(reloadPause))
			if took = 0; r.answered.After(v.at) {
				took = r.answered.Sub(r.told)
			}
		case !has.IsZero() && r.told.Before(has):
			took = r.answered.Sub(r.told)
			if r.status != 200 { // HolmesGPT has failed: it is told again
				due = later(due, r.told.Add(reloadPause))
			}
		}
	}
	for _, w := range a.away {
		if w.overlaps(v.at, due.Add(agentBound)) {
			due = later(due, w.to.Add(reloadPause)) // that it is back is noticed within that
		}
	}
	if has.IsZero() || has.After(end.Add(a.alone)) {
		return due, has, took, !end.Before(due.Add(agentBound+a.alone)) && has.IsZero()
	}
	return due, has, took, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// judgeToolsets: no toolset of HolmesGPT fails while a backend of it is up, whatever becomes of the others.
func (d *day) judgeToolsets(t *testing.T, versions []version) {
	byGeneration := map[string]map[string]map[string]bool{}
	for _, v := range versions {
		byGeneration[generation(v.text)] = toolsets(v.text)
	}
	failures := 0
	for _, s := range d.agent.seen {
		for name, reason := range s.failed {
			backends := byGeneration[s.generation][name]
			if backends == nil {
				continue // it is none of the document's
			}
			failures++
			for host := range backends {
				if d.ledger.upAll(host, s.at.Add(-late), s.at) {
					t.Errorf("HolmesGPT's %s failed at %s, and its backend %s was up: %s", name, clock(s.at), host, reason)
				}
			}
		}
	}
	t.Logf("HolmesGPT: %d states seen, %d times a toolset failed since all its backends were away",
		len(d.agent.seen), failures)
}

// judgeMemory holds the last third against the first.
func (d *day) judgeMemory(t *testing.T) {
	for place, samples := range d.samples {
		n := len(samples)
		if n < 9 {
			t.Errorf("%s: %d samples are too few", place, n)
			continue
		}
		for _, of := range []struct {
			what        string
			value       func(sample) float64
			unit, slack float64
		}{
			{"resident memory, MiB", func(s sample) float64 { return s.rss }, 1 << 20, 16 << 20},
			{"heap after a collection, MiB", func(s sample) float64 { return s.heap }, 1 << 20, 8 << 20},
			{"goroutines", func(s sample) float64 { return s.goroutines }, 1, 20},
		} {
			first, last := median(samples[:n/3], of.value), median(samples[n*2/3:], of.value)
			t.Logf("%s: %s: %.1f in the first third, %.1f in the last (medians)", place, of.what, first/of.unit, last/of.unit)
			if last > first*1.05+of.slack {
				t.Errorf("%s: %s grows", place, of.what)
			}
		}
	}
}

func median(samples []sample, value func(sample) float64) float64 {
	var list []float64
	for _, s := range samples {
		list = append(list, value(s))
	}
	slices.Sort(list)
	return list[len(list)/2]
}
