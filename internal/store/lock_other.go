//go:build !unix

package store

import (
	"fmt"
	"os"
)

// lockFile cannot lock here; running two processes on one SQLite file is the operator's mistake
// to avoid.
func lockFile(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &fileLock{file}, nil
}

type fileLock struct{ *os.File }

const mayRead, mayWrite, mayEnter = 4, 2, 1

// access returns an error where there is no such file or folder. What this process may do with it,
// the start finds.
func access(name string, _ uint32) error {
	_, err := os.Stat(name)
	return err
}
