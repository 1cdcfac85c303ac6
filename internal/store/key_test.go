package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// keyOf is one of many keys.
func keyOf(c string) []byte { return []byte(strings.Repeat(c, store.KeySize)) }

// openWith opens a database under keys, the first of which seals.
func openWith(t *testing.T, url string, keys ...[]byte) (*store.Store, error) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: url, Key: keys[0], OldKeys: keys[1:]})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

// keep seals one value in each column that holds sealed values, in rows with an id.
func keep(t *testing.T, s *store.Store, conn *sql.DB, id string) {
	t.Helper()
	rows := map[string]map[string]any{} // by table
	for _, c := range sealedPlaces(t) {
		if rows[c.table] == nil {
			rows[c.table] = map[string]any{"id": id, "tenant": "acme"}
		}
		require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
			p := store.Place{Table: c.table, ID: id, Column: c.column, Tenant: "acme"}
			rows[c.table][c.column] = tx.Seal(p, []byte("secret "+id))
			if c.packed() {
				rows[c.table][c.column] = s.Pack(p, []byte("secret "+id))
			}
			return nil
		}))
	}
	for table, values := range rows {
		insert(t, conn, table, values)
	}
}

// insert adds a row with some values. Every other column gets a zero or a text of its own.
func insert(t *testing.T, conn *sql.DB, table string, values map[string]any) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE id = ''")
	require.NoError(t, err)
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	require.NoError(t, rows.Close())
	var names, marks []string
	var args []any
	for i, column := range types {
		value, given := values[column.Name()]
		if !given {
			value = any(0)
			if column.DatabaseTypeName() == "TEXT" {
				value = store.NewID()
			}
		}
		names, marks = append(names, column.Name()), append(marks, fmt.Sprintf("$%d", i+1))
		args = append(args, value)
	}
	_, err = conn.ExecContext(t.Context(), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+
		") VALUES ("+strings.Join(marks, ", ")+")", args...)
	require.NoError(t, err, table)
}

type place struct{ table, column string }

func (p place) packed() bool { return p.column == "packed" }

// sealedPlaces are the columns into which the rules seal, as their code says.
func sealedPlaces(t *testing.T) (all []place) {
	t.Helper()
	literal := regexp.MustCompile(`store\.Place\{\s*Table: "(\w+)", ID: \w+, Column: "(\w+)"`)
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, match := range literal.FindAllSubmatch(content, -1) {
			all = append(all, place{string(match[1]), string(match[2])})
		}
		require.Equal(t, bytes.Count(content, []byte("store.Place{")),
			len(literal.FindAll(content, -1)), "%s: a place in a form that this test does not read", path)
		return err
	}))
	require.GreaterOrEqual(t, len(all), 6)
	return all
}

// opened reports whether the values that keep has sealed open, and with which key's id they begin.
func opened(t *testing.T, s *store.Store, conn *sql.DB, id string) (good int, keys map[string]int) {
	t.Helper()
	keys = map[string]int{}
	for _, c := range sealedPlaces(t) {
		var sealed string
		query := "SELECT " + c.column + " FROM " + c.table + " WHERE id = $1"
		require.NoError(t, conn.QueryRowContext(t.Context(), query, id).Scan(&sealed))
		keys[strings.Split(sealed, ".")[1]]++
		require.NoError(t, s.Read(t.Context(), func(_ context.Context, view store.View) error {
			p := store.Place{Table: c.table, ID: id, Column: c.column, Tenant: "acme"}
			plain, err := view.Open(p, sealed)
			if c.packed() {
				plain, err = view.Unpack(p, []byte(sealed))
			}
			if err == nil {
				require.Equal(t, "secret "+id, string(plain))
				good++
			}
			return nil
		}))
	}
	return good, keys
}

// Ensure that a bridge does not start without the key of what is sealed, and that a changed key
// goes all the way: both open, the new one seals, everything is sealed anew, and the old one may
// go.
//
//test:unwatched
func TestKeyChanges(t *testing.T) {
	longtest.Skip(t)
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			conn, _ := beside(t, url)
			a, b := keyOf("a"), keyOf("b")
			first, err := openWith(t, url, a)
			require.NoError(t, err)
			for i := range 3 {
				keep(t, first, conn, fmt.Sprint("old", i))
			}
			require.NoError(t, first.Close())

			_, err = openWith(t, url, b)
			var wrong *store.KeyError
			require.ErrorAs(t, err, &wrong)
			// The digests' key, which is the store's own, is sealed beside what the rules seal.
			const own = 1
			places := len(sealedPlaces(t))
			require.Equal(t, 3*places+own, wrong.Values)
			require.Len(t, wrong.Missing, 8)
			require.Len(t, wrong.Given, 1)
			require.ErrorContains(t, err, wrong.Missing)
			require.ErrorContains(t, err, wrong.Given[0])

			uses := func(keys ...[]byte) []store.KeyUse {
				uses, err := store.Keys(t.Context(),
					store.Options{URL: url, Key: keys[0], OldKeys: keys[1:]})
				require.NoError(t, err)
				return uses
			}
			idA, idB := wrong.Missing, wrong.Given[0]
			require.Equal(t, []store.KeyUse{{ID: idB, Given: true, Seals: true, New: true},
				{ID: idA, Values: 3*places + own}}, uses(b), "asking changes nothing")
			require.Equal(t, []store.KeyUse{{ID: idA, Given: true, Seals: true, Values: 3*places + own},
				{ID: idB, Given: true, New: true}}, uses(a, b))

			both, err := openWith(t, url, b, a)
			require.NoError(t, err)
			keep(t, both, conn, "new")
			good, keys := opened(t, both, conn, "old1")
			require.Equal(t, places, good)
			require.Equal(t, map[string]int{idA: places}, keys)
			require.Equal(t, []store.KeyUse{{ID: idB, Given: true, Seals: true, Values: places},
				{ID: idA, Given: true, Values: 3*places + own}}, uses(b, a))

			moved, err := both.Reseal(t.Context())
			require.NoError(t, err)
			require.Equal(t, 3*places+own, moved)
			for _, id := range []string{"old0", "old1", "old2", "new"} {
				good, keys := opened(t, both, conn, id)
				require.Equal(t, places, good, id)
				require.Equal(t, map[string]int{idB: places}, keys, id)
			}
			moved, err = both.Reseal(t.Context())
			require.NoError(t, err)
			require.Zero(t, moved, "there is nothing left to do")
			require.Equal(t, []store.KeyUse{{ID: idB, Given: true, Seals: true, Values: 4*places + own},
				{ID: idA, Given: true}}, uses(b, a))
			require.NoError(t, both.Close())

			last, err := openWith(t, url, b)
			require.NoError(t, err, "the old key may go")
			good, _ = opened(t, last, conn, "old0")
			require.Equal(t, places, good)
			require.NoError(t, last.Close())
			_, err = openWith(t, url, a)
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, idB, wrong.Missing)

			_, err = store.Forget(t.Context(), store.Options{URL: url, Key: a}, idA)
			require.ErrorIs(t, err, store.ErrKeyInUse)
			known, err := store.Forget(t.Context(), store.Options{URL: url, Key: a}, idB)
			require.NoError(t, err)
			require.True(t, known)
			known, err = store.Forget(t.Context(), store.Options{URL: url, Key: a}, idB)
			require.NoError(t, err)
			require.False(t, known)
			lost, err := openWith(t, url, a)
			require.NoError(t, err, "the key is given up, and what it sealed")
			good, _ = opened(t, lost, conn, "new")
			require.Zero(t, good)
		})
	}
}

// Ensure that no writer waits while whole tables are read: for a phone, and for what an older key
// has sealed.
func TestTablesAreReadBesideWriters(t *testing.T) {
	s, err := openWith(t, storetest.SQLite(t), keyOf("b"), keyOf("a"))
	require.NoError(t, err)
	phone, err := phonemail.ParseNumber("+4520123456")
	require.NoError(t, err)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, _ *store.Tx) error {
		bound, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err := s.HeldOn(bound, phone)
		if err != nil {
			return err
		}
		_, err = s.Reseal(bound)
		return err
	}))
}

// Ensure that two replicas that reseal at once, while a third changes rows, lose nothing.
func TestResealRaces(t *testing.T) {
	url := storetest.PostgreSQL(t)
	conn, _ := beside(t, url)
	a, b := keyOf("a"), keyOf("b")
	first, err := openWith(t, url, a)
	require.NoError(t, err)
	for i := range 12 {
		keep(t, first, conn, fmt.Sprint("row", i))
	}
	one, err := openWith(t, url, b, a)
	require.NoError(t, err)
	two, err := openWith(t, url, b, a)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for _, s := range []*store.Store{one, two} {
		wait.Go(func() {
			_, err := s.Reseal(t.Context())
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Go(func() {
		_, err := conn.ExecContext(t.Context(), "UPDATE challenge SET link = '' WHERE id = 'row7'")
		if err != nil {
			t.Error(err)
		}
	})
	wait.Wait()
	var link string
	query := "SELECT link FROM challenge WHERE id = 'row7'"
	require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&link))
	require.Empty(t, link, "what was erased meanwhile stays erased")
	for i := range 12 {
		if i != 7 {
			good, keys := opened(t, one, conn, fmt.Sprint("row", i))
			require.Equal(t, len(sealedPlaces(t)), good, i)
			require.Len(t, keys, 1)
		}
	}
}

// Ensure that the keys of what an older version sealed are known, and that a value which no key
// opens is left alone.
//
//test:unwatched
func TestKeysOfOlderVersions(t *testing.T) {
	url := storetest.EmptySQLite(t)
	conn, migrations := beside(t, url)
	_, err := migrations.UpTo(t.Context(), 8)
	require.NoError(t, err)
	insert(t, conn, "short_link", map[string]any{"id": "x", "link": "v1.0badc0de.AAAA"})
	require.NoError(t, conn.Close())
	_, err = openWith(t, url, keyOf("a"))
	require.ErrorContains(t, err, "1 values sealed with the key 0badc0de")
	_, err = store.Forget(t.Context(), store.Options{URL: url, Key: keyOf("a")}, "0badc0de")
	require.NoError(t, err)
	_, err = store.Forget(t.Context(), store.Options{URL: url + "x", Key: keyOf("a")}, "0badc0de")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, strings.TrimPrefix(url, "sqlite:")+"x")
	s, err := openWith(t, url, keyOf("a"), keyOf("b"))
	require.NoError(t, err)
	moved, err := s.Reseal(t.Context())
	require.NoError(t, err)
	require.Zero(t, moved)
}

// Ensure that an older bridge does not start on the tables of a newer one.
func TestNewerTables(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			conn, _ := beside(t, url)
			exec := func(statement string) {
				_, err := conn.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			refused := func(what string) {
				t.Helper()
				_, err := store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key})
				var newer *store.SchemaError
				require.ErrorAs(t, err, &newer)
				require.Equal(t, what, newer.Tables)
				require.Greater(t, newer.Database, newer.Known)
				require.ErrorContains(t, err, fmt.Sprint(newer.Database))
				require.ErrorContains(t, err, fmt.Sprint(newer.Known))
				if what == "tables" {
					_, err = store.Open(t.Context(),
						store.Options{URL: url, Key: storetest.Key, Beside: true})
					require.ErrorAs(t, err, &newer, "neither does a command")
				}
			}
			exec("INSERT INTO river_migration (line, version) VALUES ('main', 9999)")
			refused("queue tables")
			exec("DELETE FROM river_migration WHERE version = 9999")
			exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, " +
				map[string]string{"sqlite": "1", "postgres": "true"}[name] + ")")
			refused("tables")
		})
	}
}

// Ensure that only the owner can read the database and what lies beside it, from the first byte on
// and whatever the umask is.
func TestFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0)
	t.Cleanup(func() { syscall.Umask(old) })
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	var log bytes.Buffer
	private := func() {
		t.Helper()
		names, err := filepath.Glob(path + "*")
		require.NoError(t, err)
		require.Contains(t, names, path+"-wal")
		require.Contains(t, names, path+"-shm")
		for _, name := range names {
			info, err := os.Stat(name)
			require.NoError(t, err)
			require.EqualValues(t, 0o600, info.Mode().Perm(), name)
		}
	}
	open := func() *store.Store {
		s, err := store.Open(t.Context(), store.Options{
			URL: "sqlite:" + path, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		return s
	}
	s := open()
	private()
	require.Contains(t, log.String(), "a new database was made")
	require.NoError(t, s.Close())
	log.Reset()
	// as an older version left them
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.NoError(t, os.Chmod(name, 0o644))
	}
	s = open()
	private()
	require.NoError(t, s.Close())
	require.Empty(t, log.String())
}

// Ensure that a bridge makes no folders: a disk may not be mounted, or a path be misspelled.
func TestFolderMustExist(t *testing.T) {
	folder := filepath.Join(storetest.Folder(t), "missing")
	_, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(folder, "a.db")})
	require.ErrorContains(t, err, "does not exist")
	require.NoDirExists(t, folder)
	require.NoError(t, os.WriteFile(folder, nil, 0o600))
	_, err = store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(folder, "a.db")})
	require.ErrorContains(t, err, "is not a folder")
}
