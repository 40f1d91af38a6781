//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// An API server that is away at the start, etcd that is killed, an API server that hangs, and one that is killed for half a
// minute: the process lives, what is published stays, and when it is back so is the service.
func TestFaultControlPlane(t *testing.T) {
	t.Attr("req", "DTS-RUN-3 DTS-RUN-5 DTS-OUT-9")
	env := testenv.Start(t)
	stays := env.Create(t, prometheusIn("monitoring", "stays"))
	backend := &failing{standin: standin.New(standin.Prometheus, standin.Options{})}
	fails := put(t, env, prometheusIn("monitoring", "fails"), backend)

	env.APIServer.Stop(t)
	p := start(t, env)
	stop := p.pulse(t)
	testenv.Consistently(t, 5*time.Second, "it waits for the API server and says so", func() error {
		if status, body := get(p.api + "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "API server") {
			return fmt.Errorf("/readyz: %d %s", status, body)
		}
		return nil
	})
	env.APIServer.Start(t)
	record := env.Record(t)
	published(t, env, "the API server comes later", stays.URL(), fails.URL())
	p.answers(t, 10*time.Second, "/readyz", http.StatusOK)

	accidents := []struct {
		name string
		away time.Duration
		do   func()
		undo func()
	}{
		{"etcd is killed", 5 * time.Second, func() { env.Etcd.Kill(t) }, func() { env.Etcd.Start(t) }},
		{"the API server hangs", 12 * time.Second, func() { env.APIServer.Pause(t) }, func() { env.APIServer.Resume(t) }},
		{"the API server is killed", 30 * time.Second, func() { env.APIServer.Kill(t) }, func() { env.APIServer.Start(t) }},
	}
	for i, a := range accidents {
		a.do()
		backend.broken.Store(i%2 == 0) // while nobody can be told
		testenv.Consistently(t, a.away, a.name, func() error {
			if status, body := get(p.api + "/readyz"); status != http.StatusOK {
				return fmt.Errorf("/readyz: %d %s", status, body)
			}
			return nil
		})
		a.undo()
		if i%2 == 0 {
			published(t, env, a.name+": what broke meanwhile is withdrawn", "-"+fails.URL(), stays.URL())
		} else {
			published(t, env, a.name+": what works again meanwhile is published", fails.URL(), stays.URL())
		}
		testenv.Retry(t, "a Service after: "+a.name, func() error { // the API server may need a moment
			_, err := env.Client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{})
			return err
		})
		late := env.Create(t, prometheusIn("late", fmt.Sprintf("prometheus-%d", i)))
		published(t, env, a.name+": a Service that is made afterwards is published", late.URL())
	}
	stop()
	for _, c := range record.Changes() {
		if c.Type == watch.Deleted || c.Type != watch.Added && !strings.Contains(c.ConfigMap.Data[document], stays.URL()) {
			t.Errorf("what works was lost: %s\n%s", c, c.ConfigMap.Data[document])
		}
	}
	if log := p.Log(t); strings.Count(log, "\n") > 200 {
		t.Errorf("it logged %d lines", strings.Count(log, "\n"))
	}
}

// Watches that are cut again and again, with changes between, lose nothing and write nothing by themselves.
func TestFaultWatchesCut(t *testing.T) {
	t.Attr("req", "DTS-RUN-1 DTS-RUN-5 DTS-OUT-7 DTS-PRB-6")
	env := testenv.Start(t)
	front, kubeconfig := fronted(t, env)
	b := env.Create(t, prometheusIn("monitoring", "stays"))
	p := running(t, env.Process(t, kubeconfig, nil, append([]string{"serve"}, append(quick, "--set", "health.interval=1m")...)...))
	published(t, env, "it works through the front", b.URL())
	p.answers(t, 10*time.Second, "/readyz", http.StatusOK)
	stop := p.pulse(t)

	asked := len(b.Standin.Requests())
	before := env.ConfigMap(t).ResourceVersion
	if front.Cut() == 0 {
		t.Error("there was nothing to cut")
	}
	unchanged(t, env, before, 3*time.Second, "a cut watch alone changes nothing")
	if n := len(b.Standin.Requests()) - asked; n > 0 {
		t.Errorf("a backend that did not change was asked %d times because a watch was cut", n)
	}
	for i := range 5 {
		front.Cut()
		late := put(t, env, prometheusIn("late", fmt.Sprintf("prometheus-%d", i)), standin.New(standin.Prometheus, standin.Options{}))
		published(t, env, "a Service that comes, and then is ready, while watches are cut", late.URL(), b.URL())
	}
	stop()
}

// fronted puts a front before the API server, and returns a kubeconfig that leads through it, as an account that may do
// what the service needs.
func fronted(t *testing.T, env *testenv.Env) (*testenv.Front, string) {
	t.Helper()
	env.ServiceAccount(t, testenv.OutputNamespace, account)
	env.Grant(t, "", testenv.OutputNamespace, account, append(watchRules(), eventRule())...)
	env.Grant(t, testenv.OutputNamespace, testenv.OutputNamespace, account, leaseRule(), configMapRule(append(readVerbs, writeVerbs...)...))
	front := env.Front(t)
	return front, env.TokenKubeconfig(t, front.URL, front.CA, env.Token(t, testenv.OutputNamespace, account))
}
