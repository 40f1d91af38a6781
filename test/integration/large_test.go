//go:build integration

package integration

import (
	"testing"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// Ten thousand Services, each with an EndpointSlice, are listed in little memory.
func TestLargeCluster(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	const (
		services  = 10_000
		maxMemory = 96 << 20 // bytes; listing them at once instead of in pages takes more
	)
	env := testenv.Start(t)
	observability(t, env)
	env.Fill(t, services)

	for _, args := range [][]string{{"discover"}, {"discover", "--all"}, {"generate"}, {"explain", "monitoring/prometheus-server"}} {
		r := env.Run(t, env.Kubeconfig(), append(args, "--probe=off")...)
		if r.Code != 0 {
			t.Fatalf("%v: exit %d\n%s", args, r.Code, r.Stderr)
		}
		t.Logf("%v: %d MiB resident at most", args, r.MaxRSS>>20)
		if r.MaxRSS > maxMemory {
			t.Errorf("%v took %d MiB of memory, want at most %d", args, r.MaxRSS>>20, maxMemory>>20)
		}
	}
	all, _ := discover(t, env, env.Kubeconfig(), "--all", "--probe=off")
	for i := range services {
		namespace, name := testenv.FillName(i)
		if s, ok := all[namespace+"/"+name]; !ok || s.Verdict != "rejected" {
			t.Fatalf("%s/%s: %+v (%d Services in all)", namespace, name, s, len(all))
		}
	}
}
