//go:build real

package real

import (
	"context"
	"fmt"
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

	"kubernaut.io/dynamic-toolset/test/real/products"
)

// shared is the lab of this run: its processes are started once, for all tests.
var shared *lab

func TestMain(m *testing.M) {
	os.Exit(run(m)) //nolint:forbidigo // as testing does without a TestMain
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lab-")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is of temporary files
	l, unlock, err := newLab(dir)
	if err != nil {
		return failed(err)
	}
	defer unlock()
	defer l.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	started := time.Now()
	l.start(ctx)
	left := ""
	if len(l.without) > 0 {
		left = "; left out, for want of their products: " + strings.Join(l.without, ", ")
	}
	fmt.Fprintf(os.Stdout, "lab: %d processes up after %v%s\n", len(l.order)-len(l.broken), time.Since(started).Round(time.Second), left)
	shared = l
	return m.Run()
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "the lab does not start:", err)
	return 1
}

// newLab builds the program and lists the processes. One lab at a time is on a machine, since their addresses are the same.
func newLab(dir string) (*lab, func(), error) {
	// Services of charts have the port 80, and a probe asks the Service's own.
	low, err := net.Listen("tcp", "127.66.255.254:80")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the lab needs ports below 1024: run it as root, "+
			"or set the sysctl net.ipv4.ip_unprivileged_port_start to 0", err)
	}
	if err := low.Close(); err != nil {
		return nil, nil, err
	}
	root, err := products.Root()
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(root, 0o750); err != nil {
		return nil, nil, err
	}
	lock, err := os.OpenFile(filepath.Join(root, "lab.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, nil, err
	}
	l := &lab{
		dir: dir, root: root, binary: filepath.Join(dir, "dynamic-toolset"), processes: map[string]*process{}, broken: map[string]error{},
		forwards: map[fronted]string{}, fronts: map[string]string{},
		client: &http.Client{
			Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, DisableKeepAlives: true},
		},
	}
	if out, err := exec.Command("go", "build", "-o", l.binary, "../../cmd/dynamic-toolset").CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("building dynamic-toolset: %w: %s", err, out)
	}
	l.add(all())
	for i, r := range table() {
		if l.processes[r.process] != nil {
			r.service(l, i)
		}
	}
	if _, err := l.matrix(); err != nil { // for the addresses of nginx
		return nil, nil, err
	}
	if err := l.addFronts(); err != nil {
		return nil, nil, err
	}
	l.add([]*process{l.nginx()})
	return l, func() { _ = lock.Close() }, nil // closing it unlocks
}

// all are the processes but nginx.
func all() []*process {
	return slices.Concat(prometheuses(), thanoses(), victorias(), cortexes(), lokis(), tempos(), traces(), searches(), proxies())
}
