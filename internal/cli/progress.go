package cli

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// patience is how long a person waits before wanting to see that something happens.
const patience = time.Second

// progress shows how far the probes are, to a person who has waited.
type progress struct {
	out   io.Writer // nil if it is no terminal
	mu    sync.Mutex
	timer *time.Timer
	bar   *progressbar.ProgressBar
	done  int
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
	p.done = done
	switch {
	case p.out == nil || total == 0:
	case p.bar != nil:
		_ = p.bar.Set(done)
	case p.timer == nil:
		p.timer = time.AfterFunc(patience, func() { p.start(total) })
	}
}

func (p *progress) start(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	p.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription("asking the backends"),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		// It starts late, so that its clock would be wrong.
		progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
	)
	_ = p.bar.RenderBlank() // nothing may have ended yet
	_ = p.bar.Set(p.done)
}

// clear takes it off the screen.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	p.out = nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
