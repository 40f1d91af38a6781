//go:build integration && real

package integration

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/holmes/venv"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/real/products"
)

// realPod is a real product, as the pod behind a Service.
type realPod struct {
	product string
	service testenv.Service // its address and target are the pod's
	args    []string        // $dir is its folder
	files   map[string]string
	ready   string // the path that answers 200 when it is up
	seed    func(t *testing.T, address string)
}

func realPods() []realPod {
	const scrape = "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: p, metrics_path: %s/metrics, static_configs: [{targets: [\"%s:9090\"]}]}]\n"
	prometheus := func(namespace, address, base string, args ...string) realPod {
		return realPod{
			product: "prometheus-3",
			service: testenv.Service{
				Namespace: namespace, Name: "prometheus", Labels: named("prometheus"), Port: "web", Number: 80, Target: 9090, Address: address,
			},
			args: append([]string{
				"--config.file=$dir/p.yml", "--storage.tsdb.path=$dir/data", "--web.listen-address=" + address + ":9090",
			}, args...),
			files: map[string]string{
				"p.yml": fmt.Sprintf(scrape, base, address),
				// of "secret"
				"web.yml": "basic_auth_users: {reader: '$2b$04$FdvSvMgKiyAPi7BYUV2ZkO0WPgUQ9KdNswoiz9TSJq5J1.cB4Da2S'}\n",
			},
			ready: base + "/-/ready",
		}
	}
	guarded := prometheus("secure", "10.244.0.12", "", "--web.config.file=$dir/web.yml")
	guarded.ready = "" // it requires credentials
	return []realPod{
		prometheus("monitoring", "10.244.0.11", "/mon/prom", "--web.external-url=http://x/mon/prom"), guarded,
		{
			product: "loki",
			service: testenv.Service{
				Namespace: "logs", Name: "loki", Labels: named("loki"), Port: "http-metrics", Number: 3100, Address: "10.244.0.13",
			},
			args: []string{"-config.file=$dir/loki.yml", "-target=all"},
			files: map[string]string{"rules/none": "", "loki.yml": `auth_enabled: false
server: {http_listen_address: 10.244.0.13, http_listen_port: 3100, grpc_listen_address: 10.244.0.13, grpc_listen_port: 9095}
common: {instance_addr: 10.244.0.13, ring: {instance_addr: 10.244.0.13, kvstore: {store: inmemory}}, replication_factor: 1, path_prefix: $dir/data}
memberlist: {bind_addr: ["10.244.0.13"]}
schema_config: {configs: [{from: "2024-01-01", store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]}
storage_config: {filesystem: {directory: $dir/chunks}}
ruler: {storage: {type: local, local: {directory: $dir/rules}}}
analytics: {reporting_enabled: false}
`},
			ready: "/ready",
			seed: func(t *testing.T, address string) {
				t.Helper()
				now := time.Now().UnixNano()
				post(t, "http://"+address+":3100/loki/api/v1/push", fmt.Sprintf(
					`{"streams": [{"stream": {"job": "lab"}, "values": [["%d", "all is well"], ["%d", "an error in the lab"]]}]}`, now, now+1))
			},
		},
		{
			product: "jaeger-2",
			service: testenv.Service{
				Namespace: "tracing", Name: "jaeger-query", Labels: named("jaeger"), Port: "http-query", Number: 16686, Address: "10.244.0.14",
			},
			args: []string{"--config=$dir/jaeger.yml"},
			files: map[string]string{"jaeger.yml": `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {metrics: {level: none}}
extensions:
  jaeger_storage: {backends: {memory: {memory: {max_traces: 1000}}}}
  jaeger_query: {storage: {traces: memory}, http: {endpoint: "10.244.0.14:16686"}, grpc: {endpoint: "10.244.0.14:16685"}}
receivers: {otlp: {protocols: {http: {endpoint: "10.244.0.14:4318"}}}}
exporters: {jaeger_storage_exporter: {trace_storage: memory}}
`},
			ready: "/api/services",
			seed: func(t *testing.T, address string) {
				t.Helper()
				now := time.Now().UnixNano()
				post(t, "http://"+address+":4318/v1/traces", fmt.Sprintf(`{"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]},
  "scopeSpans": [{"spans": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /cart", "kind": 2,
    "startTimeUnixNano": "%d", "endTimeUnixNano": "%d"}]}]}]}`, now-int64(time.Second), now))
			},
		},
	}
}

// TestBridgeHolmesGPT has the real HolmesGPT, in a network that has no way to the cluster's names, ask real products through a
// real API server: its tools return what is in them.
func TestBridgeHolmesGPT(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	python, err := venv.Python(t.Context(), "../holmes/requirements.txt", t.Logf)
	must(t, err)
	testenv.KubeletBinary(t)
	pods := realPods()
	root, err := products.Root()
	must(t, err)
	addresses := []string{bridgeKubelet}
	for _, p := range pods {
		addresses = append(addresses, p.service.Address)
		if made, found := products.Find(p.product); !found || !made.Had(root) {
			t.Skipf("%s is not in the cache: make real-products", p.product)
		}
	}
	if !testenv.OwnNetwork(t, addresses...) {
		return
	}
	env := testenv.Start(t)
	var forwarded []string
	for _, p := range pods {
		p.start(t, root)
		env.BehindProxy(t, env.Create(t, p.service), p.service.Address)
		forwarded = append(forwarded, p.service.Namespace+"/"+p.service.Name+"="+p.service.Address)
	}
	env.Kubelet(t, bridgeKubelet, forwarded...)
	env.Namespace(t, "people")
	user := env.ServiceAccount(t, "people", "anna")
	env.Grant(t, "", "people", "anna", testenv.Rule("", "services", "list"), testenv.Rule("discovery.k8s.io", "endpointslices", "list"),
		testenv.Rule("", "pods/portforward", "create"))
	for _, namespace := range []string{"monitoring", "secure", "tracing"} { // not logs
		env.Grant(t, namespace, "people", "anna", testenv.Rule("", "services/proxy", "get", "create"))
	}

	query := func(tool string, params object) object { return object{"tool": tool, "params": params} }
	up := func(instance string) object { return object{"query": "up", "description": "lab", "instance": instance} }
	calls := []object{
		query("execute_prometheus_instant_query", up("monitoring/prometheus")),
		query("execute_prometheus_instant_query", up("secure/prometheus")),
		query("get_metric_names", object{"match": `{job!=""}`, "instance": "monitoring/prometheus"}),
		query("grafana_loki_query", object{"query": `{job="lab"} |= "error"`, "instance": "logs/loki"}),
		query("request", object{"method": "GET", "url": "${BRIDGE_JAEGER_URL}/api/traces?service=checkout&limit=5"}),
	}
	wants := []string{`"__name__":"up"`, `"__name__":"up"`, "up", "an error in the lab", "GET /cart"}
	dir := t.TempDir()
	text, err := json.Marshal(calls)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "calls.json"), text, 0o600)
	}
	must(t, err)
	p := env.Process(t, "", []string{"PROMETHEUS_LOGIN=" + base64.StdEncoding.EncodeToString([]byte("reader:secret"))},
		"bridge", "--kubeconfig", user, "--set", "credentials={prometheus: {secure/prometheus: {basic_auth: PROMETHEUS_LOGIN}}}",
		"--", python, "-B", "../real/tools.py", dir)
	if code := p.Wait(t, 3*time.Minute); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	_, printed, _ := strings.Cut(p.Log(t), `{"toolsets"`)
	var got struct {
		Toolsets map[string]struct{ Status, Error string }
		Calls    []struct{ Status, Error, Data string }
	}
	if err := json.NewDecoder(strings.NewReader(`{"toolsets"` + printed)).Decode(&got); err != nil || len(got.Calls) != len(calls) {
		t.Fatalf("what HolmesGPT printed: %v\n%s", err, p.Log(t))
	}
	for i, c := range got.Calls {
		if c.Status != "success" || !strings.Contains(c.Data, wants[i]) {
			t.Errorf("%v: %s %s, want %q in %.500s", calls[i], c.Status, c.Error, wants[i], c.Data)
		}
	}
	t.Run("guide", func(t *testing.T) { tryGuide(t, env, user, filepath.Join(filepath.Dir(python), "holmes")) })
	for _, name := range []string{"prometheus/metrics", "grafana/loki"} {
		if s := got.Toolsets[name]; s.Status != "enabled" {
			t.Errorf("%s is %q: %s", name, s.Status, s.Error)
		}
	}
}

// tryGuide runs the lines of the guide whose programs are here, and HolmesGPT's own command.
func tryGuide(t *testing.T, env *testenv.Env, kubeconfig, holmes string) {
	guide, err := os.ReadFile("../../docs/bridge.md")
	must(t, err)
	bin := t.TempDir()
	for name, program := range map[string]string{"dynamic-toolset": testenv.Binary(t), "holmes": holmes} {
		must(t, os.Symlink(program, filepath.Join(bin, name)))
	}
	wants := map[string]string{"promtool": `up{instance="10.244.0.11:9090", job="p"} => 1`, "curl": `"job"`, "holmes": "✅ Toolset prometheus/metrics"}
	lines := append(strings.Split(string(guide), "\n"), "dynamic-toolset bridge -- holmes toolset list")
	for _, line := range lines {
		if roles, ok := strings.CutPrefix(line, "kubectl create role"); ok {
			env.Kubectl(t, "", strings.Fields("create role"+roles)...)
		}
		_, command, _ := strings.Cut(line, " -- ")
		program := strings.Fields(strings.TrimPrefix(command, "sh -c '") + " -")[0]
		if _, err := exec.LookPath(program); !strings.HasPrefix(line, "dynamic-toolset bridge ") || wants[program] == "" ||
			strings.Contains(line, " ask ") || program != "holmes" && err != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "KUBECONFIG="+kubeconfig, "HOME="+t.TempDir(), "COLUMNS=200")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), wants[program]) {
			t.Errorf("%s: %v, want %q\n%s", line, err, wants[program], out)
		}
		t.Logf("%s\n%s", line, out)
	}
}

// start runs the product until the end of the test, and puts something into it.
func (p *realPod) start(t *testing.T, root string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range p.files {
		file := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o700))
		must(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "$dir", dir)), 0o600))
	}
	made, _ := products.Find(p.product)
	cmd := exec.Command(filepath.Join(made.Folder(root), made.Name)) //nolint:noctx // it is killed below
	for _, a := range p.args {
		cmd.Args = append(cmd.Args, strings.ReplaceAll(a, "$dir", dir))
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", p.product, out.Bytes()[max(0, out.Len()-2000):])
		}
	})
	port := max(p.service.Target, p.service.Number)
	testenv.Eventually(t, time.Minute, p.product+" is up", func() error {
		status, body := bridgeAsk(t, http.MethodGet, fmt.Sprintf("http://%s:%d%s", p.service.Address, port, p.ready), "")
		if status != http.StatusOK && (p.ready != "" || status == 0) {
			return fmt.Errorf("%d %.200s", status, body)
		}
		return nil
	})
	if p.seed != nil {
		p.seed(t, p.service.Address)
	}
}

func post(t *testing.T, url, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s", url, resp.Status)
	}
}
