package outbound

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// tooManyRequests is Twilio's error for too many requests at once, and Verify's for one that passes
// a rate limit of the service (https://www.twilio.com/docs/api/errors/20429).
const tooManyRequests = 20429

// codeChecksExceeded is Verify's error for a verification with too many wrong codes
// (https://www.twilio.com/docs/api/errors/60202).
const codeChecksExceeded = 60202

// byVerify sends codes through Twilio Verify
// (https://www.twilio.com/docs/verify/api/verification), in Verify's words and from its numbers.
type byVerify struct{ *Worker }

// send first tells Verify how older verifications of the phone ended, in at most half of the time.
func (w byVerify) send(
	ctx context.Context, t *tenant.Tenant, a text.Attempt, _ time.Time,
) sendResult {
	var (
		s     verification.Secret
		older []verification.Outcome
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if s, err = verification.Open(ctx, tx, a.Tenant, a.VerificationID); err == nil {
			older, err = verification.UnreportedOfPhone(ctx, tx, s.Verification)
		}
		return err
	})
	if err != nil {
		w.ofText(a).Warn("cannot read a code", "text", a.ID, "error", err)
		// Verify was not asked. If the verification is over, it never will be.
		return sendResult{result: timeout}
	}
	if s.Renewed && !t.Sending.VerifyService.OwnCode {
		replaced := verification.Outcome{ID: s.Verification.ID, Tenant: a.Tenant, VerifySID: s.VerifySID}
		older = append(older, replaced)
	}
	part, cancel := share(ctx, 2)
	defer cancel()
	for _, ended := range older {
		told, r := w.conclude(part, t, ended)
		if !told {
			return r
		}
		err := w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
			return verification.Reported(ctx, tx, ended, r.code)
		})
		if err != nil {
			return sendResult{result: timeout}
		}
	}
	return w.start(ctx, t, s, a)
}

// start asks for a text. Verify may instead go on with a verification that is not ours, with
// whatever code that has. Then that one is ended and Verify is asked once more.
func (w byVerify) start(
	ctx context.Context, t *tenant.Tenant, s verification.Secret, a text.Attempt,
) sendResult {
	for range 2 {
		wire := w.wire(ctx, t)
		started, err := wire.verify(t).start(startForm(t, s))
		if err != nil || started.SID == nil {
			r := wire.result(err)
			// A rate limit of the service's own may be behind it, which the tenant set. No other provider
			// is asked to get around that.
			r.kept = wire.code(err) == tooManyRequests && len(t.Sending.VerifyService.RateLimits) > 0
			return r
		}
		if s := started.Status; s != nil && (*s == "failed" || *s == "canceled") {
			return sendResult{result: rejected, code: *s, reached: true} // it texts no code
		}
		if saysAnothers(t, s, started) {
			if told, r := w.conclude(ctx, t, verification.Outcome{VerifySID: *started.SID}); !told {
				return r
			}
			continue
		}
		last, _ := lastAttempt(started)
		id := cmp.Or(last.SID, a.ID)
		return sendResult{result: ok, id: id, record: recordVerify(t, a, *started.SID)}
	}
	return sendResult{result: rateLimited, code: "concurrent"}
}

// saysAnothers reports whether the texts of a verification at Verify say the code of another one
// than ours: it had been texted before our first request.
func saysAnothers(t *tenant.Tenant, s verification.Secret, at verifyResource) bool {
	_, sends := lastAttempt(at)
	return sends > 1 && *at.SID != s.VerifySID && !t.Sending.VerifyService.OwnCode
}

// startForm says which text Verify is to send.
func startForm(t *tenant.Tenant, s verification.Secret) url.Values {
	v, service := s.Verification, t.Sending.VerifyService
	form := url.Values{
		"To": {v.Phone.E164()}, "Channel": {"sms"},
		"CustomFriendlyName": {cmp.Or(t.Codes.OrgName, t.Name)},
	}
	if language := cmp.Or(v.Locale, t.Codes.Locale); language != "" && !lacksTexts(language) {
		form.Set("Locale", language)
	}
	if !service.OwnCode {
		form.Set("CustomCode", s.Code)
	}
	if len(service.RateLimits) > 0 {
		counted := map[string]string{"phone": v.Phone.E164(), "country": v.Phone.Country()}
		limits := map[string]string{}
		for name, what := range service.RateLimits {
			limits[name] = counted[what]
		}
		raw, _ := json.Marshal(limits) // a map of strings
		form.Set("RateLimits", string(raw))
	}
	if len(service.Tags) > 0 {
		tags, _ := json.Marshal(service.Tags) // a map of strings
		form.Set("Tags", string(tags))
	}
	return form
}

// lacksTexts reports whether Verify has no texts in a language of the catalogue. It responds 404
// when asked for one, and texts in that of the phone's country when asked for none.
//
// Source: https://www.twilio.com/docs/verify/supported-languages
func lacksTexts(language string) bool { return language == "so" }

// recordVerify is what is recorded when Verify took a text, under its id for the verification.
func recordVerify(
	t *tenant.Tenant, a text.Attempt, sid string,
) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return verification.SentByVerify(ctx, tx, a.VerificationID, sid, t.Sending.VerifyService.OwnCode)
	}
}

// sendAttempt is one text of a verification at Verify.
type sendAttempt struct {
	SID  string    `json:"attempt_sid"`
	Time time.Time `json:"time"`
}

// lastAttempt returns the last text of a verification, and how many there were. Where Verify
// lists none, it is one without an id.
func lastAttempt(v verifyResource) (last sendAttempt, sends int) {
	var all []sendAttempt
	if json.Unmarshal(v.Sends, &all) == nil && len(all) > 0 {
		return all[len(all)-1], len(all)
	}
	if v.Updated != nil {
		last.Time = *v.Updated
	}
	return last, 1
}

// secret is the verification whose code a text says.
func (w byVerify) secret(
	ctx context.Context, a text.Attempt,
) (s verification.Secret, err error) {
	err = w.Store.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		s, err = verification.Open(ctx, view, a.Tenant, a.VerificationID)
		return err
	})
	return s, err
}

// find returns the last text of the verification that is pending for the phone. One that says the
// code of another verification is ended instead, as in start.
func (w byVerify) find(
	ctx context.Context, t *tenant.Tenant, a text.Attempt,
) ([]listed, error) {
	wire := w.wire(ctx, t)
	pending, err := wire.verify(t).fetch(a.Phone.E164())
	switch {
	case wire.status == http.StatusNotFound:
		return nil, nil
	case err != nil || pending.SID == nil:
		return nil, errors.New("verify: the verification cannot be read")
	}
	s, err := w.secret(ctx, a)
	switch {
	case errors.Is(err, verification.ErrGone), errors.Is(err, verification.ErrUnknown):
		// Whatever code was texted counts no more.
	case err != nil:
		return nil, err
	case saysAnothers(t, s, pending):
		if told, _ := w.conclude(ctx, t, verification.Outcome{VerifySID: *pending.SID}); !told {
			return nil, errors.New("verify: a verification that is not ours cannot be ended")
		}
		return nil, nil
	}
	last, _ := lastAttempt(pending)
	return []listed{{
		id: cmp.Or(last.SID, a.ID), body: a.Body, created: last.Time,
		record: recordVerify(t, a, *pending.SID),
	}}, nil
}

// price says nothing: what Verify takes for a code depends on whether it is right.
func (byVerify) price(context.Context, *tenant.Tenant, string) (price.Told, error) {
	return price.Told{}, nil
}

// conclude tells Verify how a verification ended. It returns false when Verify could not be told
// now. The sendResult is for a text that waits until Verify has been told.
func (w byVerify) conclude(
	ctx context.Context, t *tenant.Tenant, o verification.Outcome,
) (told bool, r sendResult) {
	word := "canceled"
	if o.Approved {
		word = "approved"
	}
	wire := w.wire(ctx, t)
	_, err := wire.verify(t).update(o.Key(), word)
	switch {
	case err == nil && wire.status == http.StatusOK:
		return true, sendResult{result: ok, code: "matched"}
	case wire.status == http.StatusNotFound: // ended there before, or never known
		return true, sendResult{result: ok, code: "unmatched"}
	}
	// Nothing was sent, whatever the response was.
	r = wire.result(err)
	r.reached = false
	if r.verdict() == refused {
		return true, sendResult{result: rejected, code: "refused"}
	}
	return false, sendResult{result: rateLimited, code: r.code, after: r.after}
}

// reportVerification does the job report_verification: it tells Verify how a verification ended,
// until Verify has heard it or the job's patience ends.
func (w *Worker) reportVerification(ctx context.Context, b begun[verification.Outcome]) error {
	o := b.row
	result := "given up"
	if t, known := w.settings().Tenants.Tenant(o.Tenant); known && t.Sending.VerifyService.SID != "" {
		told, r := byVerify{w}.conclude(ctx, t, o)
		if !told && b.patient(o.Ended) {
			w.ofJob(ctx, b.id).Warn("Twilio Verify could not be told how a verification ended",
				"code", r.code)
			return b.again(o.Ended)
		}
		if told {
			result = r.code
		}
	}
	w.ofJob(ctx, b.id).Info("Twilio Verify was told how a verification ended", "result", result)
	return w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return verification.Reported(ctx, tx, o, result)
	})
}

// checkCode does the job check_code: Verify compares a code that only Verify knows
// (https://www.twilio.com/docs/verify/api/verification-check). It is asked until the verification
// expires.
func (w *Worker) checkCode(ctx context.Context, b begun[verification.Comparison]) error {
	q := b.row
	verdict := verification.Over
	if t, known := w.settings().Tenants.Tenant(q.Tenant); known && t.Sending.VerifyService.SID != "" {
		answer, ended, code := w.compare(ctx, t, q)
		q.Ended = ended
		if answer == "" && b.now.Before(q.Expires) {
			w.ofJob(ctx, q.VerificationID).Warn("Twilio Verify could not be asked about a code",
				"code", code)
			return b.again(q.Asked)
		}
		if answer != "" {
			verdict = answer
		}
	}
	return w.record(ctx, func(ctx context.Context, tx *store.Tx) error {
		return verification.Answer(ctx, tx, q, verdict)
	})
}

// compare returns Verify's verdict, or "" and a code when there is none. When the verification is
// over at Verify, it also returns how it ended there, if Verify says so. A verification that Verify
// does not know any more is over. A lost response may have approved it, which is not assumed.
func (w *Worker) compare(
	ctx context.Context, t *tenant.Tenant, q verification.Comparison,
) (verdict verification.Verdict, ended verification.State, code int) {
	wire := byVerify{w}.wire(ctx, t)
	checked, err := wire.verify(t).check(
		url.Values{"Code": {q.Code}, "VerificationSid": {q.VerifySID}},
	)
	code = wire.code(err)
	status := ""
	if err == nil && checked.Status != nil {
		status = *checked.Status
	}
	switch {
	case status == "approved":
		return verification.Right, "", code
	case status == "pending", wire.status == http.StatusBadRequest: // as malformed as wrong
		return verification.Wrong, "", code
	case status == "failed":
		return verification.Over, verification.Failed, code
	case status == "max_attempts_reached", code == codeChecksExceeded:
		return verification.Over, verification.MaxAttemptsReached, code
	case status != "", wire.status == http.StatusNotFound:
		return verification.Over, verification.Canceled, code
	}
	return "", "", code
}

func (w byVerify) wire(ctx context.Context, t *tenant.Tenant) *twilioWire {
	return &twilioWire{ctx: ctx, base: t.Sending.VerifyService.APIBase, next: w.http}
}

// verify is Verify as the wire's one request reaches it.
func (w *twilioWire) verify(t *tenant.Tenant) verifyAPI {
	return verifyAPI{handler: w.handler(t), service: t.Sending.VerifyService.SID}
}
