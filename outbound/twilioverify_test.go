package outbound

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/twilioverify"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
)

// finish ends a verification as the name says.
func (w *world) finish(id, state string) {
	w.t.Helper()
	switch state {
	case "approved":
		require.Equal(w.t, verification.Right, w.check(id, w.code(id)).Verdict)
	case "canceled":
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Cancel(ctx, tx, "acme", id, "app")
			return err
		})
	case "expired":
		w.wait(10 * time.Minute)
		w.do(func(ctx context.Context, tx *store.Tx) error { return verification.ExpireDue(ctx, tx, id) })
	case "max_attempts_reached":
		for range 5 {
			require.Equal(w.t, verification.Wrong, w.check(id, wrong(w.code(id))).Verdict)
		}
	}
	require.Equal(w.t, state, w.one("SELECT state FROM verification WHERE id = '"+id+"'"))
}

func (w *world) reported(id string) string {
	w.t.Helper()
	return w.one("SELECT reported FROM verification WHERE id = '" + id + "'")
}

// Ensure that Verify is asked for no language that it lacks, which it would refuse.
func TestVerifyHasTheLanguage(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio")
		for i, language := range append(wording.Languages(), "") {
			number := fmt.Sprintf("+4520%06d", i)
			v, id := w.verify(number)
			w.exec("UPDATE verification SET locale = $1 WHERE id = $2", language, v.ID)
			require.NoError(w.t, w.sendText(w.t.Context(), id))
			w.carriedBy(id, "verify", "sent", "")
			if language == "so" {
				language = ""
			}
			require.Equal(w.t, language, o.verify.Texts()[i].Locale)
		}
	})
}

// Ensure that Verify texts our code, and hears how its verification ended.
func TestVerifyHearsTheOutcome(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio")
		w.tenant().Sending.VerifyService.RateLimits = map[string]string{"a": "phone", "b": "country"}
		w.tenant().Sending.VerifyService.Tags = map[string]string{"app": "web"}
		for i, test := range []struct{ state, told, result string }{
			{"approved", "approved", "matched"}, {"canceled", "canceled", "matched"}, {
				"max_attempts_reached", "canceled", "matched",
			},
			{"expired", "canceled", "unmatched"}, // Verify's is over at the same time
		} {
			v, id := w.verify(phone)
			require.NoError(w.t, w.sendText(w.t.Context(), id))
			w.carriedBy(id, "verify", "sent", "")
			sent := o.verify.Texts()[i]
			require.Equal(
				w.t, []string{
					phone, w.code(v.ID), "en", `{"app":"web"}`, `{"a":"` + phone + `","b":"DK"}`,
				}, []string{sent.To, sent.Code, sent.Locale, sent.Tags, sent.RateLimits},
			)
			require.Contains(w.t, sent.Body, "ACME")
			require.Equal(w.t, sent.AttemptSID, w.one("SELECT provider_id FROM text WHERE id = '"+id+"'"))
			require.NoError(w.t, w.reportVerification(w.t.Context(), v.ID))
			require.Len(w.t, o.verify.Feedback(), i, "nothing is told of what has not ended")

			w.finish(v.ID, test.state)
			require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM river_job "+
				"WHERE kind = 'report_verification' AND CAST(args AS TEXT) LIKE '%"+v.ID+"%'"))
			for range 2 { // a reminder may come again
				require.NoError(w.t, w.reportVerification(w.t.Context(), v.ID))
			}
			told := o.verify.Feedback()
			require.Len(w.t, told, i+1)
			require.Equal(
				w.t, []string{sent.VerificationSID, test.told}, []string{told[i].ID, told[i].Status},
			)
			require.Equal(w.t, test.result, w.reported(v.ID))
			require.Equal(w.t, "1", w.events(v.ID, "verification.reported"))
		}
		w.inbox(4)
		require.Empty(w.t, w.twilio.Texts(), "nothing went through Messages")
	})
}

// Ensure that a code is known to Verify only when Verify sent it, and that no other text goes
// there.
func TestVerifySendsOnlyCodes(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("verify,twilio")
	id := w.make(phone, "Hello")
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "sent", "")

	o.verify.Set(func(m *twilioverify.Manners) { m.Reject = map[string]int{phone: 60205} })
	v, id := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "sent", "")
	require.Equal(
		t, "verify unreachable 60205", w.one("SELECT detail FROM event WHERE name = 'text.refused'"),
	)
	w.finish(v.ID, "approved")
	require.Equal(t, "0", w.jobs("report_verification"))
	require.Empty(t, o.verify.Texts())
}

// Ensure that no other provider texts a number that Fraud Guard blocks.
func TestFraudGuard(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("verify,twilio,flowroute")
	o.verify.Guard("+45")
	_, id := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "verify", "failed", "60410")
	require.Equal(
		t, "verify blocked 60410", w.one("SELECT detail FROM event WHERE name = 'text.refused'"),
	)
	w.inbox(0)
	require.Empty(t, o.flowroute.Inbox(phone))
}

// Ensure that the outcome reaches Verify although Verify is busy, down or mute, and is given up
// when Verify cannot know it any more.
func TestVerifyHearsLate(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]twilioverify.Manners{
		"429": {
			FailNext: 1, FailStatus: 429, FailCode: 20429,
		}, "500": {FailNext: 1, FailStatus: 500}, "401": {FailNext: 1, FailStatus: 401, FailCode: 20003},
		"503": {FailNext: 1}, "no answer": {LoseResponse: 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			o := w.openOthers("verify,twilio")
			v, id := w.verify(phone)
			require.NoError(t, w.sendText(t.Context(), id))
			w.finish(v.ID, "approved")
			o.verify.Set(func(now *twilioverify.Manners) { *now = m })
			w.snoozed(w.reportVerification(t.Context(), v.ID))
			require.Empty(t, w.reported(v.ID))
			require.NoError(t, w.reportVerification(t.Context(), v.ID))
			want := "matched"
			if m.LoseResponse > 0 {
				want = "unmatched" // it had been taken, and says so
			}
			require.Equal(t, want, w.reported(v.ID))
			require.Equal(t, "approved", o.verify.Status(o.verify.Texts()[0].VerificationSID))
		})
	}
	t.Run("a day", func(t *testing.T) {
		w := quick(t)
		o := w.openOthers("verify,twilio")
		v, id := w.verify(phone)
		require.NoError(t, w.sendText(t.Context(), id))
		w.finish(v.ID, "approved")
		o.verify.Set(func(m *twilioverify.Manners) { m.FailNext = 2 })
		w.snoozed(w.reportVerification(t.Context(), v.ID))
		w.wait(24 * time.Hour)
		require.NoError(t, w.reportVerification(t.Context(), v.ID))
		require.Equal(t, "given up", w.reported(v.ID))
	})
	t.Run("refused", func(t *testing.T) {
		w := quick(t)
		o := w.openOthers("verify,twilio")
		v, id := w.verify(phone)
		require.NoError(t, w.sendText(t.Context(), id))
		w.finish(v.ID, "canceled")
		o.verify.Set(func(m *twilioverify.Manners) {
			m.FailNext, m.FailStatus, m.FailCode = 1, 400, 60441
		})
		require.NoError(t, w.reportVerification(t.Context(), v.ID))
		require.Equal(t, "refused", w.reported(v.ID))
	})
}

// Ensure that Verify says the code of this verification, not that of an older one that it still
// holds, be it ours or another program's.
func TestVerifyStartsAnew(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio")
		first, id := w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.finish(first.ID, "approved") // the report is due, and slower than what follows
		second, id := w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		texts := o.verify.Texts()
		require.Len(w.t, texts, 2)
		require.Equal(w.t, w.code(second.ID), texts[1].Code)
		require.Equal(
			w.t, "approved", o.verify.Status(texts[0].VerificationSID), "the older one keeps its outcome",
		)
		require.Equal(w.t, "matched", w.reported(first.ID))

		w.finish(second.ID, "canceled")
		require.NoError(w.t, w.reportVerification(w.t.Context(), second.ID))
		w.othersStart(o, "To=%2B4520123456&Channel=sms&CustomCode=111111")
		third, id := w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		texts = o.verify.Texts()
		require.Equal(w.t, w.code(third.ID), texts[len(texts)-1].Code)
		require.Equal(w.t, verification.Right, w.check(third.ID, texts[len(texts)-1].Code).Verdict)
	})
}

// Ensure that a text which Verify sent for another program's verification, and whose response was
// lost, is not taken for ours: it says another code.
func TestVerifyLostAnswerAboutAnothersCode(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio")
		w.othersStart(o, "To=%2B4520123456&Channel=sms&CustomCode=111111")
		o.verify.Set(func(m *twilioverify.Manners) { m.LoseResponse = 1 })
		v, id := w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "verify", "unclear", "")
		require.Equal(w.t, "111111", o.verify.Texts()[1].Code)
		o.verify.Set(func(m *twilioverify.Manners) { m.FailNext = 1 })
		w.snoozed(w.findText(w.t.Context(), id))
		w.wait(text.Quarantine)
		require.NoError(w.t, w.findText(w.t.Context(), id))
		w.carriedBy(id, "verify", "due", "")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		texts := o.verify.Texts()
		require.Len(w.t, texts, 3)
		require.Equal(w.t, w.code(v.ID), texts[2].Code)
	})
}

// Ensure that no other provider is asked around a rate limit of the service at Verify, which the
// tenant set there. Verify says of such a limit no more than of too many requests.
func TestVerifyRateLimit(t *testing.T) {
	t.Parallel()
	for _, limits := range []map[string]string{nil, {"per_phone": "phone"}} {
		w := quick(t)
		o := w.openOthers("verify,twilio")
		w.tenant().Sending.VerifyService.RateLimits = limits
		o.verify.Set(func(m *twilioverify.Manners) {
			m.FailNext, m.FailStatus, m.FailCode = 1, 429, 20429
		})
		_, id := w.verify(phone)
		err := w.sendText(t.Context(), id)
		if limits == nil {
			require.NoError(t, err)
			w.carriedBy(id, "twilio", "sent", "")
			continue
		}
		w.later(id, err)
		w.carriedBy(id, "verify", "due", "")
		w.inbox(0)
		require.NoError(t, w.sendText(t.Context(), id))
		w.carriedBy(id, "verify", "sent", "")
	}
}

// othersStart has another program start a verification at the service.
func (w *world) othersStart(o others, form string) {
	w.t.Helper()
	w.othersPost(o.verify.URL()+"/v2/Services/"+verifyService+"/Verifications", form)
}

// Ensure that another text has the same code, or a new one where the tenant wants that, and five
// are the most that Verify sends.
func TestVerifySendsAgain(t *testing.T) {
	t.Parallel()
	for _, renew := range []bool{false, true} {
		w := quick(t)
		o := w.openOthers("verify,twilio")
		w.tenant().Codes.Renew, w.tenant().Codes.Gap = renew, 0
		v, id := w.verify(phone)
		require.NoError(t, w.sendText(t.Context(), id))
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Resend(ctx, tx, w.tenant(), v.ID, w.tenant().CodeText, "")
			return err
		})
		require.NoError(t, w.sendText(t.Context(), w.dueText(v.ID)))
		texts := o.verify.Texts()
		require.Len(t, texts, 2)
		require.Equal(t, renew, texts[0].VerificationSID != texts[1].VerificationSID)
		require.Equal(t, w.code(v.ID), texts[1].Code)
		w.finish(v.ID, "approved")
		require.NoError(t, w.reportVerification(t.Context(), v.ID))
		require.Equal(t, "approved", o.verify.Status(texts[1].VerificationSID))
	}
}

// Ensure that a start whose response was lost is looked up, and texts once.
func TestVerifyLostAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio")
		o.verify.Set(func(m *twilioverify.Manners) { m.LoseResponse = 1 })
		v, id := w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "verify", "unclear", "")
		o.verify.Set(func(m *twilioverify.Manners) { m.FailNext = 1 })
		w.snoozed(w.findText(w.t.Context(), id))
		require.NoError(w.t, w.findText(w.t.Context(), id))
		w.carriedBy(id, "verify", "sent", "")
		require.Len(w.t, o.verify.Texts(), 1)
		w.finish(v.ID, "approved")
		require.NoError(w.t, w.reportVerification(w.t.Context(), v.ID))
		require.Equal(w.t, "matched", w.reported(v.ID))
	})
	t.Run("never taken", func(t *testing.T) {
		w := quick(t)
		o := w.openOthers("verify,twilio")
		o.verify.Set(func(m *twilioverify.Manners) { m.FailNext = 1 })
		_, id := w.verify(phone)
		require.NoError(t, w.sendText(t.Context(), id))
		w.snoozed(w.findText(t.Context(), id))
		w.wait(text.Quarantine)
		require.NoError(t, w.findText(t.Context(), id))
		w.carriedBy(id, "verify", "due", "")
		require.NoError(t, w.sendText(t.Context(), id))
		require.Len(t, o.verify.Texts(), 1)
	})
}

// ownCode starts a verification whose code Verify draws.
func (w *world) ownCode() (others, verification.Verification, string) {
	w.t.Helper()
	o := w.openOthers("verify,twilio")
	w.tenant().Sending.VerifyService.OwnCode = true
	v, id := w.verify(phone)
	require.NoError(w.t, w.sendText(w.t.Context(), id))
	sent := o.verify.Texts()[0]
	require.False(w.t, sent.Custom)
	return o, v, sent.Code
}

// asked presents a code, does the job, and returns what the caller who waits for it hears.
func (w *world) asked(id, code string) verification.Checked {
	w.t.Helper()
	checked := w.check(id, code)
	require.Equal(w.t, verification.Asked, checked.Verdict)
	require.NoError(w.t, w.checkCode(w.t.Context(), checked.CheckID))
	checked, err := verification.Await(w.t.Context(), w.Store, checked)
	require.NoError(w.t, err)
	require.Empty(w.t, w.one("SELECT code FROM code_check WHERE id = '"+checked.CheckID+"'"))
	return checked
}

// Ensure that a code of Verify's own is compared by Verify, and its outcome not reported back to
// it.
func TestVerifysOwnCode(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o, v, code := w.ownCode()
		ours := w.code(v.ID)
		require.NotEqual(w.t, code, ours)
		checked := w.asked(v.ID, ours)
		require.Equal(w.t, verification.Wrong, checked.Verdict, "our code was never texted")
		require.Equal(w.t, 1, checked.Verification.Attempts)
		checked = w.asked(v.ID, code)
		require.Equal(w.t, verification.Right, checked.Verdict)
		require.Equal(w.t, verification.Approved, checked.Verification.State)
		require.NoError(w.t, w.reportVerification(w.t.Context(), v.ID))
		require.Empty(w.t, o.verify.Feedback())
		require.Equal(w.t, "matched", w.reported(v.ID))
		require.Len(
			w.t, strings.Fields(w.one("SELECT wrong_at FROM guess")), 1, "a right code is no wrong one",
		)
		require.Equal(w.t, verification.Over, w.check(v.ID, code).Verdict)
		require.Equal(w.t, 2, o.verify.Checks())
	})
}

// Ensure that wrong codes are counted before Verify is asked, and end the verification only after
// its last response.
func TestVerifysOwnCodeWrong(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o, v, code := w.ownCode()
		var asked []string
		for range 5 {
			checked := w.check(v.ID, wrong(code))
			require.Equal(w.t, verification.Asked, checked.Verdict)
			asked = append(asked, checked.CheckID)
		}
		require.Equal(w.t, verification.Over, w.check(v.ID, code).Verdict, "all attempts are taken")
		for i, id := range asked {
			require.Equal(w.t, "pending", w.one("SELECT state FROM verification"), i)
			for range 2 {
				require.NoError(w.t, w.checkCode(w.t.Context(), id))
			}
		}
		require.Equal(w.t, "max_attempts_reached", w.one("SELECT state FROM verification"))
		require.Len(w.t, strings.Fields(w.one("SELECT wrong_at FROM guess")), 5)
		require.Equal(w.t, 5, o.verify.Checks())
		require.NoError(w.t, w.reportVerification(w.t.Context(), v.ID))
		require.Equal(w.t, "canceled", o.verify.Feedback()[0].Status)
	})
}

// Ensure that a right code that is presented several times at once approves once, in whatever
// order Verify's responses are recorded.
func TestVerifysOwnCodeAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o, v, code := w.ownCode()
		var (
			group   sync.WaitGroup
			mu      sync.Mutex
			checks  []verification.Checked
			present = func() {
				var checked verification.Checked
				err := w.Store.Do(w.t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
					checked, err = verification.Check(ctx, tx, "acme", v.ID,
						verification.Presented{Door: "api", Code: code})
					return err
				})
				mu.Lock()
				defer mu.Unlock()
				if assert.NoError(w.t, err) && checked.Verdict == verification.Asked {
					checks = append(checks, checked)
				}
			}
		)
		for range 32 {
			group.Go(present)
		}
		group.Wait()
		require.Len(w.t, checks, 5, "as many as are allowed")
		for _, checked := range checks {
			group.Go(func() { assert.NoError(w.t, w.checkCode(w.t.Context(), checked.CheckID)) })
		}
		group.Wait()
		verdicts := map[verification.Verdict]int{}
		for _, checked := range checks {
			checked, err := verification.Await(w.t.Context(), w.Store, checked)
			require.NoError(w.t, err)
			require.Equal(w.t, verification.Approved, checked.Verification.State)
			verdicts[checked.Verdict]++
		}
		require.Equal(
			w.t, map[verification.Verdict]int{verification.Right: 1, verification.Over: 4}, verdicts,
		)
		require.Equal(w.t, 1, o.verify.Checks(), "Verify compared one, and knew the verification no more")
	})
}

// Ensure that Verify's no to a second copy of the right code does not end what its yes to the
// first is about to approve.
func TestVerifysAnswersCross(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		_, v, code := w.ownCode()
		first, second := w.check(v.ID, code), w.check(v.ID, code)
		answer := func(checked verification.Checked, verdict verification.Verdict) {
			w.do(func(ctx context.Context, tx *store.Tx) error {
				q, _, err := verification.Unanswered(ctx, tx, checked.CheckID)
				if err != nil {
					return err
				}
				return verification.Answer(ctx, tx, q, verdict)
			})
		}
		answer(second, verification.Over)
		require.Equal(w.t, "pending", w.one("SELECT state FROM verification"))
		answer(first, verification.Right)
		require.Equal(w.t, "approved", w.one("SELECT state FROM verification"))
	})
}

// Ensure that a check is asked again when Verify does not respond. A verification that Verify
// does not know any more is not taken for approved.
func TestVerifyDoesNotAnswer(t *testing.T) {
	t.Parallel()
	t.Run("later", func(t *testing.T) {
		w := quick(t)
		o, v, code := w.ownCode()
		checked := w.check(v.ID, code)
		o.verify.Set(func(m *twilioverify.Manners) {
			m.FailNext, m.FailStatus, m.FailCode = 1, 429, 20429
		})
		w.snoozed(w.checkCode(t.Context(), checked.CheckID))
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // the caller does not wait
		waiting, err := verification.Await(ctx, w.Store, checked)
		require.NoError(t, err)
		require.Equal(t, verification.Asked, waiting.Verdict)
		require.NoError(t, w.checkCode(t.Context(), checked.CheckID))
		checked, err = verification.Await(t.Context(), w.Store, checked)
		require.NoError(t, err)
		require.Equal(t, verification.Right, checked.Verdict)
	})
	t.Run("not in time", func(t *testing.T) {
		w := quick(t)
		o, v, code := w.ownCode()
		checked := w.check(v.ID, code)
		o.verify.Set(func(m *twilioverify.Manners) { m.FailNext = 2 })
		w.snoozed(w.checkCode(t.Context(), checked.CheckID))
		w.wait(10 * time.Minute)
		require.NoError(t, w.checkCode(t.Context(), checked.CheckID))
		require.Equal(t, "expired", w.one("SELECT state FROM verification"))
	})
	t.Run("lost", func(t *testing.T) {
		w := quick(t)
		o, v, code := w.ownCode()
		checked := w.check(v.ID, code)
		o.verify.Set(func(m *twilioverify.Manners) { m.LoseResponse = 1 })
		w.snoozed(w.checkCode(t.Context(), checked.CheckID))
		require.NoError(t, w.checkCode(t.Context(), checked.CheckID))
		checked, err := verification.Await(t.Context(), w.Store, checked)
		require.NoError(t, err)
		require.Equal(t, verification.Over, checked.Verdict)
		require.Equal(t, verification.Canceled, checked.Verification.State)
	})
	t.Run("canceled meanwhile", func(t *testing.T) {
		w := quick(t)
		_, v, code := w.ownCode()
		checked := w.check(v.ID, code)
		w.finish(v.ID, "canceled")
		require.NoError(t, w.checkCode(t.Context(), checked.CheckID))
		checked, err := verification.Await(t.Context(), w.Store, checked)
		require.NoError(t, err)
		require.Equal(t, verification.Over, checked.Verdict)
	})
}

// Ensure that the code of the newest text counts, when Verify sent one and another provider the
// next.
func TestVerifysOwnCodeThenAnothers(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o, v, code := w.ownCode()
	o.verify.Set(func(m *twilioverify.Manners) { m.Reject = map[string]int{phone: 60205} })
	w.wait(time.Minute)
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := verification.Resend(ctx, tx, w.tenant(), v.ID, w.tenant().CodeText, "")
		return err
	})
	id := w.dueText(v.ID)
	require.NoError(t, w.sendText(t.Context(), id))
	w.carriedBy(id, "twilio", "sent", "")
	require.Equal(t, verification.Wrong, w.check(v.ID, code).Verdict)
	require.Equal(t, verification.Right, w.check(v.ID, w.code(v.ID)).Verdict)
	require.NoError(t, w.reportVerification(t.Context(), v.ID))
	require.Equal(t, "approved", o.verify.Feedback()[0].Status)
}

// Ensure that Verify hears once, by the phone, that a code it texted for another was right. The
// same holds where Verify would otherwise go on with that code for a verification of ours.
func TestVerifyHearsOfAnothersCode(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio")
		report := func(to string) (id string) {
			w.othersStart(o, "To="+url.QueryEscape(to)+"&Channel=sms")
			w.do(func(ctx context.Context, tx *store.Tx) (err error) {
				id, err = verification.ReportPhone(ctx, tx, "acme", w.phone(to))
				return err
			})
			return id
		}
		id := report(phone)
		o.verify.Set(func(m *twilioverify.Manners) { m.FailNext = 1 })
		w.snoozed(w.reportVerification(w.t.Context(), id))
		for range 2 { // a job may be done again
			require.NoError(w.t, w.reportVerification(w.t.Context(), id))
		}
		require.Len(w.t, o.verify.Feedback(), 1)
		require.Equal(w.t, "approved", o.verify.Feedback()[0].Status)
		require.Equal(w.t, "approved", o.verify.Status(o.verify.Texts()[0].VerificationSID))
		require.Equal(w.t, "matched", w.one("SELECT result FROM verify_report WHERE id = '"+id+"'"))
		require.Equal(w.t, "1", w.events(id, "verification.reported"))
		require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM verification"))

		late := report(otherPhone)
		v, text := w.verify(otherPhone)
		require.NoError(w.t, w.sendText(w.t.Context(), text))
		require.Equal(w.t, "matched", w.one("SELECT result FROM verify_report WHERE id = '"+late+"'"))
		sent := o.verify.Texts()
		require.Equal(w.t, w.code(v.ID), sent[len(sent)-1].Code)
		require.NoError(w.t, w.reportVerification(w.t.Context(), late))
		require.Len(w.t, o.verify.Feedback(), 2)
	})
}
