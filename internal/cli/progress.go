package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// patience is how long a person waits before wanting to see that something happens.
const patience = time.Second

// progress shows how far the probes are, to a person who has waited.
type progress struct {
	out         io.Writer // nil if it is no terminal
	mu          sync.Mutex
	timer       *time.Timer
	shown       bool
	done, total int
}

func newProgress(out io.Writer) *progress {
	if !isTerminal(out) {
		out = nil
	}
	return &progress{out: out}
}

// show is called with 0 done when the work begins.
func (p *progress) show(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = done, total
	switch {
	case p.out == nil || total == 0:
	case p.shown:
		p.draw()
	case p.timer == nil:
		p.timer = time.AfterFunc(patience, p.start)
	}
}

func (p *progress) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		p.shown = true
		p.draw()
	}
}

// draw shows a bar, in place of the one before. What cannot be shown is not missed.
func (p *progress) draw() {
	const width = 30
	bar := strings.Repeat("█", width*p.done/p.total)
	_, _ = fmt.Fprintf(p.out, "\rasking the backends %3d%% |%-*s| (%d/%d)", 100*p.done/p.total, width, bar, p.done, p.total)
}

// clear takes it off the screen.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.shown {
		_, _ = io.WriteString(p.out, "\r\x1b[2K")
	}
	p.out, p.shown = nil, false
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
