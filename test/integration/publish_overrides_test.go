//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// TestOverridesSurvive: an admin edits the overrides in every way there is, while Services churn and a vandal edits what is
// generated. No edit is lost or changed, and the last one is in force.
func TestOverridesSurvive(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-7 DTS-OUT-8")
	const edits = 200
	env := testenv.Shared(t)
	backends(t, env, "monitoring")
	service := start(t, env, "--set", "security.trustedNamespaces=[monitoring]") // whose Services may change all the time
	published(t, env, "all are there", "prometheus", "grafana", "jaeger", "loki")
	record := env.Record(t)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var others sync.WaitGroup
	churned, vandalised := 0, 0
	others.Go(func() { churned = churn(ctx, env) })
	others.Go(func() { vandalised = vandalise(ctx, env) })
	begin := time.Now()
	for n := range edits {
		if err := overrideIn(ctx, env, n); err != nil {
			t.Fatalf("edit %d: %v", n, err)
		}
		pause(ctx, time.Duration(n%5)*10*time.Millisecond) // now and then the service is the faster one
	}
	took := time.Since(begin)
	stop()
	others.Wait()
	cm := published(t, env, "the last edit is in force", fmt.Sprintf("edit-%d", edits-1), fmt.Sprintf("-edit-%d", edits-2), "kubernetes/core:")
	if got := cm.Data[overrides]; got != override(edits-1) {
		t.Errorf("the overrides are %q, want %q", got, override(edits-1))
	}
	t.Logf("%d edits in %s, beside %d changes of Services and %d of generated keys; %d writes of the service, %v conflicts",
		edits, took.Round(time.Millisecond), churned, vandalised, record.By("dynamic-toolset"), service.metric(t, reconciled("conflict")))
	if churned < 20 || vandalised < 20 {
		t.Error("hardly anything happened beside the edits")
	}
	// Every state that there ever was has the text of the edit before it: none is lost, changed, or undone by a late write.
	next, gaps := 0, 0
	for _, c := range record.Changes() {
		if c.Gap {
			gaps++
		}
		switch text := c.ConfigMap.Data[overrides]; {
		case next < edits && text == override(next):
			next++
		case next == 0 && text == "", next > 0 && text == override(next-1):
		default:
			t.Fatalf("after edit %d the overrides are %q\n%s", next-1, text, c)
		}
	}
	if next != edits || gaps > 0 {
		t.Errorf("%d of %d edits are recorded, with %d gaps", next, edits, gaps)
	}
	// A key that the vandal changed too often is put right by the resync, every 2 s here.
	last, since := "", time.Now()
	testenv.Eventually(t, 20*time.Second, "all is put right", func() error {
		if now := env.ConfigMap(t).ResourceVersion; now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) < 2500*time.Millisecond {
			return errors.New("it was written a moment ago")
		}
		return nil
	})
	quiet(t, env)
}

// override is the text of the n-th edit, in one of several styles.
func override(n int) string {
	text := fmt.Sprintf("toolsets:\n  kubernetes/core: {config: {note: edit-%d}}", n)
	return []string{
		text,
		"# Überschrift \t\n\n" + text + "   \n\n\n  # no end",
		strings.ReplaceAll(text, "\n", "\r\n") + "\r\n",
		"---\n" + text + "\nmine: {kept: \"{{ env.X }}\"}\n",
		text + "\n" + strings.Repeat("# long\n", 200),
	}[n%5]
}

// overrideIn makes the n-th edit in one of the ways that kubectl and others have.
func overrideIn(ctx context.Context, env *testenv.Env, n int) error {
	text := override(n)
	switch n % 4 {
	case 0: // kubectl apply --server-side --force-conflicts, after others have edited it
		return edit(env, "kubectl").apply(ctx, true, map[string]string{overrides: text})
	case 1: // kubectl edit, kubectl replace
		return edit(env, "kubectl-replace").update(ctx, func(cm *corev1.ConfigMap) { cm.Data[overrides] = text })
	case 2: // kubectl patch
		return edit(env, "kubectl-patch").patch(ctx, object{"data": object{overrides: text}})
	}
	patch, err := json.Marshal([]object{{"op": "add", "path": "/data/" + overrides, "value": text}})
	if err == nil {
		_, err = edit(env, "").client.Patch(ctx, testenv.ConfigMapName, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: "script"})
	}
	return err
}

// churn has Services opt out and in, and relabels others, until ctx ends.
func churn(ctx context.Context, env *testenv.Env) (n int) {
	for ; ctx.Err() == nil; n++ {
		name := []string{"prometheus", "grafana", "jaeger", "loki"}[n%4]
		patch := `{"metadata":{"annotations":{"kubernaut.io/toolset":"false"}}}`
		if n/4%2 == 1 {
			patch = `{"metadata":{"annotations":{"kubernaut.io/toolset":null},"labels":{"version":"` + fmt.Sprint(n) + `"}}}`
		}
		_, err := env.Client.CoreV1().Services("monitoring").Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		if !pause(ctx, 20*time.Millisecond) || err != nil {
			return n
		}
	}
	return n
}

// vandalise changes and removes generated keys in turn, until ctx ends.
func vandalise(ctx context.Context, env *testenv.Env) (n int) {
	keys := []string{document, compactP, compactG, compactJ, compactL, compactK, state, extra}
	vandal := edit(env, "vandal")
	for ; ctx.Err() == nil; n++ {
		key := keys[n%len(keys)]
		var err error
		switch n / len(keys) % 3 {
		case 0:
			err = vandal.patch(ctx, object{"data": object{key: fmt.Sprint("vandal ", n)}})
		case 1:
			err = vandal.patch(ctx, object{"data": object{key: nil}})
		default:
			err = vandal.apply(ctx, true, map[string]string{key: fmt.Sprint("vandal ", n)})
		}
		if !pause(ctx, 30*time.Millisecond) || err != nil {
			return n
		}
	}
	return n
}

// pause paces a loop; false if ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// TestInvalidOverrides: the last good ones stay in force, whatever happens meanwhile, and the text stays as it is.
func TestInvalidOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-10 DTS-MET-1")
	env := testenv.Shared(t)
	service := start(t, env)
	published(t, env, "there", "kubernetes/core")
	admin := edit(env, "admin")
	set := func(text string) {
		t.Helper()
		must(t, admin.apply(t.Context(), false, map[string]string{overrides: text}))
	}
	valid := func(want float64) {
		t.Helper()
		testenv.Eventually(t, 20*time.Second, fmt.Sprintf("overrides_valid is %v", want), func() error {
			if v := service.metric(t, "dynamictoolset_overrides_valid"); v != want {
				return fmt.Errorf("it is %v", v)
			}
			return nil
		})
	}
	inForce := func(text string) {
		t.Helper()
		cm := published(t, env, "the last good ones are in force", "helm/core", "-docker/core")
		if got := cm.Data[overrides]; got != text {
			t.Errorf("the text is %q, want %q", got, text)
		}
		valid(0)
	}
	set("toolsets: {helm/core: {enabled: true}}")
	published(t, env, "good ones are in force", "helm/core")
	valid(1)
	for _, c := range []struct{ text, note string }{
		{"toolsets: {docker/core: {enabled: true}", "a bracket is not closed"},
		{"toolsets:\n  docker.core: {enabled: true}\n", "overrides.yaml:2:16: toolsets[\"docker.core\"]: a key must not contain a dot"},
		{"toolsets:\n  docker/core:\n\tenabled: true\n", "overrides.yaml:3: not valid YAML"},
		{"toolsets: null\n", "overrides.yaml:1:1: toolsets: empty"},
		{"- docker/core\n", "expected a mapping with toolsets"},
		{"toolsets: {docker/core: {enabled: true}}\n\x00\n", "overrides.yaml:2:1: not text"},
		{"toolsets: {docker/core: true}\n", "toolsets.docker/core: expected a mapping, or null"},
		{"toolsets: {docker/core: {enabled: true}, docker/core: {enabled: true}}\n", "overrides.yaml:1:42: toolsets.docker/core: given twice"},
	} {
		set(c.text)
		inForce(c.text)
		testenv.Eventually(t, 10*time.Second, "it is told", func() error {
			events := told(t, env, "ConfigMap", testenv.OutputNamespace, testenv.ConfigMapName, "OverridesInvalid")
			if last := len(events) - 1; last < 0 || !strings.Contains(events[last].Note, c.note) {
				return fmt.Errorf("%q is told with %q", c.text, notes(events))
			}
			return nil
		})
	}
	const bad = "toolsets: {docker/core: "
	set(bad)
	inForce(bad)

	t.Log("the vandal, a deleted ConfigMap and a restart change nothing of that")
	must(t, edit(env, "vandal").patch(t.Context(), object{"data": object{document: "x", state: nil}}))
	inForce(bad)
	env.Kubectl(t, "", "delete", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName)
	inForce(bad)
	service.Signal(t, syscall.SIGTERM)
	service.Wait(t, 20*time.Second)
	before := env.ConfigMap(t).ResourceVersion
	service = start(t, env)
	valid(0)
	testenv.Consistently(t, 3*time.Second, "a restart writes nothing", func() error {
		if now := env.ConfigMap(t); now.ResourceVersion != before {
			return errors.New("written: " + now.Data[document])
		}
		return nil
	})

	t.Log("what was broken while nobody ran is told")
	service.Signal(t, syscall.SIGTERM)
	service.Wait(t, 20*time.Second)
	set("toolsets: {docker/core: [while nobody looked]}")
	service = start(t, env)
	tells(t, env, "Warning", "OverridesInvalid", "docker/core")
	inForce("toolsets: {docker/core: [while nobody looked]}")

	t.Log("not UTF-8, as an editor may leave it, comes as binaryData")
	const latin = "toolsets: {docker/core: {enabled: true}} # \xdcbung\n"
	must(t, admin.apply(t.Context(), false, nil))
	published(t, env, "removed", "-helm/core")
	set("toolsets: {helm/core: {enabled: true}}")
	published(t, env, "good ones are in force", "helm/core")
	must(t, admin.apply(t.Context(), false, nil))
	must(t, admin.patch(t.Context(), object{"binaryData": object{overrides: []byte(latin)}}))
	tells(t, env, "Warning", "OverridesInvalid", "UTF-8")
	valid(0)
	if got := env.ConfigMap(t).BinaryData[overrides]; string(got) != latin {
		t.Errorf("the text is %q", got)
	}
	must(t, admin.patch(t.Context(), object{"binaryData": object{overrides: nil}}))

	t.Log("fixed: all clears")
	set("toolsets: {docker/core: {enabled: true}}")
	published(t, env, "the new ones are in force", "docker/core", "-helm/core")
	valid(1)
	tells(t, env, "Normal", "OverridesValid", "valid again")
	quiet(t, env)
}

// TestOverridesAreTheAdmins: the service never owns them, and never writes them but to restore them.
func TestOverridesAreTheAdmins(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-7")
	env := testenv.Shared(t)
	start(t, env)
	published(t, env, "there", "kubernetes/core")
	record := env.Record(t)
	must(t, edit(env, "admin").apply(t.Context(), false, map[string]string{overrides: adminsText}))
	published(t, env, "in force", "helm/core")
	must(t, edit(env, "vandal").patch(t.Context(), object{"data": object{document: nil}}))
	published(t, env, "repaired", "helm/core")
	for _, c := range record.Changes() {
		if c.Type == watch.Deleted {
			continue
		}
		for _, m := range c.ConfigMap.ManagedFields {
			if m.Manager == "dynamic-toolset" && strings.Contains(string(m.FieldsV1.GetRawBytes()), `"f:`+overrides+`"`) {
				t.Fatalf("%s: the service owns the overrides: %s", c, m.FieldsV1)
			}
		}
	}
}
