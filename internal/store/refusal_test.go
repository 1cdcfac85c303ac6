package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// inOneTransaction has calls of Do share one transaction, in their order, and returns the error of
// each. Every lane is held until all wait. Then one goes on: two would share the calls.
func inOneTransaction(t *testing.T, s *store.Store, calls []func() error) []error {
	t.Helper()
	var holding, wait sync.WaitGroup
	defer holding.Wait()
	hold := func() (release func()) {
		held, gate := make(chan struct{}), make(chan struct{})
		holding.Go(func() {
			require.NoError(t, s.Do(t.Context(), func(context.Context, *store.Tx) error {
				close(held)
				<-gate
				return nil
			}))
		})
		<-held
		return func() { close(gate) }
	}
	goOn := hold()
	for range s.Lanes() - 1 {
		defer hold()()
	}
	errs := make([]error, len(calls))
	for i, call := range calls {
		wait.Go(func() { errs[i] = call() })
		require.Eventually(t, func() bool { return s.Waiting() == i+1 }, time.Minute, time.Millisecond)
	}
	goOn()
	wait.Wait()
	return errs
}

// Ensure that calls that are refused leave the others their shared commits. Otherwise an attacker
// whom a limit refuses would make every other call wait for a commit of its own.
func TestRefusalsAmongOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		refused := errors.New("refused")
		refuses := map[int]bool{0: true, 1: true, 50: true, 99: true}
		var runs [100]int
		calls := make([]func() error, len(runs))
		for i := range calls {
			calls[i] = func() error {
				return s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					runs[i]++
					if refuses[i] {
						return refused
					}
					return addEvent(ctx, tx, fmt.Sprint(i))
				})
			}
		}
		before := s.Groups()
		for i, err := range inOneTransaction(t, s, calls) {
			if refuses[i] {
				require.Equal(t, refused, err)
			} else {
				require.NoError(t, err)
			}
			require.LessOrEqual(t, runs[i], 2, i)
		}
		require.Len(t, events(t, s), len(calls)-len(refuses))
		commits := uint64(s.Lanes() + len(refuses) + 1)
		require.LessOrEqual(t, s.Groups().Commits-before.Commits, commits)
	})
}

// Ensure that what a failed transaction undid is not done again for a caller that has given up: it
// may have tried again, and a phone would get two codes.
func TestNothingIsDoneLate(t *testing.T) {
	conflict := func(_ context.Context, tx *store.Tx, _ *int) error {
		if tx.Surely() {
			return nil
		}
		return store.ErrConflict
	}
	for name, fails := range map[string]func(tx *store.Tx) error{
		"a call's own error": func(*store.Tx) error { return errors.New("refused") },
		"a conflict at the end": func(tx *store.Tx) error {
			store.Shared(tx, conflict)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				const failing = 4
				ctx, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				calls := make([]func() error, 9)
				for i := range calls {
					calls[i] = func() error {
						return s.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
							return addEvent(ctx, tx, fmt.Sprint(i))
						})
					}
				}
				calls[failing] = func() error {
					return s.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
						giveUp()
						return fails(tx)
					})
				}
				for i, err := range inOneTransaction(t, s, calls) {
					if i != failing {
						require.ErrorIs(t, err, context.Canceled, i)
					}
				}
				require.Empty(t, events(t, s))
			})
		})
	}
}

// Ensure that calls succeed whose shared transaction lost its connection, also the one that met
// that: it is not to blame.
func TestSharedTransactionLosesItsConnection(t *testing.T) {
	url := storetest.PostgreSQL(t)
	s := storetest.Open(t, url, nil)
	beside := connect(t, "pgx", url)
	var cut sync.Once
	calls := make([]func() error, 5)
	for i := range calls {
		calls[i] = func() error {
			return s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
				if i == 0 {
					cut.Do(func() {
						_, err = beside.ExecContext(t.Context(), `SELECT pg_terminate_backend((
							SELECT pid FROM pg_stat_activity WHERE datname = current_database()
							AND pid <> pg_backend_pid() AND state = 'idle in transaction'
							ORDER BY xact_start DESC LIMIT 1))`)
					})
				}
				if err != nil {
					return err
				}
				_, err = tx.EventsOf(ctx, "none")
				return errors.Join(err, addEvent(ctx, tx, fmt.Sprint(i)))
			})
		}
	}
	for i, err := range inOneTransaction(t, s, calls) {
		require.NoError(t, err, i)
	}
	require.Len(t, events(t, s), len(calls))
}
