package outbound

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

const (
	// reportPatience is how long Twilio Verify is told how a verification ended: its own are gone after a day at most
	// (https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts).
	reportPatience = 24 * time.Hour
	// codeChecksExceeded is Verify's error for a verification with too many wrong codes (https://www.twilio.com/docs/api/errors/60202).
	codeChecksExceeded = 60202
)

// byVerify sends codes through Twilio Verify (https://www.twilio.com/docs/verify/api/verification), in Verify's words and from its numbers.
type byVerify struct{ *Worker }

func (w byVerify) send(ctx context.Context, t *tenant.Tenant, a text.Attempt, _ time.Time) outcome {
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
		w.Log.Warn("cannot read a code", "tenant", a.Tenant, "text", a.ID, "error", err)
		return outcome{result: timeout} // nobody was asked; if the verification is over, nobody will be
	}
	if s.Renewed && !t.Sending.VerifyService.OwnCode {
		older = append(older, verification.Outcome{ID: s.Verification.ID, Tenant: a.Tenant, VerifySID: s.VerifySID})
	}
	for _, ended := range older {
		told, o := w.conclude(t, ended)
		if !told {
			return o
		}
		err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return verification.Reported(ctx, tx, ended, o.code) })
		if err != nil {
			return outcome{result: timeout}
		}
	}
	return w.start(t, s, a)
}

// start asks for a text. When Verify instead goes on with a verification that is not ours, with whatever code that has, that one is ended and Verify
// is asked once more.
func (w byVerify) start(t *tenant.Tenant, s verification.Secret, a text.Attempt) outcome {
	for range 2 {
		wire := w.wire(t)
		started, err := verify.NewApiService(wire.handler(t)).CreateVerification(t.Sending.VerifyService.SID, w.params(t, s))
		if err != nil || started.Sid == nil {
			return wire.outcome(err)
		}
		last, sends := lastAttempt(started)
		if sends > 1 && *started.Sid != s.VerifySID && !t.Sending.VerifyService.OwnCode {
			if told, o := w.conclude(t, verification.Outcome{VerifySID: *started.Sid}); !told {
				return o
			}
			continue
		}
		return outcome{result: ok, id: cmp.Or(last.SID, a.ID), record: recordVerify(t, a, *started.Sid)}
	}
	return outcome{result: rateLimited, code: "concurrent"}
}

func (w byVerify) params(t *tenant.Tenant, s verification.Secret) *verify.CreateVerificationParams {
	v := s.Verification
	params := (&verify.CreateVerificationParams{}).SetTo(v.Phone.E164()).SetChannel("sms").SetLocale(t.Codes.Locale)
	if v.Locale != "" {
		params.SetLocale(v.Locale)
	}
	name := t.Name
	if t.Codes.OrgName != "" {
		name = t.Codes.OrgName
	}
	params.SetCustomFriendlyName(name)
	if !t.Sending.VerifyService.OwnCode {
		params.SetCustomCode(s.Code)
	}
	if len(t.Sending.VerifyService.RateLimits) > 0 {
		counted := map[string]string{"phone": v.Phone.E164(), "country": v.Phone.Country()}
		limits := map[string]string{}
		for name, what := range t.Sending.VerifyService.RateLimits {
			limits[name] = counted[what]
		}
		params.SetRateLimits(limits)
	}
	if len(t.Sending.VerifyService.Tags) > 0 {
		tags, _ := json.Marshal(t.Sending.VerifyService.Tags) // a map of strings
		params.SetTags(string(tags))
	}
	return params
}

func recordVerify(t *tenant.Tenant, a text.Attempt, sid string) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return verification.SentByVerify(ctx, tx, a.VerificationID, sid, t.Sending.VerifyService.OwnCode)
	}
}

// sendAttempt is one text of a verification at Verify.
type sendAttempt struct {
	SID  string    `json:"attempt_sid"`
	Time time.Time `json:"time"`
}

// lastAttempt returns the last text of a verification, and how many there were. Where Verify lists none, it is one without an id.
func lastAttempt(v *verify.VerifyV2Verification) (last sendAttempt, sends int) {
	var all []sendAttempt
	if v.SendCodeAttempts != nil {
		if raw, err := json.Marshal(*v.SendCodeAttempts); err == nil && json.Unmarshal(raw, &all) == nil && len(all) > 0 {
			return all[len(all)-1], len(all)
		}
	}
	if v.DateUpdated != nil {
		last.Time = *v.DateUpdated
	}
	return last, 1
}

// find returns the last text of the verification that is pending for the phone.
func (w byVerify) find(_ context.Context, t *tenant.Tenant, a text.Attempt) ([]listed, error) {
	wire := w.wire(t)
	pending, err := verify.NewApiService(wire.handler(t)).FetchVerification(t.Sending.VerifyService.SID, a.Phone.E164())
	switch {
	case wire.status == http.StatusNotFound:
		return nil, nil
	case err != nil || pending.Sid == nil:
		return nil, errors.New("verify: the verification cannot be read")
	}
	last, _ := lastAttempt(pending)
	return []listed{{id: cmp.Or(last.SID, a.ID), body: a.Body, created: last.Time, record: recordVerify(t, a, *pending.Sid)}}, nil
}

// conclude tells Verify how a verification ended, and reports false with an outcome when Verify could not be told now.
func (w byVerify) conclude(t *tenant.Tenant, o verification.Outcome) (bool, outcome) {
	word := "canceled"
	if o.Approved {
		word = "approved"
	}
	wire := w.wire(t)
	_, err := verify.NewApiService(wire.handler(t)).UpdateVerification(t.Sending.VerifyService.SID,
		o.VerifySID, (&verify.UpdateVerificationParams{}).SetStatus(word))
	switch {
	case err == nil && wire.status == http.StatusOK:
		return true, outcome{result: ok, code: "matched"}
	case wire.status == http.StatusNotFound: // ended there before, or never known
		return true, outcome{result: ok, code: "unmatched"}
	}
	// Nothing was sent, whatever the answer was.
	out := wire.outcome(err)
	out.reached = false
	if v := out.verdict(); v == refused {
		return true, outcome{result: rejected, code: "refused"}
	}
	return false, outcome{result: rateLimited, code: out.code}
}

// reportVerification does the job report_verification: it tells Verify how a verification ended, until Verify has heard.
func (w *Worker) reportVerification(ctx context.Context, id string) error {
	var (
		o      verification.Outcome
		unsaid bool
		now    time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		o, unsaid, err = verification.Unreported(ctx, tx, id)
		return err
	})
	if err != nil || !unsaid {
		return err
	}
	result := "given up"
	if t, known := w.Settings.Tenants.Tenant(o.Tenant); known && t.Sending.VerifyService.SID != "" {
		told, out := byVerify{w}.conclude(t, o)
		if !told && now.Sub(o.Ended) < reportPatience {
			w.Log.Warn("Twilio Verify could not be told how a verification ended", "tenant", o.Tenant, "verification", id, "code", out.code)
			return river.JobSnooze(min(max(now.Sub(o.Ended), 2*time.Second), 10*time.Minute))
		}
		if told {
			result = out.code
		}
	}
	w.Log.Info("Twilio Verify was told how a verification ended", "tenant", o.Tenant, "verification", id, "result", result)
	return w.Store.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error { return verification.Reported(ctx, tx, o, result) })
}

// checkCode does the job check_code: it has Verify compare a code that only Verify knows
// (https://www.twilio.com/docs/verify/api/verification-check).
func (w *Worker) checkCode(ctx context.Context, id string) error {
	var (
		q       verification.Question
		waiting bool
		now     time.Time
	)
	err := w.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		now = tx.Now()
		q, waiting, err = verification.Unanswered(ctx, tx, id)
		return err
	})
	if err != nil || !waiting {
		return err
	}
	verdict := verification.Over
	if t, known := w.Settings.Tenants.Tenant(q.Tenant); known && t.Sending.VerifyService.SID != "" {
		answer, code := w.compare(t, q)
		if answer == "" && now.Before(q.Expires) {
			w.Log.Warn("Twilio Verify could not be asked about a code", "tenant", q.Tenant, "verification", q.VerificationID, "code", code)
			return again(q.Asked, now)
		}
		if answer != "" {
			verdict = answer
		}
	}
	return w.Store.Do(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error { return verification.Answer(ctx, tx, q, verdict) })
}

// compare returns Verify's verdict, or "" and a code when there is none. A verification that Verify knows no more is over: whether an answer that got
// lost approved it cannot be told, and is not assumed.
func (w *Worker) compare(t *tenant.Tenant, q verification.Question) (verification.Verdict, int) {
	wire := byVerify{w}.wire(t)
	params := (&verify.CreateVerificationCheckParams{}).SetCode(q.Code).SetVerificationSid(q.VerifySID)
	checked, err := verify.NewApiService(wire.handler(t)).CreateVerificationCheck(t.Sending.VerifyService.SID, params)
	code := wire.code(err)
	switch {
	case err == nil && checked.Status != nil && *checked.Status == "approved":
		return verification.Right, code
	case err == nil && checked.Status != nil && *checked.Status == "pending", wire.status == http.StatusBadRequest: // as malformed as wrong
		return verification.Wrong, code
	case err == nil && checked.Status != nil, wire.status == http.StatusNotFound, code == codeChecksExceeded:
		return verification.Over, code
	}
	return "", code
}

func (w byVerify) wire(t *tenant.Tenant) *twilioWire {
	return &twilioWire{base: t.Sending.VerifyService.APIBase, next: w.http}
}
