//go:build linux

package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"kubernaut.io/dynamic-toolset/internal/publish"
)

// mounted is a file system of its own, of that size. Only root can mount; where nobody may, the test says so.
func mounted(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size); err != nil {
		t.Skipf("a small file system is needed, and mounting one is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// asNobody runs f without root's rights over files, on a thread of its own that ends with it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		if before, err := unix.SetfsuidRetUid(65534); err != nil || before != 0 {
			t.Errorf("giving up root's rights: it was %d, %v", before, err)
			return
		}
		f()
	}()
	<-done
}

// open lets anybody through to a directory of this test.
func open(t *testing.T, dir string) {
	t.Helper()
	for d := dir; d != filepath.Dir(d); d = filepath.Dir(d) {
		info, err := os.Stat(d)
		must(t, err)
		if info.Mode().Perm()&0o005 != 0o005 {
			must(t, os.Chmod(d, 0o755))
		}
	}
}

// fails publishes in vain, for a cause.
func (o *Output) fails(t *testing.T, d publish.Desired, cause error, want string) {
	t.Helper()
	r, err := o.Publish(t.Context(), always(d))
	var failed *publish.Error
	if !errors.As(err, &failed) || !strings.HasPrefix(err.Error(), o.dir) || !strings.Contains(err.Error(), want) ||
		strings.Contains(err.Error(), "\n") || !errors.Is(err, cause) {
		t.Errorf("it says %v\nwant %q", err, want)
	}
	if r.Written {
		t.Errorf("it has written: %v", r.Changed)
	}
}

func TestFullDisk(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-6")
	dir := filepath.Join(mounted(t, "256k"), "toolsets")
	lock, err := Lock(dir)
	must(t, err)
	defer lock.Close()
	o := output(t, dir, OutputOptions{Lock: lock})
	publishing(t, o, publish.Desired{Keys: keys("1", "loki-toolset.yaml")})
	before, stamps := tree(t, dir)
	ballast := filepath.Join(filepath.Dir(dir), "ballast")
	write(t, ballast, strings.Repeat("x", 200<<10))

	// The last of them does not fit any more: nothing at all is replaced, and nothing is left.
	big := publish.Desired{Keys: keys(strings.Repeat("2", 20<<10), "loki-toolset.yaml")}
	o.fails(t, big, syscall.ENOSPC, "the disk is full; free some space: what was written before stays")
	after, now := tree(t, dir)
	if d := cmp.Diff(before, after); d != "" || !same(now[document], stamps[document]) {
		t.Errorf("after the failure: -want +got:\n%s", d)
	}
	must(t, os.Remove(ballast))
	r := publishing(t, o, big)
	if len(r.Changed) != 3 || len(r.Drifted) != 0 || text(t, filepath.Join(dir, document)) != big.Keys[document] {
		t.Errorf("with space again: %v, %v", r.Changed, r.Drifted)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-6")
	top := mounted(t, "1m")
	dir := filepath.Join(top, "toolsets")
	o := output(t, dir, OutputOptions{})
	publishing(t, o, publish.Desired{Keys: keys("1")})
	must(t, unix.Mount("", top, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if r := publishing(t, o, publish.Desired{Keys: keys("1")}); r.Written {
		t.Errorf("a quiet cycle: %+v", r)
	}
	o.fails(t, publish.Desired{Keys: keys("2")}, syscall.EROFS, "the file system is read-only; make it writable, or name another directory")
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), dir+": the file system is read-only") {
		t.Errorf("at the start: %v", err)
	}
	must(t, unix.Mount("", top, "", unix.MS_REMOUNT, ""))
	publishing(t, o, publish.Desired{Keys: keys("2")})
}

func TestNoPermission(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-6")
	top := t.TempDir()
	dir := filepath.Join(top, "toolsets")
	must(t, os.Mkdir(dir, 0o755))
	open(t, dir)
	publishing(t, output(t, dir, OutputOptions{}), publish.Desired{Keys: keys("1")})
	must(t, os.Chmod(dir, 0o555))
	defer func() { _ = os.Chmod(dir, 0o755) }()
	asNobody(t, func() {
		o := output(t, dir, OutputOptions{})
		publishing(t, o, publish.Desired{Keys: keys("1")})
		o.fails(t, publish.Desired{Keys: keys("2")}, fs.ErrPermission, "permission denied; the user that runs this must be able to read and write there")
		if _, err := Lock(dir); err == nil || !strings.HasPrefix(err.Error(), dir+": permission denied; ") {
			t.Errorf("at the start: %v", err)
		}
	})
	must(t, os.Chmod(dir, 0))
	asNobody(t, func() {
		if _, err := NewOutput(dir, OutputOptions{}); err == nil || !strings.HasPrefix(err.Error(), dir+": permission denied; ") {
			t.Errorf("a directory that cannot be read, at the start: %v", err)
		}
	})
	must(t, os.Chmod(dir, 0o755))
	if got := text(t, filepath.Join(dir, document)); got != "1" {
		t.Errorf("there is %q", got)
	}
}

// What nobody can read is no reason to stop: it is replaced.
func TestUnreadableKeysAreReplaced(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	dir := t.TempDir()
	open(t, dir)
	must(t, os.Chmod(dir, 0o777))
	asNobody(t, func() {
		o := output(t, dir, OutputOptions{})
		publishing(t, o, publish.Desired{Keys: keys("1")})
		must(t, os.Chmod(filepath.Join(dir, document), 0))
		r := publishing(t, o, publish.Desired{Keys: keys("1")})
		if d := cmp.Diff([]publish.Drift{{Key: document, Manager: otherWriter}}, r.Drifted); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if text(t, filepath.Join(dir, document)) != "1" {
			t.Error("it is not repaired")
		}
	})
}

func TestFileInPlaceOfTheDirectory(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		o, dir := started(t)
		background(t, o.Run)
		live := o.Live()
		must(t, os.Rename(dir, dir+".old"))
		write(t, dir, "a file")
		receive(t, "it is noticed", o.Moved())
		within(t, "the error", func() bool {
			_, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys("1")}))
			return err != nil && strings.Contains(err.Error(), "it is no directory; move it away, or name another")
		})
		if text(t, dir) != "a file" {
			t.Error("it was written over")
		}
		if _, err := NewOutput(dir, OutputOptions{}); err == nil || !strings.HasPrefix(err.Error(), dir+": it is no directory") {
			t.Errorf("at the start: %v", err)
		}
		must(t, os.Remove(dir))
		must(t, os.Rename(dir+".old", dir))
		within(t, "as before", func() bool {
			r, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys("1")}))
			return err == nil && !r.Written && r.Live.Data[document] == live.Data[document]
		})
	})
}

func TestTooLarge(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	o, dir := started(t)
	before, _ := tree(t, dir)
	r, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys(strings.Repeat("2", 460<<10))}))
	if !errors.Is(err, publish.ErrTooLarge) || r.Bytes < 920<<10 || !strings.Contains(err.Error(), dir+": it would grow too large") {
		t.Errorf("%v, %d bytes", err, r.Bytes)
	}
	if after, _ := tree(t, dir); !cmp.Equal(before, after) {
		t.Error("something was written")
	}
	// What is not ours counts for nothing, and what is to go neither.
	write(t, filepath.Join(dir, "big.bin"), strings.Repeat("x", 2<<20))
	write(t, filepath.Join(dir, "a-toolset.yaml"), strings.Repeat("x", 2<<20))
	write(t, filepath.Join(dir, "b-toolset.yaml"), strings.Repeat("x", 800<<10))
	if r := publishing(t, o, publish.Desired{Keys: keys(strings.Repeat("2", 400<<10))}); len(r.Removed) != 2 {
		t.Errorf("removed: %v", r.Removed)
	}
}

func TestForeignLock(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := filepath.Join(t.TempDir(), "toolsets")
	lock, err := Lock(dir)
	must(t, err)
	defer lock.Close()
	o := output(t, dir, OutputOptions{Lock: lock})
	publishing(t, o, publish.Desired{Keys: keys("1")})
	must(t, os.RemoveAll(dir))
	theirs, err := Lock(dir)
	must(t, err)
	o.fails(t, publish.Desired{Keys: keys("1")}, ErrInUse, "another dynamic-toolset writes there")
	must(t, theirs.Close())
	publishing(t, o, publish.Desired{Keys: keys("1")})
}
