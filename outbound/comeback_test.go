package outbound

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
)

// Ensure that sweeps that fail for hours neither fill the queue nor are silent. Each is tried once.
// One in a quarter of an hour is given up, so that the finding of dead jobs stays.
func TestFailingSweepsDoNotPileUp(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.accepted("http://"+w.idp.Host()+"/verify?ticket=none", challenge.Registration)
	w.exec("UPDATE challenge SET state = 'open', expires_at = 1")
	w.exec("CREATE TRIGGER breaks BEFORE UPDATE ON challenge" +
		" BEGIN SELECT RAISE(ABORT, 'a broken row'); END")
	j, began, dead := w.job("sweep"), w.clock(), 0
	sweep := func(n int) error {
		at := began.Add(time.Duration(n) * sweepEvery)
		row := &rivertype.JobRow{ID: int64(n + 1), Attempt: 1, CreatedAt: at, ScheduledAt: at}
		failed := w.run(t.Context(), j, row, "")
		if failed == nil {
			return nil
		}
		row.Attempt, row.ScheduledAt = 2, at.Add(time.Second)
		row.Errors = []rivertype.AttemptError{{Error: failed.Error()}}
		return w.run(t.Context(), j, row, "")
	}
	for n := range int(2 * time.Hour / sweepEvery) {
		if err := sweep(n); err != nil {
			require.ErrorAs(t, err, new(*river.JobCancelError))
			require.ErrorContains(t, err, "a broken row")
			dead++
		}
	}
	require.Equal(t, 7, dead)
	require.EqualValues(t, dead, j.dead.Load())

	w.exec("DROP TRIGGER breaks")
	require.NoError(t, sweep(10_000))
	require.Zero(t, j.trouble.since)
}

// Ensure that a job which comes back and has to wait ends when the next one has come. One that
// fails is tried again if the next one is far off.
func TestWaitingJobsDoNotPileUp(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, p := range periodics() {
		w := quick(t)
		j := w.job(p.job.Kind())
		j.work = func(context.Context, string) error { return river.JobSnooze(time.Second) }
		row := &rivertype.JobRow{ID: 1, CreatedAt: now, ScheduledAt: now.Add(p.every - 1)}
		w.snoozed(w.run(t.Context(), j, row, ""))
		row.ScheduledAt = now.Add(p.every)
		require.NoError(t, w.run(t.Context(), j, row, ""), j.kind)

		broken := errors.New("broken")
		j.work = func(context.Context, string) error { return broken }
		row.Errors = make([]rivertype.AttemptError, 1)
		err := w.run(t.Context(), j, row, "")
		require.Equal(t, p.every > comesSoon, errors.Is(err, broken), j.kind)
	}
}
