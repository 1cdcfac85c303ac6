package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// placed is a SQLite file where it was opened. SQLite goes on with an open file that is moved,
// removed or replaced, as unlink(2) says. What the bridge records then is lost with that file, or
// the next start does not find it.
type placed struct {
	path string
	info os.FileInfo
}

// place remembers the file that is open at a path.
func place(path string) (placed, error) {
	info, err := os.Stat(path)
	if err != nil {
		return placed{}, fmt.Errorf("store: %w", err)
	}
	return placed{path, info}, nil
}

// check returns an error when the path leads to no file or to another one. It passes when the path
// cannot be followed for another reason: that tells nothing of the file.
func (p placed) check() error {
	info, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, p.info) {
		return fmt.Errorf("store: the open database is not at %s any more: it was moved, removed or"+
			" replaced; put it back, or stop smsbridge before you use another one", p.path)
	}
	return nil
}
