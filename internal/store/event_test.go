package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
)

// Ensure that the timeline is read on from any event, and in the order in which it was recorded.
func TestTimeline(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"test.first", "test.second", "test.third"} {
			require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return tx.Record(ctx, "acme", "s", name, "detail")
			}))
		}
		read := func(after string, most int) (events []store.Event) {
			err := s.Read(t.Context(), func(ctx context.Context, view store.View) (err error) {
				events, err = store.Timeline(ctx, view, after, most)
				return err
			})
			require.NoError(t, err)
			return events
		}
		all := read("", 10)
		require.Len(t, all, 3)
		first := all[0]
		require.Equal(t, []string{"acme", "s", "test.first", "detail"},
			[]string{first.Tenant, first.Subject, first.Name, first.Detail})
		require.False(t, first.At.IsZero())
		require.Equal(t, all[1:2], read(first.ID, 1))
		require.Equal(t, all[1:], read(first.ID, 10))
		require.Empty(t, read(all[2].ID, 10))
	})
}

// Ensure that a transaction that reads events finds what it has recorded, in order. Few statements
// write it.
func TestRecordedEventsAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const most = 45 // of a size that no statement has
		var found []db.Event
		var last []store.Event
		var wrote []string
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			watched := storetest.Watch(tx)
			for n := range most {
				if err := tx.Record(ctx, "acme", "s", "test.done", fmt.Sprint(n)); err != nil {
					return err
				}
			}
			var err error
			if found, err = tx.EventsOf(ctx, "s"); err != nil {
				return err
			}
			if err := tx.Record(ctx, "acme", "s", "test.done", fmt.Sprint(most)); err != nil {
				return err
			}
			last, err = store.Timeline(ctx, tx, found[len(found)-1].ID, 10)
			wrote = watched.Names
			return err
		}))
		require.Len(t, last, 1)
		require.Equal(t, []string{"AddEvent", "AddEvent", "AddEvent", "AddEvent", "EventsOf",
			"AddEvent", "EventsAfter"}, wrote, "of 32, 8, 4, and 1 events, and then of 1")
		require.Equal(t, inOrder(most), details(found))
		require.Equal(t, inOrder(most+1), details(eventsOf(t, s, "s")))
	})
}

// Ensure that very many events do not wait for the commit, and stay in order.
func TestManyEventsDoNotWait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const most = 900
		var wrote int
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			watched := storetest.Watch(tx)
			for n := range most {
				if err := tx.Record(ctx, "acme", "s", "test.done", fmt.Sprint(n)); err != nil {
					return err
				}
			}
			wrote = len(watched.Names)
			return nil
		}))
		require.Equal(t, 512/32, wrote)
		require.Equal(t, inOrder(most), details(eventsOf(t, s, "s")))
	})
}

// Ensure that a call that fails leaves no event, and that the calls beside it lose none.
func TestFailedCallsRecordNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		broken := errors.New("broken")
		errs := together(t, s, func(ctx context.Context, tx *store.Tx, i int) error {
			err := tx.Record(ctx, "acme", "s", "test.done", fmt.Sprint(i))
			if i%3 == 0 {
				return broken
			}
			return err
		})
		for i, err := range errs {
			if i%3 == 0 {
				require.ErrorIs(t, err, broken)
			} else {
				require.NoError(t, err)
			}
		}
		left := details(eventsOf(t, s, "s"))
		require.Len(t, left, len(errs)*2/3)
		for i := range errs {
			require.Equal(t, i%3 != 0, slices.Contains(left, fmt.Sprint(i)), i)
		}
	})
}

// Ensure that an event that the database refuses fails the call that recorded it, with all that it
// wrote, and no other call.
func TestRefusedEventFailsItsCall(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		b.Exec("CREATE UNIQUE INDEX one_of_these ON event (detail) WHERE detail = 'refused'")
		record := func(detail, phone string) func(ctx context.Context, tx *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.AddSeen(ctx, db.AddSeenParams{Source: "test", ID: phone, At: tx.Moment()})
				if err != nil {
					return err
				}
				return tx.Record(ctx, "acme", phone, "test.done", detail)
			}
		}
		b.Do(record("refused", "first"))
		errs := together(b.T, b.Store, func(ctx context.Context, tx *store.Tx, i int) error {
			detail := "taken"
			if i == 17 {
				detail = "refused"
			}
			return record(detail, fmt.Sprint(i))(ctx, tx)
		})
		for i, err := range errs {
			if i == 17 {
				require.ErrorContains(b, err, "store: ")
			} else {
				require.NoError(b, err)
			}
		}
		require.Equal(b, len(errs), b.Count("seen"), "the first, and all but the refused one")
		require.Zero(b, b.Count("seen WHERE id = '17'"))
		require.Zero(b, b.Count("event WHERE subject = '17'"))
		require.Equal(b, len(errs), b.Count("event"))
	})
}

// Ensure that a read whose context has ended takes no event with it. Those that waited are written
// with the commit, or that fails too: PostgreSQL may have lost the connection.
func TestEndedReadKeepsEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var ended error
		err := s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			err := tx.Record(ctx, "acme", "s", "test.done", "0")
			over, end := context.WithCancel(ctx)
			end()
			_, ended = tx.EventsOf(over, "s")
			return err
		})
		require.Error(t, ended)
		if strings.HasSuffix(t.Name(), "sqlite") {
			require.NoError(t, err)
		}
		require.Equal(t, err == nil, len(eventsOf(t, s, "s")) == 1)
	})
}

// together runs many calls that share transactions, and returns the error of each.
func together(
	t *testing.T, s *store.Store, f func(ctx context.Context, tx *store.Tx, i int) error,
) []error {
	t.Helper()
	errs := make([]error, 60)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			errs[i] = s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				return f(ctx, tx, i)
			})
		})
	}
	wait.Wait()
	return errs
}

// eventsOf are the events of a subject.
func eventsOf(t *testing.T, s *store.Store, subject string) (found []db.Event) {
	t.Helper()
	require.NoError(t, s.Read(t.Context(), func(ctx context.Context, view store.View) (err error) {
		found, err = view.EventsOf(ctx, subject)
		return err
	}))
	return found
}

func details(events []db.Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Detail)
	}
	return all
}

// inOrder are the numbers below n.
func inOrder(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}
