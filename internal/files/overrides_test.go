package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// admin is an Output that is followed, and whose overrides.yaml somebody edits.
func admin(t *testing.T, poll time.Duration) (o *Output, path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, toolset.KeyOverrides)
	write(t, path, "first: 1")
	must(t, os.Chtimes(path, time.Now(), time.Now().Add(-time.Hour)))
	o = output(t, dir, OutputOptions{Poll: poll})
	publishing(t, o, publish.Desired{Keys: keys("1")})
	background(t, o.Run)
	return o, path
}

func overrides(o *Output) string { return string(overridesOf(o.Live())) }

func TestOverridesAreTheAdmins(t *testing.T) {
	t.Attr("req", "DTS-OUT-8 DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		o, path := admin(t, quickly)
		mounted := filepath.Join(t.TempDir(), "mounted.yaml")
		write(t, mounted, "mounted: 1")
		for _, step := range []struct {
			name, want string
			do         func() error
		}{
			{"written", "second: 2", func() error { return os.WriteFile(path, []byte("second: 2"), 0o644) }},
			{"not text", "\xff\xfea", func() error { return os.WriteFile(path, []byte("\xff\xfea"), 0o644) }},
			{"a link", "mounted: 1", func() error { return errors.Join(os.Remove(path), os.Symlink(mounted, path)) }},
			{"behind the link", "mounted: 2", func() error { return os.WriteFile(mounted, []byte("mounted: 2"), 0o644) }},
			{"private", "private: 1", func() error {
				return errors.Join(os.Remove(path), os.WriteFile(path, []byte("private: 1"), 0o600))
			}},
			{"emptied", "", func() error { return os.Truncate(path, 0) }},
			{"removed", "", func() error { return os.Remove(path) }},
			{"again", "again: 1", func() error { return os.WriteFile(path, []byte("again: 1"), 0o644) }},
		} {
			must(t, step.do())
			within(t, step.name, func() bool { return overrides(o) == step.want })
			if r := publishing(t, o, publish.Desired{Keys: keys("1"), Restore: ""}); r.Written || r.Restored {
				t.Errorf("%s: %+v", step.name, r)
			}
		}
		if text(t, path) != "again: 1" {
			t.Error("the admin's text was changed")
		}
	})
}

// TestOverridesElsewhere: a file elsewhere, as kubelet mounts a ConfigMap, is followed, and nothing of it is ever written into
// the directory, whatever becomes of either.
func TestOverridesElsewhere(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		dir, mount := filepath.Join(t.TempDir(), "out"), t.TempDir()
		path := filepath.Join(mount, toolset.KeyOverrides)
		data := func(name, text string) error {
			must(t, os.Mkdir(filepath.Join(mount, name), 0o755))
			write(t, filepath.Join(mount, name, toolset.KeyOverrides), text)
			must(t, os.Symlink(name, filepath.Join(mount, "..next")))
			return os.Rename(filepath.Join(mount, "..next"), filepath.Join(mount, "..data"))
		}
		o := output(t, dir, OutputOptions{Overrides: path, Poll: quickly})
		publishing(t, o, publish.Desired{Keys: keys("1")})
		background(t, o.Run)
		for _, step := range []struct {
			name, want string
			do         func() error
		}{
			{"mounted", "a: 1", func() error {
				return errors.Join(data("1", "a: 1"), os.Symlink(filepath.Join("..data", toolset.KeyOverrides), path))
			}},
			{"changed", "a: 2", func() error { return data("2", "a: 2") }},
			{"the directory is deleted", "a: 2", func() error { return os.RemoveAll(dir) }},
			{"unmounted", "", func() error { return os.Remove(path) }},
			{"deleted meanwhile", "", func() error { return os.RemoveAll(dir) }},
		} {
			must(t, step.do())
			within(t, step.name, func() bool {
				r, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys("1")}))
				return err == nil && !r.Restored && o.Live() != nil && overrides(o) == step.want
			})
			if _, err := os.Lstat(filepath.Join(dir, toolset.KeyOverrides)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: the overrides are in the directory: %v", step.name, err)
			}
		}
	})
}

func TestUnreadableOverridesStayInForce(t *testing.T) {
	t.Attr("req", "DTS-OUT-9 DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		o, path := admin(t, quickly)
		for _, c := range []struct {
			name string
			do   func() error
			want string
		}{
			{"a link to nothing", func() error { return errors.Join(os.Remove(path), os.Symlink("nothing", path)) }, "it is a symbolic link to nothing"},
			{"a directory", func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) }, "it is no regular file"},
			{"a device", func() error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) }, "it is no regular file"},
			{"huge", func() error {
				return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<30))
			}, "it is larger than 1 MiB; shorten it"},
		} {
			must(t, c.do())
			within(t, c.name, func() bool {
				r, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys(c.name), Restore: ""}))
				if overrides(o) != "first: 1" {
					t.Fatalf("%s: the overrides are %q", c.name, overrides(o))
				}
				return err != nil && strings.HasPrefix(err.Error(), path+": "+c.want) && strings.Contains(err.Error(), "stay in force") &&
					r.Live.Data[document] == c.name // the rest goes on
			})
			if _, err := NewOutput(filepath.Dir(path), OutputOptions{}); err == nil || !strings.HasPrefix(err.Error(), path+": "+c.want) {
				t.Errorf("%s, at the start: %v", c.name, err)
			}
		}
		must(t, errors.Join(os.Remove(path), os.WriteFile(path, []byte("second: 2"), 0o644)))
		within(t, "readable again", func() bool { return overrides(o) == "second: 2" })
		publishing(t, o, publish.Desired{Keys: keys("1")})
	})
}

// An editor that truncates and writes, or renames away and writes anew: in between there is nothing, which is not what the
// admin means.
func TestOverridesBeingWrittenAreNotRead(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	synctest.Test(t, func(t *testing.T) {
		o, path := admin(t, 150*time.Millisecond) // it looks at every third part
		written := make(chan error, 1)
		go func() {
			pause := time.NewTicker(50 * time.Millisecond)
			defer pause.Stop()
			renamed := os.Rename(path, path+"~")
			<-pause.C
			file, err := os.Create(path)
			for _, part := range []string{"", "se", "co", "nd", ":", " ", "2"} {
				_, failed := file.WriteString(part)
				err = errors.Join(err, failed)
				<-pause.C
			}
			written <- errors.Join(renamed, err, file.Close())
		}()
		for overrides(o) != "second: 2" {
			r := publishing(t, o, publish.Desired{Keys: keys("1")})
			if got := string(overridesOf(r.Live)); got != "first: 1" && got != "second: 2" {
				t.Fatalf("read while it was written: %q", got)
			}
		}
		must(t, <-written)
	})
}
