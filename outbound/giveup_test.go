package outbound

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
)

// tooOften is a job that has failed as often as a job may: its worker died each time.
func (w *world) tooOften(kind, id string) {
	w.t.Helper()
	row := &rivertype.JobRow{
		ID: w.tries.Add(1), Attempt: mostFailures + 1,
		Errors: make([]rivertype.AttemptError, mostFailures),
	}
	err := w.run(w.t.Context(), w.job(kind), row, id)
	require.ErrorAs(w.t, err, new(*river.JobCancelError))
}

// Ensure that a job whose worker dies each time is not begun once more, and that its row gets an
// end state with a reason.
func TestRowsOfLostJobs(t *testing.T) {
	t.Parallel()
	const reason = "given up: "
	each(t, func(w *world) {
		mailID := w.take(w.signUp(w.tenant().Address.Address(w.phone(phone))), "")
		w.tooOften("examine_mail", mailID)
		require.Equal(t, "refused", w.one("SELECT state FROM mail WHERE id = '"+mailID+"'"))
		require.Equal(t, reason+"examine_mail failed 6 times",
			w.one("SELECT reason FROM mail WHERE id = '"+mailID+"'"))
		require.Empty(t, w.one("SELECT body FROM mail WHERE id = '"+mailID+"'"))
		w.tooOften("examine_mail", mailID) // has ended: stays as it is

		for _, kind := range []string{"send_text", "find_text"} {
			id := w.make(phone, "Hello")
			w.tooOften(kind, id)
			require.Equal(t, "failed", w.one("SELECT state FROM text WHERE id = '"+id+"'"))
			require.Contains(t, w.one("SELECT error FROM text WHERE id = '"+id+"'"), reason+kind)
		}
		w.inbox(0)

		w.tooOften("delete_mail", mailID)
		require.Equal(t, "1", w.one("SELECT COUNT(*) FROM event WHERE name = 'mail.not_deleted'"))
	})
}

// Ensure that the end of a lost click is told as one of which nothing is known. Its link is handed
// to the person, and opened by no worker.
func TestLostClick(t *testing.T) {
	t.Parallel()
	w := quick(t)
	link, clicks := w.provider(func(http.ResponseWriter, *http.Request) {})
	id := w.accepted(link, challenge.Registration)
	w.tooOften("click_link", id)
	w.handedOver(id, "unknown", link, wording.RelayVerify)
	require.Zero(t, clicks.Load())
}

// Ensure that Twilio Verify's part in a verification ends when it can never be asked.
func TestLostReports(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.openOthers("verify,twilio")
	v, textID := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), textID))
	w.finish(v.ID, "approved")
	w.tooOften("report_verification", v.ID)
	require.Equal(t, "given up", w.one("SELECT reported FROM verification WHERE id = '"+v.ID+"'"))
	w.tooOften("notify", v.ID)
	w.tooOften("notify", "no-such-row")
	require.Equal(t, []string{v.ID},
		w.all("SELECT subject FROM event WHERE name = 'verification.not_notified'"))
	other, otherText := w.verify("+4520123457")
	w.tooOften("send_text", otherText)
	require.Equal(t, "failed", w.one("SELECT state FROM verification WHERE id = '"+other.ID+"'"))
	w.do(func(ctx context.Context, tx *store.Tx) error {
		return verification.Abandon(ctx, tx, "no such check")
	})
}

// Ensure that a caller who waits for a check hears that it is over when Twilio Verify can never be
// asked. The code is kept no longer.
func TestLostCheck(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o, v, code := w.ownCode()
	checked := w.check(v.ID, code)
	require.Equal(t, verification.Asked, checked.Verdict)
	w.tooOften("check_code", checked.CheckID)
	require.Empty(t, w.one("SELECT code FROM code_check WHERE id = '"+checked.CheckID+"'"))
	heard, err := verification.Await(t.Context(), w.Store, checked)
	require.NoError(t, err)
	require.Equal(t, verification.Over, heard.Verdict)
	require.Zero(t, o.verify.Checks())
}

// Ensure that a job ends quietly when its row was erased while it waited: nothing is wrong then.
func TestJobsOfErasedRowsEndQuietly(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.twilio.Set(func(m *twilio.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 429, 20429 })
		id := w.make(phone, "Hello")
		w.later(id, w.sendText(w.t.Context(), id))
		w.exec("UPDATE text SET state = 'suppressed' WHERE id = $1", id) // as forget does first
		_, err := w.Store.ErasePhone(w.t.Context(), w.phone(phone))
		require.NoError(w.t, err)
		w.log.Reset()
		for _, kind := range []string{
			"send_text", "find_text", "examine_mail", "click_link", "check_code", "look_up_mail",
			"report_verification", "notify", "delete_mail", "answer_test", "tell_operator",
		} {
			require.NoError(w.t, w.work(w.t.Context(), kind, id), kind)
			require.Zero(w.t, w.job(kind).dead.Load(), kind)
		}
		worn := &rivertype.JobRow{Errors: make([]rivertype.AttemptError, mostFailures)}
		require.NoError(w.t, w.run(w.t.Context(), w.job("send_text"), worn, id))
		require.NotContains(w.t, w.log.String(), `"ERROR"`)
		require.Contains(w.t, w.log.String(), `"a job ends: the row that it is about is gone",`+
			`"kind":"send_text"`)
	})
}

// Ensure that a job whose worker is still at work is not begun beside it when the queue hands it
// out again.
func TestNoJobTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := quick(t)
	var (
		begun = make(chan struct{})
		end   = make(chan struct{})
		ended = make(chan error)
	)
	j := &job{kind: "test", limits: limits{within: time.Minute}}
	j.work = func(context.Context, string) error {
		close(begun) // panics when it is called a second time
		<-end
		return nil
	}
	row := &rivertype.JobRow{ID: 7, Attempt: 1}
	go func() { ended <- w.run(context.Background(), j, row, "row-1") }()
	<-begun
	w.snoozed(w.run(t.Context(), j, row, "row-1"))
	close(end)
	require.NoError(t, <-ended)
	j.work = func(context.Context, string) error { return nil }
	require.NoError(t, w.run(t.Context(), j, row, "row-1"), "and afterwards it is begun again")
}

// Ensure that a job is not called dead while its end cannot be recorded: the queue tries again.
func TestEndThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	w := quick(t)
	broken := errors.New("store: the database is down")
	j := (&job{kind: "test", limits: limits{within: time.Minute}}).whenLost(
		func(context.Context, *store.Tx, string, string) error { return broken })
	j.work = func(context.Context, string) error { return errors.New("provider: status 500") }
	row := &rivertype.JobRow{ID: 7, Errors: make([]rivertype.AttemptError, mostFailures-1)}
	err := w.run(t.Context(), j, row, "row-1")
	require.ErrorIs(t, err, broken)
	require.False(t, errors.As(err, new(*river.JobCancelError)))
	require.Zero(t, j.dead.Load())
	require.EqualValues(t, 1, j.failed.Load())
}

// Ensure that a job that was given up is tried again when an operator wants it, and has all its
// tries then.
func TestRetryOfADeadJob(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.do(func(_ context.Context, tx *store.Tx) error {
			tx.Enqueue(mail.DeleteMail{ID: "gone"})
			return nil
		})
		const dead = "UPDATE river_job SET attempt = 7, state = 'cancelled', finalized_at = "
		one := `{"at":"2026-11-28T01:00:00Z","attempt":1,"error":"x","trace":""}`
		if strings.HasPrefix(w.databaseURL, "sqlite:") {
			w.exec(dead+"datetime('now','subsec'), errors = jsonb($1)",
				"["+one+strings.Repeat(","+one, mostFailures)+"]")
		} else {
			w.exec(dead+"now(), errors = array_fill(CAST($1 AS jsonb), ARRAY[7])", one)
		}
		jobs, err := w.Store.Jobs(w.t.Context())
		require.NoError(w.t, err)
		require.Equal(w.t, store.JobDead, jobs[0].State)
		w.do(func(ctx context.Context, tx *store.Tx) error { return tx.RetryJob(ctx, jobs[0].ID) })
		require.Equal(w.t, "available", w.one("SELECT state FROM river_job"))
		require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM river_job WHERE errors IS NULL"))
	})
}

// Ensure that a text ends whose provider cannot say for a day whether it was sent.
func TestTextThatCannotBeFound(t *testing.T) {
	t.Parallel()
	w := quick(t)
	id := w.make(phone, "Hello")
	w.twilio.Set(func(m *twilio.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 500, 20500 })
	_ = w.sendText(t.Context(), id)
	require.Equal(t, "unclear", w.one("SELECT state FROM text"))
	w.twilio.Close()
	w.wait(findPatience)
	require.ErrorAs(t, w.findText(t.Context(), id), new(*river.JobSnoozeError))
	require.Equal(t, "unclear", w.one("SELECT state FROM text"))
	w.wait(time.Hour)
	require.NoError(t, w.findText(t.Context(), id))
	require.Equal(t, "failed its provider does not say whether it was sent",
		w.one("SELECT state || ' ' || error FROM text"))
	require.Empty(t, w.one("SELECT body FROM text"))
}
