//go:build integration

package integration

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// SIGTERM while backends hang: it does not wait for them, and another takes over when it looks next. It ends as well when the
// API server does not answer.
func TestFaultStopDuringDiscovery(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-4")
	env := testenv.Start(t)
	var asked atomic.Int32
	const hanging = 10
	for i := range hanging {
		raw(t, env, prometheusIn("hanging", fmt.Sprintf("prometheus-%d", i)), func(c net.Conn) {
			asked.Add(1)
			_, _ = c.Read(make([]byte, 4096)) // and no answer
		})
	}
	one := func() *instance {
		t.Helper()
		return running(t, env.Process(t, env.Kubeconfig(), nil, "serve", "--set", "log.format=text", "--set", "health.timeout=2m",
			"--set", "auth.mode=none", "--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0"))
	}
	busy := func(n int32) {
		t.Helper()
		testenv.Eventually(t, 20*time.Second, "the hanging backends are asked", func() error {
			if got := asked.Load(); got < n {
				return fmt.Errorf("%d of them", got)
			}
			return nil
		})
	}
	first := one()
	was := leads(t, env, 10*time.Second, "")
	second := one()
	busy(2 * hanging)
	ends(t, first)
	leads(t, env, 10*time.Second, was) // a lease that was not released is respected for 15 s
	ends(t, second)
	if h := holder(t, env); h != "" {
		t.Errorf("the lease is not released: it is held by %s", h)
	}

	third := one()
	leads(t, env, 10*time.Second, "")
	published(t, env, "it has a document", "kubernetes/core:")
	env.APIServer.Pause(t)
	third.Signal(t, syscall.SIGTERM)
	if code := third.Wait(t, 35*time.Second); code != 0 {
		t.Errorf("SIGTERM while the API server hangs: exit %d", code)
	}
	env.APIServer.Resume(t)
}

// A restart with nothing else changed writes nothing, whether the process was told to stop or killed.
func TestFaultRestartWritesNothing(t *testing.T) {
	t.Attr("req", "DTS-OUT-7 DTS-OUT-10 DTS-PRB-7")
	env := testenv.Shared(t)
	for typ, s := range everyType() {
		s.Namespace, s.Name = "one", typ
		env.Create(t, s)
	}
	env.Create(t, prometheusIn("two", "prometheus")) // two of a type, one of them primary
	env.Create(t, testenv.Service{
		Namespace: "two", Name: "grafana", Labels: named("grafana"), Port: "service", Number: 3000, Kind: standin.Grafana,
		Options: standin.Options{Credentials: standin.Credentials{Bearer: "secret"}},
	})
	env.Create(t, testenv.Service{Namespace: "two", Name: "unproven", Port: "http", Number: 8080, Annotations: map[string]string{
		"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-health-endpoint": "none",
	}})
	unready := prometheusIn("two", "starting")
	unready.NotReady = true
	env.Create(t, unready)
	args := []string{"--set", "security.trustedNamespaces=[one]"}
	p := start(t, env, args...)
	published(t, env, "all is published", "mcp.one", "custom.one", "zipkin.one", "prometheus.two", "unproven.two")
	admin(t, env)
	published(t, env, "the overrides are in force", "helm/core:")

	before := calm(t, env, time.Second)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		old := holder(t, env)
		p.Signal(t, sig)
		p.Wait(t, 10*time.Second)
		p = start(t, env, args...)
		leads(t, env, 10*time.Second, old)
		p.answers(t, 10*time.Second, "/readyz", http.StatusOK)
		unchanged(t, env, before, 4*time.Second, "a restart after "+sig.String()+" writes nothing")
	}
}
