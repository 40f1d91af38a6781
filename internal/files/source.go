package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// SourceOptions say what is read, and how files are followed.
type SourceOptions struct {
	ReadOptions
	// Store is what is kept of it.
	Store store.Options
	// Stdin is what "-" names. It should end when the context does.
	Stdin io.Reader
	// Settle is how long a file must not have changed before it is read; 100 ms if 0.
	Settle time.Duration
	// Poll is how often the files are looked at; 1 s if 0.
	Poll time.Duration
	// Report, if not nil, is called when a file becomes bad, when what is wrong with it changes, and with nil when it
	// is good again; never twice at once.
	Report func(path string, err error)
	Log    *slog.Logger // discarded if nil
}

// Source is a store that is filled from files, which it follows. Where two files hold the same Service, the later
// named file counts, as with kubectl apply. What is named as "-", and what is a pipe, is read once and not followed.
type Source struct {
	*store.Store
	opts   SourceOptions
	paths  []string
	files  []*file // one for each path
	synced chan struct{}
	twice  map[backend.Ref]bool // Services in several files, as logged

	mu sync.Mutex // of each file's err
}

// file is one of those named.
type file struct {
	path    string
	once    bool // it cannot be read again
	read    stamp
	pending stamp           // how it looked last
	since   time.Time       // when it looked so first
	content *store.Contents // the last that was good
	err     error
}

// NewSource prepares a source; nothing is read before Load or Run. EndpointSlices are optional.
func NewSource(paths []string, opts SourceOptions) *Source {
	if opts.Settle == 0 {
		opts.Settle = defaultSettle
	}
	if opts.Poll == 0 {
		opts.Poll = defaultPoll
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Store.SlicesOptional, opts.Store.Unbounded = true, true
	s := &Source{Store: store.New(opts.Store), opts: opts, paths: paths, synced: make(chan struct{})}
	for _, path := range paths {
		s.files = append(s.files, &file{path: path, once: path == Stdin, content: s.NewContents()})
	}
	return s
}

// Synced is closed when every file was read once.
func (s *Source) Synced() <-chan struct{} { return s.synced }

// Err says what is wrong with the files now, a line for each that is bad; nil when all is well.
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, f := range s.files {
		all = append(all, f.err)
	}
	return errors.Join(all...)
}

// Load reads every file for the first time. A file that is missing or bad is an error: a service that runs and finds
// nothing would say less. An object that cannot be used is not an error.
func (s *Source) Load(ctx context.Context) error {
	if len(s.files) == 0 {
		return errors.New("no file is named to read Services from (-f)")
	}
	if err := readOnce(s.paths); err != nil {
		return err
	}
	for _, f := range s.files {
		if !f.once {
			f.read = stampOf(f.path)
			f.once = f.read.info != nil && !f.read.info.Mode().IsRegular()
		}
		fresh, report, err := s.parse(ctx, f)
		if err != nil {
			return err
		}
		f.content = fresh
		s.report(f, refused(report))
	}
	s.apply()
	close(s.synced)
	return nil
}

// Run loads the files, where Load has not done so, and follows them until ctx ends. Its errors are Load's.
func (s *Source) Run(ctx context.Context) error {
	select {
	case <-s.synced:
	default:
		if err := s.Load(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	poll(ctx, s.opts.Poll, s.opts.Settle, func() bool { return s.look(ctx) })
	return nil
}

// look reads the files that have changed, and have been quiet since.
func (s *Source) look(ctx context.Context) (again bool) {
	changed := false
	for _, f := range s.files {
		if f.once {
			continue
		}
		now := stampOf(f.path)
		if f.once || now.same(f.read) {
			continue
		}
		if !now.same(f.pending) {
			f.pending, f.since = now, time.Now()
		}
		if time.Since(f.since) < s.opts.Settle {
			again = true
			continue
		}
		fresh, err := s.reread(ctx, f, now)
		if ctx.Err() != nil {
			return false
		}
		if !stampOf(f.path).same(now) { // it changed while it was read
			again = true
			continue
		}
		f.read = now
		if fresh != nil {
			f.content, changed = fresh, true
		}
		s.report(f, err)
	}
	if changed {
		s.apply()
	}
	return again
}

// reread reads a file again. The content is nil if the old one stays.
func (s *Source) reread(ctx context.Context, f *file, now stamp) (*store.Contents, error) {
	const stays = "; what was read from it before stays until then"
	if now.info != nil && !now.info.Mode().IsRegular() && !now.info.IsDir() {
		return nil, fmt.Errorf("%s: it is no regular file any more; put one there%s", f.path, stays)
	}
	fresh, report, err := s.parse(ctx, f)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; put it back%s", err, stays)
	case err != nil:
		return nil, fmt.Errorf("%w; mend it%s", err, stays)
	}
	err = refused(report)
	if !keep(fresh, f.content, report) {
		return nil, err
	}
	return fresh, err
}

// keep takes over from before what was refused now: a Service that became invalid is not a deleted Service.
// It reports false if it cannot be told what was refused.
func keep(now, before *store.Contents, r store.Report) bool {
	n := 0
	for i := range r.Warnings {
		w := &r.Warnings[i]
		if !w.Refused {
			continue
		}
		n++
		switch w.Kind {
		case kindService:
			now.KeepService(w.Ref, before)
		case kindEndpointSlice: // whose Service is not known
			now.KeepSlices(before)
		default:
			now.KeepExposures(store.Exposer{Kind: w.Kind, Ref: w.Ref}, before)
		}
	}
	return n == r.Refused
}

// refused is the error of a file in which not every object can be used, nil if all can.
func refused(r store.Report) error {
	for i := range r.Warnings {
		w := &r.Warnings[i]
		if !w.Refused {
			continue
		}
		more := ""
		if r.Refused > 1 {
			more = fmt.Sprintf(" (and %d more)", r.Refused-1)
		}
		return fmt.Errorf("%s%s; mend it: what was known of it before stays until then", view.InputWarning(w), more)
	}
	return nil
}

// parse reads a file in full.
func (s *Source) parse(ctx context.Context, f *file) (*store.Contents, store.Report, error) {
	c := s.NewContents()
	report, err := Read(ctx, []string{f.path}, s.opts.Stdin, c, s.opts.ReadOptions)
	if err != nil {
		return nil, report, err
	}
	for i := range report.Warnings {
		w := &report.Warnings[i]
		s.opts.Log.Warn("object in a file not usable as it is", "code", w.Code, "what", view.InputWarning(w))
	}
	return c, report, nil
}

// apply makes the store hold what all files say together, and warns of the first Service that is new in more than one.
func (s *Source) apply() {
	var all []*store.Contents
	for _, f := range s.files {
		all = append(all, f.content)
	}
	twice := s.Replace(all...)
	for _, ref := range slices.SortedFunc(maps.Keys(twice), backend.Ref.Compare) {
		if !s.twice[ref] {
			s.opts.Log.Warn("Services in several files, of which the last one counts",
				"first", ref.String(), "services", len(twice))
			break
		}
	}
	s.twice = twice
}

func (s *Source) report(f *file, err error) {
	s.mu.Lock()
	same := err == nil && f.err == nil || err != nil && f.err != nil && err.Error() == f.err.Error()
	f.err = err
	s.mu.Unlock()
	if same {
		return
	}
	s.Notify()
	if s.opts.Report != nil {
		s.opts.Report(f.path, err)
	}
}

// stamp is how a file looks from outside.
type stamp struct {
	info fs.FileInfo // nil if there is none
	err  string
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{err: err.Error()}
	}
	return stamp{info: info}
}

func (s stamp) same(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil && s.err == o.err
	}
	return os.SameFile(s.info, o.info) && s.info.Size() == o.info.Size() &&
		s.info.Mode() == o.info.Mode() && s.info.ModTime().Equal(o.info.ModTime())
}
