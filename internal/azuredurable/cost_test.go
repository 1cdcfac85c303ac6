package azuredurable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// A check makes six statements. One of them writes its events, and for the right code one counts
// the answer.
func TestStatementsOfACheck(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		_, err := w.start("x", `"`+phone+`"`)
		require.NoError(t, err)
		right := w.code(t, "x")
		raise := func(number string) []string {
			var watched *storetest.Statements
			w.Do(func(ctx context.Context, tx *store.Tx) error {
				watched = storetest.Watch(tx)
				return azuredurable.Raise(ctx, tx, "acme", "x", number)
			})
			return watched.Names
		}
		require.Equal(t, []string{
			"GetDurableVerification", "LockGuesses", "CountAttempt", "SetGuesses",
			"TouchDurableInstance", "AddEvent",
		}, raise("99999"))
		w.Pass(time.Second)
		require.Equal(t, []string{
			"GetDurableVerification", "LockGuesses", "CountAttempt", "SuppressTextsOfVerification",
			"Tally", "AddEvent",
		}, raise(right))
		i, err := w.get("x")
		require.NoError(t, err)
		require.Equal(t, azuredurable.Completed, i.Status)
		require.Equal(t, w.Now(), i.Updated)
	})
}

// The time of its last change shows in an instance, also when it is suspended while a code comes.
func TestUpdated(t *testing.T) {
	w := withTenant(storetest.OpenBench(t, storetest.SQLite(t)))
	_, err := w.start("x", `"`+phone+`"`)
	require.NoError(t, err)
	right := w.code(t, "x")
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Suspend(ctx, tx, "acme", "x")
	})
	for _, number := range []string{"99999", right} {
		w.Pass(time.Second)
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			return azuredurable.Raise(ctx, tx, "acme", "x", number)
		})
		i, err := w.get("x")
		require.NoError(t, err)
		require.Equal(t, w.Now(), i.Updated)
	}
}

// starts starts instances that fail at once.
func (w world) starts(many int) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		for n := range many {
			id := fmt.Sprint("i", n)
			if _, err := azuredurable.Start(ctx, tx, w.tenant, id, json.RawMessage("null")); err != nil {
				return err
			}
		}
		return nil
	})
}

// ending is a context that ends when over says so. Who waits for its end hears nothing of it.
type ending struct {
	context.Context
	over func() bool
}

func (e ending) Err() error {
	if e.over() {
		return context.Canceled
	}
	return nil
}

// A purge holds the database for a hundred instances at a time: one that ends early has deleted
// some, and the next goes on with the others.
func TestPurgeInBatches(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		w.starts(350)
		purge := func(ctx context.Context) (int, error) {
			return azuredurable.PurgeAll(ctx, w.Store, "acme", azuredurable.Filter{})
		}
		first, err := purge(ending{t.Context(), func() bool {
			return w.Count("durable_instance") == 150
		}})
		require.True(t, errors.Is(err, context.Canceled))
		require.Equal(t, 200, first)
		require.Equal(t, 150, w.Count("durable_instance"))
		rest, err := purge(t.Context())
		require.NoError(t, err)
		require.Equal(t, 150, rest)
	})
}

// A list from a time on does not look at instances whose ids are older.
func TestListBeginsAtItsTime(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		w.starts(3)
		ids := w.Strings("SELECT id FROM durable_instance ORDER BY id")
		old := func(at time.Time) string {
			digits := fmt.Sprintf("%012x", at.UnixMilli())
			return digits[:8] + "-" + digits[8:] + ids[0][13:]
		}
		from := w.Now().Add(-time.Minute)
		w.Exec("UPDATE durable_instance SET id = $1 WHERE id = $2",
			old(from.Add(-2*time.Hour)), ids[0])
		w.Exec("UPDATE durable_instance SET id = $1 WHERE id = $2", old(from), ids[1])
		list := func(f azuredurable.Filter) (found int) {
			w.Do(func(ctx context.Context, tx *store.Tx) error {
				all, _, err := azuredurable.List(ctx, tx, "acme", f, "", 10)
				found = len(all)
				return err
			})
			return found
		}
		require.Equal(t, 3, list(azuredurable.Filter{}))
		require.Equal(t, 2, list(azuredurable.Filter{From: from}))
		require.Equal(t, 0, list(azuredurable.Filter{From: w.Now().Add(time.Millisecond)}))
	})
}
