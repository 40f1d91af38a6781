//go:build integration

package integration

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// instance is a running service with the addresses it listens on.
type instance struct {
	*testenv.Process
	api, metrics string // http://address
}

// running waits until a service listens.
func running(t *testing.T, p *testenv.Process) *instance {
	t.Helper()
	i := &instance{Process: p}
	testenv.Eventually(t, 20*time.Second, "the service listens", func() error {
		for server, url := range map[string]*string{"api": &i.api, "metrics": &i.metrics} {
			m := regexp.MustCompile(`msg=listening .*server=` + server + ` address=(\S+)`).FindStringSubmatch(p.Log(t))
			if m == nil {
				return fmt.Errorf("it has not said where it serves %s", server)
			}
			*url = "http://" + m[1]
		}
		return nil
	})
	return i
}

// start runs a service with quick settings and waits until it listens.
func start(t *testing.T, env *testenv.Env, args ...string) *instance {
	t.Helper()
	return serveAs(t, env, env.Kubeconfig(), args...)
}

// get asks the service itself. The status is 0 if it does not answer within two seconds.
func get(url string) (status int, body string) {
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

// answers waits until the service answers path with a status.
func (i *instance) answers(t *testing.T, timeout time.Duration, path string, want int) {
	t.Helper()
	caller{i.api, ""}.becomes(t, timeout, http.MethodGet, path, want)
}

// says waits until the log has the texts.
func (i *instance) says(t *testing.T, texts ...string) {
	t.Helper()
	testenv.Eventually(t, 25*time.Second, fmt.Sprintf("the log says %q", texts), func() error {
		if wrong := amiss(i.Log(t), texts...); len(wrong) > 0 {
			return fmt.Errorf("not yet as wanted: %q", wrong)
		}
		return nil
	})
}

// metric is the value of a series as it is written in the exposition, 0 if it is not there.
func (i *instance) metric(t *testing.T, series string) float64 {
	t.Helper()
	status, body := get(i.metrics + "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, body)
	}
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return v
		}
	}
	return 0
}

// failures are the failed health checks of a type for a reason.
func failures(typ, reason string) string {
	return fmt.Sprintf(`dynamictoolset_health_check_failures_total{reason=%q,service_type=%q}`, reason, typ)
}

// pulse asks /healthz all the time, until the test ends, and fails it if the process does not say that it lives.
func (i *instance) pulse(t *testing.T) (stop func()) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan struct{})
	var bad atomic.Pointer[string]
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				if status, body := get(i.api + "/healthz"); status != http.StatusOK {
					text := fmt.Sprintf("at %s: %d %s", time.Now().Format(time.TimeOnly), status, body)
					bad.CompareAndSwap(nil, &text)
				}
			}
		}
	}()
	return func() {
		t.Helper()
		close(quit)
		<-done
		if text := bad.Load(); text != nil {
			t.Errorf("/healthz %s", *text)
		}
		if !i.Running() {
			t.Error("the process has ended")
		}
	}
}

// holder is who leads, "" if nobody does.
func holder(t *testing.T, env *testenv.Env) string {
	t.Helper()
	l, err := env.Client.CoordinationV1().Leases(testenv.OutputNamespace).Get(t.Context(), "dynamic-toolset", metav1.GetOptions{})
	if err != nil {
		return ""
	}
	return ptr.Deref(l.Spec.HolderIdentity, "")
}

// leads waits until somebody else than before leads, and returns who.
func leads(t *testing.T, env *testenv.Env, timeout time.Duration, before string) (now string) {
	t.Helper()
	testenv.Eventually(t, timeout, "another than "+before+" leads", func() error {
		if now = holder(t, env); now == "" || now == before {
			return fmt.Errorf("%q leads", now)
		}
		return nil
	})
	return now
}

// put makes a Service without a stand-in and has h answer at its ClusterIP.
func put(t *testing.T, env *testenv.Env, s testenv.Service, h http.Handler) *testenv.Backend {
	t.Helper()
	s.Kind, s.NotReady = "", true // until it listens
	b := env.Create(t, s)
	server, err := standin.Start(address(b), h)
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	b.Server = server
	env.SetReady(t, s.Namespace, s.Name, true)
	return b
}

// raw does the same with a function that gets each connection.
func raw(t *testing.T, env *testenv.Env, s testenv.Service, serve func(net.Conn)) *testenv.Backend {
	t.Helper()
	s.Kind, s.NotReady = "", true
	b := env.Create(t, s)
	l, err := net.Listen("tcp", address(b))
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go serve(c)
			}
		}
	}()
	env.SetReady(t, s.Namespace, s.Name, true)
	return b
}

func address(b *testenv.Backend) string {
	return net.JoinHostPort(b.Spec.ClusterIP, strconv.Itoa(int(b.Spec.Ports[0].Port)))
}
