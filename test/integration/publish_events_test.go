//go:build integration

package integration

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestBadAnnotation: the owner of a Service is told once per change, however often it is looked at, and by how many processes.
func TestBadAnnotation(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	env := testenv.Shared(t)
	env.Create(t, prometheusIn("monitoring", "other"))
	args := []string{"--set", "discovery.interval=1s"}
	service := start(t, env, args...)
	env.Create(t, testenv.Service{
		Namespace: "team", Name: "odd", Port: "web", Number: 8080, Kind: standin.Custom,
		Annotations: map[string]string{"kubernaut.io/toolset": "perhaps"},
	})
	annotate := func(value string) {
		t.Helper()
		env.Change(t, "team", "odd", func(s *corev1.Service) {
			s.Annotations = map[string]string{"kubernaut.io/toolset": value, "kubernaut.io/toolset-type": "custom"}
		})
	}
	// tolds are how often each Event was told, by a part of its note.
	tolds := func() map[string]int {
		m := map[string]int{}
		for _, e := range told(t, env, "Service", "team", "odd", "BadAnnotation") {
			n := 1
			if e.Series != nil {
				n = int(e.Series.Count)
			}
			for _, value := range []string{"perhaps", "maybe"} {
				if strings.Contains(e.Note, value) {
					m[value] = n
				}
			}
		}
		return m
	}
	expect := func(what string, want map[string]int) {
		t.Helper()
		testenv.Eventually(t, 10*time.Second, what, func() error { return differs("told", want, tolds()) })
	}
	stays := func(what string, d time.Duration, want map[string]int) {
		t.Helper()
		testenv.Consistently(t, d, what, func() error { return differs("told", want, tolds()) })
	}
	expect("told", map[string]int{"perhaps": 1})
	e := told(t, env, "Service", "team", "odd", "BadAnnotation")[0]
	if e.Type != "Warning" || !strings.Contains(e.Note, "kubernaut.io/toolset") || !strings.Contains(e.Note, "expected") || e.Regarding.UID == "" {
		t.Errorf("the Event is %+v", e)
	}
	env.Create(t, prometheusIn("monitoring", "another"))
	stays("it is not repeated by other changes and full discoveries", 6*time.Second, map[string]int{"perhaps": 1})
	for range 3 {
		service.Signal(t, syscall.SIGKILL)
		service.Wait(t, 10*time.Second)
		service = start(t, env, args...)
		leads(t, env, 20*time.Second, "")
		service.says(t, "this replica leads")
	}
	stays("it is not repeated by restarts", 6*time.Second, map[string]int{"perhaps": 1})
	annotate("maybe")
	expect("another value is told", map[string]int{"perhaps": 1, "maybe": 1})
	annotate("perhaps")
	expect("the first one again is told again", map[string]int{"perhaps": 2, "maybe": 1})
	annotate("true")
	published(t, env, "mended", "custom/team/odd", "monitoring/another")
	stays("mended, it is not told", 6*time.Second, map[string]int{"perhaps": 2, "maybe": 1})
	if events := told(t, env, "Service", "monitoring", "other", "BadAnnotation"); len(events) > 0 {
		t.Errorf("others are told, too: %v", notes(events))
	}
}

// TestForbiddenNamespace: a namespace that may not be watched keeps what is published of it. All else works, and so does
// that namespace when it is allowed.
func TestForbiddenNamespace(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	const ns = testenv.OutputNamespace
	env := testenv.Shared(t)
	user := env.ServiceAccount(t, ns, account)
	args := []string{"--set", "discovery.namespaces=[one, two, three]", "--set", "security.trustedNamespaces=[two]"}
	env.Grant(t, ns, ns, account, eventRule(), leaseRule(), configMapRule(append(readVerbs, writeVerbs...)...))
	for _, name := range []string{"one", "two", "three"} {
		env.Namespace(t, name)
		env.Create(t, prometheusIn(name, "prometheus"))
	}
	env.Create(t, testenv.Service{
		Namespace: "two", Name: "runbooks", Port: "http", Number: 8080, Kind: standin.Custom,
		Annotations: map[string]string{
			"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "runbooks", "kubernaut.io/toolset-health-endpoint": "/healthz",
			"kubernaut.io/toolset-description": "what to do at night", "kubernaut.io/toolset-name": "books",
		},
	})
	env.Create(t, testenv.Service{
		Namespace: "two", Name: "grafana", Labels: named("grafana"), Port: "service", Number: 3000, Kind: standin.Grafana,
		Options: standin.Options{Credentials: standin.Credentials{Bearer: "secret"}},
	})
	env.Grant(t, "one", ns, account, watchRules()...)
	env.Grant(t, "three", ns, account, watchRules()...)

	t.Log("from the start, with nothing published yet: the others do not wait")
	service := serveAs(t, env, user, args...)
	published(t, env, "the others are there", "one/prometheus", "three/prometheus", "-two/")
	service.answers(t, 10*time.Second, "/readyz", 200)
	tells(t, env, "Warning", "NamespaceForbidden", "two")
	service.reaches(t, failed("list"), 2)
	revoke := env.Grant(t, "two", ns, account, watchRules()...)
	allowed := time.Now()
	late := func(what string, want ...string) { // a namespace is looked at again every minute
		t.Helper()
		testenv.Eventually(t, 90*time.Second, what, func() error { return has(document, want...)(env.ConfigMap(t)) })
	}
	late("it is found when it is allowed", "two/prometheus", "two/grafana", "custom/books", "what to do at night")
	tells(t, env, "Normal", "NamespacesWatched", "all")
	if n := strings.Count(service.Log(t), "cannot be watched now"); n != 2 {
		t.Errorf("two kinds of objects were forbidden, which the log says %d times", n)
	}

	t.Log("after a restart, with something published: that stays to the byte")
	ends(t, service)
	revoke()
	before := env.ConfigMap(t).ResourceVersion
	service = serveAs(t, env, user, args...)
	service.answers(t, 20*time.Second, "/readyz", 200)
	service.says(t, "this replica leads")
	unchanged(t, env, before, 4*time.Second, "nothing is written")
	env.Change(t, "two", "prometheus", func(s *corev1.Service) { s.Annotations = map[string]string{"kubernaut.io/toolset": "false"} })
	env.Delete(t, "one", "prometheus")
	after := published(t, env, "another namespace goes on", "-one/prometheus", "two/prometheus", "two/grafana", "custom/books", "three/prometheus")
	must(t, edit(env, "vandal").patch(t.Context(), object{"data": object{document: nil, state: "{}", compactG: ""}}))
	holds(t, env, "repaired with what is frozen", func(cm *corev1.ConfigMap) error { return differs("data", after.Data, cm.Data) })
	env.Kubectl(t, "", "delete", "configmap", "-n", ns, testenv.ConfigMapName)
	holds(t, env, "back with what is frozen", func(cm *corev1.ConfigMap) error { return differs("data", after.Data, cm.Data) })
	if log := service.Log(t); strings.Count(log, "cannot be watched now") != 2 {
		t.Error("the log does not say once for each kind of objects that they are forbidden")
	}

	t.Log("allowed again: it is as it is by now")
	env.Grant(t, "two", ns, account, watchRules()...)
	late("what has opted out meanwhile goes", "-two/prometheus", "custom/books")
	testenv.Eventually(t, 10*time.Second, "that all are watched is told for the second time", func() error {
		events := told(t, env, "ConfigMap", ns, testenv.ConfigMapName, "NamespacesWatched")
		for _, e := range events {
			if e.EventTime.After(allowed.Add(4*time.Second)) || e.Series != nil {
				return nil
			}
		}
		return fmt.Errorf("%v", notes(events))
	})
}
