//go:build unix

package store_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a first key which could not be written is not in the way of the next start. A process
// that may write no byte, as on a full disk, ends where a kill may end it.
func TestFirstKeyIsWrittenWholeOrNotAtAll(t *testing.T) {
	const child = "SMSBRIDGE_TEST_KEY_IN"
	if path := os.Getenv(child); path != "" {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{}))
		_, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path})
		require.ErrorIs(t, err, syscall.EFBIG)
		return
	}
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	first := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	first.Env = append(os.Environ(), child+"="+path)
	out, err := first.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoFileExists(t, path)

	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	names, err := filepath.Glob(path + ".key*")
	require.NoError(t, err)
	require.Equal(t, []string{path + ".key"}, names)
}

// Ensure that a file without a key is named, with what to do: no database needs a key that was
// never in the file, and an existing one needs its own.
func TestFileWithoutAKey(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	options := store.Options{URL: "sqlite:" + path}
	for _, text := range []string{"", "\n", "0123"} {
		require.NoError(t, os.WriteFile(path+".key", []byte(text), 0o600))
		_, err := store.Open(t.Context(), options)
		require.ErrorContains(t, err, path+".key has no key")
		require.ErrorContains(t, err, "remove it")
		require.NoFileExists(t, path)

		_, _, err = store.Restore(t.Context(), options, "backup", false, func(int64) {})
		require.ErrorContains(t, err, path+".key has no key")
		require.NotContains(t, err.Error(), "remove it")
	}
	require.NoError(t, os.Remove(path+".key"))
	s, err := store.Open(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, s.Close())

	require.NoError(t, os.WriteFile(path+".key", nil, 0o600))
	_, err = store.Open(t.Context(), options)
	require.ErrorContains(t, err, path+".key has no key")
	require.ErrorContains(t, err, "restore the key")
	require.NotContains(t, err.Error(), "remove it")
	_, err = store.Keys(t.Context(), options)
	require.ErrorContains(t, err, path+".key has no key")
}

// Ensure that a key is not forgotten with which a replica seals, until that one has left or said
// nothing for a while. No bridge runs on a SQLite file that this process has locked.
func TestForgetKeyOfAReplica(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			replica, err := openWith(t, url, keyOf("b"))
			require.NoError(t, err)
			id := replica.KeyID()
			require.NoError(t, replica.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return store.Beat(ctx, tx, store.Node{ID: "n", Host: "host-n", KeyID: id})
			}))
			require.NoError(t, replica.Close())
			options := store.Options{URL: url, Key: keyOf("a")}
			known, err := store.Forget(t.Context(), options, id)
			if name == "sqlite" {
				require.NoError(t, err)
				require.True(t, known)
				return
			}
			require.ErrorIs(t, err, store.ErrKeyRuns)
			require.ErrorContains(t, err, "host-n")
			_, err = openWith(t, url, keyOf("a"))
			var missing *store.KeyError
			require.ErrorAs(t, err, &missing, "nothing is forgotten")

			known, err = store.Forget(t.Context(), options, "0badc0de")
			require.NoError(t, err, "another key")
			require.False(t, known)
			options.Now = func() time.Time { return time.Now().Add(2 * store.NodeGone) }
			known, err = store.Forget(t.Context(), options, id)
			require.NoError(t, err)
			require.True(t, known)
		})
	}
}

// Ensure that a database has one lock by whatever name it is opened: a link to it is no way for a
// second bridge, nor for a restore.
func TestLinkToADatabaseIsNoWayBesideItsLock(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	link := filepath.Join(storetest.Folder(t), "smsbridge.db")
	options := func(path string) store.Options {
		return store.Options{URL: "sqlite:" + path, Key: storetest.Key}
	}
	made, err := store.Open(t.Context(), options(path))
	require.NoError(t, err)
	require.NoError(t, made.Close())
	require.NoError(t, os.Symlink(path, link))
	for first, second := range map[string]string{path: link, link: path} {
		s, err := store.Open(t.Context(), options(first))
		require.NoError(t, err)
		_, err = store.Open(t.Context(), options(second))
		require.ErrorContains(t, err, "another smsbridge uses this database file")
		_, _, err = store.Restore(t.Context(), options(second), "backup", true, func(int64) {})
		require.ErrorContains(t, err, "another smsbridge uses this database file")
		require.NoError(t, s.Close())
	}
}

// Ensure that this holds from the first start on, when a link leads to where no file is yet.
func TestFirstStartByALinkLocksTheDatabase(t *testing.T) {
	folder := storetest.Folder(t)
	path, link := filepath.Join(folder, "data.db"), filepath.Join(folder, "smsbridge.db")
	require.NoError(t, os.Symlink("other.db", link))
	require.NoError(t, os.Symlink(path, filepath.Join(folder, "other.db")))
	first, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + link, Key: storetest.Key})
	require.NoError(t, err)
	defer func() { require.NoError(t, first.Close()) }()
	require.FileExists(t, path)
	for _, name := range []string{link, path} {
		_, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + name, Key: storetest.Key})
		require.ErrorContains(t, err, "another smsbridge uses this database file", name)
	}
}
