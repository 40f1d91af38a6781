//go:build unix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openFlags keep opening from following a symbolic link, and from waiting for the other end of a pipe.
const openFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK

// readFlags do the latter only.
const readFlags = unix.O_NONBLOCK

var errLocked = errors.New("locked")

// tryLock returns errLocked if another process has the lock.
func tryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errLocked
		default:
			return err
		}
	}
}
