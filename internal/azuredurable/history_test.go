package azuredurable_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// raise presents a code to an instance.
func (w world) raise(id, number string) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Raise(ctx, tx, "acme", id, number)
	})
}

// steps are the steps of an instance so far.
func (w world) steps(id string) (steps []azuredurable.Step) {
	w.Helper()
	i, err := w.get(id)
	require.NoError(w, err)
	w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		steps, err = azuredurable.History(ctx, tx, i)
		return err
	})
	return steps
}

// Ensure that a code that was not compared leaves no trace in its instance: it came after the end
// of the verification, or after too many wrong ones of the phone.
func TestCodesThatAreNotCompared(t *testing.T) {
	w := withTenant(storetest.OpenBench(t, storetest.SQLite(t)))
	unchanged := func(id, number string) {
		t.Helper()
		before, err := w.get(id)
		require.NoError(t, err)
		steps := w.steps(id)
		w.Pass(time.Second)
		w.raise(id, number)
		after, err := w.get(id)
		require.NoError(t, err)
		require.Equal(t, before.Updated, after.Updated)
		require.Equal(t, before.Status, after.Status)
		require.Equal(t, steps, w.steps(id))
	}
	_, err := w.start("late", `"`+phone+`"`)
	require.NoError(t, err)
	right := w.code(t, "late")
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Suspend(ctx, tx, "acme", "late")
	})
	w.raise("late", right)
	unchanged("late", right)

	w.tenant.Codes.Wrong = 1
	_, err = w.start("blocked", `"`+phone+`"`)
	require.NoError(t, err)
	w.raise("blocked", "99999")
	unchanged("blocked", w.code(t, "blocked"))
}

// Ensure that the history of a failed instance ends with the reason. The reason of an app, which
// may hold anything, stands in the output alone.
func TestReasonsInTheTimeline(t *testing.T) {
	w := withTenant(storetest.OpenBench(t, storetest.SQLite(t)))
	i, err := w.start("failed", "null")
	require.NoError(t, err)
	require.Contains(t, string(i.Output), "A phone number input is required.")
	steps := w.steps("failed")
	last := steps[len(steps)-1]
	require.Equal(t, "ExecutionCompleted", last.EventType)
	require.Equal(t, string(i.Output), string(last.Result))

	_, err = w.start("ended", `"`+phone+`"`)
	require.NoError(t, err)
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		return azuredurable.Terminate(ctx, tx, "acme", "ended", "code 482913 of Ida")
	})
	i, err = w.get("ended")
	require.NoError(t, err)
	require.Contains(t, string(i.Output), "code 482913 of Ida")
	require.Zero(t, w.Count("event WHERE detail LIKE '%Ida%'"))
}
