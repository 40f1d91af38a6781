//go:build unix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// readFlags prevent that opening a pipe waits for the other end. openFlags also prevent that a symbolic link is
// followed.
const (
	readFlags = unix.O_NONBLOCK
	openFlags = readFlags | unix.O_NOFOLLOW
)

// tryLock returns ErrInUse if another process has the lock.
func tryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return ErrInUse
		default:
			return err
		}
	}
}
