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

// patience is the time before the progress is shown.
const patience = time.Second

// progress shows on a terminal how many probes are done.
type progress struct {
	out         io.Writer // nil if it is not a terminal
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

// show updates the progress. The first call has done 0.
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

// draw replaces the bar. It ignores errors because the bar is only a convenience.
func (p *progress) draw() {
	const width = 30
	bar := strings.Repeat("█", width*p.done/p.total)
	_, _ = fmt.Fprintf(p.out, "\rprobing the backends %3d%% |%-*s| (%d/%d)",
		100*p.done/p.total, width, bar, p.done, p.total)
}

// clear removes the bar from the screen.
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

// isTerminal reports whether a reader or writer is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
