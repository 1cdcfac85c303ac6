package main

import (
	"context"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// input opens the file that a person names, "-" for standard input, until ctx ends. A FIFO opens
// only when a process writes to it, which may never be. The hint says what to name.
func (w world) input(ctx context.Context, name, hint string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(untilDone(ctx, w.stdin)), nil
	}
	return orDone(ctx, func() (io.ReadCloser, error) {
		file, err := openToRead(name)
		if err != nil {
			return nil, mistake{name + " cannot be read: " + reason(err), hint}
		}
		return struct {
			io.Reader
			io.Closer
		}{untilDone(ctx, file), file}, nil
	})
}

// orDone returns what do returns, or ctx's error when ctx ends before, as it does at the first
// SIGINT or SIGTERM. What do waits for then goes on until the process ends.
func orDone[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case got := <-done:
		return got.value, got.err
	}
}

// openToRead opens a file that is no folder.
func openToRead(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close() // nothing was read
		return nil, &fs.PathError{Op: "read", Path: name, Err: syscall.EISDIR}
	}
	return file, nil
}

// whole reads all that there is. More than so many bytes are a mistake: a person may name what
// never ends, such as /dev/zero.
func whole(in io.Reader, most int, larger mistake) ([]byte, error) {
	read, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err == nil && len(read) > most {
		err = larger
	}
	return read, err
}

// untilDone returns what reads from a file until ctx ends. Then it returns ctx's error, as orDone
// does.
func untilDone(ctx context.Context, in io.Reader) io.Reader { return &doneReader{ctx, in} }

type doneReader struct {
	ctx context.Context
	in  io.Reader
}

// Read implements io.Reader.
func (r *doneReader) Read(p []byte) (int, error) {
	read, err := orDone(r.ctx, func() ([]byte, error) {
		own := make([]byte, len(p)) // the caller may use p again when ctx has ended
		n, err := r.in.Read(own)
		return own[:n], err
	})
	return copy(p, read), err
}
