package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLockSurvivesItsDirectory(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := filepath.Join(t.TempDir(), "a", "toolsets")
	lock, err := Lock(dir)
	must(t, err)
	defer lock.Close()
	for name, take := range map[string]func() error{
		"directory": func() error { return os.RemoveAll(dir) },
		"file":      func() error { return os.Remove(filepath.Join(dir, lockName)) },
	} {
		must(t, take())
		must(t, lock.Ensure())
		if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
			t.Errorf("the %s taken away: a second one gets %v", name, err)
		}
	}
	must(t, os.RemoveAll(dir))
	second, err := Lock(dir)
	must(t, err)
	if err := lock.Ensure(); !errors.Is(err, ErrInUse) {
		t.Errorf("another was faster: %v", err)
	}
	must(t, second.Close())
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("after the end there is %v, %v", entries, err)
	}
}

func TestLockErrors(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	top := t.TempDir()
	file := filepath.Join(top, "file")
	write(t, file, "")
	linked := filepath.Join(top, "linked")
	must(t, os.Mkdir(linked, 0o755))
	must(t, os.Symlink(file, filepath.Join(linked, lockName)))
	dangling := filepath.Join(top, "dangling")
	must(t, os.Symlink("nowhere", dangling))
	for dir, want := range map[string]string{
		dangling: "something else has this name; move it away, or name another directory (--out)",
		filepath.Join(top, strings.Repeat("x", 300)): "it failed: file name too long; repair it, or name another directory (--out)",
		file:                      "it is no directory; move it away, or name another",
		filepath.Join(file, "in"): "it is no directory",
		linked:                    "too many levels of symbolic links",
	} {
		if _, err := Lock(dir); err == nil || !strings.HasPrefix(err.Error(), dir+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if text(t, file) != "" {
		t.Error("a link was written through")
	}
}
