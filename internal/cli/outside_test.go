package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// outsideConfig names backends at addresses of loopback, as if they were managed ones.
func outsideConfig(t *testing.T) (path string) {
	t.Helper()
	tenanted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // a Loki behind a load balancer that wants a tenant
		if r.Header.Get("X-Scope-OrgID") != "team" {
			http.Error(w, "no org id", http.StatusUnauthorized)
			return
		}
		standin.New(standin.Loki, standin.Options{}).ServeHTTP(w, r)
	})
	cloud := standin.Options{Credentials: standin.Credentials{Username: "12345", Password: "p"}}
	return writeFile(t, "config.yaml", fmt.Sprintf(`backends:
  - {name: amp, type: prometheus, url: "http://127.0.41.1:%d"}
  - {name: cloud, type: prometheus, url: "http://127.0.41.2:%d", credentials: {basic_auth: CLOUD_KEY}}
  - {name: locked, type: grafana, url: "http://127.0.41.3:%d/"}
  - {name: logs, type: loki, url: "http://127.0.41.4:%d", headers: {X-Scope-OrgID: team}}
  - {name: gone, type: jaeger, url: "http://127.0.41.5:%d"}
`,
		listen(t, "127.0.41.1", standin.New(standin.Prometheus, standin.Options{Version: "3.5.0"})),
		listen(t, "127.0.41.2", standin.New(standin.Prometheus, cloud)),
		listen(t, "127.0.41.3", standin.New(standin.Grafana, standin.Options{Credentials: standin.Credentials{Bearer: "t"}})),
		listen(t, "127.0.41.4", tenanted), closedPort(t, "127.0.41.5")))
}

// What the configuration names is proven and written as Services are, and trusted; a Service that takes its name is nothing.
func TestOutsideBackends(t *testing.T) {
	t.Attr("req", "DTS-DET-13")
	config := outsideConfig(t)
	imposter := listen(t, "127.0.41.9", standin.New(standin.Prometheus, standin.Options{}))
	files := writeFile(t, "services.yaml", yamlService("outside", "amp", strongPrometheus, "127.0.41.9", imposter)+
		yamlService("outside", "other", strongPrometheus, "127.0.41.9", imposter))
	args := func(more ...string) []string {
		return append(more, "-f", files, "--config", config, "--probe=direct", "--set", "health.tries=1")
	}

	table := mustRun(t, args("discover", "--all")...).out
	for name, want := range map[string]string{"amp": "accepted", "cloud": "accepted", "locked": "accepted", "logs": "accepted", "gone": "unavailable"} {
		line := lineWith(table, " "+name+" ")
		if !strings.Contains(line, "outside") || !strings.Contains(line, want) {
			t.Errorf("%s: want %s\n%s", name, want, table)
		}
	}
	if lineWith(table, " other ") != "" {
		t.Errorf("Services of a namespace of that name are looked at:\n%s", table)
	}

	var doc struct {
		Toolsets map[string]struct {
			Config struct {
				Instances []map[string]any
			}
		}
	}
	text := mustRun(t, args("generate", "--key", "custom_toolset.yaml")...).out
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	instance := func(toolset, name string) map[string]any {
		for _, i := range doc.Toolsets[toolset].Config.Instances {
			if i["name"] == "outside/"+name {
				return i
			}
		}
		t.Errorf("no instance outside/%s of %s:\n%s", name, toolset, text)
		return nil
	}
	if i := instance("prometheus/metrics", "amp"); !strings.HasPrefix(fmt.Sprint(i["prometheus_url"]), "http://127.0.41.1:") || i["additional_headers"] != nil {
		t.Errorf("amp: %v", i)
	}
	if i := instance("prometheus/metrics", "cloud"); !strings.Contains(fmt.Sprint(i), "{{ env.CLOUD_KEY }}") {
		t.Errorf("cloud: %v", i)
	}
	if i := instance("grafana/loki", "logs"); fmt.Sprint(i["additional_headers"]) != "map[X-Scope-OrgID:team]" {
		t.Errorf("logs: %v", i)
	}
	forbid(t, text, "127.0.41.9") // the imposter's
}

// Each is explained by its name, with what can be done in the configuration.
func TestOutsideBackendsAreExplained(t *testing.T) {
	t.Attr("req", "DTS-DET-13")
	config := outsideConfig(t)
	files := writeFile(t, "services.yaml", yamlService("shop", "web", "app: web", "10.0.0.1", 80))
	for name, want := range map[string][]string{
		"amp":   {"outside/amp is accepted as prometheus", "the configuration names it (backends)", "as the configuration says"},
		"logs":  {"outside/logs is accepted as loki"},
		"cloud": {"To make it the primary prometheus"},
		"gone":  {"unavailable", "refused", "backends: [{name: gone, …}]"},
	} {
		out := mustRun(t, "explain", "outside/"+name, "-f", files, "--config", config, "--probe=direct", "--set", "health.tries=1").out
		expect(t, flat(out), want...)
		forbid(t, out, "resemble none", "See the reason above", "pod", "kubectl") // there is no Service
	}
	off := mustRun(t, "explain", "outside/amp", "-f", files, "--config", config, "--set", "types.prometheus.enabled=false").out
	expect(t, off, "switches prometheus off")
}

// lineWith is the first line that contains a text.
func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}
