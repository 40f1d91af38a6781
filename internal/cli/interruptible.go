package cli

import (
	"context"
	"io"
)

// interruptible is a reader that ends with its context. Without it, a read of a terminal or of a pipe whose writer
// hangs would block after a signal.
type interruptible struct {
	ctx  context.Context
	in   io.Reader
	pipe *io.PipeReader // nil until the first Read
	stop func() bool
}

// Read implements io.Reader.
func (i *interruptible) Read(p []byte) (int, error) {
	if i.in == nil {
		return 0, io.EOF
	}
	if i.pipe == nil {
		r, w := io.Pipe()
		i.pipe = r
		i.stop = context.AfterFunc(i.ctx, func() { r.CloseWithError(i.ctx.Err()) })
		go func() {
			_, err := io.Copy(w, i.in)
			w.CloseWithError(err)
		}()
	}
	n, err := i.pipe.Read(p)
	if err != nil && i.ctx.Err() != nil {
		err = i.ctx.Err()
	}
	return n, err
}

// close ends the copy; unread input is dropped.
func (i *interruptible) close() {
	if i.pipe != nil {
		i.stop()
		_ = i.pipe.Close() // never fails
	}
}
