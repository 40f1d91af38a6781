//go:build integration && day

package day

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/real/products"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// realProducts are those on this machine, each pod of which is a process at an address of its own.
type realProducts struct {
	root, dir string
	log       func(string, ...any)
	certs     *certificates
	upstream  string // where the fronts lead: http://address:port
	count     atomic.Int32
}

// program is how a product is run. $ip, $dir and $certs are filled in.
type program struct {
	products []string // the first one that is in the cache
	port     string
	ready    string // answers 200
	wants    string // a text in that answer
	args     []string
	files    map[string]string
}

const scrapeItself = `global: {scrape_interval: 1s}
scrape_configs: [{job_name: itself, static_configs: [{targets: ["$ip:$port"]}]}]
`

func (r *realProducts) programs() map[string]program {
	return map[string]program{
		"prometheus": {
			products: []string{"prometheus-debian", "prometheus-3"}, port: "9090",
			ready: "/api/v1/query?query=up", wants: `"itself"`,
			args:  []string{"--config.file=$dir/p.yml", "--storage.tsdb.path=$dir/data", "--web.listen-address=$ip:9090"},
			files: map[string]string{"p.yml": scrapeItself},
		},
		"victoria-metrics": {
			products: []string{"victoria-metrics"}, port: "8428", ready: "/api/v1/query?query=up", wants: `"itself"`,
			args: []string{
				"-httpListenAddr=$ip:8428", "-storageDataPath=$dir/data", "-promscrape.config=$dir/p.yml",
				"-search.latencyOffset=1s", "-memory.allowedBytes=64MB",
			},
			files: map[string]string{"p.yml": scrapeItself},
		},
		"jaeger": {
			products: []string{"jaeger"}, port: "16686", ready: "/api/services",
			args: []string{
				"--query.http-server.host-port=$ip:16686", "--query.grpc-server.host-port=$ip:16685",
				"--collector.http-server.host-port=$ip:14268", "--collector.grpc-server.host-port=$ip:14250",
				"--collector.otlp.grpc.host-port=$ip:4317", "--collector.otlp.http.host-port=$ip:4318",
				"--collector.zipkin.host-port=$ip:9411", "--admin.http.host-port=$ip:14269", "--http-server.host-port=$ip:5778",
				"--processor.jaeger-binary.server-host-port=$ip:6832", "--processor.jaeger-compact.server-host-port=$ip:6831",
				"--processor.zipkin-compact.server-host-port=$ip:5775",
			},
		},
		"front": r.nginx("8080", "gzip on; gzip_types application/json;"),
		"front-tls": r.nginx("8443",
			"listen $ip:8443 ssl; ssl_certificate $certs/backend.crt; ssl_certificate_key $certs/backend.key;"),
	}
}

// nginx is one before the upstream.
func (r *realProducts) nginx(port, directives string) program {
	user, temporary := "", ""
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("  %s_temp_path $dir/%s;\n", kind, kind)
	}
	return program{
		products: []string{"nginx"}, port: port, ready: ":8080/-/ready",
		args: []string{"-p", "$dir", "-e", "stderr", "-c", "$dir/nginx.conf"},
		files: map[string]string{"nginx.conf": user + `daemon off;
pid $dir/nginx.pid;
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
` + temporary + "  proxy_http_version 1.1;\n" +
			"  server { listen $ip:8080; " + directives + " location / { proxy_pass $up; } }\n}\n"},
	}
}

// had is the first of the program's products that is in the cache, with the path of its command.
func (r *realProducts) had(p *program) (path string, ok bool) {
	for _, one := range products.All() {
		if slices.Contains(p.products, one.Name) && one.Had(r.root) {
			path = filepath.Join(one.Folder(r.root), one.Name)
			if one.Debian != nil {
				path = filepath.Join(one.Folder(r.root), one.Debian.Path)
			}
			return path, true
		}
	}
	return "", false
}

// pod starts pods of the product, or of the stand-in where it cannot be had, which is said.
func (r *realProducts) pod(name string, instead standin.Kind) func() (*pod, error) {
	p := r.programs()[name]
	path, ok := r.had(&p)
	if !ok {
		r.log("%s is a stand-in here: make real-products has put no %s into the cache", name, strings.Join(p.products, " or "))
		if name == "front-tls" {
			return r.tlsStandIn(instead)
		}
		return standIn(instead)
	}
	return func() (*pod, error) { return r.run(name, path, &p) }
}

// longest is how long a product runs, whatever becomes of the test.
const longest = "150m"

func (r *realProducts) run(name, path string, p *program) (*pod, error) {
	n := r.count.Add(1)
	ip := fmt.Sprintf("127.100.%d.%d", n/250, n%250+1)
	dir := filepath.Join(r.dir, fmt.Sprintf("%s-%d", name, n))
	expand := strings.NewReplacer("$ip", ip, "$dir", dir, "$certs", r.certs.dir, "$port", p.port, "$up",
		r.upstream).Replace
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	for file, text := range p.files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(expand(text)), 0o600); err != nil {
			return nil, err
		}
	}
	command := []string{"--kill-after=5s", longest, path}
	for _, a := range p.args {
		command = append(command, expand(a))
	}
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command("timeout", command...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, out, out, append(os.Environ(), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	one := &pod{address: ip + ":" + p.port, stop: func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // it may have ended
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		_ = os.RemoveAll(dir)
	}}
	at := "http://" + one.address + p.ready
	if strings.HasPrefix(p.ready, ":") {
		at = "http://" + ip + p.ready
	}
	if err := answers(at, p.wants, done); err != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "output"))
		one.stop()
		return nil, fmt.Errorf("%s: %w\n%s", name, err, text[max(0, len(text)-2000):])
	}
	return one, nil
}

// answers waits until the URL is answered with 200 and the text.
func answers(url, text string, ended <-chan struct{}) (err error) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			return errors.New("it has ended")
		default:
		}
		var status int
		var body string
		status, body, err = get(http.DefaultClient, url)
		if err == nil && status == http.StatusOK && strings.Contains(body, text) {
			return nil
		}
		err = errors.Join(err, fmt.Errorf("GET %s: %d %.200s", url, status, body))
	}
	return err
}

// renew has the fronts take their certificate from its files again.
func (r *realProducts) renew() error {
	files, err := filepath.Glob(filepath.Join(r.dir, "front-tls-*", "nginx.pid"))
	for _, file := range files {
		var pid int
		if text, err := os.ReadFile(file); err == nil {
			_, _ = fmt.Sscan(string(text), &pid)
		}
		if pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGHUP) // it may have ended meanwhile
		}
	}
	return err
}

func newReal(t *testing.T, certs *certificates) *realProducts {
	root, err := products.Root()
	if err != nil {
		t.Fatal(err)
	}
	return &realProducts{root: root, dir: t.TempDir(), log: t.Logf, certs: certs}
}

// tlsStandIn is the stand-in for a front with TLS.
func (r *realProducts) tlsStandIn(kind standin.Kind) func() (*pod, error) {
	return func() (*pod, error) {
		s := httptest.NewUnstartedServer(standin.New(kind, standin.Options{}))
		s.Config.ErrorLog = discard
		files := filepath.Join(r.certs.dir, "backend")
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		s.TLS.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(files+".crt", files+".key")
			return &pair, err
		}
		s.StartTLS()
		return &pod{address: s.Listener.Addr().String(), stop: s.Close}, nil
	}
}
