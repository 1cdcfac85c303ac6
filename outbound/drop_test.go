package outbound

import (
	"context"
	"strconv"
	"testing"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// drop has a job dropped, as an operator does, and returns what its worker says.
func (w *world) drop(id string) error {
	w.t.Helper()
	number, err := strconv.ParseInt(id, 10, 64)
	require.NoError(w.t, err)
	w.do(func(ctx context.Context, tx *store.Tx) error { return tx.DropJob(ctx, number) })
	return w.work(w.t.Context(), "drop_job", id)
}

// Ensure that a job which is dropped is gone from the queue, and that the row it is about has an
// end with a reason. So it is with all jobs of a bundle. A job that a worker has is waited for.
func TestDropJob(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		one := w.make(phone, "Hello")
		job := w.one("SELECT id FROM river_job WHERE kind = 'send_text'")
		w.exec("UPDATE river_job SET state = 'running', attempted_at = created_at WHERE id = " + job)
		require.ErrorAs(t, w.drop(job), new(*river.JobSnoozeError))
		require.Equal(t, "due", w.one("SELECT state FROM text WHERE id = '"+one+"'"))
		w.exec("UPDATE river_job SET state = 'available' WHERE id = " + job)
		require.NoError(t, w.drop(job))
		require.Equal(t, "failed", w.one("SELECT state FROM text WHERE id = '"+one+"'"))
		require.Equal(t, "dropped by an operator",
			w.one("SELECT error FROM text WHERE id = '"+one+"'"))
		require.Equal(t, "0", w.one("SELECT COUNT(*) FROM river_job WHERE kind = 'send_text'"))
		require.NoError(t, w.work(t.Context(), "drop_job", job), "it is gone already")

		var both [2]string
		both[0], both[1] = w.make(otherPhone, "Hello"), w.make(otherPhone, "Hello again")
		args := `{"of":"send_text","jobs":[{"id":"` + both[0] + `"},{"id":"` + both[1] + `"}]}`
		w.exec("DELETE FROM river_job WHERE kind = 'send_text' AND id <> " +
			w.one("SELECT MAX(id) FROM river_job WHERE kind = 'send_text'"))
		w.exec("UPDATE river_job SET kind = 'bundle', args = '" + args + "' WHERE kind = 'send_text'")
		require.NoError(t, w.drop(w.one("SELECT id FROM river_job WHERE kind = 'bundle'")))
		for _, id := range both {
			require.Equal(t, "failed", w.one("SELECT state FROM text WHERE id = '"+id+"'"))
		}
		w.inbox(0)
		w.do(func(ctx context.Context, tx *store.Tx) error {
			require.ErrorIs(t, tx.DropJob(ctx, 999_999), store.ErrNoJob)
			return nil
		})
	})
}

// Ensure that a job can be dropped whose row is gone, which has no row to end, or of which this
// version knows nothing.
func TestDropJobWithoutARow(t *testing.T) {
	t.Parallel()
	w := quick(t)
	for _, kind := range []string{"examine_mail", "look_up_mail", "fly_to_the_moon"} {
		w.make(phone, "Hello")
		w.exec("UPDATE river_job SET kind = '" + kind + "', args = '{\"id\":\"gone\"}'" +
			" WHERE kind = 'send_text'")
		job := w.one("SELECT id FROM river_job WHERE kind = '" + kind + "'")
		require.NoError(t, w.drop(job), kind)
		require.Equal(t, "0", w.jobs(kind))
	}
}
