package files

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// OutputOptions say how a directory is kept right.
type OutputOptions struct {
	// Overrides is the file with the admin's overrides, which is not written; "" for the one in the directory.
	Overrides string
	// Lock is the directory's; nil where nothing will be written, or no other process can be there.
	Lock *DirLock
	// Own are the names of keys beside the reserved ones that are, or were, written here (publish.Desired.Own).
	Own []string
	// Settle is how long the directory must look the same before a change counts; 100 ms if 0.
	Settle time.Duration
	// Poll is how often the directory is looked at; 1 s if 0.
	Poll time.Duration
	Log  *slog.Logger // discarded if nil
}

// Output is a directory as the place to publish to. Its methods but Run are for one goroutine, that of the controller.
type Output struct {
	dir       string
	opts      OutputOptions
	publisher *publish.Publisher // which only compares
	moved     chan struct{}
	snapshot  atomic.Pointer[snapshot] // what counts
	gone      atomic.Pointer[corev1.ConfigMap]

	own     []string          // names beside the reserved ones that are looked at
	known   map[string]string // what was written, or found right, in this term
	settled bool              // everything was right once in this term

	mu      sync.Mutex
	root    *os.Root  // nil while there is no directory; open, so that no other one gets its inode
	opened  int       // how many directories there have been
	version int       // of what is shown, as a resourceVersion
	failed  string    // why the directory cannot be read
	pending *snapshot // what differs from the snapshot, and does not count yet; nil if nothing does
	since   time.Time
	perm    fs.FileMode // what the file system makes of the mode we want
}

// mode of the files: HolmesGPT, which may run as another user, must be able to read them.
const mode fs.FileMode = 0o644

// NewOutput looks at the directory for the first time, which need not be there. A directory, or an overrides.yaml in
// it, that cannot be read is an error. With a lock it removes what a process left that was killed while it wrote.
func NewOutput(dir string, opts OutputOptions) (*Output, error) {
	if opts.Settle == 0 {
		opts.Settle = defaultSettle
	}
	if opts.Poll == 0 {
		opts.Poll = defaultPoll
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	o := &Output{
		dir: filepath.Clean(dir), opts: opts, publisher: publish.New(nil, publish.Options{}),
		moved: make(chan struct{}, 1), perm: mode, own: opts.Own,
	}
	o.snapshot.Store(&snapshot{})
	v, err := o.read()
	if err != nil {
		return nil, o.fail(publish.OpRead, "", err)
	}
	if v.unread != nil {
		return nil, o.fail(publish.OpRead, toolset.KeyOverrides, v.unread)
	}
	if v, err = o.readRecorded(v); err != nil {
		return nil, o.fail(publish.OpRead, "", err)
	}
	o.show(v)
	o.sweep()
	return o, nil
}

// Moved receives when another writer has changed something.
func (o *Output) Moved() <-chan struct{} { return o.moved }

// Live is the directory as a ConfigMap, nil where there is none. It must not be changed.
func (o *Output) Live() *corev1.ConfigMap { return o.snapshot.Load().cm }

// Gone is the last state of the directory that was deleted or replaced last, nil while none was. It must not be
// changed.
func (o *Output) Gone() *corev1.ConfigMap { return o.gone.Load() }

// NewTerm forgets what was written.
func (o *Output) NewTerm() { o.known, o.settled = nil, false }

// Run follows the directory until ctx ends.
func (o *Output) Run(ctx context.Context) {
	poll(ctx, o.opts.Poll, o.opts.Settle, func() (again bool) {
		o.mu.Lock()
		defer o.mu.Unlock()
		changed, again, _ := o.look() // Publish reports what is wrong
		if changed {
			select {
			case o.moved <- struct{}{}:
			default:
			}
		}
		return again
	})
}

// look reads the directory. A change counts once it was seen twice, so that nothing is decided on what is half done;
// until then it is to be looked at again. With an error, everything is as it was seen last.
func (o *Output) look() (changed, again bool, err error) {
	next, err := o.read()
	if err != nil {
		changed, o.failed = err.Error() != o.failed, err.Error()
		return changed, false, err
	}
	changed, o.failed = o.failed != "", ""
	before := o.snapshot.Load()
	switch {
	case next.same(before):
		o.pending, next.cm = nil, before.cm
		o.snapshot.Store(next) // with other temps
		return changed, false, nil
	case o.pending == nil || !next.same(o.pending):
		o.pending, o.since = next, time.Now()
		return changed, true, nil
	case time.Since(o.since) < o.opts.Settle:
		return changed, true, nil
	}
	o.show(next)
	return true, false, nil
}

// show makes a snapshot count.
func (o *Output) show(next *snapshot) {
	before := o.snapshot.Load()
	if before.cm != nil && (next.cm == nil || next.cm.UID != before.cm.UID) {
		o.gone.Store(before.cm)
	}
	if next.cm != nil {
		o.version++
		next.cm.ResourceVersion = strconv.Itoa(o.version)
	}
	o.pending = nil
	o.snapshot.Store(next)
}

// otherWriter is the manager of what this process has not written: files do not say who wrote them.
const otherWriter = "another writer"

// Drifted is what another writer has changed in live, of what d says.
func (o *Output) Drifted(live *corev1.ConfigMap, d publish.Desired) []publish.Drift {
	v := o.snapshot.Load()
	if v.cm != live {
		v = &snapshot{cm: live}
	}
	_, drifted := o.compare(v, d)
	return drifted
}

// compare returns what is to be written, and what of it another writer caused.
func (o *Output) compare(v *snapshot, want publish.Desired) (d publish.Difference, drifted []publish.Drift) {
	d = o.publisher.Compare(v.comparable(), want)
	for _, k := range slices.Sorted(slices.Values(slices.Concat(d.Changed, d.Stale, d.Held))) {
		var text string
		var stands bool
		if v.cm != nil {
			text, stands = v.cm.Data[k]
			_, binary := v.cm.BinaryData[k]
			stands = stands || binary || v.wrong[k] != ""
		}
		written, ours := o.known[k]
		switch {
		case ours && stands && written == text && v.wrong[k] == "": // it is to become something else
		case ours && !stands:
			drifted = append(drifted, publish.Drift{Key: k})
		case ours, o.settled && stands:
			drifted = append(drifted, publish.Drift{Key: k, Manager: otherWriter})
		}
	}
	return d, drifted
}

// sweep removes what was left half-written, if the directory is this process's.
func (o *Output) sweep() {
	temps := o.snapshot.Load().temps
	if len(temps) == 0 || o.opts.Lock == nil || !o.opts.Lock.held() {
		return
	}
	for _, name := range temps {
		if err := o.root.Remove(name); err == nil {
			o.opts.Log.Info("half-written file removed", "file", name)
		}
	}
}
