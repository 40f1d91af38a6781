//go:build holmes

package holmes

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// Two Prometheuses of a stranger that were proven, and answer nothing to HolmesGPT, use up the 20 s that it gives a toolset by
// default, and so take the working one away from everybody. The values that are shipped give it the time.
func TestHangingStrangers(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	labels := app("prometheus", component, "server")
	services, hosts := cluster(t,
		service{namespace: "monitoring", name: "ours", labels: labels, port: "http", target: 9090, kind: standin.Prometheus},
		service{namespace: "evil", name: "one", labels: labels, port: "http", target: 9090, kind: standin.Prometheus},
		service{namespace: "evil", name: "two", labels: labels, port: "http", target: 9090, kind: standin.Prometheus})
	document, _ := generate(t, program.Binary(t), services, "--probe=direct", "--set", "primary.prometheus=monitoring/ours")
	silent := listenSilently(t)
	for name := range hosts {
		if name[:3] == "one" || name[:3] == "two" {
			hosts[name] = silent
		}
	}
	failed := map[string]string{"evil/one": "failed", "evil/two": "failed"}
	check(t,
		Case{Name: "shipped", Document: document, Hosts: hosts, Expect: Expect{
			Env: shippedEnv(t), Instances: map[string]map[string]string{"prometheus/metrics": failed},
		}},
		Case{Name: "control", Document: document, Hosts: hosts, Expect: Expect{
			Toolsets: map[string]string{"prometheus/metrics": "failed"},
		}})
}

// listenSilently accepts connections and never answers.
func listenSilently(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		var held []net.Conn // so that none is closed by the garbage collector
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	}()
	return l.Addr().String()
}

// shippedEnv is the environment that the values for HolmesGPT's chart give it, but for where the document is.
func shippedEnv(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "holmesgpt", "values.yaml"))
	must(t, err)
	var values struct {
		AdditionalEnvVars []struct{ Name, Value string } `json:"additionalEnvVars"`
	}
	must(t, yaml.Unmarshal(text, &values))
	env := map[string]string{}
	for _, v := range values.AdditionalEnvVars {
		if v.Name != "CUSTOM_TOOLSET_LOCATION" {
			env[v.Name] = v.Value
		}
	}
	return env
}
