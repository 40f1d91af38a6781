package files

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// explained is an error with a text for people, and with its cause in the chain.
type explained struct {
	text  string
	cause error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.cause }

// fail returns the error of an operation on the directory, or on the file with this name in it, as one line.
func (o *Output) fail(op publish.Op, name string, err error) error {
	where := filepath.Join(o.dir, name)
	if name == toolset.KeyOverrides {
		where = o.overridesPath()
	}
	return publish.NewError(op, where+": "+reason(err), err)
}

// reason describes why a file or directory cannot be read or written, and what to do.
func reason(err error) string {
	const other = "or name another directory (--out)"
	var known explained
	switch {
	case errors.As(err, &known):
		return known.text
	case errors.Is(err, publish.ErrConflict), errors.Is(err, publish.ErrTooLarge):
		return err.Error()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "stopped before it was written"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full; free some space: what was written before stays as it is"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only; make it writable, " + other
	case errors.Is(err, fs.ErrPermission):
		return "permission denied; the user that runs this must be able to read and write there, " + other
	case errors.Is(err, syscall.ENOTDIR):
		return "it is no directory; move it away, " + other
	case errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EEXIST):
		return "something else has this name; move it away, " + other
	}
	return "it failed: " + safetext.Clean(yamlfile.Bare(err).Error(), 200) + "; repair it, " + other
}
