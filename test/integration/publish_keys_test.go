//go:build integration

package integration

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// TestKeysOfYourOwn: they are written, repaired and withdrawn like the others, also where they left the configuration while nothing
// ran, and a key that somebody else has written under such a name stays as it is.
func TestKeysOfYourOwn(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	env := testenv.Shared(t)
	backends(t, env, "monitoring")
	const keys = "output.keys={mine.yaml: {url: $(primary.prometheus.url)}, old.yaml: {a: [{for: loki, u: $(url)}]}, " +
		"theirs.yaml: {a: b}, none.yaml: {u: $(primary.tempo.url)}}"
	service := start(t, env, "--set", "output.resync=10m")
	published(t, env, "all are there", "prometheus", "grafana", "jaeger", "loki")
	ctx, vandal := t.Context(), edit(env, "vandal")
	must(t, edit(env, "admin").apply(ctx, false, map[string]string{"theirs.yaml": "by hand", "notes.txt": "x"}))
	ends(t, service)

	service = start(t, env, "--set", "output.resync=10m", "--set", keys)
	right := func(cm *corev1.ConfigMap) error {
		_, none := cm.Data["none.yaml"]
		if !strings.HasSuffix(cm.Data["mine.yaml"], "\nurl: http://prometheus.monitoring.svc.cluster.local:9090\n") ||
			!strings.HasSuffix(cm.Data["old.yaml"], "\na:\n- u: http://loki.monitoring.svc.cluster.local:3100\n") ||
			cm.Data["theirs.yaml"] != "by hand" || cm.Data["notes.txt"] != "x" || none {
			return fmt.Errorf("%q", cm.Data)
		}
		return nil
	}
	holds(t, env, "written, and what another wrote is as it was", right)
	tells(t, env, "Warning", "KeyTaken", "theirs.yaml")
	quiet(t, env)

	must(t, vandal.patch(ctx, object{"data": object{"mine.yaml": "x", "old.yaml": nil}}))
	holds(t, env, "changed and removed: repaired", right)
	must(t, vandal.patch(ctx, object{"data": object{"mine.yaml": nil}, "binaryData": object{"mine.yaml": []byte("x")}}))
	holds(t, env, "moved: repaired", right)
	before := env.ConfigMap(t).Data["old.yaml"]
	must(t, vandal.apply(ctx, false, map[string]string{"old.yaml": before})) // a second owner
	ends(t, service)

	service = start(t, env, "--set", "output.resync=10m", "--set", "output.keys={mine.yaml: {url: $(primary.prometheus.url)}}")
	holds(t, env, "what is no longer configured is gone, and so is its record", func(cm *corev1.ConfigMap) error {
		_, old := cm.Data["old.yaml"]
		if old || cm.Data["theirs.yaml"] != "by hand" || cm.Data["notes.txt"] != "x" || cm.Data["mine.yaml"] == "" ||
			strings.Contains(cm.Data[state], "old.yaml") {
			return fmt.Errorf("%q", cm.Data)
		}
		return nil
	})
	quiet(t, env)
	must(t, vandal.patch(ctx, object{"data": object{"old.yaml": "mine now"}}))
	quiet(t, env)
	if got := env.ConfigMap(t).Data["old.yaml"]; got != "mine now" {
		t.Errorf("another's: %q", got)
	}
	env.Delete(t, "monitoring", "prometheus")
	holds(t, env, "it goes with the primary that it names", func(cm *corev1.ConfigMap) error {
		if _, there := cm.Data["mine.yaml"]; there {
			return errors.New("it is there")
		}
		return nil
	})
	ends(t, service)
}

// ends stops a service and waits until it has ended.
func ends(t *testing.T, service *instance) {
	t.Helper()
	service.Signal(t, syscall.SIGTERM)
	if code := service.Wait(t, 20*time.Second); code != 0 {
		t.Fatalf("exit %d", code)
	}
}
