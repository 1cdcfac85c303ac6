package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

func silent(int64) {}

// options are those of a SQLite file under the test's key.
func options(path string) store.Options {
	return store.Options{URL: "sqlite:" + path, Key: storetest.Key}
}

func rowsOf(c store.Copy, table string) int64 {
	for _, t := range c.Rows {
		if t.Table == table {
			return t.Rows
		}
	}
	return 0
}

// Ensure that a backup made while rows are written holds each one that was committed before, and
// is whole and private. A store opens on what was restored from it.
func TestBackupAndRestore(t *testing.T) {
	folder := storetest.Folder(t)
	path := filepath.Join(folder, "smsbridge.db")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	conn, _ := beside(t, "sqlite:"+path)
	keep(t, s, conn, "kept")
	add := func(id string) error {
		return s.Do(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, id)
		})
	}
	for i := range 50 {
		require.NoError(t, add(fmt.Sprint("before", i)))
	}
	var wait sync.WaitGroup
	begun, stop := make(chan struct{}), make(chan struct{})
	wait.Go(func() {
		for i := 0; ; i++ {
			if err := add(fmt.Sprint("meanwhile", i)); err != nil {
				t.Error(err)
				return
			}
			if i == 0 {
				close(begun)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-begun
	file := filepath.Join(folder, "copy.db")
	made, err := store.Backup(t.Context(), options(path), file, silent)
	close(stop)
	wait.Wait()
	require.NoError(t, err)
	require.GreaterOrEqual(t, rowsOf(made, "event"), int64(51))
	require.Equal(t, len(sealedPlaces(t))+1, made.Keys[0].Values, "with the digests' key")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.Equal(t, info.Size(), made.Bytes)
	require.NoFileExists(t, file+".part")

	_, err = store.Backup(t.Context(), options(path), file, silent)
	require.ErrorIs(t, err, fs.ErrExist, "a backup is not replaced")
	_, _, err = store.Restore(t.Context(), options(path), file, true, silent)
	require.ErrorContains(t, err, "another smsbridge", "a bridge is running on it")
	require.NoError(t, s.Close())
	_, _, err = store.Restore(t.Context(), options(path), file, false, silent)
	require.ErrorIs(t, err, fs.ErrExist)

	restored, replaced, err := store.Restore(t.Context(), options(path), file, true, silent)
	require.NoError(t, err)
	require.Equal(t, made, restored)
	require.FileExists(t, replaced)
	require.Equal(t, []string{path}, private(t, path), "nothing of the other database lies beside it")
	s, err = store.Open(t.Context(), options(path))
	require.NoError(t, err)
	defer s.Close()
	require.Len(t, events(t, s), int(rowsOf(made, "event")))
	require.Contains(t, events(t, s), "before49")
	good, _ := opened(t, s, conn, "kept")
	require.Equal(t, len(sealedPlaces(t)), good)
	old, err := store.Open(t.Context(), options(replaced))
	require.NoError(t, err, "and the other one is whole")
	require.NoError(t, old.Close())
}

// private returns the database's files and shows that only their owner can read them.
func private(t *testing.T, path string) (names []string) {
	t.Helper()
	for _, end := range []string{"", "-wal", "-shm", "-journal"} {
		info, err := os.Stat(path + end)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
		names = append(names, path+end)
	}
	return names
}

// Ensure that a restore refuses what the bridge could not go on with, and then touches nothing.
func TestRestoreRefuses(t *testing.T) {
	folder := storetest.Folder(t)
	path := filepath.Join(folder, "smsbridge.db")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	conn, _ := beside(t, "sqlite:"+path)
	keep(t, s, conn, "kept")
	good := filepath.Join(folder, "good.db")
	_, err = store.Backup(t.Context(), options(path), good, silent)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	copied := func(name string, change func(content []byte) []byte) string {
		content, err := os.ReadFile(good)
		require.NoError(t, err)
		name = filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(name, change(content), 0o600))
		return name
	}
	exec := func(name, statement string) {
		db, err := sql.Open("sqlite", name)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
	newer := copied("newer.db", func(c []byte) []byte { return c })
	exec(newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	foreign := filepath.Join(folder, "foreign.db")
	exec(foreign, "CREATE TABLE t (a)")
	other := options(path)
	other.Key = keyOf("x")
	for name, test := range map[string]struct {
		file string
		o    store.Options
		want string
	}{
		"no file": {filepath.Join(folder, "missing.db"), options(path), "no such file"},
		"no database": {copied("text.db", func([]byte) []byte { return []byte("hello") }), options(path),
			"not a"},
		"cut": {copied("cut.db", func(c []byte) []byte { return c[:len(c)/2] }), options(path),
			"is not a whole SQLite database"},
		"torn": {copied("torn.db", func(c []byte) []byte {
			return append(c[:4096], []byte(strings.Repeat("x", len(c)-4096))...)
		}), options(path), "is not a whole SQLite database"},
		"of another program": {foreign, options(path), "is not a database of smsbridge"},
		"too new":            {newer, options(path), "tables of version 9999"},
		"another key":        {good, other, "sealed with the key"},
		"PostgreSQL": {good, store.Options{URL: "postgres://x/y", Key: storetest.Key},
			"not a SQLite"},
		"no folder": {good, options(filepath.Join(folder, "missing", "a.db")), "does not exist"},
		"no key": {good, store.Options{URL: "sqlite:" + filepath.Join(folder, "new.db")},
			"the key that belongs to the backup"},
	} {
		t.Run(name, func(t *testing.T) {
			_, replaced, err := store.Restore(t.Context(), test.o, test.file, true, silent)
			require.ErrorContains(t, err, test.want)
			require.Empty(t, replaced)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after)
			require.NoFileExists(t, filepath.Join(folder, "new.db"))
			require.NoFileExists(t, path+".part")
		})
	}
	_, err = store.Backup(t.Context(), store.Options{URL: "postgres://x/y"}, good+"2", silent)
	require.ErrorIs(t, err, store.ErrNotSQLite)
	_, err = store.Backup(t.Context(), options(filepath.Join(folder, "none.db")), good+"2", silent)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, filepath.Join(folder, "none.db"))
}

// Ensure that a restore does not remove the only copy that there may be: what one left that a crash
// ended when the copy was whole.
func TestRestoreOfWhatARestoreLeft(t *testing.T) {
	folder := storetest.Folder(t)
	path := filepath.Join(folder, "smsbridge.db")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	conn, _ := beside(t, "sqlite:"+path)
	keep(t, s, conn, "kept")
	_, err = store.Backup(t.Context(), options(path), path+".part", silent)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	before, err := os.ReadFile(path + ".part")
	require.NoError(t, err)
	_, _, err = store.Restore(t.Context(), options(path), path+".part", true, silent)
	require.ErrorIs(t, err, store.ErrOwnPart)
	after, err := os.ReadFile(path + ".part")
	require.NoError(t, err)
	require.Equal(t, before, after)

	named := filepath.Join(folder, "named.db")
	require.NoError(t, os.Rename(path+".part", named))
	_, _, err = store.Restore(t.Context(), options(path), named, true, silent)
	require.NoError(t, err)
}

// Ensure that the database file alone holds what was committed before a checkpoint, while the store
// is open: it is what a person copies who does not know better.
func TestCheckpoint(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	defer s.Close()
	alone := func() map[string]bool {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		file := filepath.Join(storetest.Folder(t), "alone.db")
		require.NoError(t, os.WriteFile(file, content, 0o600))
		copied, err := store.Open(t.Context(), options(file))
		require.NoError(t, err)
		defer copied.Close()
		return events(t, copied)
	}
	require.Empty(t, alone(), "the tables are there from the start")
	for i := range 20 {
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, fmt.Sprint(i))
		}))
	}
	require.NoError(t, s.Checkpoint(t.Context()))
	require.Len(t, alone(), 20)
}

// killedAfter leaves a copy of an open database as a kill would, just after an event was committed,
// and closes the database itself.
func killedAfter(t *testing.T, s *store.Store, path, as string) {
	t.Helper()
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "kept")
	}))
	for _, part := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + part)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(as+part, content, 0o600))
	}
	require.NoError(t, s.Close())
}

// Ensure that a restore takes what a killed bridge had committed, also when it is only in the WAL
// beside the file.
func TestRestoreTakesTheWAL(t *testing.T) {
	folder := storetest.Folder(t)
	killed, path := filepath.Join(folder, "killed.db"), filepath.Join(folder, "smsbridge.db")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	require.NoError(t, s.Checkpoint(t.Context()))
	killedAfter(t, s, path, killed)
	restored, replaced, err := store.Restore(t.Context(), options(path), killed, true, silent)
	require.NoError(t, err)
	require.NotEmpty(t, replaced)
	require.EqualValues(t, 1, rowsOf(restored, "event"))
	s, err = store.Open(t.Context(), options(path))
	require.NoError(t, err)
	defer s.Close()
	require.Len(t, events(t, s), 1)
}

// Ensure that no bridge starts with an empty database after a restore that a crash ended, and that
// the restore can be repeated.
func TestOpenAfterARestoreThatDidNotEnd(t *testing.T) {
	folder := storetest.Folder(t)
	good, path := filepath.Join(folder, "good.db"), filepath.Join(folder, "smsbridge.db")
	s, err := store.Open(t.Context(), options(good))
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "kept")
	}))
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path+".part", []byte("SQLite format 3"), 0o600))

	_, err = store.Open(t.Context(), options(path))
	require.ErrorIs(t, err, store.ErrRestoring)
	require.NoFileExists(t, path)

	_, replaced, err := store.Restore(t.Context(), options(path), good, false, silent)
	require.NoError(t, err)
	require.Empty(t, replaced)
	s, err = store.Open(t.Context(), options(path))
	require.NoError(t, err)
	require.Len(t, events(t, s), 1)
	require.NoError(t, s.Close())

	require.NoError(t, os.WriteFile(path+".part", nil, 0o600))
	s, err = store.Open(t.Context(), options(path))
	require.NoError(t, err, "the database is there")
	require.NoError(t, s.Close())
}

// Ensure that a kill between the files of the replaced database separates none from its WAL: no
// bridge starts on a part of it, and the restore can be repeated.
//
//test:unwatched
func TestRestoreKilledBetweenFiles(t *testing.T) {
	for renamed := range 3 {
		folder := storetest.Folder(t)
		good, path := filepath.Join(folder, "good.db"), filepath.Join(folder, "smsbridge.db")
		s, err := store.Open(t.Context(), options(good))
		require.NoError(t, err)
		killedAfter(t, s, good, path)
		require.NoError(t, os.WriteFile(path+".part", nil, 0o600))
		n, killed := 0, errors.New("killed")
		_, err = store.MoveAside(path, func(from, to string) error {
			if n++; n > renamed {
				return killed
			}
			return os.Rename(from, to)
		})
		require.Equal(t, renamed < 2, errors.Is(err, killed))
		s, err = store.Open(t.Context(), options(path))
		if renamed == 0 {
			require.NoError(t, err)
			require.Len(t, events(t, s), 1)
			require.NoError(t, s.Close())
			continue
		}
		require.ErrorIs(t, err, store.ErrRestoring)
		_, _, err = store.Restore(t.Context(), options(path), good, true, silent)
		require.NoError(t, err)
		for _, name := range []string{path, path + ".replaced"} {
			s, err = store.Open(t.Context(), options(name))
			require.NoError(t, err)
			require.Len(t, events(t, s), 1, name)
			require.NoError(t, s.Close())
		}
	}
}

// Ensure that a database whose WAL cannot be moved aside stays where it is, with it: a bridge that
// started on one without the other would lack what was committed last.
func TestRestoreThatCannotMoveTheWAL(t *testing.T) {
	folder := storetest.Folder(t)
	good, path := filepath.Join(folder, "good.db"), filepath.Join(folder, "smsbridge.db")
	s, err := store.Open(t.Context(), options(good))
	require.NoError(t, err)
	killedAfter(t, s, good, path)
	refused := errors.New("refused")
	moved, err := store.MoveAside(path, func(from, to string) error {
		if strings.HasSuffix(from, "-wal") {
			return refused
		}
		return os.Rename(from, to)
	})
	require.ErrorIs(t, err, refused)
	require.Empty(t, moved)
	s, err = store.Open(t.Context(), options(path))
	require.NoError(t, err)
	require.Len(t, events(t, s), 1)
	require.NoError(t, s.Close())
}

// Ensure that a WAL without its database does not take the place of one that an earlier restore
// moved aside.
func TestRestoreKeepsAnEarlierWAL(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	for _, name := range []string{".replaced", ".replaced-wal", "-wal"} {
		require.NoError(t, os.WriteFile(path+name, []byte(name), 0o600))
	}
	moved, err := store.MoveAside(path, os.Rename)
	require.NoError(t, err)
	require.Empty(t, moved)
	for name, want := range map[string]string{
		".replaced": ".replaced", ".replaced-wal": ".replaced-wal", ".replaced2-wal": "-wal",
	} {
		content, err := os.ReadFile(path + name)
		require.NoError(t, err)
		require.Equal(t, want, string(content))
	}
}

// Ensure that a backup is restored without a key of which no value is left in it.
func TestRestoreWithoutAKeyThatSealsNothing(t *testing.T) {
	folder := storetest.Folder(t)
	path, good := filepath.Join(folder, "smsbridge.db"), filepath.Join(folder, "good.db")
	s, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	conn, _ := beside(t, "sqlite:"+path)
	_, err = conn.ExecContext(t.Context(), "INSERT INTO seal_key (id) VALUES ('0badc0de')")
	require.NoError(t, err)
	_, err = store.Backup(t.Context(), options(path), good, silent)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, _, err = store.Restore(t.Context(), options(path), good, true, silent)
	require.NoError(t, err)
}
