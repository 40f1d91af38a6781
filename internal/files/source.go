package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/source"
	"kubernaut.io/dynamic-toolset/internal/world"
)

// SourceOptions say what is read, and how files are followed.
type SourceOptions struct {
	// Stdin is what "-" names. It should end when the context does.
	Stdin io.Reader
	// Namespace of objects that name none; "default" if empty.
	Namespace string
	// Namespaces, where there are any, are the only ones looked at; Exclude are not looked at.
	Namespaces, Exclude []string
	// KeepAnnotation says which annotations of Services detection reads.
	KeepAnnotation func(string) bool
	// Denied says which addresses may not be used; nil says that of none.
	Denied func(netip.Addr) bool
	// Relevant says of which Services more than the name is kept; nil keeps all.
	Relevant func(*backend.Service) bool
	// Settle is how long a file must not have changed before it is read; 100 ms if 0.
	Settle time.Duration
	// Poll is how often the files are looked at anyway; 2 s if 0.
	Poll time.Duration
	// Report, where it is not nil, is told when a file becomes bad, when what is wrong with it changes, and with nil when it
	// is good again; never twice at once.
	Report func(path string, err error)
	Log    *slog.Logger // discarded if nil
}

// Source fills a world.World from files and follows them. Where two files hold the same Service, the later named file
// counts, as with kubectl apply. What is named as "-", and what is a pipe, is read once and not followed.
type Source struct {
	*world.World
	opts   SourceOptions
	files  []*file
	synced chan struct{}

	services map[backend.Ref]*backend.Service // as the World has them
	slices   map[backend.Ref]struct{}         // as the World has them, by their names there
	twice    map[backend.Ref]bool             // Services that are in several files, as told

	mu sync.Mutex // of each file's err
}

// file is one of those named.
type file struct {
	path    string
	once    bool // it cannot be read again
	read    stamp
	pending stamp     // what it has become, where that has not been read yet
	since   time.Time // when pending was seen first; zero if nothing is pending
	content *content  // the last that was good
	err     error
}

// NewSource prepares a source; nothing is read before Load or Run. It tells known that EndpointSlices are optional.
func NewSource(paths []string, known *world.World, opts SourceOptions) *Source {
	if opts.Settle == 0 {
		opts.Settle = defaultSettle
	}
	if opts.Poll == 0 {
		opts.Poll = defaultPoll
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	known.SlicesOptional()
	s := &Source{World: known, opts: opts, synced: make(chan struct{})}
	for _, path := range paths {
		s.files = append(s.files, &file{path: path, once: path == source.Stdin, content: newContent(s)})
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

// Load reads every file for the first time. A file that is missing or bad is an error, since whoever named it is about to
// look at what comes of it: a service that runs and finds nothing would tell less. An object that cannot be used is none.
func (s *Source) Load(ctx context.Context) error {
	if len(s.files) == 0 {
		return errors.New("no file is named to read Services from (-f)")
	}
	stdin := 0
	for _, f := range s.files {
		if f.path == source.Stdin {
			stdin++
		}
		if stdin > 1 {
			return errors.New(`standard input ("-") can be read once only, it is named twice`)
		}
		if !f.once {
			f.read = stampOf(f.path)
			f.once = f.read.info != nil && !f.read.info.Mode().IsRegular()
		}
		fresh, report, err := s.parse(ctx, f)
		if err != nil {
			return err
		}
		f.content = fresh
		s.tell(f, refused(report))
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
	f := follower{
		dirs: s.places, touched: s.touched, look: func() bool { return s.look(ctx) },
		settle: s.opts.Settle, poll: s.opts.Poll, log: s.opts.Log,
	}
	f.run(ctx)
	return nil
}

func (s *Source) places() []string {
	seen := map[string]bool{}
	for _, f := range s.files {
		if !f.once {
			for _, dir := range placesOf(f.path) {
				seen[dir] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// touched begins the wait until a file is quiet. An event says more than its times and size, which others can set.
func (s *Source) touched(path string) bool {
	for _, f := range s.files {
		if !f.once && filepath.Clean(f.path) == filepath.Clean(path) {
			f.pending, f.since = stampOf(f.path), time.Now()
		}
	}
	return true
}

// look reads the files that have changed, and have been quiet since.
func (s *Source) look(ctx context.Context) (again bool) {
	changed := false
	for _, f := range s.files {
		if f.once {
			continue
		}
		now := stampOf(f.path)
		switch {
		case f.since.IsZero() && now.same(f.read):
			continue
		case f.since.IsZero() || !now.same(f.pending):
			f.pending, f.since = now, time.Now()
			again = true
			continue
		case time.Since(f.since) < s.opts.Settle:
			again = true
			continue
		}
		fresh, err := s.reread(ctx, f, now)
		if ctx.Err() != nil {
			return false
		}
		if after := stampOf(f.path); !after.same(now) {
			f.pending, f.since = after, time.Now()
			again = true
			continue
		}
		f.read, f.since = now, time.Time{}
		if fresh != nil {
			f.content, changed = fresh, true
		}
		s.tell(f, err)
	}
	if changed {
		s.apply()
	}
	return again
}

// reread reads a file again. The content is nil if the old one stays.
func (s *Source) reread(ctx context.Context, f *file, now stamp) (*content, error) {
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
	if !fresh.keep(f.content, report) {
		return nil, err
	}
	return fresh, err
}

// parse reads a file in full.
func (s *Source) parse(ctx context.Context, f *file) (*content, source.Report, error) {
	c := newContent(s)
	report, err := source.Files(ctx, []string{f.path}, s.opts.Stdin, c, source.Options{
		Namespace: s.opts.Namespace, KeepAnnotation: s.opts.KeepAnnotation, Denied: s.opts.Denied,
	})
	if err != nil {
		return nil, report, err
	}
	for _, w := range report.Warnings {
		s.opts.Log.Warn("not everything in a file can be used as it stands", "what", w.String())
	}
	return c, report, nil
}

func (s *Source) tell(f *file, err error) {
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
