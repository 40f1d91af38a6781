package cli

import (
	"context"
	"io"
)

// interruptible returns a reader of in that ends with ctx: a read of a terminal, or of a pipe whose writer hangs, would
// block after a signal.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	return r
}
