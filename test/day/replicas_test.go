//go:build integration && day

package day

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// withdrawnMetric counts withdrawals, by type.
const withdrawnMetric = "dynamictoolset_services_withdrawn_total"

// settingsOfAll are those of each process, which differ from the defaults in what a day takes too long for.
var settingsOfAll = []string{
	"--set", "health.interval=5s", "--set", "discovery.interval=1m", "--set", "output.resync=10s",
	"--set", "auth.mode=none",
	"--set", "server.address=127.0.0.1:0", "--set", "metrics.address=127.0.0.1:0", "--set", "log.format=text",
	"--set", "leaderElection.leaseDuration=5s", "--set", "leaderElection.renewDeadline=3s",
	"--set", "leaderElection.retryPeriod=1s",
}

// replica is a running service in one of the places: replica 1, replica 2, or the sidecar.
type replica struct {
	*testenv.Process
	place        string
	api, metrics string // host:port
	tls          bool
	client       *http.Client

	mu     sync.Mutex
	counts []count
}

// count is what its metrics said of withdrawals, between two moments.
type count struct {
	window
	withdrawn float64
}

// sample is how large the process in a place is at one time.
type sample struct {
	at                    time.Time
	rss, heap, goroutines float64
}

var listening = regexp.MustCompile(`msg=listening .*server=(\w+) address=(\S+)`)

// serve starts a service and waits until it listens.
func (d *day) serve(t *testing.T, place string, args ...string) (*replica, error) {
	args = append(append(append([]string{"serve"}, settingsOfAll...), "--set", "tls.caFile="+d.certs.ca()), args...)
	r := &replica{place: place, Process: d.env.Process(t, d.env.Kubeconfig(), []string{"GOMEMLIMIT=230MiB"}, args...)}
	r.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // see get
		DisableKeepAlives: true,
	}}
	r.tls = strings.Contains(strings.Join(args, " "), "server.tls.mode=files")
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end) && r.Running(); time.Sleep(50 * time.Millisecond) {
		for _, m := range listening.FindAllStringSubmatch(r.Log(t), -1) {
			switch m[1] {
			case "api":
				r.api = m[2]
			case "metrics":
				r.metrics = m[2]
			}
		}
		if r.api != "" && r.metrics != "" {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%s does not listen:\n%s", place, r.Log(t))
}

// scrape is all metrics as text; "" while they cannot be had.
func (r *replica) scrape() string {
	status, body, err := r.get(r.metrics + "/metrics")
	if err != nil || status != http.StatusOK {
		return ""
	}
	return body
}

// sum adds up the series of a metric.
func sum(metrics, name string) (total float64) {
	for line := range strings.Lines(metrics) {
		if rest, ok := strings.CutPrefix(line, name); ok && (rest[0] == ' ' || rest[0] == '{') {
			v, _ := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(strings.TrimSpace(rest), ' ')+1:]), 64)
			total += v
		}
	}
	return total
}

// look scrapes it and keeps how many withdrawals it has counted.
func (r *replica) look() (metrics string) {
	from := time.Now()
	if metrics = r.scrape(); metrics != "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.counts = append(r.counts, count{window{from, time.Now()}, sum(metrics, withdrawnMetric)})
	}
	return metrics
}

func (r *replica) leads() bool { return sum(r.scrape(), "dynamictoolset_leader") == 1 }

// healthy says what is wrong with it.
func (r *replica) healthy() error {
	if !r.Running() {
		return errors.New("the process has ended")
	}
	if status, body, err := r.get(r.api + "/healthz"); err != nil || status != http.StatusOK {
		return fmt.Errorf("/healthz: %d %s %w", status, body, err)
	}
	return nil
}

// get asks it at host:port/path. Whether its certificate is the right one is looked at elsewhere.
func (r *replica) get(at string) (status int, body string, err error) {
	if r.tls {
		return get(r.client, "https://"+at)
	}
	return get(r.client, "http://"+at)
}
