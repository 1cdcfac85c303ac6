package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// bundleOf is a bundle of texts to be sent.
func bundleOf(ids ...string) store.Bundle {
	b := store.Bundle{Of: "send_text"}
	for _, id := range ids {
		b.Jobs = append(b.Jobs, json.RawMessage(fmt.Sprintf(`{"id":%q}`, id)))
	}
	return b
}

// own are the ids of the texts that have a row of their own in the queue, due after a wait.
func (w *world) own() []string {
	return w.all("SELECT args->>'id' FROM river_job WHERE kind = 'send_text'" +
		" AND state IN ('scheduled', 'available') ORDER BY id")
}

// Ensure that each job of a bundle ends by itself: one that waits, fails or panics goes on in a row
// of its own, and disturbs no other.
func TestEndsOfABundle(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ends := map[string]func() error{
			"done":  func() error { return nil },
			"waits": func() error { return river.JobSnooze(time.Minute) },
			"fails": func() error { return errors.New("mailgun: status 500") },
			"panic": func() error { panic("the code is 482913") },
			"gone":  func() error { return mail.ErrUnknown },
		}
		j := w.job("send_text")
		j.work = func(_ context.Context, id string) error { return ends[id]() }
		row := &rivertype.JobRow{ID: 7, Attempt: 1}
		bundle := bundleOf("done", "waits", "fails", "panic", "gone")
		require.NoError(w.t, w.runBundle(w.t.Context(), row, bundle))
		require.Empty(w.t, w.bundles.turns, "each job has given its turn back")
		require.ElementsMatch(w.t, []string{"waits", "fails", "panic"}, w.own())
		require.EqualValues(w.t, 2, j.failed.Load())
		require.Zero(w.t, j.dead.Load())
		for _, want := range []string{
			`"a job failed and is tried again"`, `"id":"fails"`, `"id":"panic"`,
			`"a job ends: the row that it is about is gone"`,
		} {
			require.Contains(w.t, w.log.String(), want)
		}
		require.NotContains(w.t, w.log.String(), "482913")
	})
}

// Ensure that a bundle whose worker died gives each of its jobs a row of its own, and does none.
func TestBundleOfADeadWorker(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.job("send_text").work = func(context.Context, string) error { panic("done twice") }
	row := &rivertype.JobRow{ID: 7, Attempt: 2}
	require.NoError(t, w.runBundle(t.Context(), row, bundleOf("a", "b")))
	require.Equal(t, []string{"a", "b"}, w.own())
}

// Ensure that a bundle waits that is handed out again while it is at work. A bundle of a kind that
// this version does not know is kept.
func TestBundleWaits(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.bundles.running.Store(int64(7), struct{}{})
	w.snoozed(w.runBundle(t.Context(), &rivertype.JobRow{ID: 7, Attempt: 1}, bundleOf("a")))
	unknown := store.Bundle{Of: "fly_to_the_moon"}
	require.ErrorContains(t, w.runBundle(t.Context(), &rivertype.JobRow{ID: 8}, unknown), "fly_to")
}

// Ensure that a job that has no turn in time goes on in a row of its own: its bundle must end
// before the queue takes its worker for dead.
func TestBundleWithoutATurn(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.job("send_text").work = func(context.Context, string) error { panic("it has no turn") }
	for range cap(w.bundles.turns) {
		w.bundles.turns <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, w.runBundle(ctx, &rivertype.JobRow{ID: 7, Attempt: 1}, bundleOf("a")))
	require.Equal(t, []string{"a"}, w.own())
	require.Less(t, beginWithin+oneTry, store.RescueAfter)
	require.Positive(t, beginWithin)
}

// Ensure that many texts that are made due at once are all sent, once each.
func TestManyTextsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ctx := context.Background()
		const many = 60
		errs := make(chan error, many)
		for i := range many {
			go func() {
				errs <- w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
					_, err := text.Make(ctx, tx, text.Draft{
						Tenant: w.tenant(), Line: w.line(), Phone: w.phone(fmt.Sprintf("+452012%04d", i)),
						Purpose: text.Outcome, Body: "Hello", Deadline: tx.Now().Add(time.Hour),
					})
					return err
				})
			}()
		}
		for range many {
			require.NoError(w.t, <-errs)
		}
		require.NoError(w.t, w.Store.Start(ctx))
		sent := func() bool { return w.one("SELECT COUNT(*) FROM text WHERE state <> 'sent'") == "0" }
		require.Eventually(w.t, sent, time.Minute, 10*time.Millisecond)
		require.NoError(w.t, w.Store.Stop(ctx))
		require.Equal(w.t, fmt.Sprint(many), w.one("SELECT COUNT(DISTINCT provider_id) FROM text"))
	})
}

// Ensure that a text is sent as the next step of another job, without a row of the queue. It is
// looked for at Twilio when the worker dies meanwhile.
func TestFollowingTextIsFound(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var id string
		require.NoError(w.t, w.recordAndText(w.t.Context(),
			func(ctx context.Context, tx *store.Tx) (err error) {
				id, err = text.Make(ctx, tx, text.Draft{
					Tenant: w.tenant(), Line: w.line(), Phone: w.phone(phone), Purpose: text.Outcome,
					Body: "Hello", Deadline: tx.Now().Add(time.Hour),
				})
				return err
			}, func() {}))
		require.Empty(w.t, w.own(), "it needed no row of its own")
		words := ""
		w.do(func(_ context.Context, tx *store.Tx) error {
			place := store.Place{Table: "text", ID: id, Column: "body", Tenant: "acme"}
			words = tx.Seal(place, []byte("Hello"))
			return nil
		})
		// As if its worker had died before it could record that.
		w.exec("UPDATE text SET state = 'sending', provider_id = '', body = $2 WHERE id = $1", id, words)
		w.exec("DELETE FROM river_job")
		w.wait(store.RescueAfter)
		require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
		w.is(id, "sending", "")
		w.wait(time.Millisecond)
		require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
		w.is(id, "unclear", "")
		require.Equal(w.t, "1", w.jobs("find_text"))
		require.NoError(w.t, w.findText(w.t.Context(), id))
		w.is(id, "sent", "")
		w.inbox(1)
	})
}

// uncommitted is a job that no queue can keep.
type uncommitted struct{ C chan int }

func (uncommitted) Kind() string { return "uncommitted" }

// Ensure that a text whose transaction is not committed is not sent.
func TestUncommittedTextIsNotSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		require.Error(w.t, w.recordAndText(w.t.Context(),
			func(ctx context.Context, tx *store.Tx) error {
				tx.Enqueue(uncommitted{make(chan int)})
				_, err := text.Make(ctx, tx, text.Draft{
					Tenant: w.tenant(), Line: w.line(), Phone: w.phone(phone), Purpose: text.Outcome,
					Body: "Hello", Deadline: tx.Now().Add(time.Hour),
				})
				return err
			}, func() {}))
		w.inbox(0)
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM text"))
	})
}
