//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestOutsideBackend has what the configuration names proven, watched and withdrawn as a Service is, and no Service of that name
// taken for it.
func TestOutsideBackend(t *testing.T) {
	t.Attr("req", "DTS-DET-13")
	env := testenv.Shared(t)
	managed, err := standin.Start("127.0.0.1:0", standin.New(standin.Prometheus, standin.Options{}))
	must(t, err)
	at := fmt.Sprintf("http://127.0.0.1:%d", managed.Port())
	env.Create(t, prometheusIn("outside", "amp"))
	env.Create(t, prometheusIn("outside", "other"))
	start(t, env, "--set", "backends=[{name: amp, type: prometheus, url: '"+at+"'}]", "--set", "health.interval=1s",
		"--set", "health.tries=1", "--set", "health.failureThreshold=2")
	text := published(t, env, "an outside Prometheus is named", at).Data[document]
	if strings.Contains(text, ".outside.svc") {
		t.Errorf("a Service of that namespace is written:\n%s", text)
	}
	_ = managed.Close()
	published(t, env, "it does not answer any more", "-"+at)
}
