//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lockFile keeps a second process away from a SQLite file, because the queue and the group commit
// both rely on being its only user. The kernel releases the lock when the process ends, however
// it ends.
func lockFile(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("store: another smsbridge uses this database file (%s is locked);"+
			" stop it first, or use PostgreSQL to run several", path)
	}
	return &fileLock{file}, nil
}

type fileLock struct{ file *os.File }

// Close unlocks before it closes. A child that this process has just forked has the file open
// until it runs its own program. Closing alone would leave the lock to it (flock(2)).
func (l *fileLock) Close() error {
	err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	return errors.Join(err, l.file.Close())
}

// What access asks for (access(2)).
const (
	mayRead  = 4
	mayWrite = 2
	mayEnter = 1
)

// access returns an error when this process may not use a file or a folder in a way. That includes
// writing into a file system that is read-only.
func access(name string, how uint32) error {
	if err := syscall.Access(name, how); err != nil {
		return &fs.PathError{Op: "access", Path: name, Err: err}
	}
	return nil
}
