package files

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	patience  = 20 * time.Second       // for what must happen
	quickly   = 20 * time.Millisecond  // settle of tests that do not test it
	quietTime = 250 * time.Millisecond // in which nothing must happen
)

// within waits until ok says so, on the clock of synctest, and until whoever looks at the files rests again: what a test
// does to them next is seen when it is done.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
	synctest.Wait()
}

// receive waits for a channel, as within does.
func receive(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s: not within %v", what, patience)
	}
	synctest.Wait()
}

// silent fails if something comes.
func silent(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
		t.Errorf("%s: something came", what)
	case <-time.After(quietTime):
	}
	synctest.Wait()
}

// background runs until the test ends.
func background(t *testing.T, run func(context.Context)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

// write writes a file in place. What is there already looks different then: file systems count time in steps of some
// milliseconds, and a test on the clock of synctest writes again within one.
func write(t *testing.T, path, text string) {
	t.Helper()
	before := stat(path)
	must(t, os.WriteFile(path, []byte(text), 0o644))
	for before != nil && stat(path).ModTime().Equal(before.ModTime()) {
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// replace writes beside and renames, as editors do.
func replace(t *testing.T, path, text string) {
	t.Helper()
	beside := filepath.Join(t.TempDir(), "new")
	write(t, beside, text)
	must(t, os.Rename(beside, path))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}
