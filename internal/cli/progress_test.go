package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fatih/color"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func pass(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // on the clock of synctest

func TestProgress(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	synctest.Test(t, func(t *testing.T) {
		p, shown := recordedProgress()
		p.show(0, 40)
		pass(patience - time.Millisecond)
		synctest.Wait()
		if shown() != "" {
			t.Errorf("shown before its time: %q", shown())
		}
		pass(2 * time.Millisecond)
		synctest.Wait()
		if !strings.Contains(shown(), "probing the backends") || !strings.Contains(shown(), "(0/40)") {
			t.Errorf("after a second: %q", shown())
		}
		pass(time.Second)
		p.show(20, 40)
		if !strings.Contains(shown(), "(20/40)") {
			t.Errorf("does not move: %q", shown())
		}
		p.end()
		if last := shown()[strings.LastIndexByte(shown(), ')'):]; strings.Trim(last[strings.IndexByte(last, '\r'):], "\r \x1b[2K") != "" {
			t.Errorf("stays on the screen: %q", last)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p, shown := recordedProgress()
		p.show(0, 40)
		p.show(40, 40)
		p.end()
		pass(2 * patience)
		synctest.Wait()
		if shown() != "" {
			t.Errorf("shown for what was quick: %q", shown())
		}
	})
}

// recordedProgress also returns what was written until then.
func recordedProgress() (*progress, func() string) {
	out := new(bytes.Buffer)
	p := newProgress(out)
	return p, func() string {
		p.mu.Lock()
		defer p.mu.Unlock()
		return out.String()
	}
}

// TestTerminal: only a terminal gets colours and progress.
func TestTerminal(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || isTerminal(new(bytes.Buffer)) || newPainter(file).on {
		t.Error("a file is taken for a terminal")
	}
	defer func(before bool) { color.NoColor = before }(color.NoColor)
	if terminal, err := os.Open("/dev/ptmx"); err == nil { // not every system has this one
		defer terminal.Close()
		for _, color.NoColor = range []bool{true, false} { // which the library sets by NO_COLOR
			if newPainter(terminal).on == color.NoColor {
				t.Errorf("NO_COLOR is %t, and colours are too", color.NoColor)
			}
		}
	}
	if got := (painter{}).verdict(backend.Accepted, "accepted   "); got != "accepted   " {
		t.Errorf("%q", got)
	}
	seen := map[string]bool{}
	for _, v := range backend.Verdicts {
		got := painter{on: true}.verdict(v, "x")
		if seen[got] || !strings.Contains(got, "x") {
			t.Errorf("%s: %q", v, got)
		}
		seen[got] = true
	}
}
