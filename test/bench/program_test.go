//go:build integration && bench

package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is a running one: the service, or a peer.
type program struct {
	cmd   *exec.Cmd
	begun time.Time // just before it was started
	done  chan struct{}

	mu    sync.Mutex
	lines []line
	more  chan struct{} // closed at the next line
}

// line of its output, and when it came.
type line struct {
	text string
	at   time.Time
}

// run starts a program. It is stopped at the end of the test.
func run(t *testing.T, path string, args ...string) *program {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(path, args...), done: make(chan struct{}), more: make(chan struct{})}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	p.cmd.Env = append(p.cmd.Env, profiling(t)...)
	p.cmd.Stdout, p.cmd.Stderr = in, in
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.begun = time.Now()
	err = p.cmd.Start()
	_ = in.Close()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	go p.read(out)
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended does not matter here
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s: its last lines:\n%s", filepath.Base(path), p.tail())
		}
	})
	return p
}

func (p *program) read(out *os.File) {
	defer out.Close()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, line{scanner.Text(), time.Now()})
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

func (p *program) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, l := range p.lines[max(0, len(p.lines)-30):] {
		fmt.Fprintln(&b, l.text)
	}
	return b.String()
}

// says waits for a line that contains the text; ok is false if none came in time.
func (p *program) says(text string, timeout time.Duration) (l line, ok bool) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for seen := 0; ; {
		p.mu.Lock()
		lines, more := p.lines[seen:], p.more
		seen = len(p.lines)
		p.mu.Unlock()
		for _, l := range lines {
			if strings.Contains(l.text, text) {
				return l, true
			}
		}
		select {
		case <-more:
		case <-timer.C:
			return line{}, false
		case <-p.done: // what it said last may still be on its way
			select {
			case <-more:
			case <-time.After(time.Second):
				return line{}, false
			}
		}
	}
}

// must is says for what has to come.
func (p *program) must(t *testing.T, text string) line {
	t.Helper()
	l, ok := p.says(text, 2*time.Minute)
	if !ok {
		t.Fatalf("%s did not say %q:\n%s", p.cmd.Path, text, p.tail())
	}
	return l
}

// stop asks it to end, and waits until it has.
func (p *program) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// until waits until it has run for d.
func (p *program) until(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-p.done:
		t.Fatalf("%s has ended:\n%s", p.cmd.Path, p.tail())
	case <-time.After(time.Until(p.begun.Add(d))):
	}
}

// cpu is the processor time that it has used.
func (p *program) cpu(t *testing.T) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("processor time of %s: %v\n%s", p.cmd.Path, err, p.tail())
	}
	// The name, in parentheses, may hold anything: utime and stime are the 12th and 13th field after it.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	const perSecond = 100 // USER_HZ, which Linux never changes for programs
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / perSecond
}

// resident is a program's memory, in MiB.
type resident struct{ all, anonymous, file, peak float64 }

func (p *program) memory(t *testing.T) (r resident) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("memory of %s: %v\n%s", p.cmd.Path, err, p.tail())
	}
	for name, to := range map[string]*float64{"VmRSS:": &r.all, "RssAnon:": &r.anonymous, "RssFile:": &r.file, "VmHWM:": &r.peak} {
		_, after, _ := strings.Cut(string(data), name)
		kib, err := strconv.Atoi(strings.Fields(after)[0])
		if err != nil {
			t.Fatal(err)
		}
		*to = float64(kib) / 1024
	}
	return r
}

// buildPeers builds the peers' programs and returns their folder.
func buildPeers(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "..", "bin", "peers"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", folder+string(filepath.Separator), "./...")
	cmd.Dir = "peers"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the peers: %v\n%s", err, out)
	}
	return folder
}
