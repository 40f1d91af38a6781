//go:build real

// Package real runs the service on real products on loopback, behind real proxies: Prometheus and related products, Loki,
// Jaeger, Elasticsearch and others that ./build puts into the user's cache. Run it with: make test-real
package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/real/products"
)

// longest is how long a process of the lab may live, whatever becomes of the test.
const longest = "25m"

// process is a product as it runs in the lab, at an address of its own.
type process struct {
	name    string
	product string   // of the list of products
	port    int      // of its API
	args    []string // $ip, $dir, $lab, $product, and the address $(NAME) of another process are filled in
	files   map[string]string
	env     []string
	after   []string // processes that have to be ready first
	ready   string   // the path that answers 200 when it is up, or "" where taking connections is enough
	status  []int    // what is up as well, beside 200
	seed    func(l *lab, p *process) error

	ip   string
	dir  string
	cmd  *exec.Cmd
	done chan struct{}
	out  *os.File
}

// base is where the process is reached.
func (p *process) base() string { return "http://" + net.JoinHostPort(p.ip, strconv.Itoa(p.port)) }

// lab has all that runs.
type lab struct {
	dir       string
	root      string // of the products
	binary    string // the built dynamic-toolset
	processes map[string]*process
	order     []*process
	without   []string         // processes that do not run, since their product is not there
	broken    map[string]error // processes that were started and did not come up
	addresses int
	forwards  map[fronted]string // addresses of nginx
	servers   []string           // of nginx
	fronts    map[string]string  // addresses of the fronts
	authority string             // file with the authority that signs the fronts' certificates
	client    *http.Client
}

// address is one of loopback that nothing else in the lab has.
func (l *lab) address() string {
	l.addresses++
	return fmt.Sprintf("127.66.%d.%d", l.addresses/250, l.addresses%250+1)
}

// add gives the processes addresses, in this order. What the machine has no product for is left out, and what needs it.
func (l *lab) add(list []*process) {
	for _, p := range list {
		missing := !l.has(p.product)
		for _, name := range p.after {
			missing = missing || l.processes[name] == nil
		}
		if missing {
			l.without = append(l.without, p.name)
			continue
		}
		p.ip, p.dir = l.address(), filepath.Join(l.dir, p.name)
		l.processes[p.name] = p
		l.order = append(l.order, p)
	}
}

// has reports whether the product is there. PRODUCTS, names with spaces between them, leaves the others out.
func (l *lab) has(name string) bool {
	if only := strings.Fields(os.Getenv("PRODUCTS")); len(only) > 0 && !slices.Contains(only, name) {
		return false
	}
	p, found := products.Find(name)
	return found && p.Had(l.root)
}

// product is the one of that name. TestNames sees to it that there is one.
func product(name string) products.Product {
	p, _ := products.Find(name)
	return p
}

// start starts every process as soon as those it needs are ready, and waits until all are. What does not come up fails the
// tests that need it.
func (l *lab) start(ctx context.Context) {
	type outcome struct {
		name string
		err  error
	}
	outcomes := make(chan outcome)
	ready := map[string]chan struct{}{}
	for _, p := range l.order {
		ready[p.name] = make(chan struct{})
	}
	for _, p := range l.order {
		go func() {
			for _, name := range p.after {
				select {
				case <-ready[name]:
				case <-ctx.Done():
					outcomes <- outcome{p.name, fmt.Errorf("%s is not up", name)}
					return
				}
			}
			err := l.run(ctx, p)
			if err == nil {
				close(ready[p.name])
			}
			outcomes <- outcome{p.name, err}
		}()
	}
	for range l.order {
		if o := <-outcomes; o.err != nil {
			l.broken[o.name] = o.err
		}
	}
}

func (l *lab) run(ctx context.Context, p *process) error {
	if err := os.MkdirAll(p.dir, 0o750); err != nil {
		return err
	}
	for name, text := range p.files {
		file := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(l.expand(p, text)), 0o600); err != nil {
			return err
		}
	}
	if err := l.launch(p); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if err := l.wait(ctx, p); err != nil {
		return fmt.Errorf("%s: %w: %s", p.name, err, p.tail())
	}
	if p.seed != nil {
		if err := p.seed(l, p); err != nil {
			return fmt.Errorf("%s: putting something into it: %w", p.name, err)
		}
	}
	return nil
}

// launch starts the program below timeout(1), so that it ends even where this test is killed.
func (l *lab) launch(p *process) error {
	command := append([]string{"--kill-after=5s", longest}, l.command(p)...)
	for i, a := range command {
		command[i] = l.expand(p, a)
	}
	out, err := os.Create(filepath.Join(p.dir, "output"))
	if err != nil {
		return err
	}
	cmd := exec.Command("timeout", command...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = p.dir, out, out, append(os.Environ(), "HOME="+p.dir)
	for _, e := range p.env {
		cmd.Env = append(cmd.Env, l.expand(p, e))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.out, p.done = cmd, out, make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ends is in its output
		close(p.done)
	}()
	return nil
}

// command is the program with its arguments.
func (l *lab) command(p *process) []string {
	made := product(p.product)
	folder := made.Folder(l.root)
	switch {
	case made.Go != nil:
		return append([]string{filepath.Join(folder, made.Name)}, p.args...)
	case made.Debian != nil:
		return append([]string{filepath.Join(folder, made.Debian.Path)}, p.args...)
	case made.Maven.Main == "":
		jars, _ := filepath.Glob(filepath.Join(folder, "lib", "*.jar")) // the pattern is a good one
		return slices.Concat([]string{"java", "-Xmx256m", "-jar"}, jars, p.args)
	}
	lib := filepath.Join(folder, "lib")
	return slices.Concat([]string{"java", "-Xmx512m", "-cp", lib + ":" + filepath.Join(lib, "*"), made.Maven.Main}, p.args)
}

// expand fills in the address and the folder of the process, the addresses of others, and the folder of the product.
func (l *lab) expand(p *process, text string) string {
	pairs := []string{"$ip", p.ip, "$dir", p.dir, "$lab", l.dir, "$product", product(p.product).Folder(l.root)}
	for name, other := range l.processes {
		pairs = append(pairs, "$("+name+")", other.ip)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// wait returns when the process is up.
func (l *lab) wait(ctx context.Context, p *process) error {
	last := errors.New("not asked yet")
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not up in time: %w", last)
		case <-p.done:
			return errors.New("it has ended")
		case <-time.After(100 * time.Millisecond):
		}
		if last = l.up(ctx, p); last == nil {
			return nil
		}
	}
}

func (l *lab) up(ctx context.Context, p *process) error {
	if p.ready == "" {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(p.ip, strconv.Itoa(p.port)), time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	}
	a, err := l.ask(ctx, http.MethodGet, p.base()+p.ready, "")
	if err != nil {
		return err
	}
	if a.status != http.StatusOK && !slices.Contains(p.status, a.status) {
		return fmt.Errorf("GET %s: %d %.200s", p.ready, a.status, a.body)
	}
	return nil
}

// answer is what an HTTP server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request, follows no redirect, and reads the answer.
func (l *lab) ask(ctx context.Context, method, url, body string, header ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return answer{resp.StatusCode, resp.Header, text}, err
}

// tail is the end of what the process printed.
func (p *process) tail() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "output"))
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-5):], []byte("\n")))
}

// stop ends the process and all that it started.
func (p *process) stop() {
	if p.cmd == nil {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
	_ = p.out.Close()
}

// stop ends everything.
func (l *lab) stop() {
	done := make(chan struct{})
	for _, p := range l.order {
		go func() {
			p.stop()
			done <- struct{}{}
		}()
	}
	for range l.order {
		<-done
	}
}

// need skips the test where one of the processes does not run.
func (l *lab) need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := l.broken[name]; err != nil {
			t.Fatalf("%s does not start: %v", name, err)
		}
		if l.processes[name] == nil {
			t.Skipf("%s does not run here: its product is not in the cache", name)
		}
	}
}
