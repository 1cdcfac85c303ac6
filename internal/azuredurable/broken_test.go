package azuredurable_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// fail lets each statement of a step fail in turn: none of the failures may be a decision.
func (w world) fail(step func(ctx context.Context, tx *store.Tx) error) {
	w.Helper()
	w.FailEach(step, azuredurable.ErrUnknown, azuredurable.ErrFinished, azuredurable.ErrRunning,
		azuredurable.ErrID, azuredurable.ErrInput)
}

// Ensure that a database that fails at any statement starts no instance twice, and steers none by
// half. The failure comes back, and the next try does the whole of it.
func TestFailingDatabase(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		var i azuredurable.Instance
		start := func(id, input string) {
			w.Helper()
			w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				i, err = azuredurable.Start(ctx, tx, w.tenant, id, json.RawMessage(input))
				return err
			})
		}
		status := func(want azuredurable.Status) {
			w.Helper()
			w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				i, err = azuredurable.Get(ctx, tx, "acme", "x")
				return err
			})
			require.Equal(t, want, i.Status)
		}
		steer := func(move func(context.Context, *store.Tx, string, string) error) {
			w.Helper()
			w.fail(func(ctx context.Context, tx *store.Tx) error {
				return move(ctx, tx, "acme", "x")
			})
		}
		raise := func(number string) {
			w.Helper()
			w.fail(func(ctx context.Context, tx *store.Tx) error {
				return azuredurable.Raise(ctx, tx, "acme", "x", number)
			})
		}
		start("x", `"`+phone+`"`)
		require.Equal(t, 1, w.Count("text"))
		steer(azuredurable.Suspend)
		status(azuredurable.Suspended)
		raise("99999")
		require.Equal(t, 1, w.Count("verification WHERE attempts = 1"))
		steer(azuredurable.Resume)
		status(azuredurable.Running)
		raise(w.code(t, "x"))
		status(azuredurable.Completed)
		w.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := azuredurable.History(ctx, tx, i)
			return err
		})
		w.fail(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := azuredurable.List(ctx, tx, "acme", azuredurable.Filter{}, "", 10)
			return err
		})
		w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			i, err = azuredurable.Restart(ctx, tx, w.tenant, "x")
			return err
		})
		require.Equal(t, azuredurable.Running, i.Status, "in the place of the finished one")
		w.fail(func(ctx context.Context, tx *store.Tx) error {
			return azuredurable.Terminate(ctx, tx, "acme", "x", "enough")
		})
		status(azuredurable.Terminated)
		w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			i, err = azuredurable.Repeat(ctx, tx, w.tenant, "x")
			return err
		})
		require.NotEqual(t, "x", i.ID)
		steer(azuredurable.Purge)
		_, err := w.get("x")
		require.ErrorIs(t, err, azuredurable.ErrUnknown)
		start("x", "null")
		status(azuredurable.Failed)
		w.fail(func(ctx context.Context, tx *store.Tx) error {
			return azuredurable.Rewind(ctx, tx, w.tenant, "x")
		})
		status(azuredurable.Failed)
	})
}

// Ensure that an instance whose phone said STOP fails at once, and that it can be rewound when the
// phone said START. One whose text was refused can be rewound as well.
func TestRewindAfterStop(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		number, err := phonemail.ParseNumber(phone)
		require.NoError(t, err)
		line := w.tenant.Line(number)
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, line, number)
		})
		i, err := w.start("x", `"`+phone+`"`)
		require.NoError(t, err)
		require.Equal(t, azuredurable.Failed, i.Status)
		require.Contains(t, string(i.Output), "the phone cannot be texted now")
		rewind := func() {
			w.fail(func(ctx context.Context, tx *store.Tx) error {
				return azuredurable.Rewind(ctx, tx, w.tenant, "x")
			})
			i, err = w.get("x")
			require.NoError(t, err)
		}
		rewind()
		require.Equal(t, azuredurable.Failed, i.Status, "it still cannot be texted")
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := text.ClearOptOuts(ctx, tx, number, func(text.KnownOptOut) bool { return true })
			return err
		})
		rewind()
		require.Equal(t, azuredurable.Running, i.Status)
		w.refuse("x")
		i, err = w.get("x")
		require.NoError(t, err)
		require.Equal(t, azuredurable.Failed, i.Status)
		w.Pass(time.Second)
		rewind()
		require.Equal(t, azuredurable.Running, i.Status)
	})
}

// Ensure that no id is taken that a path or a database cannot hold, and that such an instance is
// unknown and not a failure.
func TestIDs(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		for id, want := range map[string]error{
			strings.Repeat("é", 100): nil, "a@b": nil, "a b": nil,
			strings.Repeat("é", 101): azuredurable.ErrID, "@a": azuredurable.ErrID,
			"a/b": azuredurable.ErrID, `a\b`: azuredurable.ErrID, "a?b": azuredurable.ErrID,
			"a#b": azuredurable.ErrID, "a\x00": azuredurable.ErrID, "a\u0085": azuredurable.ErrID,
			"\xff": azuredurable.ErrID,
		} {
			_, err := w.start(id, "null")
			require.ErrorIs(t, err, want, "%q", id)
			if want == nil {
				require.NoError(t, err)
				continue
			}
			_, err = w.get(id)
			require.ErrorIs(t, err, azuredurable.ErrUnknown)
			require.ErrorIs(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
				return azuredurable.Raise(ctx, tx, "acme", id, "1234")
			}), azuredurable.ErrUnknown)
		}
		i, err := w.start("", "null")
		require.NoError(t, err)
		require.Len(t, i.ID, 32, "an id of our own")
		for word, want := range map[string]azuredurable.Status{
			"running": azuredurable.Running, "COMPLETED": azuredurable.Completed,
			"pending": "Pending", "Unknown": "Unknown",
		} {
			got, ok := azuredurable.ParseStatus(word)
			require.True(t, ok)
			require.Equal(t, want, got)
		}
		_, ok := azuredurable.ParseStatus("done")
		require.False(t, ok)
	})
}
