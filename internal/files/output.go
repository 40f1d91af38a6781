package files

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// OutputOptions are the options of an Output.
type OutputOptions struct {
	// Overrides is the path of the file with the admin's overrides, which is never written. "" means overrides.yaml in
	// the directory.
	Overrides string
	// Lock is the lock of the directory. It is nil if nothing will be written, or if no other process can be there.
	Lock *DirLock
	// Own are the names of the admin's own keys that are, or were, written here (publish.Desired.Own).
	Own []string
	// Poll is the time between two looks at the directory. A change counts if the directory looks the same for this
	// time. 0 means 1 s.
	Poll time.Duration
}

// Output publishes to a directory. Only the goroutine of the controller may call its methods, except Run.
type Output struct {
	dir       string
	opts      OutputOptions
	publisher *publish.Publisher // which only compares
	moved     chan struct{}
	snapshot  atomic.Pointer[snapshot] // the last state that counts
	gone      atomic.Pointer[corev1.ConfigMap]

	own     []string          // names of the admin's own keys
	known   map[string]string // the keys that were written, or found right, in this term
	settled bool              // everything was right once in this term

	// busy holds one value while Publish or Run looks. A channel and not a mutex, because the clock of synctest goes on
	// while someone waits for it.
	busy    chan struct{}
	root    *os.Root  // nil without a directory; it stays open, so that no other directory gets its inode
	opened  int       // number of directories there have been
	version int       // the resourceVersion of the snapshot
	failed  string    // why the directory cannot be read
	pending *snapshot // a state that differs from the snapshot, and does not count yet; nil if there is none
	since   time.Time // the time of pending
}

// defaultPoll is the default of SourceOptions.Poll and OutputOptions.Poll.
const defaultPoll = time.Second

// mode of the files: HolmesGPT must be able to read them, and may run as another user.
const mode fs.FileMode = 0o644

// NewOutput reads the directory for the first time. The directory may be missing. NewOutput returns an error if the
// directory, or the file with the overrides, cannot be read.
func NewOutput(dir string, opts OutputOptions) (*Output, error) {
	opts.Poll = cmp.Or(opts.Poll, defaultPoll)
	o := &Output{
		dir: filepath.Clean(dir), opts: opts, publisher: publish.New(nil, publish.Options{}),
		moved: make(chan struct{}, 1), busy: make(chan struct{}, 1), own: opts.Own,
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
	return o, nil
}

// Moved receives when another writer has changed something.
func (o *Output) Moved() <-chan struct{} { return o.moved }

// Live returns the directory as a ConfigMap, nil if there is none. The caller must not change it.
func (o *Output) Live() *corev1.ConfigMap { return o.snapshot.Load().cm }

// Gone returns the last state of the directory that was deleted or replaced last, nil if there was none. The caller
// must not change it.
func (o *Output) Gone() *corev1.ConfigMap { return o.gone.Load() }

// NewTerm forgets what was written.
func (o *Output) NewTerm() { o.known, o.settled = nil, false }

// Run follows the directory until ctx ends.
func (o *Output) Run(ctx context.Context) {
	wait.UntilWithContext(ctx, func(context.Context) {
		o.busy <- struct{}{}
		defer func() { <-o.busy }()
		if changed, _, _ := o.look(); changed { // Publish reports the error
			select {
			case o.moved <- struct{}{}:
			default:
			}
		}
	}, o.opts.Poll)
}

// look reads the directory. A change counts if the directory looks the same for opts.Poll, so that nothing is decided
// on a change that is half done. Until then again is true. If there is an error, the last state stays.
func (o *Output) look() (changed, again bool, err error) {
	next, err := o.read()
	if err != nil {
		changed, o.failed = err.Error() != o.failed, err.Error()
		return changed, false, err
	}
	changed, o.failed = o.failed != "", ""
	switch {
	case next.same(o.snapshot.Load()):
		o.pending = nil
		return changed, false, nil
	case o.pending == nil || !next.same(o.pending):
		o.pending, o.since = next, time.Now()
		return changed, true, nil
	case time.Since(o.since) < o.opts.Poll:
		return changed, true, nil
	}
	o.show(next)
	return true, false, nil
}

// show makes next the snapshot.
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

// otherWriter is the manager of all changes that this process did not make: a file does not say who wrote it.
const otherWriter = "another writer"

// Drifted returns the keys of d that another writer changed in live.
func (o *Output) Drifted(live *corev1.ConfigMap, d publish.Desired) []publish.Drift {
	_, drifted := o.compare(live, d)
	return drifted
}

// compare returns what must be written, and the part of it that another writer caused.
func (o *Output) compare(cm *corev1.ConfigMap, want publish.Desired) (d publish.Difference, drifted []publish.Drift) {
	d = o.publisher.Compare(cm, want)
	for _, k := range slices.Sorted(slices.Values(slices.Concat(d.Changed, d.Stale, d.Held))) {
		var text string
		var asText, asBinary bool
		if cm != nil {
			text, asText = cm.Data[k]
			_, asBinary = cm.BinaryData[k]
		}
		written, ours := o.known[k]
		switch {
		case ours && asText && written == text: // this process changes it
		case ours && !asText && !asBinary:
			drifted = append(drifted, publish.Drift{Key: k})
		case ours, o.settled && (asText || asBinary):
			drifted = append(drifted, publish.Drift{Key: k, Manager: otherWriter})
		}
	}
	return d, drifted
}
