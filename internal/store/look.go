package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Look returns the error with which Open would end, as far as names, modes and the key of a SQLite
// database tell it. It makes, changes and locks nothing: another process may use the database. Of
// PostgreSQL it knows nothing: it makes no connection.
func Look(o Options) error {
	path, isSQLite := strings.CutPrefix(o.URL, "sqlite:")
	if !isSQLite {
		return nil
	}
	if err := standing(path, o); err != nil || o.Beside {
		return err
	}
	file := fileOf(path)
	needed := []string{path, file + ".lock", file + "-wal", file + "-shm"}
	if o.Key == nil {
		keys, err := keysFound(path)
		if err != nil {
			return err
		}
		if keys == nil {
			needed = append(needed, path+".key")
		}
	}
	for _, name := range needed {
		if err := writable(name); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	return nil
}

// standing returns an error when a SQLite file cannot stand at a path, or does not stand there
// where Open may not make it.
func standing(path string, o Options) error {
	if err := folderOf(path); err != nil {
		return err
	}
	if o.Beside {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		return nil
	}
	return restored(path)
}

// restored returns ErrRestoring where a restore did not end, and left no database.
func restored(path string) error {
	if absent(path) == nil && absent(path+restoring) != nil {
		return fmt.Errorf("%w: there is %s%s, and no %s", ErrRestoring, path, restoring, path)
	}
	return nil
}

// lockOf locks a SQLite file. A file has one lock by whatever name it is opened: it lies where
// SQLite has the WAL, beside the file itself and not beside a link to it.
func lockOf(path string) (*fileLock, error) { return lockFile(fileOf(path) + ".lock") }

// fileOf is the name of the file that a path leads to. SQLite makes a file that does not exist
// where the link to it says, so such links are followed, too.
func fileOf(path string) string {
	for range mostLinks {
		if file, err := filepath.EvalSymlinks(path); err == nil {
			return file
		}
		to, err := os.Readlink(path)
		if err != nil {
			return path // it does not exist yet
		}
		if !filepath.IsAbs(to) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return path
			}
			to = filepath.Join(folder, to)
		}
		path = to
	}
	return path
}

// mostLinks is how many links may lead to a file, as on Linux (path_resolution(7)).
const mostLinks = 40

// MayMake returns an error when this process may make no file in a folder.
func MayMake(folder string) error { return access(folder, mayWrite|mayEnter) }

// writable returns an error when this process may neither write a file nor make it.
func writable(name string) error {
	_, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return MayMake(filepath.Dir(name))
	case err != nil:
		return err
	}
	return access(name, mayRead|mayWrite)
}
