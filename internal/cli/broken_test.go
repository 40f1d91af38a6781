package cli

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestBrokenInput: each mistake is one line on standard error that says what is wrong, where, and what to do, and nothing
// on standard output.
func TestBrokenInput(t *testing.T) {
	t.Attr("req", "DTS-CLI-5 DTS-CFG-1")
	prose := writeFile(t, "prose.txt", "hello world")
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	nocontext := writeFile(t, "kubeconfig", "apiVersion: v1\nkind: Config\n")
	const orFiles = "; correct it, or name another with --kubeconfig, or read files with -f"
	tests := []struct {
		name, stdin string
		args        []string
		code        int
		want        string
	}{
		{"not YAML", "", []string{"discover", "-f", prose}, 1, prose + ": no Kubernetes object in it: document 1 (line 1): expected a Kubernetes object, with its kind"},
		{"truncated JSON", `{"kind": "List", "items": [{"kind": "Service"`, []string{"discover", "-f", "-"}, 1,
			"standard input: line 1: the JSON ends in the middle of an object; was the output cut off?"},
		{"empty", "", []string{"discover", "-f", "-"}, 1, "standard input: it is empty"},
		{"directory", "", []string{"discover", "-f", dir}, 1, dir + ": it is a directory; name the files in it, each with a -f of its own"},
		{"missing file", "", []string{"discover", "-f", missing}, 1, missing + ": no such file or directory"},
		{"bad namespace", "", []string{"discover", "-f", clusterFile, "-n", "A_b"}, 1, `"A_b" is no namespace: a DNS label is expected`},

		{"no cluster", "", []string{"discover"}, 1, "no cluster: there is no kubeconfig (KUBECONFIG or ~/.kube/config) and this is not a pod; name one with --kubeconfig, or read files with -f"},
		{"missing kubeconfig", "", []string{"discover", "--kubeconfig", missing}, 1, "kubeconfig: stat " + missing + ": no such file or directory" + orFiles},
		{"a directory for a kubeconfig", "", []string{"discover", "--kubeconfig", dir}, 1, "kubeconfig: error loading config file \"" + dir + "\": read " + dir + ": is a directory" + orFiles},
		{"no context chosen", "", []string{"discover", "--kubeconfig", nocontext}, 1,
			"kubeconfig " + nocontext + ": it does not exist, or chooses no cluster; correct the path, or name a context with --context, or read files with -f"},
		{"missing context", "", []string{"discover", "--kubeconfig", nocontext, "--context", "prod"}, 1,
			`kubeconfig: context "prod" does not exist` + orFiles},
		{"bad server", "", []string{"discover", "-s", "a:b:c"}, 1,
			`kubeconfig: parse "http://a:b:c": invalid port ":b:c" after host` + orFiles},
		{"no cluster for diff", "", []string{"diff", "-f", clusterFile}, 2,
			"no cluster: there is no kubeconfig (KUBECONFIG or ~/.kube/config) and this is not a pod; name one with --kubeconfig"},
		{"standard input twice", "", []string{"discover", "-f", "-", "-f", "-"}, 1, `standard input ("-") can be read once only, it is named twice`},

		{"missing configuration", "", []string{"discover", "-f", clusterFile, "--config", missing}, 1,
			"config file " + missing + ": no such file or directory"},
		{"unknown key", "", []string{"discover", "-f", clusterFile, "--set", "health.timeot=2s"}, 1,
			`--set health.timeot: unknown key; did you mean "timeout"?`},
		{"bad value", "", []string{"discover", "-f", clusterFile, "--set", "health.timeout=soon"}, 1,
			`--set health.timeout: expected a duration such as 30s or 5m, found "soon"`},
		{"bad --set", "", []string{"discover", "-f", clusterFile, "--set", "health"}, 1, "--set: expected path=value, e.g. health.interval=1m"},
		{"missing CA file", "", []string{"discover", "-f", clusterFile, "--probe=direct", "--set", "tls.caFile=" + missing}, 1,
			"config tls.caFile " + missing + ": no such file or directory"},
		{"no certificate in the CA file", "", []string{"discover", "-f", clusterFile, "--probe=direct", "--set", "tls.caFile=" + prose}, 1,
			"config tls.caFile " + prose + ": no certificate in it: expected PEM, with -----BEGIN CERTIFICATE-----"},
		{"missing overrides", "", []string{"generate", "-f", clusterFile, "--overrides", missing}, 1, "--overrides " + missing + ": no such file or directory"},
		{"bad overrides", "", []string{"generate", "-f", clusterFile, "--overrides", prose}, 1, prose + ":1:1: expected a mapping with toolsets, mcp_servers, instances or compact"},
		{"bad overrides for diff", "", []string{"diff", "-f", clusterFile, "--overrides", prose}, 2, prose + ":1:1: expected a mapping with toolsets, mcp_servers, instances or compact"},
		{"unknown --key", "", []string{"generate", "-f", clusterFile, "--key", "loki-toolset.yaml"}, 1,
			"--key loki-toolset.yaml: not among what is generated, which is custom_toolset.yaml, grafana-toolset.yaml, kubernetes-toolset.yaml, prometheus-toolset.yaml"},

		{"no such Service", "", []string{"explain", "-f", clusterFile, "monitoring/promtheus-server"}, 1,
			"no Service monitoring/promtheus-server among the 9 Services that were read: did you mean monitoring/prometheus-server?"},
		{"no such namespace", "", []string{"explain", "-f", clusterFile, "nowhere/nothing"}, 1,
			"no Service nowhere/nothing among the 9 Services that were read: no Service of namespace nowhere was read; discover --all lists them"},
		{"no such backend outside", "", []string{"explain", "-f", clusterFile, "outside/nothing"}, 1,
			"no Service outside/nothing among the 9 Services that were read: no Service of namespace outside was read; discover --all lists them"},
		{"namespace left out", "", []string{"explain", "-f", clusterFile, "shop/checkout", "--set", "discovery.excludeNamespaces=[shop]"}, 1,
			"no Service shop/checkout among those that were read: the configuration leaves its namespace out (discovery.excludeNamespaces); -n shop reads it anyway"},
		{"no such type", "", []string{"catalog", "promethes"}, 1, `no type "promethes" in the catalog: did you mean prometheus?`},
		{"no such file to validate", "", []string{"validate", missing}, 1, "file " + missing + ": no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := result{tt.code, "", "error: " + tt.want + "\n"}
			got := runWith(t, tt.stdin, tt.args...)
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestNoServices: an error for input without a Service, after the reasons why its objects are not used.
func TestNoServices(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	const end = "error: no Services were read; kubectl get svc,endpointslices -A -o json gives what is needed\n"
	kinds := writeFile(t, "a-b.yaml", "kind: ConfigMap\napiVersion: v1\n")
	refused := "kind: Service\napiVersion: v1\nmetadata: {name: a_b}\n---\n"
	for _, tt := range []struct {
		stdin string
		args  []string
		want  []string
	}{
		{"kind: ConfigMap\napiVersion: v1\n", []string{"-f", "-"}, []string{"warning: standard input: no Services in it (skipped 1 of other kinds)\n"}},
		{refused, []string{"-f", "-"}, []string{`document 1 (line 1): Service: metadata.name: "a_b" is no DNS label`, "no Services in it (refused 1)\n"}},
		{strings.Repeat(refused, 150), []string{"-f", "-"}, []string{"document 1 (line 1): ", "warning: and 51 more like these\n"}},
		{"kind: ConfigMap\napiVersion: v1\n", []string{"-f", kinds, "-f", "-"}, []string{kinds + ": no Services in it", "standard input: no Services in it"}},
	} {
		r := runWith(t, tt.stdin, append([]string{"generate"}, tt.args...)...)
		if r.code != 1 || r.out != "" || !strings.HasSuffix(r.err, end) {
			t.Errorf("%q: %+v", tt.args, r)
		}
		expect(t, r.err, tt.want...)
	}
}

// TestMissingKubeconfigs: a KUBECONFIG of missing files is a mistake in a path, and not a kubeconfig without a context.
func TestMissingKubeconfigs(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	missing := filepath.Join(t.TempDir(), "missing")
	missing += string(filepath.ListSeparator) + missing + "2"
	t.Setenv("KUBECONFIG", missing)
	want := result{1, "", "error: kubeconfig " + missing + ": it does not exist, or chooses no cluster; " +
		"correct the path, or name a context with --context, or read files with -f\n"}
	if got := runWith(t, "", "discover"); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestUsageErrors are mistakes in the command line itself: exit code 2.
func TestUsageErrors(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	help := func(command, text string) string {
		return text + " (" + strings.TrimSpace("dynamic-toolset "+command) + " --help shows how it is used)"
	}
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"discovr"}, help("", `unknown command "discovr" for "dynamic-toolset" Did you mean this? discover`)},
		{[]string{"frobnicate", "-f", "x"}, help("", `unknown command "frobnicate" for "dynamic-toolset"`)},
		{[]string{"frobnicate"}, help("", `unknown command "frobnicate" for "dynamic-toolset"`)},
		{[]string{"--bogus"}, help("", `unknown flag: --bogus`)},
		{[]string{"discover", "--bogus"}, help("discover", `unknown flag: --bogus`)},
		{[]string{"discover", "-f"}, help("discover", `flag needs an argument: 'f' in -f`)},
		{[]string{"discover", "x"}, help("discover", `accepts 0 arg(s), received 1`)},
		{[]string{"discover", "-o", "xml"}, help("discover", `invalid argument "xml" for "-o, --output" flag: expected table, wide, json or yaml`)},
		{[]string{"discover", "-o", ""}, help("discover", `invalid argument "" for "-o, --output" flag: expected table, wide, json or yaml`)},
		{[]string{"discover", "--probe=maybe"}, help("discover", `invalid argument "maybe" for "--probe" flag: expected auto, direct, proxy or off`)},
		{[]string{"discover", "-A", "-n", "x"}, `-A and -n x exclude each other`},
		{[]string{"discover", "-f", clusterFile, "--probe=proxy"}, `--probe=proxy goes through a cluster's API server and cannot be used with -f: try --probe=direct`},
		{[]string{"generate", "-o", "table"}, help("generate", `invalid argument "table" for "-o, --output" flag: expected yaml or json`)},
		{[]string{"doctor", "-o", "table"}, help("doctor", `invalid argument "table" for "-o, --output" flag: expected text, json or yaml`)},
		{[]string{"doctor", "x"}, help("doctor", `accepts 0 arg(s), received 1`)},
		{[]string{"explain"}, help("explain", `accepts 1 arg(s), received 0`)},
		{[]string{"explain", "a", "b"}, help("explain", `accepts 1 arg(s), received 2`)},
		{[]string{"explain", "prometheus"}, `"prometheus": expected NAMESPACE/NAME, for example monitoring/prometheus`},
		{[]string{"explain", "Prometheus!"}, `"Prometheus!": expected NAMESPACE/NAME, for example monitoring/prometheus`},
		{[]string{"explain", "a/b/c"}, `"a/b/c": expected NAMESPACE/NAME, for example monitoring/prometheus`},
		{[]string{"explain", "a/b\x1b[31m"}, `"a/b\x1b[31m": expected NAMESPACE/NAME, for example monitoring/prometheus`},
		{[]string{"explain", "a/b", "-o", "wide"}, help("explain", `invalid argument "wide" for "-o, --output" flag: expected text, json or yaml`)},
		{[]string{"catalog", "-o", "json"}, help("catalog", `unknown shorthand flag: 'o' in -o`)},
		{[]string{"catalog", "a", "b"}, help("catalog", `accepts at most 1 arg(s), received 2`)},
		{[]string{"validate"}, help("validate", `accepts 1 arg(s), received 0`)},
		{[]string{"validate", "--as", "poem", "x"}, help("validate", `invalid argument "poem" for "--as" flag: expected config, catalog, overrides, document or configmap`)},
		{[]string{"version", "-o", "xml"}, help("version", `unknown shorthand flag: 'o' in -o`)},
		{[]string{"serve", "-f", "x"}, `-f needs --out: the directory for what is written`},
		{[]string{"serve", "--overrides", "x"}, `--overrides needs --out; without it the overrides are the key overrides.yaml of the ConfigMap`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			want := result{2, "", "error: " + tt.want + "\n"}
			if got := run(t, tt.args...); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestClusterErrors: whatever is wrong with the API server, the command ends soon, with one line and the right code.
func TestClusterErrors(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	hung, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	refusing := func(status int32, reason string) string {
		api := &apiServer{refuse: func(*http.Request) *metav1.Status {
			return &metav1.Status{Code: status, Reason: metav1.StatusReason(reason), Message: "no"}
		}}
		host, _ := api.start(t)
		return host
	}
	refused := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(closedPort(t, "127.0.0.1")))
	tests := []struct {
		name, host, discover, diff string
	}{
		{"refused", refused, "connection refused; is the cluster running", "connection refused; is the cluster running"},
		{"unauthorized", refusing(401, "Unauthorized"), "does not accept the credentials (401); log in again", "does not accept the credentials (401); log in again"},
		{"forbidden", refusing(403, "Forbidden"), "not allowed to list services in all namespaces (403); to allow it, add", "not allowed to get configmaps kubernaut-system/kubernaut-toolset-config (403); to allow it, add"},
		{"TLS", secure.URL, "its certificate is not trusted", "certificate signed by unknown authority"},
		{"hung", "http://" + hung.Addr().String(), "did not answer in time", "did not answer in time"},
	}
	for _, tt := range tests {
		for _, c := range []struct {
			args []string
			code int
			want string
		}{
			{[]string{"discover"}, 1, tt.discover},
			{[]string{"diff", "-f", clusterFile}, 2, tt.diff},
		} {
			t.Run(tt.name+"/"+c.args[0], func(t *testing.T) {
				timeout := "1m"
				if tt.name == "hung" {
					timeout = "200ms"
				}
				begin := time.Now()
				got := run(t, append(c.args, "-s", tt.host, "--request-timeout", timeout)...)
				if got.code != c.code || got.out != "" || strings.Count(got.err, "\n") != 1 || !strings.HasPrefix(got.err, "error: ") ||
					!strings.Contains(got.err, c.want) || !strings.Contains(got.err, tt.host) && tt.name != "forbidden" {
					t.Errorf("%+v\nwant exit code %d, stderr with %q", got, c.code, c.want)
				}
				if took := time.Since(begin); took > 10*time.Second {
					t.Errorf("took %s", took)
				}
			})
		}
	}
}

// TestForbiddenNamespace: one namespace that may not be read is told, and the others are shown.
func TestForbiddenNamespace(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	api := new(apiServer)
	for _, ns := range []string{"a", "b", "c"} {
		api.services = append(api.services, serviceObject(ns, "grafana", named("grafana"), "10.0.0.1", port("", 80, 3000)))
	}
	api.refuse = forbids("/namespaces/b/", true)
	_, kubeconfig := api.start(t)
	r := mustRun(t, "discover", "--kubeconfig", kubeconfig, "--probe=off", "--set", "discovery.namespaces=[a, b]")
	if !strings.Contains(r.out, "grafana.a.svc") || strings.Contains(r.out, "grafana.b.") || strings.Contains(r.out, "grafana.c.") {
		t.Errorf("stdout: %s", r.out)
	}
	if strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, `warning: not allowed to list services in namespace "b" (403)`) {
		t.Errorf("stderr: %s", r.err)
	}
}

// TestBadCatalogFile: a bad type of the user's own is told and left out; the rest still works.
func TestBadCatalogFile(t *testing.T) {
	t.Attr("req", "DTS-DET-1")
	dir := filepath.Dir(writeFile(t, "mine.yaml", "type: mine\ntitel: Mine\ndetect:\n"))
	r := mustRun(t, "discover", "-f", clusterFile, "--set", "catalog.dir="+dir)
	expect(t, r.out, "prometheus-server")
	for l := range strings.Lines(r.err) {
		if !strings.HasPrefix(l, "warning: catalog: ") || !strings.Contains(l, "mine.yaml") {
			t.Errorf("stderr: %s", l)
		}
	}
	expect(t, r.err, `mine.yaml:2:1: titel: unknown key; did you mean "title"?`)
}

// closedStdout is what head leaves behind.
type closedStdout struct{}

func (closedStdout) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
}

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "out.yaml", Err: syscall.ENOSPC}
}

func TestStdoutFails(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	for _, args := range [][]string{
		{"discover"}, {"discover", "-o", "json"}, {"discover", "-o", "yaml"}, {"discover", "--all"}, {"generate"}, {"generate", "--key", "custom_toolset.yaml"},
		{"explain", "monitoring/grafana"}, {"explain", "monitoring/grafana", "-o", "json"},
	} {
		args = append(args, "-f", clusterFile)
		var errs strings.Builder
		if code := Run(t.Context(), "x", args, Streams{Out: closedStdout{}, Err: &errs}); code != 1 || strings.Contains(errs.String(), "error") {
			t.Errorf("%q | head: exit code %d, %s", args, code, errs.String())
		}
		if code := Run(t.Context(), "x", args, Streams{Out: full{}, Err: &errs}); code != 1 || !strings.Contains(errs.String(), "error: write out.yaml: no space left on device\n") {
			t.Errorf("%q > full disk: exit code %d, %s", args, code, errs.String())
		}
	}
	for _, args := range [][]string{
		{"catalog"}, {"catalog", "prometheus"}, {"version"}, {"completion", "bash"}, {"--help"}, {"help", "serve"}, {"serve", "-h"}, {},
	} {
		var errs strings.Builder
		if code := Run(t.Context(), "x", args, Streams{Out: full{}, Err: &errs}); code != 1 {
			t.Errorf("%q > full disk: exit code %d, %s", args, code, errs.String())
		}
	}
}
