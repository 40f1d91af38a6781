package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// lockName is the file in a directory that is locked. It is no key.
const lockName = ".dynamic-toolset.lock"

// ErrInUse is the error of Lock where another process has the lock.
var ErrInUse = errors.New("another dynamic-toolset writes there; stop it, or name another directory (--out)")

// DirLock keeps a directory for this process. It is on a file in it, and the kernel releases it when the process ends,
// however that comes. It is for one goroutine, and closed after the last Publish.
type DirLock struct {
	dir  string
	file *os.File // nil while nothing is locked
}

// Lock makes the directory if there is none, and locks it. It does not wait: the error says which process has the lock.
func Lock(dir string) (*DirLock, error) {
	l := &DirLock{dir: dir}
	if err := l.Ensure(); err != nil {
		return nil, err
	}
	return l, nil
}

// Ensure locks the directory anew where it, or the file in it, is no longer the one that was locked.
func (l *DirLock) Ensure() error {
	if l.held() {
		return nil
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil { //nolint:gosec // what is written is for others to read
		if reason(err) == "" {
			err = explained{fmt.Sprintf("no directory can be made there (%s); make it yourself, or name another one (--out)", yamlfile.Bare(err)), err}
		}
		return l.fail(err)
	}
	const tries = 5 // somebody else who ends takes the file away
	for range tries {
		f, err := os.OpenFile(l.path(), os.O_RDWR|os.O_CREATE|openFlags, 0o644) //nolint:gosec // it says to anybody who has the lock
		if err != nil {
			return l.fail(err)
		}
		if err := tryLock(f); err != nil {
			text := holder(f)
			f.Close()
			if errors.Is(err, errLocked) {
				return fmt.Errorf("%s: %w", l.dir, &inUse{text})
			}
			return l.fail(err)
		}
		if l.file != nil {
			l.file.Close()
		}
		l.file = f
		if l.held() {
			l.sign()
			return nil
		}
	}
	return fmt.Errorf("%s: the file %s is taken away again and again; find out by whom", l.dir, lockName)
}

func (l *DirLock) path() string { return filepath.Join(l.dir, lockName) }

// held reports that the file that is locked is the one that others would lock.
func (l *DirLock) held() bool {
	if l.file == nil {
		return false
	}
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(l.path())
	return err == nil && os.SameFile(mine, there)
}

// sign says in the file who has the lock. It is for people, so that a full disk is no reason to fail.
func (l *DirLock) sign() {
	text := fmt.Sprintf("pid: %d\nstarted: %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if l.file.Truncate(0) == nil {
		_, _ = l.file.WriteAt([]byte(text), 0)
	}
}

// Close releases the lock.
func (l *DirLock) Close() error {
	if l.file == nil {
		return nil
	}
	if l.held() {
		_ = os.Remove(l.path()) // one that stays is locked again by the next
	}
	err := l.file.Close()
	l.file = nil
	return err
}

func (l *DirLock) fail(err error) error {
	if errors.Is(err, syscall.ENOLCK) || errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%s: it cannot be locked; name a directory on a file system with locks (--out): %w", l.dir, err)
	}
	return fmt.Errorf("%s: %w", l.dir, explained{reasonOf(err), err})
}

// inUse is ErrInUse with what is known of who has the lock.
type inUse struct{ holder string }

func (e *inUse) Error() string {
	if e.holder == "" {
		return ErrInUse.Error()
	}
	return strings.Replace(ErrInUse.Error(), " writes", " ("+e.holder+") writes", 1)
}

func (e *inUse) Unwrap() error { return ErrInUse }

// holder is what the file says of who has the lock, "" where it says nothing that makes sense.
func holder(f io.ReaderAt) string {
	b := make([]byte, 256)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	var pid int
	var started time.Time
	for line := range strings.Lines(string(b[:n])) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "pid":
			pid, _ = strconv.Atoi(value)
		case "started":
			started, _ = time.Parse(time.RFC3339, value)
		}
	}
	switch {
	case pid <= 0:
		return ""
	case started.IsZero():
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d, since %s", pid, started.Format(time.RFC3339))
}
