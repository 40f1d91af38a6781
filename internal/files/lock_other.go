//go:build !unix

package files

import (
	"errors"
	"fmt"
	"os"
)

const (
	openFlags = 0
	readFlags = 0
)

func tryLock(*os.File) error {
	return fmt.Errorf("this system has no flock: %w", errors.ErrUnsupported)
}
