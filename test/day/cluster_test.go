//go:build integration && day

package day

import (
	"context"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const document = "custom_toolset.yaml"

var discard = log.New(io.Discard, "", 0)

// day is all that there is.
type day struct {
	t        *testing.T
	length   time.Duration
	scale    float64 // of a full day
	env      *testenv.Env
	products *realProducts
	certs    *certificates
	agent    *agent
	ledger   ledger
	record   *testenv.Recorder
	files    fileRecorder

	permanent []*backend // those whose namespaces stay
	ofTeams   map[string][]*backend
	dir       string // the sidecar's
	overrides string // the file of the sidecar's admin

	control  sync.Mutex // held by what stops and starts the API server
	killing  sync.Mutex // held by what kills replicas
	watching sync.WaitGroup
	unwatch  func()
	mu       sync.Mutex
	replicas []*replica // those that run, the sidecar last
	past     []*replica // those that ended
	samples  map[string][]sample
	sick     []string
	lines    []string
	happened atomic.Int64
	changes  atomic.Int64 // of the cluster
	tried    atomic.Int64 // edits of the overrides
	renewed  atomic.Int64 // certificates of the backend
	newest   atomic.Int64 // number of the last newcomer
	installs []installed
}

// installed is a backend that was made while it was measured.
type installed struct {
	host  string
	ready time.Time
}

func newDay(t *testing.T, length time.Duration) *day {
	d := &day{
		t: t, length: length, scale: float64(length) / float64(fullDay), env: testenv.Start(t),
		ofTeams: map[string][]*backend{}, samples: map[string][]sample{},
		dir: filepath.Join(t.TempDir(), "shared"), overrides: filepath.Join(t.TempDir(), "overrides.yaml"),
	}
	var err error
	if d.certs, err = newCertificates(t.TempDir(), "metrics-tls.monitoring.svc.cluster.local"); err != nil {
		t.Fatal(err)
	}
	d.products = newReal(t, d.certs)
	d.agent = newAgent(t, d.env, filepath.Join(d.dir, document), d.certs.ca())
	return d
}

// begin has all be there: the backends, two replicas, the sidecar and HolmesGPT, which has the document.
func (d *day) begin(t *testing.T) {
	ctx := t.Context()
	all := d.population()
	t.Cleanup(func() {
		for _, b := range all {
			b.end()
		}
	})
	for i, b := range all { // one after the other: the oldest is the primary of its type
		if i > 0 && b.namespace == teams[0] && all[i-1].namespace != teams[0] {
			time.Sleep(1100 * time.Millisecond) // ages have seconds, and at one age names decide
		}
		d.must(t, d.namespace(ctx, b.namespace))
		_, err := d.create(ctx, b)
		d.must(t, err)
		if b == all[0] {
			d.products.upstream = fmt.Sprintf("http://%s:9090", b.service.Spec.ClusterIP)
		}
		if strings.HasPrefix(b.namespace, "team-") {
			d.ofTeams[b.namespace] = append(d.ofTeams[b.namespace], b)
		} else {
			d.permanent = append(d.permanent, b)
		}
	}
	d.record = d.env.Record(t)
	d.files.watch(t, filepath.Join(d.dir, document))
	for _, place := range []string{"replica 1", "replica 2"} {
		d.must(t, d.startReplica(t, place))
	}
	sidecar, err := d.serve(t, "sidecar", "--out", d.dir, "--overrides", d.overrides,
		"--set", "holmesgpt.url="+d.agent.front.URL)
	d.must(t, err)
	d.replicas = append(d.replicas, sidecar)
	d.must(t, d.eventually(ctx, time.Minute, func() error { return d.complete() }))
	d.must(t, d.agent.start(ctx))
	d.must(t, d.eventually(ctx, time.Minute, d.agentHasAll))
	d.must(t, d.agent.measureAlone())
	t.Logf("at the start there are %d backends; a reload of HolmesGPT alone takes %s", len(all), ms(d.agent.alone))
}

func (d *day) startReplica(t *testing.T, place string) error {
	r, err := d.serve(t, place, "--set", "server.tls.mode=files",
		"--set", "server.tls.certFile="+filepath.Join(d.certs.dir, "own.crt"),
		"--set", "server.tls.keyFile="+filepath.Join(d.certs.dir, "own.key"))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replicas = append([]*replica{r}, d.replicas...)
	return nil
}

// running are the processes that run now.
func (d *day) running() []*replica {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*replica{}, d.replicas...)
}

// complete says what either document lacks, or has too much.
func (d *day) complete() error {
	cm := d.env.ConfigMap(d.t)
	if cm == nil {
		return fmt.Errorf("there is no ConfigMap")
	}
	in := map[string]map[string]bool{
		"the ConfigMap": hosts(cm.Data[document]), "the sidecar's file": hosts(d.files.last()),
	}
	for host, up := range d.ledger.now() {
		for where, has := range in {
			if has[host] != up {
				return fmt.Errorf("%s: %s has it: %t; %s", host, where, has[host], d.ledger.of(host))
			}
		}
	}
	return nil
}

// agentHasAll says what HolmesGPT lacks of the sidecar's document.
func (d *day) agentHasAll() error {
	s, err := d.agent.ask()
	if err != nil {
		return err
	}
	if want := generation(d.files.last()); s.generation != want {
		return fmt.Errorf("HolmesGPT has %q, the file is %q", s.generation, want)
	}
	for name, reason := range s.failed {
		if toolsets(d.files.last())[name] != nil {
			return fmt.Errorf("%s fails: %s", name, reason)
		}
	}
	return nil
}

func (d *day) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the condition holds.
func (d *day) eventually(ctx context.Context, within time.Duration, condition func() error) error {
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		err := condition()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("not within %s: %w", within, err)
		}
	}
}

// diary keeps what happened, for the end.
func (d *day) diary(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, clock(time.Now())+" "+line)
}
