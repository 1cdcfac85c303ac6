package main

import (
	"context"
	"io"
)

// untilDone returns what reads from standard input until ctx ends, as it does at the first SIGINT
// or SIGTERM. Then it returns ctx's error, while the read that waits goes on until the process
// ends.
func untilDone(ctx context.Context, in io.Reader) io.Reader { return &doneReader{ctx, in} }

type doneReader struct {
	ctx context.Context
	in  io.Reader
}

// Read implements io.Reader.
func (r *doneReader) Read(p []byte) (int, error) {
	type read struct {
		bytes []byte
		err   error
	}
	done := make(chan read, 1)
	go func() {
		own := make([]byte, len(p)) // the caller may use p again when ctx has ended
		n, err := r.in.Read(own)
		done <- read{own[:n], err}
	}()
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case got := <-done:
		return copy(p, got.bytes), got.err
	}
}
