package files

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Defaults of SourceOptions and OutputOptions.
const (
	defaultSettle = 100 * time.Millisecond
	defaultPoll   = 2 * time.Second
)

// follower looks whenever something happens in the directories, and anyway now and then: network file systems tell of
// nothing that others do, and inotify has limits.
type follower struct {
	dirs         func() []string        // where things happen; those that are not there are tried again
	touched      func(path string) bool // is told of what happened, and says whether to look
	look         func() bool            // says whether to look again soon
	settle, poll time.Duration
	log          *slog.Logger
}

// run follows until ctx ends. It looks once at first.
func (f *follower) run(ctx context.Context) {
	w := newWatch(f.log)
	defer w.close()
	soon := time.NewTimer(0)
	defer soon.Stop()
	poll := time.NewTicker(f.poll)
	defer poll.Stop()
	planned := true
	plan := func() {
		if !planned { // not put off by each further event, of which there may be no end
			planned = true
			soon.Reset(f.settle)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.events:
			if f.touched(e.Name) {
				plan()
			}
			continue
		case err := <-w.errors:
			f.log.Debug("events of files were lost", "err", err)
			plan()
			continue
		case <-soon.C:
			planned = false
		case <-poll.C:
		}
		w.set(f.dirs()) // first, so that nothing happens unseen between the two
		if f.look() {
			plan()
		}
	}
}

// watch tells what happens in some directories.
type watch struct {
	notify *fsnotify.Watcher // nil where there is none
	events <-chan fsnotify.Event
	errors <-chan error
	dirs   map[string]os.FileInfo // what stood there when it was added
	log    *slog.Logger
	told   bool
}

func newWatch(log *slog.Logger) *watch {
	w := &watch{dirs: map[string]os.FileInfo{}, log: log}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		w.tell(err)
		return w
	}
	w.notify, w.events, w.errors = notify, notify.Events, notify.Errors
	return w
}

func (w *watch) close() {
	if w.notify != nil {
		_ = w.notify.Close() // it never fails
	}
}

// set watches the directories that are there, and no others.
func (w *watch) set(dirs []string) {
	if w.notify == nil {
		return
	}
	for dir := range w.dirs {
		if !slices.Contains(dirs, dir) {
			w.drop(dir)
		}
	}
	active := w.notify.WatchList() // a watch ends with its directory
	for _, dir := range dirs {
		now, err := os.Stat(dir)
		before, known := w.dirs[dir]
		if err == nil && known && os.SameFile(before, now) && slices.Contains(active, dir) {
			continue
		}
		if known {
			w.drop(dir)
		}
		if err != nil {
			continue
		}
		if err := w.notify.Add(dir); err != nil {
			w.tell(err)
			continue
		}
		w.dirs[dir] = now
	}
}

func (w *watch) drop(dir string) {
	delete(w.dirs, dir)
	_ = w.notify.Remove(dir) // it may have ended
}

func (w *watch) tell(err error) {
	if !w.told {
		w.told = true
		w.log.Warn("changes of files are noticed a little later: the system does not tell of them", "err", err)
	}
}

// maxLinks is how many symbolic links are followed for watching; the system follows 40.
const maxLinks = 16

// placesOf are the directories in which a change can lead path to another content: its own, and those of what it is a
// symbolic link to.
func placesOf(path string) (dirs []string) {
	for range maxLinks {
		dirs = append(dirs, filepath.Dir(path))
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return dirs
}
