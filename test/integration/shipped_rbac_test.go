//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// team is the namespace with the Services that all installations watch.
const team = "team"

// The two shapes that the rights have.
var (
	clusterWide = []string{"access.viewers[0].kind=ServiceAccount", "access.viewers[0].name=viewer", "access.viewers[0].namespace=" + team}
	namespaced  = []string{"config.discovery.namespaces={" + team + "}", "config.auth.mode=none"}
)

// TestShippedRights runs the service as its ServiceAccount, with the rights that the chart gives it and nothing else: first
// with all of them, where nothing may be refused, then with each verb left out in turn, where something specific has to
// fail. So the rights are enough, and there are none too many.
func TestShippedRights(t *testing.T) {
	t.Attr("req", "DTS-SEC-1 DTS-DET-9")
	// Older API servers have no streaming lists, and then list is needed where watch alone would do.
	env := testenv.Start(t, testenv.APIServerFlag("feature-gates", "WatchList=false"))
	env.Create(t, prometheusIn(team, "prometheus"))
	env.Create(t, testenv.Service{Namespace: team, Name: "checkout", Port: "http", Number: 8080})
	env.ServiceAccount(t, team, "viewer")
	env.ServiceAccount(t, team, "stranger")

	t.Run("cluster-wide", func(t *testing.T) {
		t.Parallel()
		enough(t, env, clusterWide, "")
	})
	t.Run("namespaced", func(t *testing.T) {
		t.Parallel()
		enough(t, env, namespaced, team)
	})
	for _, c := range lacks("") {
		t.Run("cluster-wide without "+c.verb+" "+c.resource+c.where(), func(t *testing.T) {
			t.Parallel()
			c.run(t, env, clusterWide)
		})
	}
	for _, c := range lacks(team) {
		t.Run("namespaced without "+c.verb+" "+c.resource+c.where(), func(t *testing.T) {
			t.Parallel()
			c.run(t, env, namespaced)
		})
	}
}

// enough has the service do all that it does, and wants nothing to be refused.
func enough(t *testing.T, env *testenv.Env, shape []string, watched string) {
	i := install(t, env, right{}, shape...)
	i.allTried(t, lacks(watched))
	i.run(t)
	i.publishes(t, "name: team/prometheus")
	i.says(t, "this replica leads")

	i.tellsOwner(t, i.odd(t))
	i.write(t, "prometheus-toolset.yaml", "broken")
	i.holds(t, "drift is repaired", has("prometheus-toolset.yaml", "toolset: prometheus"))
	i.write(t, extra, "x")
	i.holds(t, "a reserved key is removed", has(extra, "-x"))
	i.write(t, overrides, "toolsets: {helm/core: {enabled: true}}")
	i.publishes(t, "helm/core")
	i.deleteConfigMap(t)
	i.holds(t, "the overrides are restored", has(overrides, "helm/core"))
	i.publishes(t, "helm/core")
	i.toggleOverrides(t)
	testenv.Eventually(t, 20*time.Second, "the second time is counted", func() error {
		list := told(t, env, "ConfigMap", i.output, testenv.ConfigMapName, "OverridesInvalid")
		if len(list) != 1 || list[0].Series == nil || list[0].Series.Count != 2 {
			return fmt.Errorf("%v", list)
		}
		return nil
	})
	must(t, env.Client.CoordinationV1().Leases(i.output).Delete(t.Context(), "dynamic-toolset", metav1.DeleteOptions{}))
	testenv.Eventually(t, 20*time.Second, "the lease is made again", func() error {
		_, err := env.Client.CoordinationV1().Leases(i.output).Get(t.Context(), "dynamic-toolset", metav1.GetOptions{})
		return err
	})
	i.ask(t, "/api/v1/services/team/checkout", http.StatusOK, "nothing about it looks like a known backend")
	if len(i.objects.Kind("ClusterRoleBinding")) > 0 {
		i.authorises(t)
	}
	i.Signal(t, syscall.SIGTERM)
	if code := i.Wait(t, 20*time.Second); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
	lease, err := env.Client.CoordinationV1().Leases(i.output).Get(t.Context(), "dynamic-toolset", metav1.GetOptions{})
	must(t, err)
	if h := lease.Spec.HolderIdentity; h != nil && *h != "" {
		t.Errorf("the lease is still held by %q", *h)
	}
	for _, refusal := range []string{"forbidden", "not allowed", "may not", "refused", "cannot"} {
		for line := range strings.SplitSeq(i.Log(t), "\n") {
			if strings.Contains(line, refusal) {
				t.Errorf("something was refused: %s", line)
			}
		}
	}
}

// allTried: no verb that is granted is missing in the list of those that are left out in turn.
func (i *installation) allTried(t *testing.T, list []lack) {
	t.Helper()
	granted, tried := map[right]bool{}, map[right]bool{}
	for namespace, rules := range i.grantedIn {
		if namespace == i.output {
			namespace = "output"
		}
		for _, rule := range rules {
			for _, verb := range rule.Verbs {
				granted[right{namespace, rule.Resources[0], verb}] = true
			}
		}
	}
	for _, l := range list {
		tried[l.right] = true
	}
	if d := cmp.Diff(granted, tried); d != "" {
		t.Errorf("rights that are granted, and those that are tried without (-granted +tried):\n%s", d)
	}
}

// oddIn is where an installation makes Services with bad annotations: in a namespace of its own where it watches all, since
// only so many Events are written about one.
func (i *installation) oddIn() string {
	if len(i.objects.Kind("ClusterRoleBinding")) > 0 {
		return i.home
	}
	return team
}

// odd makes a Service with a bad annotation, which its owner is told by an Event.
func (i *installation) odd(t *testing.T) (name string) {
	t.Helper()
	name = "odd-" + i.release
	i.env.Create(t, testenv.Service{
		Namespace: i.oddIn(), Name: name, Port: "http", Number: 8080, Annotations: map[string]string{"kubernaut.io/toolset": "perhaps"},
	})
	return name
}

func (i *installation) tellsOwner(t *testing.T, odd string) {
	t.Helper()
	testenv.Eventually(t, 20*time.Second, "the owner is told", func() error {
		if list := told(t, i.env, "Service", i.oddIn(), odd, "BadAnnotation"); len(list) == 0 {
			return errors.New("there is no Event")
		}
		return nil
	})
}

func (i *installation) annotate(t *testing.T, name, value string) {
	t.Helper()
	i.env.Change(t, i.oddIn(), name, func(s *corev1.Service) {
		s.Annotations = map[string]string{"kubernaut.io/toolset": value}
		if value == "" {
			s.Annotations = nil
		}
	})
}

// toggleOverrides makes the overrides invalid twice, which is one Event that is counted up.
func (i *installation) toggleOverrides(t *testing.T) {
	t.Helper()
	i.publishes(t, "team/prometheus")
	pause(t.Context(), time.Second) // from then on Events name the ConfigMap by its UID
	i.write(t, overrides, "toolsets: [")
	i.says(t, "overrides invalid")
	i.write(t, overrides, nil)
	i.says(t, "overrides valid again")
	pause(t.Context(), 6*time.Second)
	i.write(t, overrides, "toolsets: [")
	testenv.Eventually(t, 20*time.Second, "the log says so twice", func() error {
		if n := strings.Count(i.Log(t), "overrides invalid"); n < 2 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})
}

// ask asks the API as the viewer.
func (i *installation) ask(t *testing.T, path string, want int, text string) {
	t.Helper()
	caller{i.api, i.env.Token(t, team, "viewer", server.Audience)}.becomes(t, 20*time.Second, http.MethodGet, path, want, text)
}

// authorises: whom the chart's values name may read, and nobody else.
func (i *installation) authorises(t *testing.T) {
	t.Helper()
	caller{i.api, ""}.wants(t, "nobody", http.MethodGet, "/api/v1/toolsets", http.StatusUnauthorized)
	caller{i.api, i.env.Token(t, team, "stranger", server.Audience)}.wants(t, "a stranger", http.MethodGet, "/api/v1/toolsets", http.StatusForbidden)
	viewer := caller{i.api, i.env.Token(t, team, "viewer", server.Audience)}
	for _, path := range []string{"toolsets", "services", "document", "changes", "status", "toolsets/prometheus/metrics"} {
		viewer.wants(t, "the viewer", http.MethodGet, "/api/v1/"+path, http.StatusOK)
	}
	viewer.wants(t, "the viewer, discovering", http.MethodPost, "/api/v1/discover", http.StatusForbidden)
}
