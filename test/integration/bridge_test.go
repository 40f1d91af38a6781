//go:build integration

package integration

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const bridgeKubelet = "10.244.0.20"

// TestBridge reaches backends through a real API server in each way, with each kind of kubeconfig.
func TestBridge(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	testenv.KubeletBinary(t) // may need the network
	if !testenv.OwnNetwork(t, "10.244.0.11", "10.244.0.12", "10.244.0.13", bridgeKubelet) {
		return
	}
	env := testenv.Start(t)
	prometheus := bridged(t, env, testenv.Service{
		Namespace: "monitoring", Name: "prometheus", Labels: named("prometheus"), Port: "web", Number: 80, Target: 9090,
		Address: "10.244.0.11", Kind: standin.Prometheus, Options: standin.Options{BasePath: "/prom"},
	})
	grafana := bridged(t, env, testenv.Service{
		Namespace: "monitoring", Name: "grafana", Labels: named("grafana"), Port: "http", Number: 80, Target: 3000,
		Address: "10.244.0.12", Kind: standin.Grafana, Options: standin.Options{Credentials: standin.Credentials{Bearer: "glsa"}},
	})
	jaeger := bridged(t, env, testenv.Service{
		Namespace: "tracing", Name: "jaeger-query", Labels: named("jaeger"), Port: "http-query", Number: 80, Target: 16686,
		Address: "10.244.0.13", Kind: standin.Jaeger,
	})
	env.Kubelet(t, bridgeKubelet, "monitoring/prometheus=10.244.0.11", "monitoring/grafana=10.244.0.12", "tracing/jaeger-query=10.244.0.13")

	env.Namespace(t, "people")
	user := env.ServiceAccount(t, "people", "anna")
	env.Grant(t, "", "people", "anna", testenv.Rule("", "services", "list"), testenv.Rule("discovery.k8s.io", "endpointslices", "list"))
	env.Grant(t, "monitoring", "people", "anna", testenv.Rule("", "services/proxy", "get", "create"), testenv.Rule("", "pods/portforward", "create"))
	env.Grant(t, "tracing", "people", "anna", testenv.Rule("", "pods/portforward", "create"))
	set := []string{"--set", "credentials={grafana: {monitoring/grafana: {api_key: GRAFANA_API_KEY}}}", "--set", "health.tries=1"}

	ways := map[string]string{"monitoring/prometheus": "service proxy", "monitoring/grafana": "port-forward", "tracing/jaeger-query": "port-forward"}
	kubeconfigs := map[string]struct {
		path string
		args []string
		ways map[string]string
	}{
		"token":        {user, nil, ways},
		"exec plugin":  {execKubeconfig(t, env), nil, ways},
		"certificate":  {env.Kubeconfig(), nil, map[string]string{"monitoring/prometheus": "service proxy", "monitoring/grafana": "port-forward", "tracing/jaeger-query": "service proxy"}},
		"impersonated": {env.Kubeconfig(), []string{"--as=system:serviceaccount:people:anna"}, ways},
		"port-forward": {user, []string{"--port-forward"}, map[string]string{"monitoring/prometheus": "port-forward", "monitoring/grafana": "port-forward", "tracing/jaeger-query": "port-forward"}},
	}
	for name, k := range kubeconfigs {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			p := env.Process(t, k.path, []string{"TMPDIR=" + tmp}, slices.Concat([]string{"bridge"}, set, k.args)...)
			rows := bridgeTable(t, p, 3)
			for instance, way := range k.ways {
				if rows[instance].way != way {
					t.Errorf("%s: by %q, want %q", instance, rows[instance].way, way)
				}
			}
			if !strings.HasSuffix(rows["monitoring/prometheus"].url, "/prom") {
				t.Errorf("without the base path: %s", rows["monitoring/prometheus"].url)
			}
			for instance, want := range map[string]struct{ path, body, auth string }{
				"monitoring/prometheus": {"/api/v1/query?query=up", "success", ""},
				"monitoring/grafana":    {"/api/search?limit=1", "[", "Bearer glsa"},
				"tracing/jaeger-query":  {"/api/services", "data", ""},
			} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					if status, body := bridgeAsk(t, method, rows[instance].url+want.path, want.auth); status != http.StatusOK || !strings.Contains(body, want.body) {
						t.Errorf("%s %s: %d %.300s", method, instance, status, body)
					}
				}
			}
			if status, _ := bridgeAsk(t, http.MethodGet, rows["monitoring/grafana"].url+"/api/search", "Bearer wrong"); status != http.StatusUnauthorized {
				t.Errorf("Grafana with another token: %d", status)
			}
			p.Signal(t, syscall.SIGINT)
			if code := p.Wait(t, 10*time.Second); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			for _, row := range rows {
				if conn, err := net.DialTimeout("tcp", strings.Split(row.url, "/")[2], time.Second); err == nil {
					conn.Close()
					t.Errorf("%s still listens", row.url)
				}
			}
		})
	}
	for _, b := range []*testenv.Backend{prometheus, grafana, jaeger} {
		for _, r := range b.Standin.Requests() {
			if auth := r.Header.Get("Authorization"); auth != "" && !strings.HasPrefix(auth, "Bearer glsa") && auth != "Bearer wrong" {
				t.Errorf("%s got an Authorization of the kubeconfig's: %.20s", b.Name, auth)
			}
		}
	}
	t.Run("command", func(t *testing.T) { bridgeCommand(t, env, user, set) })
	t.Run("no rights", func(t *testing.T) {
		stranger := env.ServiceAccount(t, "people", "bob")
		env.Grant(t, "", "people", "bob", testenv.Rule("", "services", "list"), testenv.Rule("discovery.k8s.io", "endpointslices", "list"))
		r := env.Run(t, stranger, slices.Concat([]string{"bridge"}, set)...)
		const role = "kubectl create role bridge -n monitoring --verb=get,create --resource=services/proxy"
		if r.Code != 1 || !strings.Contains(r.Stderr, role) {
			t.Errorf("exit %d: %s", r.Code, r.Stderr)
		}
		env.Kubectl(t, "", strings.Fields(role)[1:]...) // it is a command that works
		env.Grant(t, "monitoring", "people", "bob", testenv.Rule("", "services/proxy", "get"))
		p := env.Process(t, stranger, nil, slices.Concat([]string{"bridge"}, set)...)
		rows := bridgeTable(t, p, 1)
		status, body := bridgeAsk(t, http.MethodPost, rows["monitoring/prometheus"].url+"/api/v1/query?query=up", "")
		if status != http.StatusBadGateway || !strings.Contains(body, "create on services/proxy in namespace monitoring") || !strings.Contains(body, "create on pods/portforward") {
			t.Errorf("POST with get alone: %d %s", status, body)
		}
		if log := p.Log(t); !strings.Contains(log, "grafana monitoring/grafana cannot be reached: ") {
			t.Errorf("Grafana without port-forward: %s", log)
		}
	})
}

// bridged makes a Service whose stand-in is a pod's.
func bridged(t *testing.T, env *testenv.Env, s testenv.Service) *testenv.Backend {
	t.Helper()
	kind := s.Kind
	s.Kind = ""
	b := env.Create(t, s)
	b.Standin = standin.New(kind, s.Options)
	b.ListenAt(t, s.Address, s.TLS)
	if !s.Headless {
		env.BehindProxy(t, b, s.Address)
	}
	return b
}

// bridgeCommand has bridge run commands.
func bridgeCommand(t *testing.T, env *testenv.Env, kubeconfig string, set []string) {
	tmp := t.TempDir()
	start := func(script string) *testenv.Process {
		args := slices.Concat([]string{"bridge", "--kubeconfig", kubeconfig}, set, []string{"--", "sh", "-c", script})
		return env.Process(t, "", []string{"TMPDIR=" + tmp, "GRAFANA_API_KEY=glsa", "HTTP_PROXY=http://127.0.0.1:1"}, args...)
	}
	p := start(`stat -c %a "$CUSTOM_TOOLSET_LOCATION"; cat "$CUSTOM_TOOLSET_LOCATION"; echo "$BRIDGE_PROMETHEUS_URL $NO_PROXY"; exit 7`)
	if code := p.Wait(t, 30*time.Second); code != 7 {
		t.Errorf("exit code %d, want the command's own, 7", code)
	}
	log := p.Log(t)
	if wrong := amiss(log, "600\n", "prometheus_url: http://127.0.0.1:", "api_key: '{{ env.GRAFANA_API_KEY }}'", "/prom 127.0.0.1\n",
		"-svc.cluster.local"); len(wrong) > 0 {
		t.Errorf("not as wanted: %q in what the command printed: %s", wrong, log)
	}
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 21, syscall.SIGTERM: 22, syscall.SIGHUP: 23} {
		p := start(`trap "exit 21" INT; trap "exit 22" TERM; trap "exit 23" HUP; echo up; while :; do sleep 0.05; done`)
		testenv.Eventually(t, 30*time.Second, "the command runs", func() error {
			if log := p.Log(t); !strings.Contains(log, "up\n") {
				return fmt.Errorf("%s", log)
			}
			return nil
		})
		p.Signal(t, sig)
		if got := p.Wait(t, 10*time.Second); got != code {
			t.Errorf("%s: exit code %d, want %d", sig, got, code)
		}
	}
	bridgeTerminal(t, env, kubeconfig)
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// bridgeTerminal presses Ctrl-C at a terminal, which sends it to the command as well: it comes once, and the command goes on.
func bridgeTerminal(t *testing.T, env *testenv.Env, kubeconfig string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	defer master.Close()
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	must(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	defer terminal.Close()
	cmd := exec.CommandContext(t.Context(), testenv.Binary(t), "bridge", "--kubeconfig", kubeconfig, "--set", "health.tries=1", "--",
		"sh", "-c", `trap "echo pressed" INT; echo up; i=0; while [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done; exit 5`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	var shown strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		pressed := false
		for b := make([]byte, 1024); ; {
			n, err := master.Read(b)
			shown.Write(b[:n])
			if !pressed && strings.Contains(shown.String(), "up\r\n") {
				pressed = true
				_, _ = master.WriteString("\x03")
			}
			if err != nil { // the last one has closed the terminal
				return
			}
		}
	}()
	_ = cmd.Wait()
	terminal.Close()
	<-done
	if code := cmd.ProcessState.ExitCode(); code != 5 || strings.Count(shown.String(), "pressed") != 1 {
		t.Errorf("exit code %d, want 5, after one Ctrl-C:\n%s", code, shown.String())
	}
}

type bridgeRow struct{ url, way string }

// bridgeTable waits for the table that bridge prints, and returns its rows by instance.
func bridgeTable(t *testing.T, p *testenv.Process, n int) map[string]bridgeRow {
	t.Helper()
	rows := map[string]bridgeRow{}
	testenv.Eventually(t, 30*time.Second, "the table", func() error {
		clear(rows)
		for l := range strings.Lines(p.Log(t)) {
			if f := strings.Fields(l); len(f) > 4 && strings.HasPrefix(f[3], "http://127.0.0.1:") {
				rows[f[1]] = bridgeRow{f[3], strings.Join(f[4:], " ")}
			}
		}
		if len(rows) != n {
			return fmt.Errorf("%v\n%s", slices.Collect(maps.Keys(rows)), p.Log(t))
		}
		return nil
	})
	return rows
}

func bridgeAsk(t *testing.T, method, url, authorization string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(""))
	must(t, err)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// execKubeconfig is anna's, whose token a program prints.
func execKubeconfig(t *testing.T, env *testenv.Env) string {
	t.Helper()
	plugin := filepath.Join(t.TempDir(), "login")
	script := fmt.Sprintf(`#!/bin/sh
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": %q}}'
`, env.Token(t, "people", "anna"))
	must(t, os.WriteFile(plugin, []byte(script), 0o700))
	c := clientcmdapi.NewConfig()
	c.Clusters["c"] = &clientcmdapi.Cluster{Server: env.Config.Host, CertificateAuthorityData: env.Config.CAData}
	c.AuthInfos["u"] = &clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: plugin, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}}
	c.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	c.CurrentContext = "x"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*c, path))
	return path
}
