//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// TestOverridesSurvive: an admin edits the overrides in every way there is, while Services churn and a vandal edits what is
// generated. No edit is lost or changed, and the last one is in force.
func TestOverridesSurvive(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-7 DTS-OUT-8")
	const edits = 200
	env := testenv.Shared(t)
	backends(t, env, "monitoring")
	start(t, env, "--set", "security.trustedNamespaces=[monitoring]") // whose Services may change all the time
	published(t, env, "all are there", "prometheus", "grafana", "jaeger", "loki")
	record := env.Record(t)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var others sync.WaitGroup
	churned, vandalised := 0, 0
	others.Go(func() { churned = churn(ctx, env) })
	others.Go(func() { vandalised = vandalise(ctx, env) })
	for n := range edits {
		must(t, overrideIn(ctx, env, n))
		pause(ctx, time.Duration(n%5)*10*time.Millisecond) // now and then the service is the faster one
	}
	stop()
	others.Wait()
	cm := published(t, env, "the last edit is in force", fmt.Sprintf("edit-%d", edits-1), fmt.Sprintf("-edit-%d", edits-2), "kubernetes/core:")
	if got := cm.Data[overrides]; got != override(edits-1) {
		t.Errorf("the overrides are %q, want %q", got, override(edits-1))
	}
	t.Logf("%d edits beside %d changes of Services and %d of generated keys", edits, churned, vandalised)
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
	calm(t, env, 2500*time.Millisecond)
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
	// All that can be wrong with the text is in the tests of internal/toolset.
	for _, c := range []struct{ text, note string }{
		{"toolsets: {docker/core: {enabled: true}", "a bracket is not closed"},
		{"toolsets: {docker/core: {enabled: true}}\n\x00\n", "overrides.yaml:2:1: not text"},
		{"toolsets: {docker/core: true}\n", "toolsets.docker/core: expected a mapping, or null"},
	} {
		set(c.text)
		inForce(c.text)
		tells(t, env, "Warning", "OverridesInvalid", c.note)
	}
	const bad = "toolsets: {docker/core: "
	set(bad)
	inForce(bad)

	t.Log("the vandal, a deleted ConfigMap and a restart change nothing of that")
	must(t, edit(env, "vandal").patch(t.Context(), object{"data": object{document: "x", state: nil}}))
	inForce(bad)
	env.Kubectl(t, "", "delete", "configmap", "-n", testenv.OutputNamespace, testenv.ConfigMapName)
	inForce(bad)
	ends(t, service)
	before := env.ConfigMap(t).ResourceVersion
	service = start(t, env)
	valid(0)
	unchanged(t, env, before, 3*time.Second, "a restart writes nothing")

	t.Log("what was broken while nobody ran is told")
	ends(t, service)
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
