package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// doorName names this door in what it starts.
const doorName = "api"

// shownVerification is a verification as the API shows it: without its code, and with its whole
// phone number, which the app knows anyway.
type shownVerification struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	Phone       string `json:"phone"`
	Door        string `json:"door"`
	ExternalID  string `json:"external_id,omitempty"`
	Attempts    int    `json:"attempts"`
	MaxAttempts int    `json:"max_attempts"`
	Sends       int    `json:"sends"`
	MaxSends    int    `json:"max_sends"`
	CreatedAt   string `json:"created_at"`
	ExpiresAt   string `json:"expires_at"`
	NextSendAt  string `json:"next_send_at,omitempty"`
	EndedAt     string `json:"ended_at,omitempty"`
	Reason      string `json:"reason,omitempty"` // why it failed
	Test        bool   `json:"test,omitempty"`   // its phone is a test number
	// Delivery is there where verifications are shown and listed.
	Delivery *shownDelivery `json:"delivery,omitempty"`
}

// shownDelivery says what became of the last text with the code.
type shownDelivery struct {
	State string `json:"state"`
	At    string `json:"at"`
}

func show(v verification.Verification) shownVerification {
	shown := shownVerification{
		ID: v.ID, Status: string(v.State), Phone: v.Phone.E164(), Door: v.Door,
		ExternalID: v.ExternalID, Attempts: v.Attempts, MaxAttempts: v.MaxAttempts,
		Sends: v.Sends, MaxSends: v.MaxSends, CreatedAt: dateTime(v.Opened),
		ExpiresAt: dateTime(v.Expires), EndedAt: dateTime(v.Ended), Reason: string(v.Reason),
		Test: v.Test,
	}
	if v.State == verification.Pending && v.Sends < v.MaxSends {
		shown.NextSendAt = dateTime(v.NextSend)
	}
	return shown
}

// showWhole shows a verification with its delivery.
func showWhole(s verification.Shown) shownVerification {
	shown := show(s.Verification)
	shown.Delivery = &shownDelivery{string(s.Delivery.State), dateTime(s.Delivery.At)}
	return shown
}

// createVerification starts a verification. The response to a request with an Idempotency-Key that
// came before shows what was started then.
func (d *Door) createVerification(r request) (response, error) {
	asked, err := readRequest(r.tenant, d.Now(), r.key, r.fields)
	if err != nil {
		return response{}, err
	}
	web.About(r, "", asked.Phone)
	key, p := idempotencyKey(r.Request().Header)
	if p != nil {
		return response{}, p
	}
	once := verification.Key{Value: key, Asked: canonical(r.fields)}
	v, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
			v, err := verification.StartOnce(ctx, tx, asked, once)
			if err != nil {
				return v, err
			}
			return verification.WithLimits(ctx, tx, r.tenant, v)
		})
	if err != nil {
		return response{}, err
	}
	web.About(r, v.ID, v.Phone)
	return response{http.StatusCreated, show(v), "/v1/verifications/" + v.ID}, nil
}

// maxSubject is the length of a subject, in characters.
const maxSubject = 255

// readRequest makes a request to the rule of the members of a body, which came with a key.
func readRequest(
	t *tenant.Tenant, now time.Time, key string, fields map[string]string,
) (verification.Request, error) {
	phone, err := phonemail.ParseNumber(fields["phone"])
	if err == nil {
		err = t.Check(phone, now)
	}
	if err != nil {
		return verification.Request{}, err
	}
	r := verification.For(t, doorName, phone)
	if subject, given := fields["subject"]; given {
		if subject == "" || utf8.RuneCountInString(subject) > maxSubject {
			return r, web.BadField.On("subject", "It has 1 to 255 characters.")
		}
		r.Asker = verification.AskedBy(verification.App, key, subject)
	}
	if code, own := fields["code"]; own {
		if r.Code, err = verification.ParseCode(code); err != nil {
			return r, err
		}
	}
	if locale, asked := fields["locale"]; asked {
		if !wording.IsTag(locale) {
			return r, web.BadField.On("locale", "It is no BCP 47 tag, such as da-DK.")
		}
		r.Locale = t.CodeLanguageFor(locale, phone)
	}
	return r, nil
}

// maxIdempotencyKey is the length of a key, in bytes.
const maxIdempotencyKey = 255

// idempotencyKey is the Idempotency-Key of a request, "" for none.
//
// Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
func idempotencyKey(header http.Header) (string, *web.Problem) {
	values := header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > maxIdempotencyKey {
		return "", web.BadRequest.Of("An Idempotency-Key has 1 to 255 characters and comes once.")
	}
	return values[0], nil
}

// canonical writes the members of a body in one way, so that equal requests look equal.
func canonical(fields map[string]string) string {
	return canonicalOf(fields, []string{"phone", "code", "locale", "subject"})
}

func canonicalOf(fields map[string]string, names []string) string {
	var all strings.Builder
	for _, name := range names {
		value, given := fields[name]
		all.WriteString(name + strconv.FormatBool(given) + strconv.Itoa(len(value)) + ":" + value)
	}
	return all.String()
}

// checkVerification presents a code. The status is 200 for the right one alone, in time and for the
// first time.
func (d *Door) checkVerification(r request) (response, error) {
	code, given := r.fields["code"]
	if !given {
		return response{}, web.BadField.On("code", "It is missing.")
	}
	checked, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (verification.Checked, error) {
			checked, err := verification.Check(ctx, tx, r.tenant.Slug, r.id(),
				verification.Presented{Door: doorName, Code: code})
			if err == nil && checked.Verdict == verification.Wrong {
				v := &checked.Verification
				*v, err = verification.WithLimits(ctx, tx, r.tenant, *v)
			}
			return checked, err
		})
	if err == nil {
		ctx, cancel := d.Await(r.ctx)
		defer cancel()
		checked, err = verification.Await(ctx, d.Store, checked)
	}
	if err != nil {
		return response{}, err
	}
	web.About(r, checked.Verification.ID, checked.Verification.Phone)
	if checked.Undecided() {
		return response{}, about(undecided.Of("Twilio Verify has not said whether the code is right. "+
			"Show the verification later to see."), checked.Verification)
	}
	switch v := checked.Verification; checked.Verdict {
	case verification.Right:
		return response{status: http.StatusOK, body: show(v)}, nil
	case verification.Wrong:
		return response{}, about(wrongCode.Of("It has been counted as an attempt."), v)
	case verification.Blocked:
		return response{}, &verification.WaitError{Err: verification.ErrBlocked, Until: checked.Until}
	default:
		return response{}, &standingError{verification.ErrGone, v}
	}
}

// resendVerification texts the code again.
func (d *Door) resendVerification(r request) (response, error) {
	return d.change(r, func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
		v, err := verification.Get(ctx, tx, r.tenant.Slug, r.id())
		if err != nil {
			return v, err
		}
		return verification.Resend(ctx, tx, r.tenant, v.ID, r.tenant.CodeWording(v.Phone), "")
	})
}

// cancelVerification cancels a verification.
func (d *Door) cancelVerification(r request) (response, error) {
	return d.change(r, func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
		return verification.Cancel(ctx, tx, r.tenant.Slug, r.id(), "app")
	})
}

// change runs f on what the app may see, and shows what f returns.
func (d *Door) change(
	r request, f func(context.Context, *store.Tx) (verification.Verification, error),
) (response, error) {
	v, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (verification.Verification, error) {
			shown, err := verification.Show(ctx, tx, r.tenant.Slug, r.id())
			if err != nil {
				return verification.Verification{}, err
			}
			web.About(r, shown.Verification.ID, shown.Verification.Phone)
			v, err := f(ctx, tx)
			if err != nil {
				return v, err
			}
			return verification.WithLimits(ctx, tx, r.tenant, v)
		})
	if err != nil {
		return response{}, &standingError{err, v}
	}
	return response{status: http.StatusOK, body: show(v)}, nil
}

// showVerification shows one verification.
func (d *Door) showVerification(r request) (response, error) {
	v, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, view store.View) (verification.Shown, error) {
			v, err := verification.Show(ctx, view, r.tenant.Slug, r.id())
			if err != nil {
				return v, err
			}
			web.About(r, v.Verification.ID, v.Verification.Phone)
			v.Verification, err = verification.WithLimits(ctx, view, r.tenant, v.Verification)
			return v, err
		})
	return response{status: http.StatusOK, body: showWhole(v)}, err
}
