//go:build integration && day

package day

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// settle waits until both documents are what the ledger says, and HolmesGPT has the sidecar's. What changed often may
// be held back for minutes.
func (d *day) settle(ctx context.Context, t *testing.T) {
	start := time.Now()
	for _, condition := range []func() error{d.complete, d.agentHasAll} {
		if err := d.eventually(ctx, 4*time.Minute, condition); err != nil {
			t.Errorf("at the end: %v", err)
		}
	}
	t.Logf("at the end all is there %s after the last happening", time.Since(start).Round(100*time.Millisecond))
}

// reloadPause is how often HolmesGPT is told to reload at most.
const reloadPause = 10 * time.Second

// agentBound is how long HolmesGPT may take to have the last document after the last change (DTS-PERF-9).
const agentBound = 3 * time.Second

// lastChanges makes a few backends one after the other while nothing else happens: HolmesGPT has each within the bound.
func (d *day) lastChanges(ctx context.Context, t *testing.T) {
	for range 3 {
		time.Sleep(reloadPause + time.Second)
		b := newcomer(int(d.newest.Add(1)))
		if err := d.namespace(ctx, b.namespace); err != nil {
			t.Error(err)
			return
		}
		ready, err := d.create(ctx, b)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(b.end)
		err = d.eventually(ctx, time.Minute, func() error {
			if !hosts(d.files.last())[b.host()] {
				return fmt.Errorf("%s is not written", b.host())
			}
			return d.agentHasAll()
		})
		took := time.Since(ready)
		if err != nil {
			t.Errorf("the last change: %v", err)
			continue
		}
		var told reload
		d.agent.note(func() { told = d.agent.reloads[len(d.agent.reloads)-1] })
		reloading := told.answered.Sub(told.told)
		t.Logf("a last change is with HolmesGPT after %s, of which its reload took %s", ms(took), ms(reloading))
		if took-max(0, reloading-d.agent.alone) > agentBound {
			t.Errorf("the last change took %s, its reload %s (%s alone): want %s at most",
				took, reloading, d.agent.alone, agentBound)
		}
	}
	if err := d.eventually(ctx, time.Minute, d.complete); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// fresh has services that know nothing of the day write the same, byte for byte: into another ConfigMap, and another
// directory. Both get the admin's overrides, and nothing else.
func (d *day) fresh(ctx context.Context, t *testing.T) {
	const name = "fresh"
	live := d.env.ConfigMap(t)
	_, err := d.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"overrides.yaml": live.Data["overrides.yaml"]},
	}, metav1.CreateOptions{})
	d.must(t, err)
	dir := filepath.Join(t.TempDir(), name)
	for place, args := range map[string][]string{
		"fresh replica": {"--set", "output.configMap=" + name, "--set", "leaderElection.leaseName=" + name},
		"fresh sidecar": {"--out", dir, "--overrides", d.overrides, "--set", "holmesgpt.service=off"},
	} {
		_, err := d.serve(t, place, args...)
		d.must(t, err)
	}
	err = d.eventually(ctx, time.Minute, func() error {
		cm, err := d.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		files := map[string]string{}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if text, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil {
				files[e.Name()] = string(text)
			}
		}
		return errors.Join(
			differ("the ConfigMap", d.env.ConfigMap(t).Data, cm.Data),
			differ("the directory", map[string]string{document: d.files.last()}, map[string]string{document: files[document]}),
		)
	})
	if err != nil {
		t.Errorf("a fresh start does not write the same: %v", err)
	}
}

// differ says how the keys differ but for the state, in which there is what only the old one can know.
func differ(what string, old, fresh map[string]string) error {
	old, fresh = maps.Clone(old), maps.Clone(fresh)
	delete(old, "state.json")
	delete(fresh, "state.json")
	if d := cmp.Diff(old, fresh); d != "" {
		return fmt.Errorf("%s (-old +fresh):\n%s", what, d)
	}
	return nil
}

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// quantile of durations.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[min(len(list)-1, int(q*float64(len(list))))]
}
