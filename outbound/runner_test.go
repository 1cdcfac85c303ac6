package outbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that the table has each kind of job once, and that none is still at work when it is
// rescued.
func TestTable(t *testing.T) {
	t.Parallel()
	w := quick(t)
	var kinds []string
	for _, j := range w.Worker.jobs {
		kinds = append(kinds, j.kind)
		require.Positive(t, j.limits.within, j.kind)
		require.LessOrEqual(t, j.limits.within, store.RescueAfter-10*time.Second, j.kind)
	}
	require.ElementsMatch(t, []string{
		"answer_test", "blank", "check_code", "click_link", "delete_mail", "drop_job", "examine_mail",
		"expire", "expire_verification", "find_text", "look_up_mail", "notify", "price_texts", "prune",
		"report_verification", "reseal", "send_text", "sweep", "tell_operator",
	}, kinds)
}

// Ensure that each end of a job reaches the queue, the log and the counts as what it is.
func TestEndsOfAJob(t *testing.T) {
	t.Parallel()
	failed := func(times int) *rivertype.JobRow {
		return &rivertype.JobRow{
			ID: 7, Attempt: times + 1, Errors: make([]rivertype.AttemptError, times),
		}
	}
	broken := errors.New("mailgun: status 500")
	for name, test := range map[string]struct {
		row          *rivertype.JobRow
		end          error
		failed, dead int64
		canceled     bool
	}{
		"done":              {failed(1), nil, 0, 0, false},
		"again":             {failed(mostFailures - 1), river.JobSnooze(time.Second), 0, 0, false},
		"its first error":   {failed(0), broken, 1, 0, false},
		"still failing":     {failed(mostFailures - 2), broken, 1, 0, false},
		"failing too often": {failed(mostFailures - 1), broken, 0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			j := &job{kind: "test", limits: limits{within: time.Minute}}
			j.work = func(context.Context, string) error { return test.end }
			err := w.run(t.Context(), j, test.row, "row-1")
			require.ErrorIs(t, err, test.end)
			require.Equal(t, test.canceled, errors.As(err, new(*river.JobCancelError)))
			require.Equal(t, []int64{test.failed, test.dead}, []int64{j.failed.Load(), j.dead.Load()})
			if test.dead == 0 {
				require.Empty(t, w.log.String(), "the queue logs what it hears")
				return
			}
			for _, want := range []string{
				`"level":"ERROR"`, `"a job is dead"`, `"kind":"test"`, `"id":"row-1"`,
				`"reason":"` + test.end.Error() + `"`,
			} {
				require.Contains(t, w.log.String(), want)
			}
		})
	}
	t.Run("a panic", func(t *testing.T) {
		w := quick(t)
		j := &job{kind: "test", limits: limits{within: time.Minute}}
		j.work = func(context.Context, string) error { panic("the code is 482913") }
		require.Panics(t, func() { _ = w.run(t.Context(), j, &rivertype.JobRow{}, "row-1") })
		require.EqualValues(t, 1, j.failed.Load())
	})
}

// Ensure that a job that fails in the queue is logged with its kind and the id of its row, and
// counted.
func TestFailureInTheQueue(t *testing.T) {
	t.Parallel()
	w := quick(t)
	id := w.make(phone, "Hello")
	w.open([]byte("another key of thirty-two bytes!")) // what the text says cannot be opened any more
	// The queue is stopped before the test's own has ended.
	ctx := context.Background()
	require.NoError(t, w.Store.Start(ctx))
	failed := func() bool { return w.job("send_text").failed.Load() > 0 }
	require.Eventually(t, failed, time.Minute, time.Millisecond)
	require.NoError(t, w.Store.Stop(ctx))
	for _, want := range []string{`"a job failed and is tried again"`, `"kind":"send_text"`, id} {
		require.Contains(t, w.log.String(), want)
	}
	w.is(id, "due", "")
	w.inbox(0)
}

// Ensure that the waits of a job double from two seconds to the longest, and that patience ends.
func TestWaits(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	b := begun[struct{}]{now: now, limits: limits{patience: time.Hour, slowest: time.Minute}}
	for tried, want := range map[time.Duration]time.Duration{
		-time.Second: 2 * time.Second, 0: 2 * time.Second, 2 * time.Second: 2 * time.Second,
		7 * time.Second: 7 * time.Second, time.Minute: time.Minute, time.Hour: time.Minute,
	} {
		var snooze *river.JobSnoozeError
		require.ErrorAs(t, b.again(now.Add(-tried)), &snooze)
		require.Equal(t, want, snooze.Duration, tried)
	}
	require.True(t, b.patient(now.Add(-time.Hour)))
	require.False(t, b.patient(now.Add(-time.Hour-time.Nanosecond)))
}

// Ensure that the parts of a job get no more time than the job has, and that no request gets more
// than ten seconds.
func TestShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		left time.Duration
		n    int
		want time.Duration
	}{
		{25 * time.Second, 1, 10 * time.Second}, {25 * time.Second, 2, 10 * time.Second},
		{25 * time.Second, 4, 6250 * time.Millisecond}, {8 * time.Second, 1, 8 * time.Second},
		{8 * time.Second, 2, 4 * time.Second}, {-time.Second, 2, -500 * time.Millisecond},
	} {
		began := time.Now()
		ctx, cancel := context.WithDeadline(t.Context(), began.Add(test.left))
		part, done := share(ctx, test.n)
		end, bounded := part.Deadline()
		require.True(t, bounded)
		least, most := began.Add(test.want), time.Now().Add(test.want)
		require.False(t, end.Before(least.Add(-time.Since(began))), "%v", test)
		require.False(t, end.After(most), "%v", test)
		cancel()
		require.Equal(t, test.want <= 0, part.Err() != nil, "a stop of the process does not end it")
		done()
	}
}

// mute is a server that takes requests and never responds.
func mute(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is the end of the connection noticed
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// hurry gives the jobs of a kind hardly any time. The context that it returns has ended when a
// job has waited much longer than that.
func (w *world) hurry(kind string) context.Context {
	w.t.Helper()
	w.job(kind).limits.within = time.Second // the text is begun within it on a busy machine, too
	ctx, cancel := context.WithTimeout(w.t.Context(), providerTimeout-time.Second)
	w.t.Cleanup(cancel)
	return ctx
}

// Ensure that no provider is asked longer than its job may take, even when it never responds. A
// text that it was asked for is unclear then.
func TestNoProviderOutlivesItsJob(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	silence := mute(t)
	for by, variable := range map[tenant.Provider]string{
		tenant.ByTwilio: "TWILIO_API_BASE", tenant.ByVerify: "TWILIO_VERIFY_BASE",
		tenant.ByFlowroute: "FLOWROUTE_API_BASE", tenant.ByWebhook: "",
	} {
		t.Run(string(by), func(t *testing.T) {
			t.Parallel()
			w := quick(t)
			switch by {
			case tenant.ByWebhook:
				w.openSender()
				w.tenant().Sending.Webhook.URL = silence
			case tenant.ByVerify:
				w.openOthers("verify,twilio", variable+"="+silence)
			default:
				w.openOthers(string(by), variable+"="+silence)
			}
			_, id := w.verify(phone)
			for _, kind := range []string{"send_text", "find_text"} {
				patience := w.hurry(kind)
				if err := w.work(t.Context(), kind, id); err != nil {
					w.snoozed(err)
				}
				require.NoError(t, patience.Err(), kind)
				w.carriedBy(id, string(by), "unclear", "")
			}
		})
	}
}

// Ensure that what Verify must hear before it texts a code does not outlive the job either.
// Verify then has not been asked for the text.
func TestVerifyHearsTooSlowly(t *testing.T) {
	longtest.Skip(t)
	t.Parallel()
	w := quick(t)
	o := w.openOthers("verify,twilio")
	for range 3 {
		v, id := w.verify(phone)
		require.NoError(t, w.sendText(t.Context(), id))
		w.finish(v.ID, "approved")
	}
	require.Len(t, o.verify.Texts(), 3)
	v, id := w.verify(phone)
	silence := mute(t)
	w.tenant().Sending.VerifyService.APIBase, w.tenant().Sending.Twilio.APIBase = silence, silence
	patience := w.hurry("send_text")
	require.NoError(t, w.sendText(t.Context(), id))
	require.NoError(t, patience.Err())
	w.carriedBy(id, "twilio", "unclear", "")
	require.Equal(t, "1", w.one("SELECT COUNT(*) FROM event WHERE detail = 'verify rate_limited 0'"))

	w.finish(v.ID, "canceled")
	require.NoError(t, w.reportVerification(t.Context(), v.ID), "Verify knows nothing of it")
}
