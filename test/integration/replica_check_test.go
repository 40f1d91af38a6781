//go:build integration

package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/watch"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// check looks at all that was written since the change number from: nothing was lost, nothing went back, nobody else wrote,
// and each write was computed from what it replaced.
func (r *replicas) check(t *testing.T, record *testenv.Recorder, from int, keys map[string]string, urls ...string) {
	t.Helper()
	changes := record.Changes()[from:]
	last := -1
	for _, c := range changes {
		if err := intact(c, keys, urls); err != nil {
			t.Fatalf("%s: %v\n%s", c, err, c.ConfigMap.Data[document])
		}
		if n := turn(c.ConfigMap); n < last {
			t.Errorf("%s: it went back from turn %d to %d", c, last, n)
		} else {
			last = n
		}
		for _, m := range c.Managers {
			if m != "dynamic-toolset" {
				t.Errorf("%s: %s wrote", c, m)
			}
		}
	}
	versions := map[string]bool{}
	for _, c := range record.Changes() {
		versions[c.Version] = true
	}
	for i, w := range r.written(nil) {
		switch {
		case w.base != "" && versions[w.base]:
		case w.base == "" && i == 0 && strings.HasPrefix(w.manager, "dynamic-toolset-restore-"): // it was not there
		default:
			t.Errorf("write %d, of %s as %s, carries the resourceVersion %q, which the ConfigMap never had", i, w.by.name, w.manager, w.base)
		}
	}
}

// intact says what is missing.
func intact(c testenv.Change, keys map[string]string, urls []string) error {
	if c.Type == watch.Deleted || c.Gap {
		return errors.New("it was deleted, or not all was recorded")
	}
	for k, v := range keys {
		if c.ConfigMap.Data[k] != v {
			return fmt.Errorf("%s is %q, want %q", k, c.ConfigMap.Data[k], v)
		}
	}
	for _, want := range append([]string{"kubernetes/core:", "helm/core:"}, urls...) {
		if !strings.Contains(c.ConfigMap.Data[document], want) {
			return fmt.Errorf("%q is lost", want)
		}
	}
	for _, k := range []string{"state.json", "kubernetes-toolset.yaml", "prometheus-toolset.yaml"} {
		if c.ConfigMap.Data[k] == "" {
			return fmt.Errorf("%s is lost", k)
		}
	}
	return nil
}

// elected checks that nobody wrote while another did: the writes of a replica come in as many runs as it was elected, or
// fewer.
func (r *replicas) elected(t *testing.T) {
	t.Helper()
	var last *replica
	var order []string
	runs := map[*replica]int{}
	for _, w := range r.written(nil) {
		if w.by != last {
			last = w.by
			runs[last]++
			order = append(order, last.name)
		}
	}
	for one, n := range runs {
		if times := strings.Count(one.Log(t), `msg="this replica leads"`); n > times {
			t.Errorf("%s was elected %d times, and others wrote between its writes %d times: %q", one.name, times, n-1, order)
		}
	}
	t.Logf("%d runs of writes by %d replicas", len(order), len(runs))
}
