package outbound

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// until waits until a query for one value gives it.
func (w *world) until(value, query string) {
	w.t.Helper()
	is := func() bool { return w.one(query) == value }
	require.Eventually(w.t, is, time.Minute, 5*time.Millisecond, query)
}

// kinds are the kinds of the jobs in the queue, but for those that come back by themselves.
func (w *world) kinds() []string {
	return slices.DeleteFunc(w.all("SELECT kind FROM river_job ORDER BY kind"), IsPeriodic)
}

// Ensure that a mail is examined, its question texted and its link clicked without a row of the
// queue: only what follows the end has one.
func TestFlowWithoutTheQueue(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		require.NoError(w.t, w.Store.Start(context.Background()))
		stored := w.signUp(address)
		w.take(stored, stored.URL)
		w.until("sent", "SELECT COALESCE(MAX(state), '') FROM text")
		require.Empty(w.t, w.kinds())
		w.yes()
		w.until("confirmed", "SELECT state FROM challenge")
		w.until("2", "SELECT COUNT(*) FROM text WHERE state = 'sent'")
		w.inbox(2)
		require.Equal(w.t, []string{"delete_mail"}, w.kinds())
		require.NoError(w.t, w.Store.Stop(context.Background()))
	})
}

// Ensure that the queue gets a job that must wait, and one that fails. It is in no other place
// then, so that a sweep does not make it due a second time.
func TestBegunJobsThatWaitAreQueued(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"examine_mail", "click_link"} {
		for how, end := range map[string]func(b begun[mail.Mail]) error{
			"waits": func(b begun[mail.Mail]) error { return b.again(b.now) },
			"fails": func(begun[mail.Mail]) error { return errors.New("mailgun: status 500") },
			"panic": func(begun[mail.Mail]) error { panic("the code is 482913") },
		} {
			t.Run(kind+" "+how, func(t *testing.T) {
				w := quick(t)
				id := w.begunLongAgo(kind)
				j := w.job(kind)
				w.finishBegun(t.Context(), j, id, func(context.Context) error {
					return end(begun[mail.Mail]{now: w.clock(), limits: j.limits})
				})
				require.Equal(t, []string{"1", kind}, []string{w.jobs(kind), w.kinds()[0]})
				w.wait(time.Hour)
				require.NoError(t, w.work(t.Context(), "sweep", ""))
				require.Equal(t, "1", w.jobs(kind), "nothing is found that the queue has")
				require.NotContains(t, w.log.String(), "482913")
			})
		}
	}
}

// Ensure that a job that is done leaves nothing, and neither does one whose row is gone.
func TestBegunJobsEnd(t *testing.T) {
	t.Parallel()
	w := quick(t)
	id := w.begunLongAgo("examine_mail")
	j := w.job("examine_mail")
	w.finishBegun(t.Context(), j, id, func(context.Context) error { return nil })
	require.Empty(t, w.kinds())
	w.finishBegun(t.Context(), j, id, func(context.Context) error { return mail.ErrUnknown })
	require.Zero(t, j.dead.Load())
	require.Empty(t, w.kinds())
}

// Ensure that a text is sent once whose transaction is made again, because another job could not be
// begun in it: what the undone one had made is not sent.
func TestTextOfATransactionThatIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := quick(t)
	click := challenge.ClickLink{ID: w.begunLongAgo("click_link")}
	w.exec("CREATE TRIGGER breaks BEFORE UPDATE ON challenge" +
		" BEGIN SELECT RAISE(ABORT, 'a broken row'); END")
	require.NoError(t, w.Store.Start(context.Background()))
	made := 0
	err := w.recordAndText(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		made++
		tx.Enqueue(click)
		_, err := text.Make(ctx, tx, text.Draft{
			Tenant: w.tenant(), Line: w.line(), Phone: w.phone(phone), Purpose: text.Outcome,
			Body: "Hello", Deadline: tx.Now().Add(time.Minute),
		})
		return err
	}, func() {})
	require.NoError(t, err)
	require.Equal(t, 2, made)
	w.inbox(1)
	require.Equal(t, "sent", w.one("SELECT state FROM text WHERE purpose = 'outcome'"))
	require.NoError(t, w.Store.Stop(context.Background()))
}

// begunLongAgo leaves a mail or a click as a process does that has begun it. It returns the row.
func (w *world) begunLongAgo(kind string) (id string) {
	w.t.Helper()
	table := "mail"
	if kind == "click_link" {
		table, id = "challenge", w.accepted(w.idp.URL()+"/lo/verify_email?ticket=1",
			challenge.Registration)
		w.exec("UPDATE mail SET state = 'examined'")
	} else {
		stored := w.signUp(address)
		id = w.take(stored, stored.URL)
	}
	w.exec("DELETE FROM river_job")
	w.exec("UPDATE "+table+" SET begun_at = $1 WHERE id = $2", w.clock().UnixMilli(), id)
	return id
}

// Ensure that a sweep gives what a dead worker had begun to the queue: once, and not while its
// worker may be alive.
func TestSweepFindsWhatDeadWorkersHadBegun(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, kind := range []string{"examine_mail", "click_link"} {
			w.begunLongAgo(kind)
			w.wait(store.RescueAfter)
			require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
			require.Equal(w.t, "0", w.jobs(kind), "its worker may be alive")
			w.wait(time.Millisecond)
			require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
			require.Equal(w.t, "1", w.jobs(kind))
			require.Equal(w.t, "available", w.one("SELECT state FROM river_job WHERE kind = '"+kind+"'"))
			w.wait(time.Hour)
			require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
			require.Equal(w.t, "1", w.jobs(kind))
			w.exec("UPDATE mail SET state = 'examined'")
		}
	})
}

// Ensure that a start takes up what a killed process had begun without waiting for the sweep that
// comes back by itself.
func TestStartSweeps(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		id := w.begunLongAgo("examine_mail")
		w.wait(store.RescueAfter + time.Millisecond)
		require.NoError(w.t, w.Start(context.Background()))
		require.NotEqual(w.t, "0", w.jobs("sweep"))
		w.until("examined", "SELECT state FROM mail WHERE id = '"+id+"'")
		require.NoError(w.t, w.Store.Stop(context.Background()))
	})
}

// Ensure that a row which cannot be ended keeps no sweep from what dead workers had begun.
func TestSweepGoesOnBesideABrokenRow(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.accepted("http://"+w.idp.Host()+"/verify?ticket=none", challenge.Registration)
	w.exec("UPDATE challenge SET state = 'open', expires_at = 1")
	w.exec("CREATE TRIGGER breaks BEFORE UPDATE ON challenge" +
		" BEGIN SELECT RAISE(ABORT, 'a broken row'); END")
	w.begunLongAgo("examine_mail")
	w.wait(store.RescueAfter + time.Millisecond)
	require.ErrorContains(t, w.work(t.Context(), "sweep", ""), "a broken row")
	require.Equal(t, "1", w.jobs("examine_mail"))
}

// Ensure that a click that its worker had begun when it died is clicked again as an interrupted
// one: by the queue, and once more at most.
func TestClickOfADeadWorker(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		id := w.begunLongAgo("click_link")
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := challenge.BeginClick(ctx, tx, id)
			return err
		})
		w.wait(store.RescueAfter + time.Millisecond)
		require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
		w.do(func(ctx context.Context, tx *store.Tx) error {
			c, due, err := challenge.BeginClick(ctx, tx, id)
			require.True(w.t, due)
			require.True(w.t, c.Again)
			require.False(w.t, c.Spent)
			return err
		})
	})
}
