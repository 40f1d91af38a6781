//go:build integration

package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// lack is a right that is left out, what is done that needs it, and what has to fail then.
type lack struct {
	right
	fails func(t *testing.T, i *installation)
}

func (l lack) where() string {
	if l.namespace == "" {
		return ""
	}
	return " in " + l.namespace
}

func (l lack) run(t *testing.T, env *testenv.Env, shape []string) {
	i := install(t, env, l.right, shape...)
	i.run(t)
	l.fails(t, i)
}

// lacks are all the rights of a shape; watched is the namespace whose Role has those for watching, "" for the ClusterRole.
func lacks(watched string) []lack {
	all := []lack{
		{right{watched, "services", "get"}, unexplained},
		{right{watched, "services", "list"}, unwatched("list", "services")},
		{right{watched, "services", "watch"}, unwatched("watch", "services")},
		{right{watched, "endpointslices", "list"}, unwatched("list", "endpointslices")},
		{right{watched, "endpointslices", "watch"}, unwatched("watch", "endpointslices")},
		{right{"output", "configmaps", "get"}, func(t *testing.T, i *installation) {
			i.publishes(t, "team/prometheus")
			i.deleteConfigMap(t)
			i.says(t, "not allowed to get configmaps")
		}},
		{right{"output", "configmaps", "list"}, unwatched("list", "configmaps")},
		{right{"output", "configmaps", "watch"}, unwatched("watch", "configmaps")},
		{right{"output", "configmaps", "create"}, unwritten("create")},
		{right{"output", "configmaps", "patch"}, unwritten("patch")},
		{right{"output", "leases", "get"}, leaderless("get", false)},
		{right{"output", "leases", "create"}, leaderless("create", false)},
		{right{"output", "leases", "patch"}, leaderless("patch", false)},
		{right{"output", "leases", "update"}, leaderless("update", true)},
		{right{watched, "events", "create"}, func(t *testing.T, i *installation) {
			i.odd(t)
			i.says(t, "not allowed to create events ")
		}},
		{right{watched, "events", "patch"}, func(t *testing.T, i *installation) {
			i.publishes(t, "team/prometheus")
			odd := i.odd(t)
			i.tellsOwner(t, odd)
			pause(t.Context(), time.Second) // another installation may have told first
			i.annotate(t, odd, "")
			pause(t.Context(), 6*time.Second) // the same is counted up after five at the earliest
			i.annotate(t, odd, "perhaps")
			i.says(t, "not allowed to patch events ")
		}},
	}
	if watched == "" {
		return append(all,
			lack{right{"", "tokenreviews", "create"}, unauthorised("TokenReview")},
			lack{right{"", "subjectaccessreviews", "create"}, unauthorised("SubjectAccessReview")},
		)
	}
	return append(all,
		lack{right{"output", "events", "create"}, func(t *testing.T, i *installation) {
			i.publishes(t, "team/prometheus")
			i.write(t, overrides, "toolsets: [")
			i.says(t, "not allowed to create events ")
		}},
		lack{right{"output", "events", "patch"}, func(t *testing.T, i *installation) {
			i.toggleOverrides(t)
			i.says(t, "not allowed to patch events ")
		}},
	)
}

// unwatched: it says so, with the right that is missing, and /readyz says the same while that keeps it from being ready.
func unwatched(verb, resource string) func(*testing.T, *installation) {
	return func(t *testing.T, i *installation) {
		i.says(t, "not allowed to "+verb+" "+resource)
		i.says(t, "cannot be watched now")
		if strings.Contains(i.Log(t), "*v1.") {
			t.Error("the log has names of types of this program")
		}
		if verb == "list" {
			i.ask(t, "/readyz", http.StatusServiceUnavailable, "not allowed to list "+resource)
		}
	}
}

// unexplained: a Service of which only the name is kept is read when it is asked about.
func unexplained(t *testing.T, i *installation) {
	i.publishes(t, "team/prometheus")
	i.ask(t, "/api/v1/services/team/checkout", http.StatusServiceUnavailable, "not allowed to get services team/checkout")
}

// unwritten: there is no ConfigMap.
func unwritten(verb string) func(*testing.T, *installation) {
	return func(t *testing.T, i *installation) {
		i.says(t, "not allowed to "+verb+" configmaps")
		if cm := i.configMap(t); cm != nil {
			t.Errorf("it was written all the same: %v", cm)
		}
	}
}

// leaderless: it never leads, or, where it got the lease once, not for long.
func leaderless(verb string, once bool) func(*testing.T, *installation) {
	return func(t *testing.T, i *installation) {
		i.says(t, "not allowed to "+verb+" leases "+i.output+"/")
		if once {
			i.says(t, "this replica no longer leads")
			return
		}
		if cm := i.configMap(t); cm != nil {
			t.Errorf("it was written without a lease: %v", cm)
		}
	}
}

// unauthorised: nobody is let in.
func unauthorised(review string) func(*testing.T, *installation) {
	return func(t *testing.T, i *installation) {
		i.publishes(t, "team/prometheus")
		i.ask(t, "/api/v1/toolsets", http.StatusServiceUnavailable, "cannot review the request")
		i.says(t, review)
	}
}
