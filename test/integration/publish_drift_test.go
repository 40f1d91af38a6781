//go:build integration

package integration

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const (
	adminsText = "# mine \t\r\ntoolsets:\n  helm/core: {enabled: true}   \n\n\n  # no end"
	compactP   = "prometheus-toolset.yaml"
	compactG   = "grafana-toolset.yaml"
	compactJ   = "jaeger-toolset.yaml"
	compactL   = "loki-toolset.yaml"
	compactK   = "kubernetes-toolset.yaml"
	state      = "state.json"
	extra      = "zipkin-toolset.yaml"
)

// TestDrift: whatever somebody does to what is ours is undone at once, and whatever is not ours stays to the byte.
func TestDrift(t *testing.T) {
	t.Attr("req", "DTS-OUT-7 DTS-OUT-8 DTS-MET-1")
	env := testenv.Shared(t)
	backends(t, env, "monitoring")
	// What is repaired at the resync and not at once would not be noticed.
	service := start(t, env, "--set", "output.resync=10m")
	published(t, env, "all are there", "prometheus", "grafana", "jaeger", "loki")
	ctx := t.Context()
	admin, vandal := edit(env, "admin"), edit(env, "vandal")
	must(t, admin.apply(ctx, false, map[string]string{overrides: adminsText, "notes.txt": "  x\n", "toolset.yaml": ""}))
	must(t, edit(env, "kubectl-annotate").patch(ctx, object{
		"metadata":   object{"labels": object{"team": "sre"}, "annotations": object{"why": "because\n"}},
		"binaryData": object{"logo.png": []byte{0, 1, 0xff}},
	}))
	want := published(t, env, "the overrides are in force", "helm/core").DeepCopy()

	for _, c := range []struct {
		name string
		keys int // that drift
		do   func() error
	}{
		{"changed", 1, func() error { return vandal.patch(ctx, object{"data": object{compactP: "x"}}) }},
		{"emptied", 1, func() error { return vandal.patch(ctx, object{"data": object{document: ""}}) }},
		{"removed", 1, func() error { return vandal.patch(ctx, object{"data": object{compactG: nil}}) }},
		{"added to", 1, func() error {
			return vandal.patch(ctx, object{"data": object{compactJ: want.Data[compactJ] + "# and this\n"}})
		}},
		{"all removed", 7, func() error {
			return vandal.patch(ctx, object{"data": object{
				document: nil, compactP: nil, compactG: nil, compactJ: nil, compactL: nil, compactK: nil, state: nil,
			}})
		}},
		{"a reserved key added", 1, func() error { return vandal.patch(ctx, object{"data": object{extra: "x"}}) }},
		{"a reserved key applied", 1, func() error { return vandal.apply(ctx, false, map[string]string{extra: "x"}) }},
		{"a reserved key in binaryData", 1, func() error { return vandal.patch(ctx, object{"binaryData": object{extra: []byte{1}}}) }},
		{"moved to binaryData", 1, func() error {
			return vandal.patch(ctx, object{"data": object{compactL: nil}, "binaryData": object{compactL: []byte("x")}})
		}},
		{"force-applied by another", 1, func() error { return vandal.apply(ctx, true, map[string]string{compactK: "x"}) }},
		{"applied by two", 1, func() error {
			return errors.Join(vandal.apply(ctx, true, map[string]string{compactG: "y"}), edit(env, "another").apply(ctx, true, map[string]string{compactG: "y"}))
		}},
		{"what is remembered forged", 1, func() error {
			return vandal.patch(ctx, object{"data": object{state: strings.ReplaceAll(want.Data[state], "monitoring/", "evil/")}})
		}},
		{"our labels", 1, func() error {
			return vandal.patch(ctx, object{"metadata": object{"labels": object{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": nil}}})
		}},
		{"owners forgotten", 1, func() error {
			return vandal.patch(ctx, object{"data": object{compactJ: "x"}, "metadata": object{"managedFields": []any{object{}}}})
		}},
		{"replaced by one without our keys", 7, func() error {
			return vandal.update(ctx, func(cm *corev1.ConfigMap) {
				maps.DeleteFunc(cm.Data, func(k, _ string) bool {
					return want.Data[k] != "" && strings.HasSuffix(k, "toolset.yaml") || k == state
				})
				cm.Data["toolset.yaml"] = "" // the admin's, whatever it is called
				maps.DeleteFunc(cm.Labels, func(k, _ string) bool { return strings.HasPrefix(k, "app.kubernetes.io/") })
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := env.Record(t)
			drift := service.metric(t, "dynamictoolset_configmap_drift_detected_total")
			must(t, c.do())
			same := func(cm *corev1.ConfigMap) error {
				return errors.Join(differs("data", want.Data, cm.Data), differs("binaryData", want.BinaryData, cm.BinaryData),
					differs("labels", want.Labels, cm.Labels), differs("annotations", want.Annotations, cm.Annotations))
			}
			holds(t, env, "repaired, and all else as it was", same)
			t.Logf("repaired %s after it was seen", latency(t, record, same).Round(100*time.Microsecond))
			service.reaches(t, "dynamictoolset_configmap_drift_detected_total", drift+float64(c.keys))
		})
	}
	t.Run("a second owner of the same text", func(t *testing.T) {
		must(t, vandal.apply(ctx, false, map[string]string{document: want.Data[document]}))
		quiet(t, env)
	})
}

func differs(what string, want, got any) error {
	if d := cmp.Diff(want, got); d != "" {
		return fmt.Errorf("%s -want +got:\n%s", what, d)
	}
	return nil
}

// latency is the time from the last event before the ConfigMap was right again to that one.
func latency(t *testing.T, record *testenv.Recorder, right func(*corev1.ConfigMap) error) time.Duration {
	t.Helper()
	var took time.Duration
	testenv.Eventually(t, 5*time.Second, "the repair is recorded", func() error {
		changes := record.Changes()
		for i, c := range changes[1:] {
			if right(c.ConfigMap) == nil && right(changes[i].ConfigMap) != nil {
				first := i
				for first > 1 && right(changes[first-1].ConfigMap) != nil {
					first--
				}
				took = c.At.Sub(changes[first].At)
				return nil
			}
		}
		return errors.New(record.String())
	})
	return took
}

// TestDeletedConfigMap: it comes back at once, with the overrides, which then belong to nobody.
func TestDeletedConfigMap(t *testing.T) {
	t.Attr("req", "DTS-OUT-8 DTS-OUT-6")
	env := testenv.Shared(t)
	backends(t, env, "monitoring")
	service := start(t, env, "--set", "output.resync=10m")
	published(t, env, "all are there", "prometheus", "grafana", "jaeger", "loki")
	manifest := func(data string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s}\n%s", testenv.ConfigMapName, testenv.OutputNamespace, data)
	}
	env.Kubectl(t, manifest("data:\n  overrides.yaml: |\n    toolsets: {helm/core: {enabled: true}} # 1\n"), "apply", "--server-side", "-f", "-")
	before := published(t, env, "the overrides are in force", "helm/core")
	record := env.Record(t)
	remove := func() {
		t.Helper()
		env.Kubectl(t, "", "delete", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName)
	}
	back := func(what, text string) {
		t.Helper()
		holds(t, env, what, func(cm *corev1.ConfigMap) error {
			want := maps.Clone(before.Data)
			want[overrides] = text
			for _, m := range cm.ManagedFields {
				if strings.HasPrefix(m.Manager, "dynamic-toolset-restore") {
					return fmt.Errorf("%s still owns something", m.Manager)
				}
			}
			return differs("data", want, cm.Data)
		})
	}
	remove()
	back("it is back", before.Data[overrides])
	gone := slices.IndexFunc(record.Changes(), func(c testenv.Change) bool { return c.Type == watch.Deleted })
	if changes := record.Changes(); gone >= 0 && len(changes) > gone+1 {
		first := changes[gone+1]
		t.Logf("back %s after the deletion was seen", first.At.Sub(changes[gone].At).Round(100*time.Microsecond))
		if d := differs("data", before.Data, first.ConfigMap.Data); d != nil {
			t.Errorf("for a moment it was there without all of it: %v", d)
		}
	}
	tells(t, env, "Normal", "OverridesRestored", "is restored with its overrides")

	t.Log("the admin's next apply meets no conflict, and dropping the key really drops it")
	second := "toolsets: {helm/core: {enabled: true}} # 2\n"
	env.Kubectl(t, manifest("data:\n  overrides.yaml: |\n    "+second), "apply", "--server-side", "-f", "-")
	published(t, env, "the next overrides are in force", "helm/core")
	env.Kubectl(t, manifest(""), "apply", "--server-side", "-f", "-")
	cm := published(t, env, "no overrides are in force", "-helm/core")
	if text, there := cm.Data[overrides]; there {
		t.Errorf("the dropped key is still there: %q", text)
	}
	remove()
	cm = published(t, env, "it is back without overrides", "-helm/core")
	if text, there := cm.Data[overrides]; there {
		t.Errorf("the dropped key came back: %q", text)
	}

	t.Log("made again by somebody who does not know of the overrides, or with others")
	must(t, edit(env, "admin").apply(t.Context(), false, map[string]string{overrides: second}))
	again := published(t, env, "the overrides are in force again", "helm/core")
	again.Data["notes"] = "mine"
	remake := func(data string, pause time.Duration) {
		t.Helper()
		service.Signal(t, syscall.SIGSTOP) // else it is the faster one
		defer service.Signal(t, syscall.SIGCONT)
		env.Kubectl(t, manifest(data), "replace", "--force", "-f", "-")
		time.Sleep(pause)
	}
	for range 10 { // too often for repairs of a single key
		remake("data: {notes: mine}\n", 0)
		holds(t, env, "replaced by one without overrides", func(cm *corev1.ConfigMap) error {
			return differs("data", again.Data, cm.Data)
		})
	}
	remake("data: {notes: mine}\n", 3*time.Second) // its lease runs out
	holds(t, env, "replaced during a pause beyond the lease", func(cm *corev1.ConfigMap) error {
		return differs("data", again.Data, cm.Data)
	})
	remake("data: {overrides.yaml: 'toolsets: {docker/core: {enabled: true}}'}\n", 0)
	published(t, env, "the text made meanwhile wins", "docker/core", "-helm/core")
	quiet(t, env)
}

// TestRepairStorm: somebody who force-applies his own again and again is answered five times a minute, and then at each
// resync, and the Event says who it is. Nothing else waits for that.
func TestRepairStorm(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	const resync, storm = 5 * time.Second, 16 * time.Second
	env := testenv.Shared(t)
	service := start(t, env, "--set", "output.resync="+resync.String())
	own := published(t, env, "there", "kubernetes/core").Data[compactK]
	record := env.Record(t)
	vandal := edit(env, "vandal")
	vandals, end := 0, time.Now().Add(storm)
	prometheus := false
	testenv.Eventually(t, storm+time.Second, "the storm is over", func() error {
		if time.Now().After(end) {
			return nil
		}
		must(t, vandal.apply(t.Context(), true, map[string]string{compactK: fmt.Sprint("mine ", vandals)}))
		vandals++
		if !prometheus && vandals == 50 {
			prometheus = true
			env.Create(t, prometheusIn("monitoring", "prometheus"))
			published(t, env, "others do not wait", "monitoring/prometheus")
		}
		return errors.New("it goes on")
	})
	repairs := 0
	for _, c := range record.Changes()[1:] {
		if c.ConfigMap.Data[compactK] == own && slices.Contains(c.Keys, compactK) {
			repairs++
		}
	}
	t.Logf("%d changes by the vandal in %s, %d repairs", vandals, storm, repairs)
	if most := 5 + int(storm/resync) + 1; repairs < 6 || repairs > most {
		t.Errorf("%d repairs, want 6 to %d", repairs, most)
	}
	note := tells(t, env, "Warning", "RepairedTooOften", compactK)
	if !strings.Contains(note, "by vandal") {
		t.Errorf("the Event does not say who it is: %s", note)
	}
	service.reaches(t, reconciled("deferred"), 1)
	holds(t, env, "the last one is repaired at the resync", func(cm *corev1.ConfigMap) error { return differs(compactK, own, cm.Data[compactK]) })
}

// TestImmutable: an immutable ConfigMap is reported and not fought.
func TestImmutable(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	env := testenv.Shared(t)
	service := start(t, env)
	published(t, env, "there", "kubernetes/core")
	admin := edit(env, "admin")
	must(t, admin.apply(t.Context(), false, map[string]string{overrides: adminsText}))
	published(t, env, "the overrides are in force", "helm/core")
	must(t, admin.patch(t.Context(), object{"immutable": true}))
	tells(t, env, "Warning", "PublishFailed", "immutable")
	service.reaches(t, reconciled("immutable"), 1)
	before := env.ConfigMap(t).ResourceVersion
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	testenv.Consistently(t, 3*time.Second, "it is not fought", func() error {
		if cm := env.ConfigMap(t); cm.ResourceVersion != before {
			return errors.New("written")
		}
		return nil
	})
	if events := told(t, env, "ConfigMap", testenv.OutputNamespace, testenv.ConfigMapName, "PublishFailed"); len(events) != 1 {
		t.Errorf("told %d times: %q", len(events), notes(events))
	}
	must(t, env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Delete(t.Context(), testenv.ConfigMapName, metav1.DeleteOptions{}))
	cm := published(t, env, "deleted, it comes back up to date", "helm/core", "monitoring/prometheus")
	if cm.Data[overrides] != adminsText || cm.Immutable != nil {
		t.Errorf("overrides %q, immutable %v", cm.Data[overrides], cm.Immutable)
	}
	tells(t, env, "Normal", "PublishWorks", "works again")
}
