//go:build integration

package integration

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// A person who has seen enough need not wait for a backend that does not answer.
func TestInterrupt(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	env := testenv.Shared(t)
	b := env.Create(t, testenv.Service{Namespace: "monitoring", Name: "prometheus", Labels: named("prometheus"), Port: "http", Number: 9090})
	l, err := net.Listen("tcp", address(b))
	must(t, err)
	defer l.Close()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := env.Process(t, env.Kubeconfig(), nil, "discover", "--probe=direct", "--set", "health.timeout=5m")
		conn, err := l.Accept() // never answered
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		p.Signal(t, sig)
		if code := p.Wait(t, 20*time.Second); code == 0 {
			t.Errorf("after %s: exit 0, which says that all is well", sig)
		}
		if log := p.Log(t); !strings.Contains(log, "interrupted") || strings.Count(log, "\n") > 1 {
			t.Errorf("after %s: %q", sig, log)
		}
	}
}
