package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// SourceOptions are the options of a Source.
type SourceOptions struct {
	ReadOptions
	// Store has the options of the store that is filled.
	Store store.Options
	// Stdin is read for the path "-".
	Stdin io.Reader
	// Poll is the time between two looks at the files. A changed file is read when it looks the same in two of them.
	// 0 means 1 s.
	Poll time.Duration
	// Failed, if not nil, is called when a file becomes bad, and when its error changes.
	Failed func()
	Log    *slog.Logger // nil discards the log
}

// Source is a store that is filled from files, and follows them. If two files hold the same Service, the one that is
// named later counts, as with kubectl apply. "-" and pipes are read once and not followed.
type Source struct {
	*store.Store
	opts   SourceOptions
	paths  []string
	files  []*file // one for each path
	synced chan struct{}

	mu sync.Mutex // for the err of each file
}

// file is one of the files that are read.
type file struct {
	path    string
	once    bool            // it cannot be read again
	read    fs.FileInfo     // when it was read last; nil if it was missing
	seen    fs.FileInfo     // when it was looked at last
	content *store.Contents // the last that was good
	err     error
}

// NewSource prepares a source. Load reads the files. EndpointSlices are optional.
func NewSource(paths []string, opts SourceOptions) *Source {
	opts.Poll = cmp.Or(opts.Poll, defaultPoll)
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	opts.Store.SlicesOptional, opts.Store.Unbounded = true, true
	s := &Source{Store: store.New(opts.Store), opts: opts, paths: paths, synced: make(chan struct{})}
	for _, path := range paths {
		s.files = append(s.files, &file{path: path, once: path == Stdin})
	}
	return s
}

// Synced is closed when every file was read once.
func (s *Source) Synced() <-chan struct{} { return s.synced }

// Err returns the errors of the files now, a line for each bad file, nil if all are good.
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, f := range s.files {
		all = append(all, f.err)
	}
	return errors.Join(all...)
}

// Load reads every file for the first time. It returns an error if a file is missing or bad, because a service that
// runs and finds nothing would not show the mistake. An object that cannot be used is not an error.
func (s *Source) Load(ctx context.Context) error {
	if err := readOnce(s.paths); err != nil {
		return err
	}
	for _, f := range s.files {
		if !f.once {
			f.read = stat(f.path)
			f.once = f.read != nil && !f.read.Mode().IsRegular()
		}
		content, refused, err := s.parse(ctx, f)
		if err != nil {
			return err
		}
		f.content = content
		s.report(f, refused)
	}
	s.apply()
	close(s.synced)
	return nil
}

// Run follows the files until ctx ends.
func (s *Source) Run(ctx context.Context) {
	wait.UntilWithContext(ctx, s.look, s.opts.Poll)
}

// look reads the files that have changed, and have looked the same since the last look. A file that was written bit by
// bit is so read when it is complete.
func (s *Source) look(ctx context.Context) {
	changed := false
	for _, f := range s.files {
		if f.once {
			continue
		}
		now := stat(f.path)
		settled := same(now, f.seen)
		f.seen = now
		if !settled || same(now, f.read) {
			continue
		}
		content, err := s.reread(ctx, f, now)
		if ctx.Err() != nil {
			return
		}
		if !same(stat(f.path), now) { // it changed while it was read
			continue
		}
		f.read = now
		if err == nil {
			f.content, changed = content, true
		}
		s.report(f, err)
	}
	if changed {
		s.apply()
	}
}

// reread reads a file again. With an error its last content stays.
func (s *Source) reread(ctx context.Context, f *file, now fs.FileInfo) (*store.Contents, error) {
	if now != nil && !now.Mode().IsRegular() && !now.IsDir() { // to open a pipe would block
		return nil, fmt.Errorf("%s: it is no regular file any more; put one there%s", f.path, stays)
	}
	content, refused, err := s.parse(ctx, f)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; put it back%s", err, stays)
	case err != nil:
		return nil, fmt.Errorf("%w; correct it%s", err, stays)
	}
	return content, refused
}

const stays = "; until then, what could be used of it stays in use"

// parse reads a file in full. refused is an error if not every object in it can be used.
func (s *Source) parse(ctx context.Context, f *file) (content *store.Contents, refused, err error) {
	content = s.NewContents()
	report, err := Read(ctx, []string{f.path}, s.opts.Stdin, content, s.opts.ReadOptions)
	if err != nil {
		return nil, nil, err
	}
	for i := range report.Warnings {
		w := &report.Warnings[i]
		s.opts.Log.Warn("object in a file not as expected", "code", w.Code, "what", view.InputWarning(w))
	}
	if n := report.Refused; n > 0 { // the first is not among the warnings if there are a hundred others before it
		first := max(0, slices.IndexFunc(report.Warnings, func(w store.Warning) bool { return w.Refused }))
		refused = fmt.Errorf("%s; correct it (objects that cannot be used: %d)%s",
			view.InputWarning(&report.Warnings[first]), n, stays)
	}
	return content, refused, nil
}

// apply makes the store hold the contents of all files.
func (s *Source) apply() {
	var all []*store.Contents
	for _, f := range s.files {
		all = append(all, f.content)
	}
	s.Replace(all...)
}

// report records the error of a file, and reports it if it is a new one.
func (s *Source) report(f *file, err error) {
	s.mu.Lock()
	known := fmt.Sprint(err) == fmt.Sprint(f.err)
	f.err = err
	s.mu.Unlock()
	if known {
		return
	}
	s.Notify()
	if err != nil && s.opts.Failed != nil {
		s.opts.Failed()
	}
}

// stat returns how a file looks, nil if it cannot be seen.
func stat(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// same reports whether a file looks the same.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.Mode() == b.Mode() && a.ModTime().Equal(b.ModTime())
}
