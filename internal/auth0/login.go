package auth0

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// doorForm names the form as the door of its verifications. The external id of each is the digest
// of the session token.
const doorForm = "auth0"

// maxStarts is how many verifications one log-in may have: for mistyped numbers and codes that ran
// out.
const maxStarts = 3

// ErrStarts says that a log-in has had all its verifications.
var ErrStarts = errors.New("auth0: no more codes for this log-in")

// Login is a log-in that a session token brought to the form.
type Login struct {
	Tenant  *tenant.Tenant
	Session Session
	Locale  string // of the texts: BCP 47
	Source  string // where its requests come from, "" when that is not known
}

// Standing is how a log-in stands.
type Standing struct {
	Verification verification.Verification // its last
	More         bool                      // it may have another
}

// Find returns how the log-in stands, or verification.ErrUnknown while it has no verification.
func (l Login) Find(ctx context.Context, tx store.View) (Standing, error) {
	v, err := l.last(ctx, tx)
	if err != nil {
		return Standing{}, err
	}
	n, err := l.starts(ctx, tx)
	return Standing{Verification: v, More: n < maxStarts}, err
}

// AsksPhone reports whether the person must type the phone: the session token brought none, or what
// is no number. An Action may pass a profile's phone on as it is spelled there.
func (l Login) AsksPhone() bool {
	_, err := readPhone(l.Session.Phone)
	return err != nil
}

// Open returns how the log-in stands, and texts the first code to the phone of the session token if
// none has been texted yet.
func (l Login) Open(ctx context.Context, tx *store.Tx) (Standing, error) {
	if s, err := l.Find(ctx, tx); !errors.Is(err, verification.ErrUnknown) {
		return s, err
	}
	phone, err := readPhone(l.Session.Phone)
	if err != nil {
		return Standing{}, err
	}
	v, err := l.start(ctx, tx, l.request(phone))
	return Standing{Verification: v, More: true}, err
}

// Check presents a code to the log-in's verification. Without a verification, or when it is
// approved already, nothing is checked and the result is the zero Checked.
func (l Login) Check(
	ctx context.Context, tx *store.Tx, code string,
) (verification.Checked, error) {
	v, ok, err := l.unproved(ctx, tx)
	if err != nil || !ok {
		return verification.Checked{}, err
	}
	return verification.Check(ctx, tx, l.Tenant.Slug, v.ID, verification.Presented{
		Door: doorForm, Code: code, Source: l.Source,
	})
}

// Resend texts the code once more. It returns no verification when there is no code to be texted:
// the log-in has none, or its phone is verified.
func (l Login) Resend(ctx context.Context, tx *store.Tx) (none verification.Verification, _ error) {
	v, ok, err := l.unproved(ctx, tx)
	if err != nil || !ok {
		return none, err
	}
	wording := l.Tenant.FormCodeWording(v.Phone)
	return verification.Resend(ctx, tx, l.Tenant, v.ID, wording, l.Source)
}

// Again texts a new code to the phone of a verification that failed. It does nothing for any other,
// and returns none.
func (l Login) Again(ctx context.Context, tx *store.Tx) (none verification.Verification, _ error) {
	v, ok, err := l.unproved(ctx, tx)
	if err != nil || !ok || v.State == verification.Pending {
		return none, err
	}
	return l.replace(ctx, tx, v.Phone)
}

// SetPhone texts a code to the phone that a person typed. It does nothing, and returns no
// verification, when the session token brought a number, or when the phone is verified already.
func (l Login) SetPhone(
	ctx context.Context, tx *store.Tx, typed string,
) (none verification.Verification, _ error) {
	v, err := l.last(ctx, tx)
	if err != nil && !errors.Is(err, verification.ErrUnknown) {
		return none, err
	}
	if v.State == verification.Approved || !l.AsksPhone() {
		return none, nil
	}
	phone, err := readPhone(typed)
	if err != nil {
		return none, err
	}
	return l.replace(ctx, tx, phone)
}

// Left is what became of a log-in that goes back to Auth0.
type Left struct {
	Verification verification.Verification // with an ID and a State, also when there was none
	At           time.Time
}

// Leave ends the log-in's verification if it is pending, because the person does not want to give a
// code. A verification that was approved before stays approved.
func (l Login) Leave(ctx context.Context, tx *store.Tx) (Left, error) {
	v, err := l.last(ctx, tx)
	if errors.Is(err, verification.ErrUnknown) {
		v.ID, v.State = store.NewID(), verification.Canceled
		return Left{v, tx.Now()}, nil
	}
	if err == nil && v.State == verification.Pending {
		v, err = verification.Cancel(ctx, tx, l.Tenant.Slug, v.ID, "left")
	}
	if errors.Is(err, verification.ErrGone) { // another request ended it at this very moment
		v, err = l.last(ctx, tx)
	}
	return Left{v, tx.Now()}, err
}

// last returns the log-in's last verification, or verification.ErrUnknown.
func (l Login) last(ctx context.Context, tx store.View) (verification.Verification, error) {
	return verification.ByExternalID(ctx, tx, l.Tenant.Slug, doorForm, l.Session.Digest)
}

// unproved returns the log-in's last verification. The second result is false when there is none,
// or when it is approved.
func (l Login) unproved(
	ctx context.Context, tx *store.Tx,
) (verification.Verification, bool, error) {
	v, err := l.last(ctx, tx)
	if errors.Is(err, verification.ErrUnknown) {
		return v, false, nil
	}
	return v, v.State != verification.Approved, err
}

// starts returns how many verifications the log-in has had.
func (l Login) starts(ctx context.Context, tx store.View) (int, error) {
	n, err := tx.CountExternalVerifications(ctx, db.CountExternalVerificationsParams{
		Tenant: l.Tenant.Slug, Door: doorForm, ExternalID: l.Session.Digest,
	})
	return int(n), err
}

// request is a verification of a phone for the log-in.
func (l Login) request(phone phonemail.Number) verification.Request {
	r := verification.For(l.Tenant, doorForm, phone)
	r.ExternalID, r.Locale = l.Session.Digest, l.Locale
	r.Wording = l.Tenant.FormCodeWording(phone)
	r.Asker, r.Source = l.asker(), l.Source
	return r
}

// asker is who asks for the codes of a log-in: Auth0, which says that the phone is the user's, or a
// user who types any number.
func (l Login) asker() verification.Asker {
	class := verification.Typed
	if !l.AsksPhone() {
		class = verification.Claim
	}
	return verification.AskedBy(class, l.Session.Issuer, l.Session.Subject)
}

// replace starts a verification of a phone in place of the one before.
func (l Login) replace(
	ctx context.Context, tx *store.Tx, phone phonemail.Number,
) (verification.Verification, error) {
	r := l.request(phone)
	r.Replace = true
	return l.start(ctx, tx, r)
}

// start starts a verification if the tenant texts the phone and the log-in may have another.
func (l Login) start(
	ctx context.Context, tx *store.Tx, r verification.Request,
) (verification.Verification, error) {
	if err := l.Tenant.Check(r.Phone, tx.Now()); err != nil {
		return verification.Verification{}, err
	}
	switch n, err := l.starts(ctx, tx); {
	case err != nil:
		return verification.Verification{}, err
	case n >= maxStarts:
		return verification.Verification{}, ErrStarts
	}
	v, _, err := verification.Start(ctx, tx, r)
	if err != nil {
		return verification.Verification{}, err
	}
	// Requests that come at once were counted before they waited for each other in Start.
	if n, err := l.starts(ctx, tx); err != nil || n > maxStarts {
		return verification.Verification{}, cmp.Or(err, ErrStarts)
	}
	return v, nil
}

// readPhone reads a number as people type it or paste it: + or 00, the country code, and separators
// between the digits, which may be those of another keyboard. What is copied from contacts stands
// between marks of its direction, which are in the category Cf. What is copied from a web page may
// begin with tel: (RFC 3966). A zero in parentheses is for calls at home, and is left out where the
// number would be none with it.
func readPhone(typed string) (phonemail.Number, error) {
	plain := strings.ToLower(phonemail.PlainDigits(typed))
	plain = strings.TrimPrefix(strings.TrimSpace(plain), "tel:")
	phone, err := readDigits(plain)
	if err != nil {
		if abroad, err := readDigits(strings.Replace(plain, "(0)", "", 1)); err == nil {
			return abroad, nil
		}
	}
	return phone, err
}

func readDigits(spaced string) (phonemail.Number, error) {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.In(r, unicode.Pd, unicode.Cf), strings.ContainsRune("()./", r):
			return -1
		case r == '＋':
			return '+'
		}
		return r
	}, spaced)
	if rest, ok := strings.CutPrefix(plain, "00"); ok {
		plain = "+" + rest
	}
	return phonemail.ParseNumber(plain)
}
