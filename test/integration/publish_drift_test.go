//go:build integration

package integration

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// TestDrift: whatever somebody does to what is ours is undone at once, and whatever is not ours stays to the byte. That the field
// managers are named is in TestRealAPIServer of internal/publish.
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
		{"in all ways at once", 6, func() error {
			return vandal.patch(ctx, object{
				"data":       object{compactP: "x", document: "", compactG: nil, compactJ: want.Data[compactJ] + "# and this\n", extra: "x", compactL: nil},
				"binaryData": object{compactL: []byte("x")},
				"metadata":   object{"labels": object{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": nil}},
			})
		}},
		{"force-applied by another", 1, func() error { return vandal.apply(ctx, true, map[string]string{compactK: "x"}) }},
		{"what is remembered forged", 1, func() error {
			return vandal.patch(ctx, object{"data": object{state: strings.ReplaceAll(want.Data[state], "monitoring/", "evil/")}})
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
			drift := service.metric(t, "dynamictoolset_configmap_drift_detected_total")
			must(t, c.do())
			holds(t, env, "repaired, and all else as it was", func(cm *corev1.ConfigMap) error {
				return errors.Join(differs("data", want.Data, cm.Data), differs("binaryData", want.BinaryData, cm.BinaryData),
					differs("labels", want.Labels, cm.Labels), differs("annotations", want.Annotations, cm.Annotations))
			})
			service.reaches(t, "dynamictoolset_configmap_drift_detected_total", drift+float64(c.keys))
		})
	}
}

func differs(what string, want, got any) error {
	if d := cmp.Diff(want, got); d != "" {
		return fmt.Errorf("%s -want +got:\n%s", what, d)
	}
	return nil
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
	remove()
	cm := published(t, env, "it is back", "helm/core")
	must(t, differs("data", before.Data, cm.Data))
	tells(t, env, "Normal", "OverridesRestored", "is restored with its overrides")
	for _, c := range record.Changes() {
		if d := differs("data", before.Data, c.ConfigMap.Data); d != nil {
			t.Errorf("for a moment it was there without all of it: %v", d)
		}
	}

	t.Log("the admin's next apply meets no conflict, and dropping the key really drops it")
	second := "toolsets: {helm/core: {enabled: true}} # 2\n"
	env.Kubectl(t, manifest("data:\n  overrides.yaml: |\n    "+second), "apply", "--server-side", "-f", "-")
	published(t, env, "the next overrides are in force", "helm/core")
	env.Kubectl(t, manifest(""), "apply", "--server-side", "-f", "-")
	cm = published(t, env, "no overrides are in force", "-helm/core")
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
	for n := range 11 { // too often for repairs of a single key
		remake("data: {notes: mine}\n", time.Duration(n/10)*3*time.Second) // in the last pause its lease runs out
		holds(t, env, "replaced by one without overrides", func(cm *corev1.ConfigMap) error {
			return differs("data", again.Data, cm.Data)
		})
	}
	remake("data: {overrides.yaml: 'toolsets: {docker/core: {enabled: true}}'}\n", 0)
	published(t, env, "the text made meanwhile wins", "docker/core", "-helm/core")
	quiet(t, env)
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
	unchanged(t, env, before, 3*time.Second, "it is not fought")
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
