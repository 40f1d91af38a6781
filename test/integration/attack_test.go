//go:build integration

package integration

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// What an owner of Services in the namespaces evil… may bring about, on a real API server.

// sideBySide calls do with 0 to n-1.
func sideBySide(n int, do func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 16 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// noted is an API of an owner's own, published unproven, with a note.
func noted(namespace string, i int) testenv.Service {
	return testenv.Service{
		Namespace: namespace, Name: fmt.Sprintf("x%04d", i), Port: "http", Number: 8080,
		Annotations: map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-health-endpoint": "none",
			"kubernaut.io/toolset-description": strings.Repeat("Ask me first. ", 35),
		},
	}
}

// undisturbed: while a flood lasts, a new backend elsewhere is published, a dead one withdrawn, and drift repaired. How long that
// takes is held by TestFloodDelaysNobody in internal/health.
func undisturbed(t *testing.T, env *testenv.Env, name string, victim *testenv.Backend) {
	t.Helper()
	env.Create(t, prometheusIn("good", name))
	published(t, env, "a new backend elsewhere", "name: good/"+name+"\n")
	_ = victim.Server.Close()
	published(t, env, "without the dead one", "-name: good/"+victim.Name+"\n")
	must(t, edit(env, "vandal").patch(t.Context(), object{"data": object{document: "broken"}}))
	published(t, env, "repaired", "name: good/"+name+"\n")
}

// One owner with 1,500 Services, and one with as many in thirty namespaces, stop nobody.
func TestFloodStopsNobody(t *testing.T) {
	t.Attr("req", "DTS-OUT-11 DTS-SEC-3")
	for _, tc := range []struct {
		name       string
		namespaces int
		limit      string
	}{
		{"one namespace", 1, `limit=namespace`},
		{"thirty namespaces", 30, `limit=size`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := testenv.Shared(t)
			service := start(t, env, "--set", "discovery.settle=250ms") // the default, in which a probe has its answer
			victim := env.Create(t, prometheusIn("good", "victim"))
			published(t, env, "before the flood", "name: good/victim\n")
			var namespaces []string
			for i := range tc.namespaces {
				namespaces = append(namespaces, fmt.Sprintf("evil-%02d", i))
			}
			evil := func(i int) testenv.Service { return noted(namespaces[i%tc.namespaces], i) }
			env.Bulk(t, 1500, evil)
			published(t, env, "the flood is published in part", "custom/evil-00/")
			service.says(t, "backends left out", tc.limit)
			undisturbed(t, env, "new", victim)
			cm := env.ConfigMap(t)
			bytes := 0
			for k, v := range cm.Data {
				bytes += len(k) + len(v)
			}
			if bytes > publish.MaxBytes {
				t.Errorf("the ConfigMap has %d bytes", bytes)
			}
			if n := strings.Count(service.Log(t), `msg="backend added"`); n > 1000 {
				t.Errorf("%d backends are logged as added", n)
			}
			rss := service.RSS(t)
			t.Logf("the ConfigMap has %d KiB, the service %d MiB", bytes>>10, rss>>20)
			if rss > 128<<20 {
				t.Errorf("it takes %d MiB of memory", rss>>20)
			}
			env.DeleteBulk(t, 1500, evil)
			published(t, env, "when it is gone", "-evil-", "name: good/new\n")
		})
	}
}

// A stranger's Service gets no credential, whatever it says of itself and however fast it answers.
func TestStrangerGetsNoCredential(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	env := testenv.Shared(t)
	grafana := func(namespace string, unproven bool) testenv.Service {
		s := testenv.Service{
			Namespace: namespace, Name: "grafana", Labels: named("grafana"), Port: "http", Number: 3000,
			Kind: standin.Grafana, Options: standin.Options{Credentials: standin.Credentials{Bearer: "secret"}},
		}
		if unproven {
			s.Kind = ""
			s.Annotations = map[string]string{
				"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "grafana", "kubernaut.io/toolset-health-endpoint": "none",
			}
		}
		return s
	}
	env.Create(t, grafana("evil", true))
	env.Create(t, grafana("evil-too", false))
	service := start(t, env, "--set", "security.trustedNamespaces=[monitoring]")
	const key = "{{ env.GRAFANA_API_KEY }}"
	published(t, env, "alone", "name: evil/grafana\n", "-"+key)

	real := env.Create(t, grafana("monitoring", false))
	holds := func(text string) bool {
		_, after, _ := strings.Cut(text, key)
		before, _, _ := strings.Cut(after, "timeout_seconds")
		return strings.Contains(before, "name: monitoring/grafana")
	}
	given := func(what string) {
		t.Helper()
		cm := published(t, env, what, key, "name: monitoring/grafana\n")
		if n := strings.Count(cm.Data[document], key); n != 1 || !holds(cm.Data[document]) {
			t.Errorf("%s: the key goes to somebody else:\n%s", what, cm.Data[document])
		}
	}
	given("the trusted one has the key")
	_ = real.Server.Close()
	published(t, env, "while it is down nobody has it", "-"+key, "name: evil/grafana\n")
	real.Listen(t, false)
	given("and it has it again")
	env.Delete(t, "monitoring", "grafana")
	published(t, env, "while it is gone nobody has it", "-"+key)
	env.Create(t, grafana("monitoring", false))
	given("a chart installs it again")
	service.says(t, "credential reference changed", "to=monitoring/grafana", "from=monitoring/grafana")
	events, err := env.Client.EventsV1().Events(testenv.OutputNamespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	reasons := map[string]int{}
	for i := range events.Items {
		reasons[events.Items[i].Reason]++
	}
	if reasons["CredentialGiven"] == 0 || reasons["CredentialWithdrawn"] == 0 {
		t.Errorf("Events: %v, want one for the reference that came and one for that which went", reasons)
	}
}
