//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// plain is a Service of one port without endpoints.
func plain(i int, labels map[string]string) testenv.Service {
	return testenv.Service{
		Namespace: "evil", Name: fmt.Sprintf("x%04d", i), Port: "http-metrics", Number: 3100, Headless: true, Bare: true,
		Labels: labels, Annotations: map[string]string{}, Selector: map[string]string{},
	}
}

// labelled is the least that looks like a backend.
func labelled(i int) testenv.Service {
	s := plain(i, named("prometheus"))
	s.Number = 9090
	return s
}

// stuffed has as many labels, annotations and requirements, and as long ones, as are read of a Service.
func stuffed(i int) testenv.Service {
	s := plain(i, named("prometheus"))
	s.Annotations["kubernaut.io/toolset"], s.Annotations["kubernaut.io/toolset-type"] = "true", "prometheus"
	for j := range 62 {
		key, value := fmt.Sprintf("kubernaut.io/toolset-%04d-%02d-%s", i, j, strings.Repeat("k", 20)), fmt.Sprintf("%s-%04d-%02d", strings.Repeat("v", 55), i, j)
		for _, m := range []map[string]string{s.Labels, s.Annotations, s.Selector} {
			m[key] = value
		}
	}
	return s
}

// tenanted names fifty tenants.
func tenanted(i int) testenv.Service {
	s := plain(i, map[string]string{"app.kubernetes.io/name": "loki", "app.kubernetes.io/component": "gateway"})
	var names []string
	for j := range 50 {
		names = append(names, fmt.Sprint("t", j))
	}
	s.Annotations["kubernaut.io/toolset-tenant"] = strings.Join(names, ",")
	return s
}

// Services as large as are read, and Services of many tenants, as many of one namespace as were seen to fill what the chart allows:
// the service holds little of them, also where it lists them at a start. Nobody else is disturbed, and what is left when most
// are gone is read.
func TestServicesTakeLittleMemory(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const most, told = 192 << 20, 144 << 20 // bytes; the Go runtime is told a bound as in the chart, so that garbage does not count
	for _, tc := range []struct {
		name     string
		services int
		one      func(i int) testenv.Service
		bare     bool // more than are kept
		stay     bool // they are not deleted one by one
	}{
		{"3,760 with 64 labels, annotations and requirements", 3760, stuffed, true, false},
		{"7,000 with 50 tenants", 7000, tenanted, false, false},
		{"30,000 that look like a Prometheus", 30_000, labelled, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := testenv.Start(t)
			t.Setenv("GOMEMLIMIT", fmt.Sprint(told)) // of what is started from here on
			service := start(t, env)
			victims := []*testenv.Backend{}
			for _, name := range []string{"one", "two"} {
				victims = append(victims, env.Create(t, prometheusIn("good", name)))
			}
			env.Create(t, prometheusIn("evil", "first"))
			published(t, env, "before", "name: good/one\n", "name: good/two\n", "name: evil/first\n")
			env.Bulk(t, tc.services, tc.one)
			env.Create(t, prometheusIn("evil", "last"))
			undisturbed(t, env, "new", victims[0])
			takesLittle(t, env, service, victims[1], most)
			published(t, env, "the oldest keeps its place", "name: evil/first\n", "name: good/newer\n")
			if !tc.bare {
				return
			}
			published(t, env, "the youngest has none", "-name: evil/last\n")
			if tc.stay {
				return
			}
			env.DeleteBulk(t, tc.services, tc.one) // the youngest first, so that few are read in between
			published(t, env, "when they are gone", "name: evil/first\n", "name: evil/last\n")
		})
	}
}

// takesLittle holds what the service takes in memory while all comes, and where another finds it there at its start.
func takesLittle(t *testing.T, env *testenv.Env, service *instance, victim *testenv.Backend, most int64) {
	t.Helper()
	took := service.HWM(t)
	service.Kill(t)
	again := start(t, env)
	again.answers(t, time.Minute, "/readyz", http.StatusOK)
	again.says(t, "this replica leads")
	undisturbed(t, env, "newer", victim)
	t.Logf("%d MiB while they come, %d MiB where they are there", took>>20, again.HWM(t)>>20)
	if n := max(took, again.HWM(t)); n > most {
		t.Errorf("the service takes %d MiB of memory, want %d at most", n>>20, most>>20)
	}
}
