//go:build integration

package integration

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const document = "custom_toolset.yaml"

// quick has the service look often, so that a test need not wait.
var quick = []string{
	"--set", "health.interval=500ms", "--set", "health.tries=1", "--set", "health.timeout=1s", "--set", "output.resync=2s",
	"--set", "discovery.settle=20ms", "--set", "auth.mode=none", "--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0",
	"--set", "log.format=text", "--set", "leaderElection.leaseDuration=2s", "--set", "leaderElection.renewDeadline=1s",
	"--set", "leaderElection.retryPeriod=200ms",
}

// published waits until the document has all of want and none of the texts behind a "-". What an owner takes away may wait
// half a minute for the next turn of the namespace.
func published(t *testing.T, env *testenv.Env, what string, want ...string) *corev1.ConfigMap {
	t.Helper()
	var cm *corev1.ConfigMap
	testenv.Eventually(t, 45*time.Second, what, func() error {
		if cm = env.ConfigMap(t); cm == nil {
			return errors.New("there is no ConfigMap")
		}
		if wrong := amiss(cm.Data[document], want...); len(wrong) > 0 {
			return fmt.Errorf("not as wanted: %q in the document:\n%s", wrong, cm.Data[document])
		}
		for _, m := range cm.ManagedFields { // one is made in several steps, under a name of their own until the last
			if strings.HasPrefix(m.Manager, publish.FieldManager+"-") {
				return fmt.Errorf("it is still being made, as %s", m.Manager)
			}
		}
		return nil
	})
	return cm
}

// TestServe is the controller's main job: Services come, change and go, and the ConfigMap follows.
func TestServe(t *testing.T) {
	t.Attr("req", "DTS-RUN-1 DTS-OUT-1 DTS-OUT-7 DTS-PRB-7 DTS-DET-3")
	env := testenv.Shared(t)
	service := start(t, env)
	published(t, env, "an empty cluster has a document", "kubernetes/core:")

	prometheus := env.Create(t, prometheusIn("monitoring", "prometheus"))
	cm := published(t, env, "a Prometheus appears", "prometheus_url: "+prometheus.URL())
	if !strings.Contains(cm.Data["prometheus-toolset.yaml"], prometheus.URL()) {
		t.Errorf("the compact form lacks it: %s", cm.Data["prometheus-toolset.yaml"])
	}
	env.Create(t, testenv.Service{Namespace: "team", Name: "metrics", Port: "web", Number: 9090, Kind: standin.Prometheus})
	published(t, env, "an unlabelled Prometheus is found by its identity", "name: monitoring/prometheus", "name: team/metrics")
	env.Create(t, testenv.Service{Namespace: "team", Name: "fake", Labels: named("prometheus"), Port: "http", Number: 9090, Kind: standin.Anything})
	env.Create(t, testenv.Service{Namespace: "tracing", Name: "jaeger-query", Labels: named("jaeger"), Port: "http-query", Number: 16686, Kind: standin.Jaeger})
	published(t, env, "a look-alike that answers everything is refused", "tracing/jaeger-query:", "-team/fake")

	env.Delete(t, "tracing", "jaeger-query")
	cm = published(t, env, "a deleted Service goes", "-tracing/jaeger-query")
	if _, there := cm.Data["jaeger-toolset.yaml"]; there {
		t.Error("the compact form of a type that is gone is still there")
	}

	t.Run("quiet", func(t *testing.T) { quiet(t, env) })
	t.Run("restart", func(t *testing.T) {
		ends(t, service)
		prometheus.Server.Close() // it is down while nobody looks
		before := env.ConfigMap(t).ResourceVersion
		service = start(t, env, "--set", "health.interval=5s")
		unchanged(t, env, before, 4*time.Second, "a restart writes nothing and withdraws nothing")
		published(t, env, "after three failures it goes", "-monitoring/prometheus", "team/metrics")
	})
}

// quiet: while nothing changes, nothing is written.
func quiet(t *testing.T, env *testenv.Env) {
	t.Helper()
	t.Attr("req", "DTS-OUT-7")
	unchanged(t, env, env.ConfigMap(t).ResourceVersion, 5*time.Second, "a quiet cluster is not written to")
}

// unchanged: the ConfigMap stays at a resourceVersion for a while.
func unchanged(t *testing.T, env *testenv.Env, version string, d time.Duration, what string) {
	t.Helper()
	testenv.Consistently(t, d, what, func() error {
		if now := env.ConfigMap(t); now.ResourceVersion != version {
			return fmt.Errorf("written: resourceVersion %s, was %s\n%s", now.ResourceVersion, version, now.Data[document])
		}
		return nil
	})
}

// calm waits until the ConfigMap has not been written for a while, and returns its resourceVersion.
func calm(t *testing.T, env *testenv.Env, d time.Duration) (version string) {
	t.Helper()
	var since time.Time
	testenv.Eventually(t, 30*time.Second, "nothing is written any more", func() error {
		if now := env.ConfigMap(t).ResourceVersion; now != version {
			version, since = now, time.Now()
		}
		if time.Since(since) < d {
			return errors.New("it was written a moment ago")
		}
		return nil
	})
	return version
}
