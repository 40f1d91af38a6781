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

// Lock makes the directory if there is none, and locks it. It does not wait: the error names the process that has the
// lock. After an error Ensure may be tried again.
func Lock(dir string) (*DirLock, error) {
	l := &DirLock{dir: dir}
	return l, l.Ensure()
}

// Ensure locks the directory anew if it, or the file in it, is no longer the one that was locked.
func (l *DirLock) Ensure() error {
	const tries = 5 // a process that ends removes the file
	for range tries {
		if l.held() {
			return nil
		}
		if err := l.take(); err != nil {
			return fmt.Errorf("%s: %w", l.dir, err)
		}
	}
	return fmt.Errorf("%s: another process removes the file %s again and again; find out which", l.dir, lockName)
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

// take locks the file that is there now, and writes this process's number into it.
func (l *DirLock) take() error {
	if err := makeDir(l.dir); err != nil {
		return err
	}
	const mode = 0o644 // others read who has the lock
	f, err := os.OpenFile(l.path(), os.O_RDWR|os.O_CREATE|openFlags, mode)
	if err != nil {
		return explained{reasonOf(err), err}
	}
	switch err := tryLock(f); {
	case errors.Is(err, errLocked):
		err = inUse(f)
		f.Close()
		return err
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported):
		f.Close()
		return fmt.Errorf("it cannot be locked; name a directory on a file system with locks (--out): %w", err)
	case err != nil:
		f.Close()
		return explained{reasonOf(err), err}
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
	if f.Truncate(0) == nil { // the number is for people: a full disk is no reason to fail
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	return nil
}

// makeDir makes the directory if there is none.
func makeDir(dir string) error {
	err := os.MkdirAll(dir, 0o755) //nolint:gosec // what is written is for others to read
	switch {
	case err == nil:
		return nil
	case reason(err) == "":
		const text = "no directory can be made there (%s); make it yourself, or name another one (--out)"
		return explained{fmt.Sprintf(text, yamlfile.Bare(err)), err}
	}
	return explained{reasonOf(err), err}
}

// inUse is ErrInUse with the number of the process that has the lock, if the file holds one.
func inUse(f io.Reader) error {
	text, _ := io.ReadAll(io.LimitReader(f, 20))
	pid, _ := strconv.Atoi(string(text))
	if pid <= 0 {
		return ErrInUse
	}
	return explained{
		strings.Replace(ErrInUse.Error(), " writes", fmt.Sprintf(" (process %d) writes", pid), 1),
		ErrInUse,
	}
}

// Close releases the lock. A nil lock has nothing to release.
func (l *DirLock) Close() error {
	if l == nil || l.file == nil {
		return nil
	}
	if l.held() {
		_ = os.Remove(l.path()) // one that stays is locked again by the next
	}
	err := l.file.Close()
	l.file = nil
	return err
}
