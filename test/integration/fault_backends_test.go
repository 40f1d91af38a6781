//go:build integration

package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// zeros writes n zeros as the answer to everything.
func zeros(n int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.Copy(w, io.LimitReader(zero{}, n)) // the caller hangs up
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// drip answers one byte at a time, for ever.
func drip(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	}
}

// reset reads a request and breaks off.
func reset(c net.Conn) {
	_, _ = c.Read(make([]byte, 1)) // whatever it is
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// Backends of every bad kind, with the settings that the service comes with: they delay no other, and each is told apart.
func TestFaultBackends(t *testing.T) {
	t.Attr("req", "DTS-PRB-1 DTS-PRB-3 DTS-PRB-4 DTS-PRB-5 DTS-PRB-6 DTS-RUN-3")
	env := testenv.Shared(t)
	service := func(name, typ string, number int32) testenv.Service {
		return testenv.Service{Namespace: "bad", Name: name, Labels: named(typ), Port: "http", Number: number}
	}
	var elsewhere, early atomic.Int32
	foreign, err := standin.Start("127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	must(t, err)
	t.Cleanup(func() { _ = foreign.Close() })

	put(t, env, service("hanging", "grafana", 3000), standin.New(standin.Hanging, standin.Options{}))
	put(t, env, service("dripping", "zipkin", 9411), http.HandlerFunc(drip))
	put(t, env, service("endless", "kibana", 5601), zeros(1<<30))
	put(t, env, service("redirecting", "alertmanager", 9093), standin.New(standin.Redirector, standin.Options{RedirectTo: foreign.URL}))
	raw(t, env, service("resetting", "opensearch", 9200), reset)
	env.Create(t, service("dead", "victoria-logs-single", 9428)) // nobody listens
	secret := testenv.Service{Namespace: "bad", Name: "untrusted", Labels: named("vmsingle"), Port: "https", Number: 8428, Kind: standin.VictoriaMetrics, TLS: true}
	env.Create(t, secret)
	plain := prometheusIn("bad", "tls-on-a-plain-port")
	plain.TLS = true
	env.Create(t, plain)
	unready := service("starting", "jaeger", 16686)
	unready.Labels["app.kubernetes.io/component"] = "query"
	starting := raw(t, env, unready, func(c net.Conn) { early.Add(1); _ = c.Close() })
	env.SetReady(t, "bad", "starting", false)
	early.Store(0)
	good := env.Create(t, prometheusIn("good", "there-before"))

	// Trusted, so that its fourth change of the document does not wait for a turn.
	p := running(t, env.Process(t, env.Kubeconfig(), nil, "serve", "--set", "log.format=text", "--set", "security.trustedNamespaces=[good]",
		"--set", "auth.mode=none", "--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0"))
	published(t, env, "the one that works is published", good.URL())
	p.answers(t, 20*time.Second, "/readyz", http.StatusOK)
	for i := range 3 {
		late := env.Create(t, prometheusIn("good", fmt.Sprintf("later-%d", i)))
		published(t, env, "one that comes later is published", late.URL())
	}
	if n := p.metric(t, failures("grafana", "timeout")); n > 0 {
		t.Error("they waited for the three tries of a backend that hangs")
	}

	for typ, reason := range map[string]string{
		"grafana":         "timeout",
		"zipkin":          "timeout",
		"kibana":          "wrong-identity",
		"alertmanager":    "wrong-identity",
		"opensearch":      "reset",
		"victorialogs":    "refused",
		"victoriametrics": "untrusted-tls",
		"prometheus":      "untrusted-tls",
		"jaeger":          "no-endpoints",
	} {
		testenv.Eventually(t, 30*time.Second, typ+" is found to be: "+reason, func() error {
			if p.metric(t, failures(typ, reason)) == 0 {
				_, all := get(p.metrics + "/metrics")
				return fmt.Errorf("failures of the type:\n%s", grep(all, `service_type="`+typ+`"} `, " 0\n"))
			}
			return nil
		})
	}
	cm := published(t, env, "nothing bad is published", "-bad/")
	for key, text := range cm.Data {
		if strings.Contains(text, ".bad.svc") {
			t.Errorf("%s has a backend that does not work:\n%s", key, text)
		}
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("a redirect was followed to another host %d times", n)
	}
	if n := early.Load(); n > 0 {
		t.Errorf("%d connections were made to %s, which has no ready endpoint", n, starting.Name)
	}
	if rss := p.RSS(t); rss > 200<<20 {
		t.Errorf("it has %d MiB of memory after answers without end", rss>>20)
	}
}

// grep are the lines of text with want and without not.
func grep(text, want, not string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, want) && !strings.Contains(line, not) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// failing is a backend that can be made to fail, and to hang.
type failing struct {
	standin *standin.Backend
	broken  atomic.Bool
	asked   atomic.Int32
}

func (f *failing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	if f.broken.Load() {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	f.standin.ServeHTTP(w, r)
}

// One failed check is nothing, and the first good one brings back what was withdrawn. Without ready endpoints no connection is made.
// Thresholds and rolling restarts are in the tests of internal/health.
func TestFaultThreshold(t *testing.T) {
	t.Attr("req", "DTS-PRB-4 DTS-PRB-7")
	env := testenv.Shared(t)
	backend := &failing{standin: standin.New(standin.Prometheus, standin.Options{})}
	b := put(t, env, prometheusIn("monitoring", "prometheus"), backend)
	p := start(t, env, "--set", "security.trustedNamespaces=[monitoring]", "--set", "health.interval=1500ms")
	before := published(t, env, "it is published", b.URL()).ResourceVersion
	fails := func(reason string) {
		t.Helper()
		p.reaches(t, failures("prometheus", reason), p.metric(t, failures("prometheus", reason))+1)
	}
	backend.broken.Store(true)
	fails("not-ready")
	backend.broken.Store(false)
	unchanged(t, env, before, 4*time.Second, "one failed check changes nothing")
	backend.broken.Store(true)
	published(t, env, "three failed checks in a row withdraw it", "-"+b.URL())
	backend.broken.Store(false)
	published(t, env, "the first good check brings it back", b.URL())

	env.SetReady(t, b.Namespace, b.Name, false)
	fails("no-endpoints")
	asked := backend.asked.Load()
	published(t, env, "without ready endpoints it is withdrawn", "-"+b.URL())
	if n := backend.asked.Load() - asked; n > 0 {
		t.Errorf("it was asked %d times without a ready endpoint", n)
	}
	env.SetReady(t, b.Namespace, b.Name, true)
	published(t, env, "with one it is back", b.URL())
}
