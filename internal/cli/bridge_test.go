package cli

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestBridge runs a command with what a fake API server's proxy leads to. What is carried, and how, package bridge tests; real
// API servers and signals are the integration suite's.
func TestBridge(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	prometheus := standin.New(standin.Prometheus, standin.Options{BasePath: "/prom"})
	// As OpenShift's monitoring: what it wants is the token of HolmesGPT's ServiceAccount.
	locked := &rbacProxy{Handler: standin.New(standin.Thanos, standin.Options{})}
	api := &apiServer{backends: map[string]http.Handler{"m/prometheus:80": prometheus, "openshift-monitoring/thanos-querier:80": locked}}
	api.services = append(api.services,
		serviceObject("m", "prometheus", named("prometheus"), "10.0.0.1", port("http", 80, 9090)),
		serviceObject("openshift-monitoring", "thanos-querier", map[string]string{"app.kubernetes.io/name": "thanos-query", "app.kubernetes.io/component": "query-layer", "app.kubernetes.io/managed-by": "cluster-monitoring-operator"}, "10.0.0.2", port("http", 80, 10902)),
		serviceObject("m", "gone", named("loki"), "10.0.0.3", port("http", 80, 3100)))
	api.slices = readySlices(api.services...)
	_, kubeconfig := api.start(t)
	outside := listen(t, "127.0.43.1", standin.New(standin.Grafana, standin.Options{Credentials: standin.Credentials{Bearer: "g"}}))
	config := writeFile(t, "config.yaml", fmt.Sprintf(
		"backends: [{name: cloud, type: grafana, url: \"http://127.0.43.1:%d\", credentials: {api_key: BRIDGE_TEST_KEY}}]\nholmesgpt: {openshift: \"true\"}\n", outside))
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("NO_PROXY", "example.com")
	args := []string{"bridge", "--kubeconfig", kubeconfig, "--config", config, "--set", "health.tries=1", "--"}

	r := runWith(t, "typed", append(args, "sh", "-c",
		`cat "$CUSTOM_TOOLSET_LOCATION"; echo "in: $(cat)"; echo "url: $BRIDGE_PROMETHEUS_URL $BRIDGE_GRAFANA_URL $NO_PROXY"; echo oops >&2; exit 3`)...)
	if r.code != 3 {
		t.Errorf("exit code %d, want the command's own\n%s", r.code, r.err)
	}
	expect(t, r.out, "name: m/prometheus\n", "prometheus_url: http://127.0.0.1:", "/prom\n", fmt.Sprintf("api_url: http://127.0.43.1:%d\n", outside), "in: typed\n",
		"url: http://127.0.0.1:", fmt.Sprintf("/prom http://127.0.43.1:%d example.com,127.0.0.1\n", outside))
	forbid(t, r.out, "svc.cluster.local") // the cluster's names
	expect(t, r.err, "oops\n", "not written: loki m/gone: ", "  BRIDGE_TEST_KEY  (api_key of grafana/dashboards, instance outside/cloud)\n",
		"thanos openshift-monitoring/thanos-querier cannot be reached: it requires the token of HolmesGPT's ServiceAccount")
	t.Setenv("BRIDGE_TEST_KEY", "g")
	if r := run(t, append(args, "true")...); r.code != 0 || strings.Contains(r.err, "BRIDGE_TEST_KEY") {
		t.Errorf("with the variable: %+v", r)
	}
	if r := run(t, append(args, "sh", "-c", "kill -9 $$")...); r.code != 137 || strings.Contains(r.err, "error:") {
		t.Errorf("killed: %+v, want 137", r)
	}
	if r := run(t, append(args, "sh", "-c", "kill -QUIT $PPID; exec sleep 10")...); r.code != 131 || strings.Contains(r.err, "error:") {
		t.Errorf("Ctrl-\\: %+v, want 131", r)
	}
	if r := run(t, append(args, "no-such-program")...); r.code != 127 || !strings.Contains(r.err, "error: the command cannot be run: ") {
		t.Errorf("no such program: %+v, want 127", r)
	}
	if r := run(t, append(args, tmp)...); r.code != 126 {
		t.Errorf("no program: %+v, want 126", r)
	}
	closedPipe(t, args)
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// closedPipe runs bridge with a standard error that nobody reads.
func closedPipe(t *testing.T, args []string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append(args, "true")...)
	cmd.Env, cmd.Stderr = append(os.Environ(), asProgram+"=1"), write
	if err := cmd.Run(); err != nil {
		t.Errorf("with nobody who reads its warnings: %v", err)
	}
}

// TestBridgeReports: what the document leaves out is said in words, and the primary is the one that a service has recorded.
func TestBridgeReports(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	api := &apiServer{backends: map[string]http.Handler{}, data: map[string]string{"state.json": `{"version": 1, "published": [], "primaries": {"prometheus": "m/prometheus-4"}}`}}
	for i := range 5 {
		name := fmt.Sprintf("prometheus-%d", i)
		service := serviceObject("m", name, named("prometheus"), fmt.Sprintf("10.0.0.%d", i+1), port("http", 80, 9090))
		service.Annotations = map[string]string{"kubernaut.io/toolset-description": strings.Repeat("x", 490)}
		api.services = append(api.services, service)
		api.backends["m/"+name+":80"] = standin.New(standin.Prometheus, standin.Options{})
	}
	api.slices = readySlices(api.services...)
	for i := range api.slices {
		api.slices[i].Endpoints[0].Addresses[0] = fmt.Sprintf("10.244.0.%d", i+1)
	}
	_, kubeconfig := api.start(t)
	r := mustRun(t, "bridge", "--kubeconfig", kubeconfig, "--", "sh", "-c", `cat "$CUSTOM_TOOLSET_LOCATION"; echo "primary $BRIDGE_PROMETHEUS_URL"`)
	expect(t, r.err, "warning: namespace m: 2 of 5 notes of its Services")
	_, primary, _ := strings.Cut(r.out, "\nprimary ")
	_, recorded, _ := strings.Cut(r.out, "name: m/prometheus-4\n")
	if recorded, _, _ = strings.Cut(strings.TrimSpace(recorded), "\n"); recorded != "prometheus_url: "+strings.TrimSpace(primary) {
		t.Errorf("the primary is %sthe recorded one has %s", primary, recorded)
	}
}

// TestBridgeCommandLine: mistakes say what to do.
func TestBridgeCommandLine(t *testing.T) {
	t.Attr("req", "DTS-CLI-9 DTS-CLI-5")
	api := &apiServer{}
	_, kubeconfig := api.start(t)
	for args, want := range map[string]result{
		"holmes ask":                 {2, "", "error: the command to run comes after --, as in dynamic-toolset bridge -- holmes ask\n"},
		"holmes -- ask":              {2, "", "error: the command to run comes after --, as in dynamic-toolset bridge -- holmes ask\n"},
		"-A -n x":                    {2, "", "error: -A and -n x exclude each other\n"},
		"--kubeconfig /none":         {1, "", "error: kubeconfig: stat /none: no such file or directory; correct it, or name another with --kubeconfig\n"},
		"--kubeconfig " + kubeconfig: {1, "", "no backends among 0 Services: the document has only what holmesgpt.baseline and the overrides give it\nerror: there is no backend to reach\n"},
		"--kubeconfig " + kubeconfig + " -- echo x": {0, "x\n", "no backends among 0 Services: the document has only what holmesgpt.baseline and the overrides give it\n"},
	} {
		if got := run(t, append([]string{"bridge"}, strings.Fields(args)...)...); got != want {
			t.Errorf("bridge %s: %+v, want %+v", args, got, want)
		}
	}
}
