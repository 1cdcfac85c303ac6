package outbound

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
	"smsbridge/internal/simulator/flowroute"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// Ensure that a text reaches its phone once, and is known to have, whatever becomes of the
// requests to two providers. Their lists are late by less than the quarantine.
func TestEachTextArrivesOnce(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	w := quick(t)
	o := w.openOthers("twilio,flowroute")
	serial := 0
	rapid.Check(t, func(r *rapid.T) {
		serial++
		body := fmt.Sprintf("Text %d", serial)
		id := w.make(phone, body)
		misbehave := func() {
			status := rapid.SampledFrom([]int{0, 401, 422, 429, 500, 503})
			lag := time.Duration(rapid.IntRange(0, 59).Draw(r, "lag")) * time.Second
			w.twilio.Set(func(m *twilio.Manners) {
				*m = twilio.Manners{LoseResponse: rapid.IntRange(0, 1).Draw(r, "lost"), ListLag: lag}
				if code := rapid.SampledFrom([]int{0, 0, 21612}).Draw(r, "code"); code != 0 {
					m.Reject = map[string]int{phone: code}
				}
				if s := status.Draw(r, "twilio"); s != 0 {
					m.FailNext, m.FailStatus = 1, s
				}
			})
			o.flowroute.Set(func(m *flowroute.Manners) {
				*m = flowroute.Manners{
					LoseResponse: rapid.IntRange(0, 1).Draw(r, "lost there"), ListLag: lag,
				}
				if s := status.Draw(r, "flowroute"); s != 0 {
					m.FailNext, m.FailStatus = 1, s
				}
			})
		}
		state := func() string { return w.one("SELECT state FROM text WHERE id = '" + id + "'") }
		for range 12 {
			misbehave()
			job := w.sendText
			if state() == string(text.Unclear) {
				job = w.findText
			}
			if err := job(w.t.Context(), id); err != nil {
				require.True(r, errors.As(err, new(*river.JobSnoozeError)), "%v", err)
			}
			if s := state(); s != string(text.Due) && s != string(text.Unclear) {
				break
			}
			w.wait(20 * time.Second)
		}
		arrived := 0
		for _, got := range w.twilio.Phone(phone).Inbox() {
			if got.Body == body {
				arrived++
			}
		}
		for _, got := range o.flowroute.Inbox(phone) {
			if got.Body == body {
				arrived++
			}
		}
		switch state() {
		case string(text.Sent):
			require.Equal(r, 1, arrived)
		case string(text.Unclear):
			require.LessOrEqual(r, arrived, 1)
		default:
			require.Zero(r, arrived, state())
		}
	})
}

// Ensure that the queue brings a code of Verify's own to the phone, and the
// verdict to the caller that waits for it.
func TestVerifyThroughTheQueue(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.openOthers("verify,twilio")
	w.tenant().Sending.VerifyService.OwnCode = true
	ctx := context.Background() // the queue is stopped when the test's own has ended
	require.NoError(t, w.Store.Start(ctx))
	t.Cleanup(func() { require.NoError(t, w.Store.Stop(ctx)) })
	v := w.start(phone)
	inbox, err := w.twilio.Phone(phone).Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return w.one("SELECT checker FROM verification") == "verify"
	}, time.Minute, 5*time.Millisecond)
	checked, err := verification.Await(t.Context(), w.Store, w.check(v.ID, inbox[0].Body[:6]))
	require.NoError(t, err)
	require.Equal(t, verification.Right, checked.Verdict)
}
