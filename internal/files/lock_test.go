package files

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lockEnv names the directory that the test's own binary is to lock, when it runs as another process.
const lockEnv = "TEST_LOCK_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockEnv); dir != "" {
		lockForever(dir)
	}
	os.Exit(m.Run()) //nolint:forbidigo // as any main
}

func lockForever(dir string) {
	if _, err := Lock(dir); err != nil {
		fmt.Fprintln(os.Stdout, err)
		return
	}
	fmt.Fprintln(os.Stdout, "locked")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until it is killed
}

func TestOneServicePerDirectory(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := filepath.Join(t.TempDir(), "a", "toolsets")
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	other := exec.CommandContext(ctx, os.Args[0])
	other.Env = append(os.Environ(), lockEnv+"="+dir)
	in, err := other.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := other.StdoutPipe()
	must(t, err)
	must(t, other.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "locked\n" {
		t.Fatalf("the other process says %q: %v", line, err)
	}
	_, err = Lock(dir)
	want := dir + ": another dynamic-toolset writes there"
	if !errors.Is(err, ErrInUse) || !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("the second: %v, want %s…", err, want)
	}
	must(t, other.Process.Kill())
	_ = other.Wait() // it was killed
	lock, err := Lock(dir)
	if err != nil {
		t.Fatalf("after the first was killed: %v", err)
	}
	must(t, lock.Close())
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("after the end there is %v, %v", entries, err)
	}
}

func TestLockSurvivesItsDirectory(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := filepath.Join(t.TempDir(), "toolsets")
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
	defer second.Close()
	if err := lock.Ensure(); !errors.Is(err, ErrInUse) {
		t.Errorf("another was faster: %v", err)
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
