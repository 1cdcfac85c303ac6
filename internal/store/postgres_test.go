package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a call is tried three times in all when PostgreSQL ended its transaction to save
// another one. So is a call that lost a race for a unique row, and no other.
func TestPostgreSQLTriesAgain(t *testing.T) {
	s := storetest.Open(t, storetest.PostgreSQL(t), nil)
	for _, test := range []struct {
		code  string
		fails int // tries that fail, the first ones
		tries int
		done  bool
	}{
		{"40001", 1, 2, true},  // serialization_failure
		{"40P01", 2, 3, true},  // deadlock_detected
		{"23505", 2, 3, true},  // unique_violation
		{"40001", 3, 3, false}, // three are enough
		{"23505", 3, 3, false},
		{"22001", 1, 1, false}, // string_data_right_truncation
		{"23502", 1, 1, false}, // not_null_violation
	} {
		name, tries := fmt.Sprint(test), 0
		err := s.Do(t.Context(), func(context.Context, *store.Tx) error {
			if tries++; tries <= test.fails {
				return fmt.Errorf("writing: %w", &pgconn.PgError{Code: test.code})
			}
			return nil
		})
		require.Equal(t, test.tries, tries, name)
		require.Equal(t, test.done, err == nil, name)
	}
}

// Ensure that a replica that loses a race for a unique row finds the row when it tries again.
func TestLostRaceFindsTheRow(t *testing.T) {
	url := storetest.PostgreSQL(t)
	var (
		looked  sync.WaitGroup // both replicas, on their first try
		all     sync.WaitGroup
		tries   [2]int
		outcome [2]error
	)
	looked.Add(2)
	for i := range 2 {
		s := storetest.Open(t, url, nil)
		all.Go(func() {
			outcome[i] = s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				rows, err := tx.EventsOf(ctx, "s")
				if tries[i]++; tries[i] == 1 {
					looked.Done()
					looked.Wait()
				}
				if err != nil || len(rows) > 0 {
					return err
				}
				return addEvent(ctx, tx, "the one row")
			})
		})
	}
	all.Wait()
	require.NoError(t, outcome[0])
	require.NoError(t, outcome[1])
	require.Equal(t, 3, tries[0]+tries[1], "one of them tries again")
	require.Equal(t, map[string]bool{"the one row": true},
		events(t, storetest.Open(t, url, nil)))
}

// Ensure that the queue starts and is worked while the store uses all of its connections: River has
// connections of its own.
func TestQueueHasItsOwnConnections(t *testing.T) {
	var log logBuffer
	url := storetest.PostgreSQL(t)
	s, err := store.Open(t.Context(), store.Options{
		URL: url + "&pool_max_conns=4", Key: storetest.Key,
		Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	done := make(chan struct{})
	river.AddWorker(s.Workers(), river.WorkFunc(
		func(context.Context, *river.Job[failing]) error {
			close(done)
			return nil
		},
	))
	enqueue(t, s, "row-1")

	var lanes sync.WaitGroup
	taken, free := make(chan struct{}), make(chan struct{})
	for range 4 {
		lanes.Go(func() {
			err := s.Do(t.Context(), func(context.Context, *store.Tx) error {
				taken <- struct{}{}
				<-free
				return nil
			})
			require.NoError(t, err)
		})
		<-taken // so that each lane takes one call
	}
	ctx := context.Background() // the queue is stopped when the test's own context has ended
	require.NoError(t, s.Start(ctx))
	select {
	case <-done:
	case <-time.After(time.Minute):
		require.Fail(t, "the queue waits for a connection of the store")
	}
	close(free)
	lanes.Wait()
	require.NoError(t, s.Stop(ctx))
	require.Empty(t, log.String())
}

// Ensure that statements whose context ends in their midst end their transaction, and no more:
// database/sql ends them in goroutines of its own.
func TestEndedStatements(t *testing.T) {
	s := storetest.Open(t, storetest.PostgreSQL(t), nil)
	for i := range 100 {
		err := s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			over, cancel := context.WithCancel(ctx)
			defer cancel()
			if i%2 == 0 {
				cancel()
			} else {
				go cancel()
			}
			if _, err := tx.EventsOf(over, "row"); err != nil {
				return err
			}
			_, err := tx.GetMail(over, "none")
			return err
		})
		require.Error(t, err)
	}
	require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "after")
	}))
}

// Ensure that a store migrates and works whose URL allows it one connection.
func TestOneConnection(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := store.Open(ctx, store.Options{
		URL: storetest.EmptyPostgreSQL(t) + "&pool_max_conns=1", Key: storetest.Key,
	})
	require.NoError(t, err)
	require.NoError(t, s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
		return addEvent(ctx, tx, "done")
	}))
	require.NoError(t, s.Close())
}

// Ensure that the keys are told of with a URL that says how many connections the store may have.
func TestKeysWithSizeOfPool(t *testing.T) {
	url := storetest.PostgreSQL(t)
	s := storetest.Open(t, url, nil)
	require.NoError(t, s.Ping(t.Context()))
	uses, err := store.Keys(t.Context(), store.Options{
		URL: url + "&pool_max_conns=4", Key: storetest.Key,
	})
	require.NoError(t, err)
	require.Len(t, uses, 1)
}

// Ensure that a connection to a server that is gone is given up soon, unless the URL has a time of
// its own.
func TestPoolsDoNotWaitLong(t *testing.T) {
	const url = "postgres://bridge@db.acme.example/bridge"
	waits, err := store.PoolTimeouts(url)
	require.NoError(t, err)
	require.Equal(t, [4]time.Duration{5 * time.Second, 2 * time.Second, 5 * time.Second,
		2 * time.Second}, waits)
	waits, err = store.PoolTimeouts(url + "?connect_timeout=20&pool_ping_timeout=9s")
	require.NoError(t, err)
	require.Equal(t, [4]time.Duration{20 * time.Second, 9 * time.Second, 20 * time.Second,
		9 * time.Second}, waits)
}
