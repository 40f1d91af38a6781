package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// OutputOptions say how a directory is kept right.
type OutputOptions struct {
	// Lock is the directory's; nil where nothing will be written, or nobody else can be there.
	Lock *DirLock
	// Settle is how long changes are gathered, and how long overrides.yaml must not have changed before it is read; 100 ms
	// if 0.
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
	view      atomic.Pointer[view]
	gone      atomic.Pointer[corev1.ConfigMap]

	known   map[string]string // what was written, or found right, in this term
	settled bool              // everything was right once in this term

	mu      sync.Mutex
	root    *os.Root // nil while there is no directory; open, so that no other one gets its inode
	opened  int      // how many directories there have been
	version int      // of what is shown, as a resourceVersion
	failed  string   // why the directory cannot be read
	missing time.Time
	perm    fs.FileMode // what the file system makes of the mode we want
}

// mode of the files: whoever runs HolmesGPT must be able to read them.
const mode fs.FileMode = 0o644

// NewOutput looks at the directory for the first time, which need not be there. A directory, or an overrides.yaml in it, that
// cannot be read is an error. With a lock it removes what a process left that was killed while it wrote.
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
	o := &Output{dir: filepath.Clean(dir), opts: opts, publisher: publish.New(nil, publish.Options{}), moved: make(chan struct{}, 1), perm: mode}
	o.view.Store(&view{})
	if _, _, err := o.refresh(); err != nil {
		return nil, o.fail(publish.OpRead, "", err)
	}
	if err := o.view.Load().unread; err != nil {
		return nil, o.fail(publish.OpRead, toolset.KeyOverrides, err)
	}
	if opts.Lock != nil {
		o.sweep(o.view.Load())
	}
	return o, nil
}

// Moved receives when somebody else has changed something.
func (o *Output) Moved() <-chan struct{} { return o.moved }

// Live is the directory as a ConfigMap, nil where there is none. It must not be changed.
func (o *Output) Live() *corev1.ConfigMap { return o.view.Load().cm }

// Gone is the last state of the directory that was deleted or replaced last, nil while none was. It must not be changed.
func (o *Output) Gone() *corev1.ConfigMap { return o.gone.Load() }

// NewTerm forgets what was written.
func (o *Output) NewTerm() { o.known, o.settled = nil, false }

// Run follows the directory until ctx ends.
func (o *Output) Run(ctx context.Context) { poll(ctx, o.opts.Poll, o.opts.Settle, o.look) }

// look tells of what somebody else has changed.
func (o *Output) look() (again bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	changed, again, _ := o.refresh() // Publish says what is wrong
	if changed {
		o.poke()
	}
	return again
}

func (o *Output) poke() {
	select {
	case o.moved <- struct{}{}:
	default:
	}
}

// refresh looks at the directory. With an error, everything is as it was seen last.
func (o *Output) refresh() (changed, again bool, err error) {
	before := o.view.Load()
	next := &view{}
	uid, err := o.open()
	if err == nil && uid != "" {
		next, again, err = o.scan(uid)
	}
	failed := ""
	if err != nil {
		failed = err.Error()
		next = before
	}
	changed = failed != o.failed || !next.same(before)
	o.failed = failed
	if err != nil {
		return changed, false, err
	}
	if before.cm != nil && (next.cm == nil || next.cm.UID != before.cm.UID) {
		o.gone.Store(before.cm)
	}
	switch {
	case next.cm == nil:
	case changed:
		o.version++
		next.cm.ResourceVersion = strconv.Itoa(o.version)
	default:
		next.cm = before.cm
	}
	o.view.Store(next)
	return changed, again, nil
}

// open opens the directory that is there now, where it is not the one that is open. The UID is empty if there is none.
func (o *Output) open() (types.UID, error) {
	now, err := os.Stat(o.dir)
	if errors.Is(err, fs.ErrNotExist) {
		o.close()
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !now.IsDir() {
		return "", syscall.ENOTDIR
	}
	if o.root != nil {
		if open, err := o.root.Stat("."); err == nil && os.SameFile(open, now) {
			return o.uid(), nil
		}
	}
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return "", err
	}
	o.close()
	o.root = root
	o.opened++
	return o.uid(), nil
}

func (o *Output) uid() types.UID { return types.UID(fmt.Sprintf("%s#%d", o.dir, o.opened)) }

func (o *Output) close() {
	if o.root != nil {
		_ = o.root.Close() // nothing was written through it
		o.root = nil
	}
}

// somebody is the manager of what we have not written: files do not say who wrote them.
const somebody = "somebody else"

// Drifted is what somebody else has changed in live, of what d says.
func (o *Output) Drifted(live *corev1.ConfigMap, d publish.Desired) []publish.Drift {
	v := o.view.Load()
	if v.cm != live {
		v = &view{cm: live}
	}
	_, drifted := o.compare(v, d)
	return drifted
}

// compare tells what is to be written, and what of it somebody else caused.
func (o *Output) compare(v *view, want publish.Desired) (d publish.Difference, drifted []publish.Drift) {
	d = o.publisher.Compare(v.shadow(), want)
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
			drifted = append(drifted, publish.Drift{Key: k, Manager: somebody})
		}
	}
	return d, drifted
}

// Names of files that are being written. No key of a ConfigMap begins with two dots.
const (
	tempPrefix = "..dynamic-toolset-"
	tempSuffix = ".tmp"
)

func isTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}
