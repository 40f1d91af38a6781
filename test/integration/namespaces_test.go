//go:build integration

package integration

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// A ServiceAccount that may read some namespaces, by Roles alone, gets those. What -n, -A and the configuration choose is in the tests
// of internal/cli.
func TestNamespaces(t *testing.T) {
	t.Attr("req", "DTS-DET-9 DTS-CLI-1")
	env := testenv.Shared(t)
	observability(t, env)
	const home, account = "home", "limited"
	env.Namespace(t, home)
	limited := env.ServiceAccount(t, home, account)
	services := testenv.Rule("", "services", "list")
	slicesRule := testenv.Rule("discovery.k8s.io", "endpointslices", "list")
	env.Grant(t, "monitoring", home, account, services, slicesRule)
	env.Grant(t, "tracing", home, account, services, slicesRule)
	env.Grant(t, "shop", home, account, services)
	monitoring := []string{"monitoring/grafana", "monitoring/prometheus-server", "monitoring/sub-path"}

	for _, c := range []struct {
		name   string
		args   []string
		want   []string
		stderr []string // what it says, in any order; nothing at all if empty
	}{
		{"several", []string{"--set", "discovery.namespaces=[monitoring, tracing]"}, append(slices.Clone(monitoring), "tracing/jaeger-query"), nil},
		{
			"one of them forbidden", []string{"--set", "discovery.namespaces=[logging, monitoring]"}, monitoring,
			[]string{`not allowed to list services in namespace "logging" (403)`, `a Role in "logging"`},
		},
		{
			"slices forbidden", []string{"-n", "shop"}, []string{"shop/runbooks"},
			[]string{`not allowed to list endpointslices in namespace "shop" (403)`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, r := discover(t, env, limited, append(c.args, "--probe=direct", "--set", "security.trustedNamespaces=[monitoring]")...)
			if d := cmp.Diff(c.want, slices.Sorted(maps.Keys(got))); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if wrong := amiss(r.Stderr, c.stderr...); len(wrong) > 0 {
				t.Errorf("it does not say %q: %s", wrong, r.Stderr)
			}
			if len(c.stderr) == 0 && r.Stderr != "" {
				t.Errorf("it says %s", r.Stderr)
			}
		})
	}

	for _, c := range []struct {
		name, user string
		args       []string
		want       string
	}{
		{"all namespaces", limited, nil, "a ClusterRole with"},
		{"only a forbidden one", limited, []string{"-n", "logging"}, `a Role in "logging" with`},
		{"a token that is none", env.TokenKubeconfig(t, env.Config.Host, env.Config.CAData, "wrong"), nil, "does not accept the credentials (401)"},
		{"another authority", env.TokenKubeconfig(t, env.Config.Host, env.Front(t).CA, "wrong"), nil, "certificate is not trusted"},
	} {
		t.Run("error: "+c.name, func(t *testing.T) {
			r := env.Run(t, c.user, append([]string{"discover", "--probe=off"}, c.args...)...)
			if r.Code != 1 || r.Stdout != "" || !strings.Contains(r.Stderr, c.want) {
				t.Errorf("exit %d, want 1 and %q\nstdout %q\nstderr %s", r.Code, c.want, r.Stdout, r.Stderr)
			}
		})
	}
}
