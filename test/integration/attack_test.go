//go:build integration

package integration

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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

// observer is a plain client that watches the EndpointSlices since before the flood: what the API server takes to deliver
// the flood to anybody is not the service's time.
type observer struct {
	mu   sync.Mutex
	good map[string]time.Time // when the slice of each Service of namespace good came, by name
}

func observe(t *testing.T, env *testenv.Env) *observer {
	t.Helper()
	o := &observer{good: map[string]time.Time{}}
	slices, err := env.Client.DiscoveryV1().EndpointSlices("").Watch(t.Context(), metav1.ListOptions{})
	must(t, err)
	t.Cleanup(slices.Stop)
	go func() {
		for event := range slices.ResultChan() {
			if s, ok := event.Object.(*discoveryv1.EndpointSlice); ok && s.Namespace == "good" {
				o.mu.Lock()
				o.good[s.Labels[discoveryv1.LabelServiceName]] = time.Now()
				o.mu.Unlock()
			}
		}
	}()
	return o
}

// came returns when the slice of a Service came, or now if it has not come yet.
func (o *observer) came(name string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if at, ok := o.good[name]; ok {
		return at
	}
	return time.Now()
}

// undisturbed: while a flood lasts, a new backend elsewhere is published within two seconds, a dead one withdrawn, and drift
// repaired.
func undisturbed(t *testing.T, env *testenv.Env, o *observer, name string, victim *testenv.Backend) {
	t.Helper()
	has := func(want string) func(string) bool {
		return func(text string) bool { return strings.Contains(text, want) }
	}
	env.Create(t, prometheusIn("good", name))
	at := awaited(t, env, "a new backend elsewhere", has("name: good/"+name+"\n"))
	within(t, 2*time.Second, "a new backend elsewhere is published", at.Sub(o.came(name)))

	_ = victim.Server.Close()
	begun := time.Now()
	at = awaited(t, env, "without the dead one", func(text string) bool {
		return !strings.Contains(text, victim.Namespace+"/"+victim.Name+"\n")
	})
	within(t, 10*time.Second, "a dead one is withdrawn", at.Sub(begun))

	_, err := env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Patch(t.Context(), testenv.ConfigMapName, types.MergePatchType,
		[]byte(`{"data":{"custom_toolset.yaml":"broken"}}`), metav1.PatchOptions{FieldManager: "vandal"})
	must(t, err)
	begun = time.Now()
	within(t, 2*time.Second, "drift is repaired", awaited(t, env, "repaired", has("name: good/"+name+"\n")).Sub(begun))
}

func within(t *testing.T, limit time.Duration, what string, took time.Duration) {
	t.Helper()
	t.Logf("%s: %s", what, took.Round(10*time.Millisecond))
	if took > limit {
		t.Errorf("%s after %s, want %s at most", what, took, limit)
	}
}

// awaited watches the ConfigMap until its document is as wanted, and returns when that was. Reading it again and again
// would take the API server's time from the service, where it is large.
func awaited(t *testing.T, env *testenv.Env, what string, wanted func(document string) bool) time.Time {
	t.Helper()
	maps, err := env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Watch(t.Context(), metav1.SingleObject(
		metav1.ObjectMeta{Name: testenv.ConfigMapName}))
	must(t, err)
	defer maps.Stop()
	for deadline := time.After(time.Minute); ; {
		select {
		case event := <-maps.ResultChan():
			if cm, ok := event.Object.(*corev1.ConfigMap); ok && wanted(cm.Data[document]) {
				return time.Now()
			}
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		}
	}
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
			seen := observe(t, env)
			env.Bulk(t, 1500, evil)
			published(t, env, "the flood is published in part", "custom/evil-00/")
			testenv.Eventually(t, 30*time.Second, "what is left out is logged", func() error {
				if log := service.Log(t); !strings.Contains(log, "backends left out") || !strings.Contains(log, tc.limit) {
					return fmt.Errorf("no %s in the log", tc.limit)
				}
				return nil
			})
			undisturbed(t, env, seen, "new", victim)
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
	log := service.Log(t)
	for _, want := range []string{"credential reference changed", "to=monitoring/grafana", "from=monitoring/grafana"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
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

// An annotation that is flipped all the time keeps nobody writing.
func TestFlippedAnnotationKeepsNobodyWriting(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	t.Parallel() // it mostly waits
	env := testenv.Start(t)
	start(t, env)
	env.Create(t, prometheusIn("good", "a"))
	env.Create(t, noted("evil", 0))
	published(t, env, "at first", "custom/evil/x0000", "good/a")
	changes := env.Record(t)
	flips := time.NewTicker(400 * time.Millisecond)
	defer flips.Stop()
	for i := range 75 { // half a minute
		<-flips.C
		env.Change(t, "evil", "x0000", func(s *corev1.Service) {
			s.Annotations["kubernaut.io/toolset-description"] = fmt.Sprint("note ", i)
		})
	}
	changes.Stop()
	if n := changes.Len(); n > 8 || n == 0 {
		t.Errorf("%d writes in half a minute, want some and 8 at most:\n%s", n, changes)
	}
	env.Create(t, prometheusIn("good", "b"))
	published(t, env, "another one is not delayed", "name: good/b\n")
}

// A credential that the overrides hold for a whole toolset stays with the Service that the configuration names, and the rest
// of the overrides in force, whatever a stranger adds and whether that Service is there or not.
func TestOverridesCredentialStays(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	env := testenv.Shared(t)
	prometheus := func(namespace string) testenv.Service { return prometheusIn(namespace, "prometheus") }
	ours := env.Create(t, prometheus("ours"))
	configured := []string{"--set", "primary.prometheus=ours/prometheus"}
	service := start(t, env, configured...)
	published(t, env, "at first", "name: ours/prometheus\n")
	const key, rest = "{{ env.TOKEN }}", "helm/core"
	patch := object{"data": object{overrides: `{toolsets: {helm/core: {enabled: true}, prometheus/metrics: {config: ` +
		`{additional_headers: {Authorization: "Bearer {{ env.TOKEN }}"}}}}}`}}
	must(t, edit(env, "admin").patch(t.Context(), patch))
	holds := func(text string) bool { // ours does, and no other
		_, after, _ := strings.Cut(text, key)
		after, _, _ = strings.Cut(after, "prometheus_url")
		return strings.Count(text, key) == 1 && strings.Contains(after, "name: ours/prometheus\n")
	}
	given := func(what string, want ...string) {
		t.Helper()
		cm := published(t, env, what, append(want, key, rest, "name: ours/prometheus\n")...)
		if !holds(cm.Data[document]) {
			t.Errorf("%s: the credential is elsewhere:\n%s", what, cm.Data[document])
		}
	}
	given("the admin writes it")
	changes := env.Record(t)
	unproven := prometheus("evil-too")
	unproven.Kind, unproven.Annotations = "", map[string]string{
		"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "prometheus", "kubernaut.io/toolset-health-endpoint": "none",
	}
	env.Create(t, prometheus("evil"))
	env.Create(t, unproven)
	given("a stranger adds two", "name: evil/prometheus\n", "name: evil-too/prometheus\n")
	env.Delete(t, "ours", "prometheus")
	_ = ours.Server.Close()
	published(t, env, "the strangers are alone", "-"+key, rest, "name: evil/prometheus\n", "name: evil-too/prometheus\n")
	service.Signal(t, syscall.SIGTERM)
	service.Wait(t, 20*time.Second)
	service = start(t, env, configured...)
	published(t, env, "and after a restart", "-"+key, rest, "name: evil/prometheus\n")
	env.Create(t, prometheus("ours"))
	given("it is installed again", "name: evil/prometheus\n")
	changes.Stop()
	for _, c := range changes.Changes() {
		if text := c.ConfigMap.Data[document]; strings.Contains(text, key) && !holds(text) || !strings.Contains(text, rest) {
			t.Errorf("for a while:\n%s", text)
		}
	}
	log := service.Log(t)
	if !strings.Contains(log, "no instance gets this credential") || strings.Contains(log, "overrides invalid") {
		t.Errorf("the log:\n%s", log)
	}
}

// Whoever adds an API every second, and then deletes them one by one, keeps nobody writing.
func TestAddingAndDeletingKeepsNobodyWriting(t *testing.T) {
	t.Attr("req", "DTS-PRB-7")
	t.Parallel() // it mostly waits
	env := testenv.Start(t)
	start(t, env)
	env.Create(t, prometheusIn("good", "a"))
	env.Namespace(t, "evil")
	published(t, env, "at first", "good/a")
	turn := time.NewTicker(1100 * time.Millisecond)
	defer turn.Stop()
	minute := func(what string, most int, do func(i int)) {
		t.Helper()
		changes := env.Record(t)
		for i := range 54 {
			<-turn.C
			do(i)
		}
		changes.Stop()
		n := changes.Len() - 1 // the first is the document as it was
		t.Logf("%s: %d changes of the document in a minute", what, n)
		if n > most || n == 0 {
			t.Errorf("%s: %d writes in a minute, want some and %d at most:\n%s", what, n, most, changes)
		}
	}
	minute("adding", 8, func(i int) {
		s := noted("evil", i)
		delete(s.Annotations, "kubernaut.io/toolset-description")
		env.Create(t, s)
	})
	minute("deleting", 2, func(i int) { env.Delete(t, "evil", fmt.Sprintf("x%04d", i)) })
	env.Create(t, prometheusIn("good", "b"))
	published(t, env, "another one is not delayed", "name: good/b\n")
	testenv.Eventually(t, 35*time.Second, "what is deleted is withdrawn", func() error {
		if text := env.ConfigMap(t).Data[document]; strings.Contains(text, "custom/evil/") {
			return fmt.Errorf("still there")
		}
		return nil
	})
}
