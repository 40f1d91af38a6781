//go:build integration && bench

// Package bench measures the service on a real kube-apiserver and etcd, and compares each figure with its
// limit and with the programs that one would run instead (in peers). Run it with: make bench
package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// mainSize is the cluster that the targets speak of.
const mainSize = 10_000

// TestPerformance fails where a target is missed. The targets are for a machine of two cores that does nothing else.
func TestPerformance(t *testing.T) {
	for _, id := range []string{
		"DTS-PERF-1", "DTS-PERF-2", "DTS-PERF-3", "DTS-PERF-4", "DTS-PERF-5", "DTS-PERF-6", "DTS-PERF-7", "DTS-PERF-8", "DTS-PERF-9",
		"DTS-PERF-11",
	} {
		t.Attr("req", id)
	}
	s := settingsOf(t)
	r := &report.Report{Machine: machine(t)}
	r.Machine.Runs = s.runs
	b := &bench{settings: s, report: r, peers: buildPeers(t)}
	service, err := testenv.Binary(t), error(nil)
	if os.Getenv(profileVariable) != "" {
		service, err = os.Executable()
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.measures("detection") {
		b.detection(t)
	}
	if s.measures("build") {
		b.build(t)
	}
	for _, n := range s.services {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			one := *b
			one.n, one.main = n, n == s.main()
			one.service = service
			one.measure(t)
		})
	}
	r.Machine.LoadAfter = load(t)
	if err := r.Print(os.Stdout); err != nil {
		t.Error(err)
	}
	if s.write {
		write(t, r)
	}
	for _, f := range r.Missed() {
		t.Errorf("%s at %d Services: %s is %s, target %s", f.Requirement, f.Services, f.Name, f.Unit.Text(f.Median()), f.TargetText())
	}
}

// bench is what is measured at one size.
type bench struct {
	settings
	report  *report.Report
	n       int  // Services
	main    bool // everything is measured at this size
	service string
	peers   string // folder of the peers' programs

	env      *testenv.Env
	audit    string // path of the API server's audit log
	record   *testenv.Recorder
	backends []*testenv.Backend
	made     []slot
}

func (b *bench) measure(t *testing.T) {
	b.cluster(t)
	for run := range b.runs {
		t.Logf("%d Services, run %d of %d, load %.1f", b.n, run+1, b.runs, load(t))
		if b.measures("start") {
			b.start(t, run == 0)
		}
		if b.measures("reaction") {
			b.reaction(t)
		}
		if b.main && b.measures("quiet") {
			b.quietHour(t)
		}
	}
	if b.measures("peers") {
		b.others(t)
	}
	if b.main && b.measures("changes") {
		b.churn(t)
	}
	if b.main && b.measures("agent") {
		b.agent(t)
	}
	if b.main && b.measures("dead") { // the last one: its 400 Services stay
		b.dead(t)
	}
}

// cluster makes one with the Services and twenty backends that answer at once.
func (b *bench) cluster(t *testing.T) {
	t.Helper()
	b.env, b.audit = startAudited(t)
	b.env.Namespace(t, accounts)
	b.record = b.env.Record(t)
	b.env.Fill(t, b.n-backends, vary)
	if b.main && b.measures("start") {
		b.none(t)
	}
	b.backends = b.create(t, "observability", backends, kinds())
}

// settings come from the environment.
type settings struct {
	services []int
	runs     int
	write    bool
	only     []string
	// minute and hour are how long a minute of a program and a quiet hour are watched.
	minute, hour time.Duration
}

func settingsOf(t *testing.T) settings {
	t.Helper()
	s := settings{
		services: numbers(t, "BENCH_SERVICES", mainSize), runs: numbers(t, "RUNS", 3)[0], write: os.Getenv("BENCH_WRITE") == "1",
		minute: duration(t, "BENCH_MINUTE", time.Minute), hour: duration(t, "BENCH_HOUR", 20*time.Second), only: list("BENCH_ONLY"),
	}
	if s.write && (s.minute != time.Minute || len(s.only) > 0 || !slices.Contains(s.services, mainSize)) {
		t.Fatalf("BENCH_WRITE=1 writes docs/development/performance.md: it needs %d among BENCH_SERVICES, and neither BENCH_MINUTE nor BENCH_ONLY", mainSize)
	}
	return s
}

// main is the size at which everything is measured.
func (s *settings) main() int {
	if slices.Contains(s.services, mainSize) {
		return mainSize
	}
	return s.services[0]
}

// measures says whether a part is asked for: all are, unless BENCH_ONLY names some.
func (s *settings) measures(part string) bool {
	return len(s.only) == 0 || slices.Contains(s.only, part)
}

// targetAt is the target, at the size that it speaks of: on smaller clusters it says little, and fails where much else runs.
func (b *bench) targetAt(n int, target report.Target) report.Target {
	if b.n != n {
		return report.Target{}
	}
	return target
}

// add adds a figure at this size.
func (b *bench) add(f report.Figure) {
	f.Services = b.n
	b.report.Add(f)
}

// write writes the page, and the plot if there is something to compare.
func write(t *testing.T, r *report.Report) {
	t.Helper()
	docs := filepath.Join("..", "..", "docs")
	path := filepath.Join(docs, "development", "performance.md")
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	page, err := r.Page(old)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	files := map[string][]byte{path: page}
	if len(r.Sizes()) > 1 {
		files[filepath.Join(docs, "images", "growth.svg")] = r.Plot(
			report.Panel{Title: "Cold start", Figure: coldStart}, report.Panel{Title: "Resident memory after a minute", Figure: memory},
			report.Panel{Title: "Processor time of the first minute", Figure: processor}, report.Panel{Title: "Reaction, median", Figure: reactionP50},
		)
	}
	for path, data := range files {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("written: %s", path)
	}
}

// create makes n backends of the kinds in turn and returns them.
func (b *bench) create(t *testing.T, namespace string, n int, kinds []kind) []*testenv.Backend {
	t.Helper()
	var list []*testenv.Backend
	for i := range n {
		k := kinds[i%len(kinds)]
		list = append(list, b.env.Create(t, testenv.Service{
			Namespace: namespace, Name: fmt.Sprintf("%s-%03d", k.name, i), Labels: k.labels(), Port: k.port, Number: k.number,
			Kind: k.standin, Options: standin.Options{},
		}))
	}
	return list
}
