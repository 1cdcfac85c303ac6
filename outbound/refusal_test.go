package outbound

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/simulator/flowroute"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/simulator/twilioverify"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// stands shows how a verification ended, "pending/" when it has not.
func (w *world) stands(v verification.Verification, want string) {
	w.t.Helper()
	require.Equal(w.t, want,
		w.one("SELECT state || '/' || reason FROM verification WHERE id = '"+v.ID+"'"))
}

// Ensure that a code that Twilio refuses for good ends its verification at once, with the reason.
// One that it may send later does not.
func TestTwilioRefusesACode(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		21211: "failed/number_invalid", 21217: "failed/number_invalid",
		21612: "failed/number_unreachable", 21614: "failed/number_unreachable",
		21635: "failed/number_unreachable", 21703: "failed/number_unreachable",
		21408: "failed/not_permitted", 30450: "failed/not_permitted",
		30453: "failed/not_permitted",
		21610: "failed/opted_out", 21268: "failed/not_permitted", 21606: "failed/provider_refused",
		21611: "pending/",
	} {
		w := quick(t)
		w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: code} })
		v, id := w.verify(phone)
		err := w.sendText(t.Context(), id)
		if want == "pending/" {
			w.later(id, err)
		} else {
			require.NoError(t, err)
		}
		w.stands(v, want)
		if want != "pending/" {
			require.Equal(t, "1", w.events(v.ID, "verification.failed"))
			reason := verification.TwilioReason(strconv.Itoa(code))
			require.Equal(t, want, "failed/"+string(reason), "as by a receipt")
			require.Equal(t, "", w.one("SELECT code FROM verification"))
		}
	}
}

// Ensure that an account that is suspended or has no funds is found. What it should send waits
// until it is active again.
func TestTwilioSuspendsTheAccount(t *testing.T) {
	t.Parallel()
	for code, status := range map[int]int{10001: 403, 20005: 401, 20403: 403, 90010: 400} {
		w := quick(t)
		codes := w.measure(w.clock)
		w.twilio.Set(func(m *twilio.Manners) {
			m.FailNext, m.FailStatus, m.FailCode = 1, status, code
		})
		v, id := w.verify(phone)
		w.later(id, w.sendText(t.Context(), id))
		w.stands(v, "pending/")
		require.Equal(t, []string{"SB-TWILIO-AUTH acme"}, codes())
		require.Contains(t, w.log.String(), "has no funds")
		require.NoError(t, w.sendText(t.Context(), id))
		w.is(id, "sent", "")
	}
}

// Ensure that a service at Verify that does not exist is found, and that what it should send waits
// until the setting is right.
func TestVerifyServiceIsUnknown(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("verify,twilio")
	w.tenant().Sending.Providers = []tenant.Provider{tenant.ByVerify}
	w.tenant().Sending.VerifyService.SID = "VA00000000000000000000000000000002"
	codes := w.measure(w.clock)
	v, id := w.verify(phone)
	w.later(id, w.sendText(t.Context(), id))
	w.stands(v, "pending/")
	require.Equal(t, []string{"SB-VERIFY-AUTH acme"}, codes())
	w.tenant().Sending.VerifyService.SID = verifyService
	require.NoError(t, w.sendText(t.Context(), id))
	require.Len(t, o.verify.Texts(), 1)
}

// Ensure that a verification fails after the last provider has refused, and not before.
func TestLastProviderRefusesACode(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		o := w.openOthers("verify,twilio,flowroute")
		o.verify.Set(func(m *twilioverify.Manners) { m.Reject = map[string]int{phone: 60205} })
		w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21612} })
		v, id := w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.carriedBy(id, "flowroute", "sent", "")
		w.stands(v, "pending/")

		o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, 400 })
		v, id = w.verify(phone)
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.stands(v, "failed/provider_refused")
		require.Equal(w.t, "3", w.events(id, "text.refused"))

		// One that is busy is asked again, although the last one refused.
		w.twilio.Set(func(m *twilio.Manners) {
			m.Reject, m.FailNext, m.FailStatus, m.FailCode = nil, 1, 429, 20429
		})
		o.flowroute.Set(func(m *flowroute.Manners) { m.FailNext, m.FailStatus = 1, 400 })
		v, id = w.verify(phone)
		w.later(id, w.sendText(w.t.Context(), id))
		w.stands(v, "pending/")
	})
}

// Ensure that a guard against fraud ends the verification with a reason of its own.
func TestGuardRefusesACode(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.openOthers("verify,twilio").verify.Guard("+45")
	v, id := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), id))
	w.stands(v, "failed/not_permitted")
}

// Ensure that a sender of the tenant's own can say why.
func TestWebhookRefusesACode(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"result":"invalid_number"}`: "failed/number_invalid",
		`{"result":"unreachable"}`:    "failed/number_unreachable",
		`{"result":"opted_out"}`:      "failed/opted_out",
		`{"result":"blocked"}`:        "failed/not_permitted",
		`{"result":"rejected"}`:       "failed/provider_refused",
		`{"result":"number"}`:         "failed/provider_refused",
		`{"result":"rate_limited"}`:   "pending/",
	} {
		w := quick(t)
		w.openSender().say(422, answer)
		v, id := w.verify(phone)
		if err := w.sendText(t.Context(), id); want == "pending/" {
			w.later(id, err)
		} else {
			require.NoError(t, err)
		}
		w.stands(v, want)
	}
}

// Ensure that the code of a phone fails when it turns out that the phone opted out, also when no
// provider was asked. A tenant that lost its provider hears that.
func TestCodeThatIsNeverSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		v, id := w.verify(phone)
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, w.line(), w.phone(phone))
		})
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.stands(v, "failed/opted_out")
		w.inbox(0)
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := text.ClearOptOuts(ctx, tx, w.phone(phone), func(text.KnownOptOut) bool { return true })
			return err
		})

		v, id = w.verify(phone)
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Cancel(ctx, tx, "acme", v.ID, "app")
			return err
		})
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.stands(v, "canceled/")

		v, id = w.verify(phone)
		w.tenant().Sending.Providers = []tenant.Provider{}
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.stands(v, "failed/not_configured")
	})
}

// Ensure that a code and the question of an app fail at once when the phone opts out between two
// providers.
func TestOptOutBetweenTwoProviders(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.openOthers("twilio,flowroute")
		optsOut := false
		base, _ := w.front(w.twilio.URL(), func(r *http.Response) {
			if optsOut {
				w.do(func(ctx context.Context, tx *store.Tx) error {
					return text.OptOut(ctx, tx, w.line(), w.phone(phone))
				})
			}
			r.StatusCode = http.StatusTooManyRequests
		})
		w.tenant().Sending.Twilio.APIBase = base
		v, codeID := w.verify(phone)
		id, promptID := w.askedByApp()
		optsOut = true
		require.NoError(w.t, w.sendText(w.t.Context(), codeID))
		w.carriedBy(codeID, "twilio", "suppressed", "opted out")
		w.stands(v, "failed/opted_out")

		w.exec("DELETE FROM opt_out")
		require.NoError(w.t, w.sendText(w.t.Context(), promptID))
		w.carriedBy(promptID, "twilio", "suppressed", "opted out")
		require.Equal(w.t, challenge.Unsent, w.challenge(id).Outcome)
	})
}

// Ensure that Twilio Verify hears of a verification of its own that failed at another provider.
func TestVerifyHearsOfAFailure(t *testing.T) {
	t.Parallel()
	w := quick(t)
	o := w.openOthers("verify,twilio")
	w.tenant().Codes.Renew = true
	w.tenant().Codes.Gap = 0
	v, id := w.verify(phone)
	require.NoError(t, w.sendText(t.Context(), id))
	w.wait(time.Second)
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := verification.Resend(ctx, tx, w.tenant(), v.ID, w.tenant().CodeText, "")
		return err
	})
	o.verify.Set(func(m *twilioverify.Manners) { m.Reject = map[string]int{phone: 60605} })
	w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21408} })
	require.NoError(t, w.sendText(t.Context(), w.dueText(v.ID)))
	w.stands(v, "failed/not_permitted")
	require.NoError(t, w.reportVerification(t.Context(), v.ID))
	require.Contains(t, []string{"matched", "unmatched"}, w.one("SELECT reported FROM verification"))
}

// Ensure that what Twilio refused, and lists as failed, is not taken for a text that it sent. Here
// a later response got lost.
func TestRefusedTextIsNotFound(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.twilio.Set(func(m *twilio.Manners) {
			m.ListRefused, m.Reject = true, map[string]int{phone: 21611}
		})
		id := w.make(phone, "Hello")
		w.later(id, w.sendText(w.t.Context(), id))
		w.twilio.Set(func(m *twilio.Manners) {
			m.FailNext, m.FailStatus, m.Reject = 1, 500, nil
		})
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.is(id, "unclear", "")
		w.snoozed(w.findText(w.t.Context(), id))
		w.wait(text.Quarantine)
		require.NoError(w.t, w.findText(w.t.Context(), id))
		w.is(id, "due", "")
		require.NoError(w.t, w.sendText(w.t.Context(), id))
		w.is(id, "sent", "")
		w.inbox(1)
	})
}
