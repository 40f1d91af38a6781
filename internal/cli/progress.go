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

// progress shows how many probes are done.
type progress struct {
	out         io.Writer
	mu          sync.Mutex
	timer       *time.Timer // starts to show it
	shown, over bool
	done, total int
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	p.timer = time.AfterFunc(patience, func() { p.update(func() { p.shown = !p.over }) })
	return p
}

// show updates the progress.
func (p *progress) show(done, total int) { p.update(func() { p.done, p.total = done, total }) }

// update changes the progress and draws it again. It ignores errors because the bar is only a convenience.
func (p *progress) update(change func()) {
	const width = 30
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	if p.shown && p.total > 0 {
		bar := strings.Repeat("█", width*p.done/p.total)
		_, _ = fmt.Fprintf(p.out, "\rprobing the backends %3d%% |%-*s| (%d/%d)",
			100*p.done/p.total, width, bar, p.done, p.total)
	}
}

// end removes the bar from the screen.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	if p.shown {
		_, _ = io.WriteString(p.out, "\r\x1b[2K")
	}
	p.shown, p.over = false, true
}

// isTerminal reports whether a reader or writer is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
