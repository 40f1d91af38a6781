package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockName is the name of the locked file in a directory. It is no key.
const lockName = ".dynamic-toolset.lock"

// ErrInUse is the error of Lock if another process has the lock.
var ErrInUse = errors.New("another dynamic-toolset writes there; stop it, or name another directory (--out)")

// DirLock keeps a directory for this process, by a lock on a file in it. The kernel releases it when the process ends,
// in whatever way. Only one goroutine may use it. Close it after the last Publish.
type DirLock struct {
	dir  string
	file *os.File // nil while nothing is locked
}

// Lock locks the directory, and makes it first if it is missing. It does not wait. After an error Ensure may try again.
func Lock(dir string) (*DirLock, error) {
	l := &DirLock{dir: dir}
	return l, l.Ensure()
}

// Ensure locks the directory again if the directory, or the file in it, is no longer the one that was locked.
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

// held reports whether the locked file is the one that another process would lock.
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

// take locks the file that is there now.
func (l *DirLock) take() error {
	if err := makeDir(l.dir); err != nil {
		return err
	}
	f, err := os.OpenFile(l.path(), os.O_RDWR|os.O_CREATE|openFlags, mode)
	if err == nil {
		if err = tryLock(f); err != nil {
			f.Close()
		}
	}
	switch {
	case errors.Is(err, ErrInUse):
		return err
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("it cannot be locked; name a directory on a file system with locks (--out): %w", err)
	case err != nil:
		return explained{reason(err), err}
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
	return nil
}

// makeDir makes the directory if it is missing.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // others read what is written
		return explained{reason(err), err}
	}
	return nil
}

// Close releases the lock. It does nothing if l is nil.
func (l *DirLock) Close() error {
	if l == nil || l.file == nil {
		return nil
	}
	if l.held() {
		_ = os.Remove(l.path()) // if it stays, the next process locks it again
	}
	err := l.file.Close()
	l.file = nil
	return err
}
