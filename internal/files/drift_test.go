package files

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
)

func TestDriftOnDiskIsRepaired(t *testing.T) {
	t.Attr("req", "DTS-OUT-8 DTS-RUN-6")
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	write(t, victim, "precious")
	t.Cleanup(func() {
		if got := text(t, victim); got != "precious" {
			t.Errorf("a link was written through: %q", got)
		}
	})
	for _, c := range []struct {
		name    string
		do      func(path string) error
		manager string
		key     string // document, unless it says another
	}{
		{"edited", func(p string) error { return os.WriteFile(p, []byte("theirs"), 0o644) }, otherWriter, ""},
		{"truncated", func(p string) error { return os.Truncate(p, 0) }, otherWriter, ""},
		{"deleted", os.Remove, "", ""},
		{"a link to another file", func(p string) error { return errors.Join(os.Remove(p), os.Symlink(victim, p)) }, otherWriter, ""},
		{"a link to nothing", func(p string) error { return errors.Join(os.Remove(p), os.Symlink("nothing", p)) }, otherWriter, ""},
		{"a link to the right text", func(p string) error {
			right := filepath.Join(outside, "right")
			return errors.Join(os.WriteFile(right, []byte("1"), 0o644), os.Remove(p), os.Symlink(right, p))
		}, otherWriter, ""},
		{"a directory", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, otherWriter, ""},
		{"a pipe", func(p string) error { return errors.Join(syscall.Mkfifo(p+".pipe", 0o644), os.Rename(p+".pipe", p)) }, otherWriter, ""},
		{"not text", func(p string) error { return os.WriteFile(p, []byte("\xff\xfe"), 0o644) }, otherWriter, ""},
		{"huge", func(p string) error { return os.Truncate(p, 1<<30) }, otherWriter, ""},
		{"a reserved name", func(p string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(p), "x-toolset.yaml"), []byte("theirs"), 0o644)
		}, otherWriter, "x-toolset.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, dir := started(t, "loki-toolset.yaml")
				want := publish.Desired{Keys: keys("1", "loki-toolset.yaml")}
				clean, _ := tree(t, dir)
				background(t, o.Run)
				silent(t, "nothing happened", o.Moved())
				must(t, c.do(filepath.Join(dir, document)))
				receive(t, "it is noticed", o.Moved())
				key := document
				if c.key != "" {
					key = c.key
				}
				drift := []publish.Drift{{Key: key, Manager: c.manager}}
				within(t, fmt.Sprintf("drifted: %v", drift), func() bool { return slices.Equal(drift, o.Drifted(o.Live(), want)) })
				// As long as it is held, it stays.
				held := want
				held.Hold = []string{key}
				if r := publishing(t, o, held); r.Written || !slices.Equal(r.Held, held.Hold) || len(r.Drifted) != 0 {
					t.Errorf("held: %+v", r)
				}
				r := publishing(t, o, want)
				if d := cmp.Diff(drift, r.Drifted); d != "" || !r.Written {
					t.Errorf("repaired: -want +got:\n%s", d)
				}
				now, _ := tree(t, dir)
				if d := cmp.Diff(clean, now); d != "" {
					t.Errorf("after the repair: -want +got:\n%s", d)
				}
				silent(t, "our own repair", o.Moved())
			})
		})
	}
}

// A directory with files in it stays: it may hold the only copy of them. The error says so.
func TestFullDirectoryInTheWay(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	dir := t.TempDir()
	o := output(t, dir, OutputOptions{})
	for _, name := range []string{document, "loki-toolset.yaml"} {
		publishing(t, o, publish.Desired{Keys: keys("1", "loki-toolset.yaml")})
		path := filepath.Join(dir, name)
		must(t, os.Remove(path))
		must(t, os.Mkdir(path, 0o755))
		write(t, filepath.Join(path, "precious"), "precious")
		want := path + ": something else has this name; move it away"
		if _, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys("1")})); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if text(t, filepath.Join(path, "precious")) != "precious" {
			t.Error("the files in the directory are lost")
		}
		must(t, os.Rename(path, filepath.Join(t.TempDir(), "aside")))
		publishing(t, o, publish.Desired{Keys: keys("1")})
	}
}

func TestDeletedDirectoryComesBack(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "toolsets")
		lock, err := Lock(dir)
		must(t, err)
		defer lock.Close()
		o := output(t, dir, OutputOptions{Lock: lock, Poll: quickly})
		publishing(t, o, publish.Desired{Keys: keys("1")})
		write(t, filepath.Join(dir, "overrides.yaml"), "toolsets: {}\n")
		background(t, o.Run)
		within(t, "the overrides are seen", func() bool { return len(overridesOf(o.Live())) > 0 })
		first := o.Live()
		for range 3 {
			for len(o.Moved()) > 0 {
				<-o.Moved()
			}
			// All of it at once: a look in the middle of a removal would find the overrides removed alone.
			must(t, os.Rename(dir, filepath.Join(t.TempDir(), "gone")))
			within(t, "it is gone", func() bool { return o.Live() == nil })
			receive(t, "it is noticed", o.Moved())
			if gone := o.Gone(); gone.Data["overrides.yaml"] != "toolsets: {}\n" {
				t.Fatalf("gone: %+v", gone)
			}
			var seen []*corev1.ConfigMap
			r, err := o.Publish(t.Context(), func(live *corev1.ConfigMap) (publish.Desired, error) {
				seen = append(seen, live)
				return publish.Desired{Keys: keys("1"), Restore: "toolsets: {}\n"}, nil
			})
			must(t, err)
			if !r.Created || !r.Restored || r.Live.UID == first.UID || r.Live.ResourceVersion == first.ResourceVersion || !slices.Equal(seen, []*corev1.ConfigMap{nil}) {
				t.Errorf("brought back: %+v, of %v", r, seen)
			}
			first = r.Live
			texts, _ := tree(t, dir)
			if d := cmp.Diff([]string{lockName, document, "overrides.yaml", "state.json"}, slices.Sorted(maps.Keys(texts))); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
				t.Errorf("the new directory is not locked: %v", err)
			}
		}
		// It is still followed.
		write(t, filepath.Join(dir, document), "theirs")
		within(t, "drift in the new one", func() bool { return o.Live().Data[document] == "theirs" })
	})
}

func TestTextMadeMeanwhileWins(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	dir := filepath.Join(t.TempDir(), "toolsets")
	o := output(t, dir, OutputOptions{})
	calls := 0
	r, err := o.Publish(t.Context(), func(live *corev1.ConfigMap) (publish.Desired, error) {
		if calls++; calls == 1 {
			must(t, os.Mkdir(dir, 0o755))
			write(t, filepath.Join(dir, "overrides.yaml"), "theirs")
		} else if live == nil || live.Data["overrides.yaml"] != "theirs" {
			t.Errorf("asked again with %v", live)
		}
		return publish.Desired{Keys: keys("1"), Restore: "ours"}, nil
	})
	must(t, err)
	if calls != 2 || r.Restored || text(t, filepath.Join(dir, "overrides.yaml")) != "theirs" {
		t.Errorf("after %d calls: %+v", calls, r)
	}
}

// Another directory of that name is another ConfigMap, even where the file system gives it the same inode.
func TestReplacedDirectoryIsAnother(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	synctest.Test(t, func(t *testing.T) {
		o, dir := started(t)
		background(t, o.Run)
		write(t, filepath.Join(dir, "overrides.yaml"), "a: 1")
		receive(t, "the overrides are seen", o.Moved())
		before := o.Live()
		must(t, os.RemoveAll(dir))
		must(t, os.Mkdir(dir, 0o755))
		receive(t, "it is noticed", o.Moved())
		within(t, "the new one", func() bool { return o.Live() != nil && o.Live().UID != before.UID })
		if len(o.Live().Data) != 0 || o.Gone() != before {
			t.Errorf("it is %+v, gone is %+v", o.Live(), o.Gone())
		}
	})
}

// A directory that is a link is followed to where it leads, and another one behind the link is another.
func TestLinkedDirectory(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		top := t.TempDir()
		dir := filepath.Join(top, "toolsets")
		for _, name := range []string{"one", "two"} {
			must(t, os.Mkdir(filepath.Join(top, name), 0o755))
		}
		must(t, os.Symlink("one", dir))
		o := output(t, dir, OutputOptions{Poll: quickly})
		publishing(t, o, publish.Desired{Keys: keys("1")})
		background(t, o.Run)
		before := o.Live()
		if text(t, filepath.Join(top, "one", document)) != "1" {
			t.Error("it is not written behind the link")
		}
		must(t, os.Symlink("two", dir+".new"))
		must(t, os.Rename(dir+".new", dir))
		receive(t, "another behind the link", o.Moved())
		if now := o.Live(); now.UID == before.UID || o.Gone() != before {
			t.Errorf("it is %v, gone is %v", now, o.Gone())
		}
		publishing(t, o, publish.Desired{Keys: keys("1")})
		for len(o.Moved()) > 0 {
			<-o.Moved()
		}
		write(t, filepath.Join(top, "two", document), "theirs")
		receive(t, "drift behind the link", o.Moved())
	})
}

// Whoever deletes a directory takes one file after the other out of it.
func TestNoRepairWhileTheDirectoryIsBeingDeleted(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "toolsets")
		o := output(t, dir, OutputOptions{Poll: time.Second})
		publishing(t, o, publish.Desired{Keys: keys("1")})
		must(t, os.Remove(filepath.Join(dir, document)))
		deleted := make(chan error, 1)
		go func() {
			pause := time.NewTicker(100 * time.Millisecond)
			defer pause.Stop()
			<-pause.C
			if err := os.Remove(filepath.Join(dir, "state.json")); err != nil {
				deleted <- err
				return
			}
			<-pause.C
			deleted <- os.Remove(dir) // which fails if there is something in it
		}()
		r, err := o.Publish(t.Context(), func(live *corev1.ConfigMap) (publish.Desired, error) {
			if live != nil {
				t.Errorf("asked with %v", live.Data)
			}
			return publish.Desired{Keys: keys("1")}, nil
		})
		must(t, err)
		must(t, <-deleted)
		if !r.Created || text(t, filepath.Join(dir, document)) != "1" {
			t.Errorf("%+v", r)
		}
	})
}
