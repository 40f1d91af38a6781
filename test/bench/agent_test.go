//go:build integration && bench

package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/holmes/venv"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const (
	agentRounds = 40
	// HolmesGPT is told once in ten seconds at most: a round that begins sooner would measure that.
	agentGap = 11 * time.Second
)

// holmes is the real HolmesGPT, served with its own admin routes, and the sidecar's directory.
type holmes struct {
	dir, hosts string
	direct     string // URL
	front      *httptest.Server

	mu             sync.Mutex
	told, answered time.Time // when the last reload was asked for, and answered
}

// agent measures how long it takes from the ready slice of a new Service until the real HolmesGPT has its tool, beside the other
// backends, with the service as a sidecar and its defaults. The kubelet's part, which the other form has, is none of ours.
func (b *bench) agent(t *testing.T) {
	t.Helper()
	h := b.startHolmes(t)
	p := b.serve(t, "--out", h.dir, "--set", "holmesgpt.url="+h.front.URL)
	h.await(t, lookHolmes, "the start is over", func() bool { return h.has(h.generation(b.backends[len(b.backends)-1].DNS())) })
	var all, written, asked, loaded []time.Duration
	for i := range agentRounds {
		_, before := h.last()
		time.Sleep(time.Until(before.Add(agentGap)))
		k := kinds()[i%len(kinds())]
		namespace := fmt.Sprintf("new-%02d", i)
		begin := b.appear(t, h, &k, namespace)
		dns := k.name + "." + namespace + ".svc.cluster.local"
		var generation string
		h.await(t, lookFile, dns+" is written", func() bool { generation = h.generation(dns); return generation != "" })
		wrote := time.Now()
		h.await(t, lookHolmes, "HolmesGPT has "+dns, func() bool { return h.has(generation) })
		end := time.Now()
		var told, done time.Time
		h.await(t, lookFile, "it has answered", func() bool { told, done = h.last(); return done.After(told) && told.After(before) })
		all, written = append(all, end.Sub(begin)), append(written, wrote.Sub(begin))
		asked, loaded = append(asked, told.Sub(wrote)), append(loaded, done.Sub(told))
		t.Logf("round %d: %s in all: written after %s, told after %s more, which took %s", i, end.Sub(begin), wrote.Sub(begin), told.Sub(wrote), done.Sub(told))
	}
	t.Logf("HolmesGPT's toolsets at the end: %s", h.summary(t))
	for i := range agentRounds {
		b.env.Delete(t, fmt.Sprintf("new-%02d", i), kinds()[i%len(kinds())].name)
	}
	p.stop(t)
	b.addAgent(all, written, asked, loaded)
}

func (b *bench) addAgent(all, written, asked, loaded []time.Duration) {
	at := func(took []time.Duration, q float64) []float64 {
		return []float64{report.Quantile(report.Millis(took...), q)}
	}
	const name = "a new backend until HolmesGPT has its tool, sidecar, "
	b.add(report.Figure{
		Requirement: "DTS-PERF-9", Name: name + "p99", Unit: report.Milliseconds, Runs: at(all, 0.99), Target: b.targetAt(mainSize, report.AtMost(3000)),
		Note: fmt.Sprintf("from just before the request that makes the ready slice of a new Service until the real HolmesGPT, served with its own admin "+
			"routes, lists the document with it, beside %d backends that it asks too: %d rounds, with the default settle.", len(b.backends), len(all)),
	})
	b.add(report.Figure{Name: name + "p50", Unit: report.Milliseconds, Runs: at(all, 0.5)})
	for i, took := range [][]time.Duration{written, asked, loaded} {
		part := []string{"written, the settle in it", "HolmesGPT told", "its reload"}[i]
		b.add(report.Figure{Name: "of it " + part + ", p50", Unit: report.Milliseconds, Runs: at(took, 0.5)})
		b.add(report.Figure{Name: "of it " + part + ", p99", Unit: report.Milliseconds, Runs: at(took, 0.99)})
	}
}

// startHolmes serves HolmesGPT, which looks names up in a file, behind a front that notes when it is told to reload.
func (b *bench) startHolmes(t *testing.T) *holmes {
	t.Helper()
	folder := filepath.Join("..", "holmes")
	python, err := venv.Python(t.Context(), filepath.Join(folder, "requirements.txt"), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	h := &holmes{dir: t.TempDir(), hosts: filepath.Join(t.TempDir(), "hosts")}
	h.answered = time.Now()
	for _, one := range b.backends {
		h.host(t, one)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	h.direct = "http://" + address
	cmd := exec.CommandContext(t.Context(), python, "-B", "serve.py", address)
	cmd.Dir = folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "CUSTOM_TOOLSET_LOCATION="+filepath.Join(h.dir, document), "HOME="+t.TempDir(), "HOSTS_FILE="+h.hosts,
		"HOLMES_CONFIGPATH_DIR="+t.TempDir(), "KUBECONFIG="+b.env.Kubeconfig(), "LITELLM_LOCAL_MODEL_COST_MAP=True",
		"PATH="+testenv.Assets(t)+":"+os.Getenv("PATH"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	target, err := url.Parse(h.direct)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	h.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			proxy.ServeHTTP(w, r)
			return
		}
		h.note(func() { h.told = time.Now() })
		proxy.ServeHTTP(w, r)
		h.note(func() { h.answered = time.Now() })
	}))
	t.Cleanup(h.front.Close)
	h.await(t, lookHolmes, "HolmesGPT answers", func() bool { return h.info() != "" })
	return h
}

// appear makes a Service that works, and then its slice; it tells from when that was asked for.
func (b *bench) appear(t *testing.T, h *holmes, k *kind, namespace string) (begin time.Time) {
	t.Helper()
	service := testenv.Service{
		Namespace: namespace, Name: k.name, Labels: k.labels(), Port: k.port, Number: k.number, Kind: k.standin,
		BeforeSlice: func(made *testenv.Backend) { h.host(t, made); begin = time.Now() },
	}
	b.env.Create(t, service)
	return begin
}

// host has HolmesGPT find a Service.
func (h *holmes) host(t *testing.T, one *testenv.Backend) {
	t.Helper()
	f, err := os.OpenFile(h.hosts, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s %s\n", one.DNS(), one.Spec.ClusterIP); err != nil {
		t.Fatal(err)
	}
}

func (h *holmes) note(what func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	what()
}

// last is when HolmesGPT was told to reload last, and when it answered; it has the tools a moment before.
func (h *holmes) last() (told, answered time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.told, h.answered
}

// How often something is looked at: HolmesGPT itself not so often that the asking slows it.
const (
	lookFile   = 5 * time.Millisecond
	lookHolmes = 50 * time.Millisecond
)

func (h *holmes) await(t *testing.T, every time.Duration, what string, good func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(every) {
		if good() {
			return
		}
	}
	text, _ := os.ReadFile(filepath.Join(h.dir, document))
	t.Fatalf("not within two minutes: %s\n%s\n%s", what, h.info(), text)
}

// generation is that of the document in the directory, if it names the host.
func (h *holmes) generation(dns string) string {
	text, err := os.ReadFile(filepath.Join(h.dir, document))
	if err != nil || !strings.Contains(string(text), dns) {
		return ""
	}
	_, rest, _ := strings.Cut(string(text), "generation/")
	name, _, _ := strings.Cut(rest, ":")
	return "generation/" + name
}

// has reports whether HolmesGPT has the document of that generation.
func (h *holmes) has(generation string) bool {
	return generation != "" && strings.Contains(h.info(), `"`+generation+`"`)
}

// info is what HolmesGPT says, "" while it does not.
func (h *holmes) info() string {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(h.direct + "/api/info?detail=full")
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	var answer json.RawMessage
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return ""
	}
	return string(answer)
}

// summary is which of the document's toolsets work.
func (h *holmes) summary(t *testing.T) string {
	t.Helper()
	var answer struct {
		Toolsets []struct{ Name, Status, Error string }
	}
	if err := json.Unmarshal([]byte(h.info()), &answer); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(h.dir, document))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, one := range answer.Toolsets {
		if strings.Contains(string(text), "\n  "+one.Name+":") {
			list = append(list, fmt.Sprintf("%s %s %.80s", one.Name, one.Status, one.Error))
		}
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}
