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

func serve(t *testing.T, env *testenv.Env, args ...string) *testenv.Process {
	t.Helper()
	return env.Process(t, env.Kubeconfig(), nil, append(append([]string{"serve"}, quick...), args...)...)
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
		for _, w := range want {
			text, unwanted := strings.CutPrefix(w, "-")
			if strings.Contains(cm.Data[document], text) == unwanted {
				return fmt.Errorf("%q in the document: want the opposite:\n%s", text, cm.Data[document])
			}
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
	t.Attr("req", "DTS-RUN-1 DTS-OUT-1 DTS-OUT-7 DTS-PRB-7 DTS-DET-3 DTS-DET-8")
	env := testenv.Shared(t)
	service := serve(t, env)
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

	env.Change(t, "team", "metrics", func(s *corev1.Service) {
		s.Annotations = map[string]string{"kubernaut.io/toolset": "false"}
	})
	published(t, env, "opting out works", "-team/metrics", "monitoring/prometheus")
	env.Change(t, "team", "metrics", func(s *corev1.Service) { s.Annotations = nil })
	published(t, env, "and in again", "team/metrics")
	env.Delete(t, "tracing", "jaeger-query")
	cm = published(t, env, "a deleted Service goes", "-tracing/jaeger-query")
	if _, there := cm.Data["jaeger-toolset.yaml"]; there {
		t.Error("the compact form of a type that is gone is still there")
	}

	t.Run("quiet", func(t *testing.T) { quiet(t, env) })
	t.Run("restart", func(t *testing.T) {
		service.Signal(t, syscall.SIGTERM)
		if code := service.Wait(t, 20*time.Second); code != 0 {
			t.Errorf("SIGTERM: exit code %d", code)
		}
		prometheus.Server.Close() // it is down while nobody looks
		before := env.ConfigMap(t).ResourceVersion
		service = serve(t, env, "--set", "health.interval=5s")
		testenv.Consistently(t, 4*time.Second, "a restart writes nothing and withdraws nothing", func() error {
			if now := env.ConfigMap(t); now.ResourceVersion != before {
				return fmt.Errorf("written: %s, was %s\n%s", now.ResourceVersion, before, now.Data[document])
			}
			return nil
		})
		published(t, env, "after three failures it goes", "-monitoring/prometheus", "team/metrics")
	})
}

// quiet: while nothing changes, nothing is written.
func quiet(t *testing.T, env *testenv.Env) {
	t.Attr("req", "DTS-OUT-7")
	before := env.ConfigMap(t).ResourceVersion
	testenv.Consistently(t, 5*time.Second, "a quiet cluster is not written to", func() error {
		if now := env.ConfigMap(t).ResourceVersion; now != before {
			return fmt.Errorf("resourceVersion %s, was %s", now, before)
		}
		return nil
	})
}
