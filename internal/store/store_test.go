package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// probe is a job that reports the id it carries.
type probe struct{ ID string }

func (probe) Kind() string { return "probe" }

func addEvent(ctx context.Context, tx *store.Tx, id string) error {
	return tx.AddEvent(ctx, db.AddEventParams{ID: id, Tenant: "acme", Subject: "s", Name: "test.done",
		At: tx.Moment()})
}

func events(t *testing.T, s *store.Store) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	require.NoError(t, s.Read(t.Context(), func(ctx context.Context, tx store.View) error {
		rows, err := tx.EventsOf(ctx, "s")
		for _, r := range rows {
			ids[r.ID] = true
		}
		return err
	}))
	return ids
}

// Ensure that rows and jobs committed by many callers at once are all there. Each job is worked,
// whether it shares a row of the queue or not.
func TestDoCommitsRowsWithTheirJobs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const n = 200
		worked := make(chan string, n)
		river.AddWorker(s.Workers(), river.WorkFunc(
			func(_ context.Context, j *river.Job[store.Bundle]) error {
				require.Equal(t, "probe", j.Args.Of)
				for _, args := range j.Args.Jobs {
					var p probe
					require.NoError(t, json.Unmarshal(args, &p))
					worked <- p.ID
				}
				return nil
			}))
		river.AddWorker(s.Workers(), river.WorkFunc(func(_ context.Context, j *river.Job[probe]) error {
			worked <- j.Args.ID
			return nil
		}))
		require.NoError(t, s.Start(t.Context()))
		var wait sync.WaitGroup
		for range n {
			wait.Go(func() {
				id := store.NewID()
				err := s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					tx.Enqueue(probe{id})
					return addEvent(ctx, tx, id)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		rows := events(t, s)
		require.Len(t, rows, n)
		for range n {
			select {
			case id := <-worked:
				require.True(t, rows[id])
				delete(rows, id)
			case <-time.After(time.Minute):
				t.Fatalf("%d jobs were not worked", len(rows))
			}
		}
		require.NoError(t, s.Stop(context.Background()))
	})
}

// Ensure that one caller's error or panic undoes its own writes and those of no other caller.
func TestDoKeepsCallersApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		broken := errors.New("broken")
		var wait sync.WaitGroup
		for i := range 60 {
			wait.Go(func() {
				id := store.NewID()
				err := s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					if err := addEvent(ctx, tx, []string{"good", "bad", "panic"}[i%3]+id); err != nil {
						return err
					}
					switch i % 3 {
					case 1:
						return broken
					case 2:
						panic("broken")
					}
					return nil
				})
				switch i % 3 {
				case 0:
					if err != nil {
						t.Error(err)
					}
				case 1:
					if !errors.Is(err, broken) {
						t.Error("want the caller's own error, got", err)
					}
				case 2:
					if err == nil || !strings.Contains(err.Error(), "panic") {
						t.Error("want the panic as an error, got", err)
					}
				}
			})
		}
		wait.Wait()
		rows := events(t, s)
		require.Len(t, rows, 20)
		for id := range rows {
			require.True(t, strings.HasPrefix(id, "good"))
		}
	})
}

// Ensure that a clock that panics ends no lane, keeps no connection, and fails only the calls that
// it times.
func TestClockPanics(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			s := storetest.Open(t, database(t), func() time.Time {
				if broken.Load() {
					panic("the clock of +4512345678")
				}
				return time.Now()
			})
			add := func(ctx context.Context, tx *store.Tx) error {
				return addEvent(ctx, tx, store.NewID())
			}
			broken.Store(true)
			for range 20 { // more than there are connections
				err := s.Do(t.Context(), add)
				require.ErrorContains(t, err, "panic in the start of a transaction: string")
				require.NotContains(t, err.Error(), "12345678")
			}
			broken.Store(false)
			require.NoError(t, s.Do(t.Context(), add))
			require.Len(t, events(t, s), 1)
		})
	}
}

// Ensure that a panic's words stay in, that Go's own are kept, and that the place is shown.
func TestPanicKeepsItsSecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var none *int
		for what, f := range map[string]func(){
			"string":               func() { panic("phone +4512345678, code 482913") },
			"*errors.errorString":  func() { panic(errors.New("code 482913")) },
			"nil pointer":          func() { _ = *none },
			"index out of range [": func() { _ = []int{}[len(t.Name())] },
		} {
			err := s.Do(t.Context(), func(context.Context, *store.Tx) error { f(); return nil })
			require.ErrorContains(t, err, "panic in a transaction: ", what)
			require.ErrorContains(t, err, what)
			require.ErrorContains(t, err, "store_test.go:", what)
			require.NotContains(t, err.Error(), "482913", what)
			require.NotContains(t, err.Error(), "12345678", what)
		}
	})
}

// Ensure that a caller that gave up before its turn leaves nothing behind.
func TestDoHonorsContext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, "late")
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, events(t, s))
	})
}

// Ensure that a caller that gives up while it waits for its turn leaves nothing behind either.
func TestDoCanBeGivenUpWhileWaiting(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	begun, release := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- s.Do(context.Background(), func(context.Context, *store.Tx) error {
			close(begun)
			<-release
			return nil
		})
	}()
	<-begun // the one lane of SQLite is busy
	ctx, cancel := context.WithCancel(t.Context())
	given := make(chan error, 1)
	go func() {
		given <- s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			return addEvent(ctx, tx, "given up")
		})
	}()
	require.Eventually(t, func() bool { return s.Waiting() == 1 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-given, context.Canceled)
	close(release)
	require.NoError(t, <-first)
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "next")
	}))
	require.Equal(t, map[string]bool{"next": true}, events(t, s))
}

// Ensure that a guarded UPDATE lets exactly one of many racers win.
func TestOneRacerWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		phone, err := phonemail.ParseNumber("+4512345678")
		require.NoError(t, err)
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.AddMail(ctx, db.AddMailParams{ID: "m", Tenant: "acme", Phone: phone,
				MessageID: "1"})
			return err
		}))
		var mutex sync.Mutex
		var wins int64
		var wait sync.WaitGroup
		for range 32 {
			wait.Go(func() {
				var won int64
				err := s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
					won, err = tx.EndMail(ctx, db.EndMailParams{ID: "m", State: "examined", EndedAt: tx.Moment()})
					return err
				})
				if err != nil {
					t.Error(err)
				}
				mutex.Lock()
				wins += won
				mutex.Unlock()
			})
		}
		wait.Wait()
		require.EqualValues(t, 1, wins)
	})
}

// Ensure that a sealed value opens in its own place only.
func TestSeal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		place := store.Place{Table: "challenge", ID: "1", Column: "link", Tenant: "acme"}
		require.NoError(t, s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
			sealed := tx.Seal(place, []byte("https://idp.example/ticket"))
			require.NotContains(t, sealed, "ticket")
			require.NotEqual(t, sealed, tx.Seal(place, []byte("https://idp.example/ticket")),
				"two seals of one value must differ")
			plain, err := tx.Open(place, sealed)
			require.NoError(t, err)
			require.Equal(t, "https://idp.example/ticket", string(plain))
			for _, other := range []store.Place{
				{Table: "text", ID: "1", Column: "link", Tenant: "acme"},
				{Table: "challenge", ID: "2", Column: "link", Tenant: "acme"},
				{Table: "challenge", ID: "1", Column: "body", Tenant: "acme"},
				{Table: "challenge", ID: "1", Column: "link", Tenant: "beta"},
			} {
				_, err := tx.Open(other, sealed)
				require.ErrorIs(t, err, store.ErrSealed, other)
			}
			for _, broken := range []string{"v1.00000000." + sealed[12:], sealed[:len(sealed)-2],
				"v2" + sealed[2:], "https://idp.example/ticket", sealed + "A"} {
				_, err := tx.Open(place, broken)
				require.ErrorIs(t, err, store.ErrSealed)
			}
			empty, err := tx.Open(place, tx.Seal(place, nil))
			require.NoError(t, err)
			require.Empty(t, empty)
			return nil
		}))
	})
}

// Ensure that a job interrupted by a crash, and one enqueued before it, run after the next start
// of a SQLite store.
func TestOrphanedJobsAreHandedBack(t *testing.T) {
	url := storetest.SQLite(t)
	ctx := t.Context()
	first, err := store.Open(ctx, store.Options{URL: url, Key: storetest.Key})
	require.NoError(t, err)
	begun := make(chan struct{})
	river.AddWorker(first.Workers(), river.WorkFunc(func(ctx context.Context,
		_ *river.Job[probe]) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	}))
	require.NoError(t, first.Start(ctx))
	require.NoError(t, first.Do(ctx, func(_ context.Context, tx *store.Tx) error {
		tx.Enqueue(probe{"1"})
		return nil
	}))
	<-begun
	// A copy of the files is what a kill -9 would leave: the job is running and no process runs it.
	path := strings.TrimPrefix(url, "sqlite:")
	copied := filepath.Join(storetest.Folder(t), "copy.db")
	for _, end := range []string{"", "-wal"} {
		raw, err := os.ReadFile(path + end)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(copied+end, raw, 0o600))
	}
	stop, cancel := context.WithCancel(ctx)
	cancel()
	_ = first.Stop(stop)
	require.NoError(t, first.Close())

	second := storetest.Open(t, "sqlite:"+copied, nil)
	again := make(chan string, 1)
	river.AddWorker(second.Workers(), river.WorkFunc(func(_ context.Context,
		j *river.Job[probe]) error {
		again <- j.Args.ID
		return nil
	}))
	require.NoError(t, second.Start(ctx))
	select {
	case id := <-again:
		require.Equal(t, "1", id)
	case <-time.After(time.Minute):
		t.Fatal("the orphaned job was not handed back")
	}
	require.NoError(t, second.Stop(context.Background()))
}

// Ensure that a second process is kept off the file, the key is private, and a lost key is
// reported rather than replaced.
func TestSQLiteFileIsGuarded(t *testing.T) {
	path := filepath.Join(storetest.Folder(t), "smsbridge.db")
	open := func() (*store.Store, error) {
		return store.Open(t.Context(), store.Options{URL: "sqlite:" + path})
	}
	s, err := open()
	require.NoError(t, err)
	for _, name := range []string{path, path + ".key"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm(), name)
	}
	_, err = open()
	require.ErrorContains(t, err, "another smsbridge")
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Do(t.Context(), func(context.Context, *store.Tx) error {
		return nil
	}), store.ErrClosed)

	made, err := os.ReadFile(path + ".key")
	require.NoError(t, err)
	require.NoError(t, os.Remove(path+".key"))
	_, err = open()
	require.ErrorContains(t, err, "restore the key")
	path = filepath.Join(storetest.Folder(t), "smsbridge.db")
	s, err = open()
	require.NoError(t, err)
	require.NoError(t, s.Close())
	another, err := os.ReadFile(path + ".key")
	require.NoError(t, err)
	require.NotEqual(t, made, another)
}

// Ensure that replicas may start at once on an empty PostgreSQL database.
func TestReplicasMigrateOnce(t *testing.T) {
	url := storetest.EmptyPostgreSQL(t)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			s, err := store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// Ensure that a replica waits for the one that migrates only if it finds tables that are old.
func TestReplicaOfCurrentTablesDoesNotWait(t *testing.T) {
	for name, old := range map[string]string{
		"current": "SELECT 1",
		"tables": "DELETE FROM goose_db_version WHERE version_id = " +
			"(SELECT MAX(version_id) FROM goose_db_version)",
		"queue": "DELETE FROM river_migration WHERE version = " +
			"(SELECT MAX(version) FROM river_migration)",
	} {
		t.Run(name, func(t *testing.T) {
			url := storetest.PostgreSQL(t)
			db, _ := beside(t, url)
			migrating, err := db.Conn(t.Context())
			require.NoError(t, err)
			defer migrating.Close()
			_, err = migrating.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", store.MigrationLock)
			require.NoError(t, err)
			_, err = migrating.ExecContext(t.Context(), old)
			require.NoError(t, err)
			if name == "current" {
				require.NoError(t, storetest.Open(t, url, nil).Close())
				return
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var said bytes.Buffer
			log := slog.New(slog.NewTextHandler(&said, nil))
			opened := make(chan error, 1)
			go func() {
				_, err := store.Open(ctx, store.Options{URL: url, Key: storetest.Key, Log: log})
				opened <- err
			}()
			const waits = `SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND
				database = (SELECT oid FROM pg_database WHERE datname = current_database())`
			require.Eventually(t, func() bool {
				var waiting int
				err := db.QueryRowContext(t.Context(), waits).Scan(&waiting)
				return err == nil && waiting == 1
			}, time.Minute, 10*time.Millisecond)
			stop()
			require.ErrorContains(t, <-opened, "waiting to migrate")
			require.Contains(t, said.String(), "another replica migrates the tables: waiting for it")
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"mysql://x":          "must be",
		"postgres://x@y/z":   "needs a configured key",
		"smsbridge.db":       "must be",
		"sqlite:/proc/x/y.d": "store:",
	} {
		_, err := store.Open(t.Context(), store.Options{URL: url})
		require.ErrorContains(t, err, want, url)
	}
	_, err := store.Open(t.Context(), store.Options{URL: storetest.SQLite(t), Key: []byte("short")})
	require.ErrorContains(t, err, "32 are needed")
}

func TestParseKey(t *testing.T) {
	for _, good := range []string{strings.Repeat("ab", 32),
		"q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=", " " + strings.Repeat("00", 32) + "\n"} {
		keys, err := store.ParseKeys(good)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Len(t, keys[0], store.KeySize)
	}
	for _, bad := range []string{"", "short", strings.Repeat("ab", 31), strings.Repeat("zz", 32),
		strings.Repeat("ab", 32) + "!", "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=!",
		strings.Repeat("q6urq6ur", 8)} {
		_, err := store.ParseKeys(bad)
		require.Error(t, err)
	}
}

// Ensure that each death of the process counts as a failure of the jobs that it had at work. Those
// which die again wait, each for a time of its own.
func TestDeathsCountAsFailures(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, nil)
	conn, _ := beside(t, url)
	for _, id := range []string{"one", "two", "three", "not at work"} {
		enqueue(t, s, id)
	}
	_, err := conn.ExecContext(t.Context(), `UPDATE river_job SET errors =
		jsonb('[{"at": "2026-01-01T00:00:00Z", "attempt": 1, "error": "busy", "trace": ""}]')
		WHERE args->>'id' = 'two'`) // the other failures do not count
	require.NoError(t, err)
	for deaths := range 4 {
		began := time.Now()
		_, err := conn.ExecContext(t.Context(), "UPDATE river_job SET state = 'running'"+
			" WHERE args->>'id' <> 'not at work'")
		require.NoError(t, err)
		require.NoError(t, s.HandBack(t.Context()))
		jobs, err := s.Jobs(t.Context())
		require.NoError(t, err)
		require.Len(t, jobs, 4)
		for _, j := range jobs {
			if j.About == "not at work" {
				require.Equal(t, store.JobWaiting, j.State)
				require.Empty(t, j.Error)
				continue
			}
			require.Contains(t, j.Error, "was killed while it did this job")
			if deaths == 0 {
				require.Equal(t, store.JobWaiting, j.State)
				require.False(t, j.Next.After(began), "it is due at once")
				continue
			}
			most := time.Duration(deaths*deaths*deaths*deaths) * time.Second
			require.Equal(t, store.JobFailing, j.State)
			require.Greater(t, j.Next, began.Add(most/2-time.Second))
			require.Less(t, j.Next, time.Now().Add(most))
		}
	}
	waits := storetest.Strings(t, conn, "SELECT DISTINCT scheduled_at FROM river_job"+
		" WHERE state = 'retryable'")
	require.Greater(t, len(waits), 1)
	failures := storetest.Strings(t, conn, "SELECT json_array_length(errors) || '' FROM river_job"+
		" WHERE errors IS NOT NULL")
	require.Equal(t, []string{"4", "5", "4"}, failures)
}
