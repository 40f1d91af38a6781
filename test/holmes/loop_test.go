//go:build holmes

package holmes

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestLoop runs the program beside the real HolmesGPT, served with its own admin routes: HolmesGPT is told to load what is
// written, and what it made of it comes back. In the form of a sidecar the file is there at once; in a cluster kubelet brings it
// later.
func TestLoop(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	binary := program.Binary(t)
	for _, tc := range []struct {
		name string
		late time.Duration // how long the file takes
	}{{"sidecar", 0}, {"cluster", 15 * time.Second}} {
		t.Run(tc.name, func(t *testing.T) {
			services, _ := cluster(t,
				service{namespace: "tracing", name: "jaeger", labels: app("jaeger", component, "query"), port: "http-query", target: 16686, kind: standin.Jaeger},
				service{namespace: "monitoring", name: "grafana", labels: app("grafana"), port: "service", target: 3000, kind: standin.Grafana},
				service{namespace: "monitoring", name: "open", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus},
				service{namespace: "monitoring", name: "locked", labels: app("prometheus", component, "server"), port: "http", target: 9090, kind: standin.Prometheus,
					opts: standin.Options{Credentials: standin.Credentials{Bearer: "right"}}})
			out := filepath.Join(t.TempDir(), "out")
			mounted := out
			if tc.late > 0 {
				mounted = t.TempDir()
			}
			agent, api := program.Free(t), program.Free(t)
			start := time.Now()
			program.Start(t, []string{"CUSTOM_TOOLSET_LOCATION=" + filepath.Join(mounted, "custom_toolset.yaml"), "HOME=" + t.TempDir(),
				"HOLMES_CONFIGPATH_DIR=" + t.TempDir(), "KUBECONFIG=/dev/null", "PROM_TOKEN=wrong", "LITELLM_LOCAL_MODEL_COST_MAP=True"},
				python(t), "serve.py", agent)
			program.Start(t, nil, binary, "serve", "-f", services, "--out", out, "--set", "server.address="+api, "--set", "metrics.address="+program.Free(t),
				"--set", "auth.mode=none", "--set", "health.interval=2s", "--set", "holmesgpt.url=http://"+agent,
				"--set", "credentials.grafana={monitoring/grafana: {api_key: GRAFANA_API_KEY}}",
				"--set", "credentials.prometheus={monitoring/locked: {bearer_token: PROM_TOKEN}}")
			if tc.late > 0 {
				seen := await(t, api, func(s state) bool { return s.outcome() == "no-document" })
				t.Logf("without its file: %q", seen.Message)
				time.Sleep(tc.late)
				copyFile(t, filepath.Join(out, "custom_toolset.yaml"), filepath.Join(mounted, "custom_toolset.yaml"))
				start = time.Now()
			}
			s := await(t, api, func(s state) bool { return s.outcome() == "loaded" && s.status("jaeger") != "" })
			t.Logf("loaded after %s", time.Since(start).Round(100*time.Millisecond))
			if got := s.status("jaeger"); got != "enabled" {
				t.Errorf("Jaeger is %s: %s", got, s.reason("jaeger"))
			}
			if got := s.reason("grafana/dashboards"); s.status("grafana/dashboards") != "failed" || !strings.Contains(got, "GRAFANA_API_KEY does not exist") {
				t.Errorf("Grafana without its variable is %s: %q", s.status("grafana/dashboards"), got)
			}
			if got := s.failing("prometheus/metrics"); s.status("prometheus/metrics") != "enabled" || len(got) != 1 || !strings.Contains(got["monitoring/locked"], "401") {
				t.Errorf("Prometheus, of which one refuses the token, is %s: %q", s.status("prometheus/metrics"), got)
			}
			if s.Replicas[0].Generation != s.Generation || s.Replicas[0].Version == "" {
				t.Errorf("it has %s, published is %s; version %q", s.Replicas[0].Generation, s.Generation, s.Replicas[0].Version)
			}
		})
	}
}

// state is what the API answers about HolmesGPT.
type state struct {
	Generation, Message string
	Replicas            []struct {
		Outcome, Generation, Version string
		Toolsets                     []struct {
			Name, Status, Error string
			Instances           []struct{ Name, Error string }
		}
	}
}

// failing are the instances of a toolset that HolmesGPT cannot use, with its reasons.
func (s state) failing(toolset string) map[string]string {
	reasons := map[string]string{}
	for _, r := range s.Replicas {
		for _, t := range r.Toolsets {
			for _, i := range t.Instances {
				if t.Name == toolset {
					reasons[i.Name] = i.Error
				}
			}
		}
	}
	return reasons
}

func (s state) outcome() string {
	if len(s.Replicas) == 0 {
		return ""
	}
	return s.Replicas[0].Outcome
}

func (s state) status(toolset string) string { status, _ := s.find(toolset); return status }
func (s state) reason(toolset string) string { _, reason := s.find(toolset); return reason }

func (s state) find(toolset string) (status, reason string) {
	for _, r := range s.Replicas {
		for _, t := range r.Toolsets {
			if t.Name == toolset {
				return t.Status, t.Error
			}
		}
	}
	return "", ""
}

// await asks the API until it answers as expected, for at most two minutes.
func await(t *testing.T, api string, good func(state) bool) (s state) {
	t.Helper()
	var text []byte
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		response, err := http.Get("http://" + api + "/api/v1/agent")
		if err != nil {
			continue
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		_ = response.Body.Close()
		text, s = body.Bytes(), state{}
		if json.Unmarshal(text, &s) == nil && good(s) {
			return s
		}
	}
	t.Fatalf("the last answer is %s", text)
	return s
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, text, 0o600))
}
