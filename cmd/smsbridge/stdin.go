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
	type opening struct {
		file *os.File
		err  error
	}
	opened := make(chan opening, 1)
	go func() {
		file, err := openToRead(name)
		opened <- opening{file, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-opened:
		if got.err != nil {
			return nil, mistake{name + " cannot be read: " + reason(got.err), hint}
		}
		return struct {
			io.Reader
			io.Closer
		}{untilDone(ctx, got.file), got.file}, nil
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

// untilDone returns what reads from a file until ctx ends, as it does at the first SIGINT
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
