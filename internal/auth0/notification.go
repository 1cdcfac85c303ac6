package auth0

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"smsbridge/internal/segment"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// MaxSegments is how many segments a notification may take.
const MaxSegments = 6

const (
	// sameFor is how long an equal notification is a retry. A later one is a new wish.
	sameFor = 30 * time.Second
	// wordsLife is how long a text without a code is worth sending.
	wordsLife = 10 * time.Minute
)

// Notification is what Auth0 asks to be texted: a code, or another text.
type Notification struct {
	Phone    phonemail.Number
	Delivery string // how Auth0 wants it delivered; "text", or "" for it
	Code     string // "" for a text without a code
	Text     string // in Auth0's wording
	Type     string // otp_verify, otp_enroll, blocked_account, change_password or password_breach
	Language string // BCP 47
	UserID   string // lets feedback name the user instead of the phone
}

// Why a notification can never be sent.
var (
	// ErrDelivery: Auth0 wants it delivered otherwise than as a text.
	ErrDelivery = errors.New("auth0: the notification is not for a text")
	// ErrEmpty: it has neither a text nor a code.
	ErrEmpty = errors.New("auth0: the notification has no text and no code")
	// ErrTooLong: it takes more than MaxSegments.
	ErrTooLong = errors.New("auth0: the notification is too long")
)

// Judge returns why the tenant can never have the notification texted: an error of its policy about
// the phone, ErrDelivery, verification.ErrCode, ErrEmpty or ErrTooLong. It returns nil for all
// else.
func (n Notification) Judge(t *tenant.Tenant, now time.Time) error {
	if err := t.Check(n.Phone, now); err != nil {
		return err
	}
	switch {
	case n.Delivery != "" && n.Delivery != "text":
		return ErrDelivery
	case n.Code != "":
		if _, err := verification.ParseCode(n.Code); err != nil {
			return err
		}
	case n.Text == "":
		return ErrEmpty
	}
	if segment.Measure(n.Text).Segments > MaxSegments {
		return ErrTooLong
	}
	return nil
}

// digest is equal for notifications that ask for the same. It is keyed with the provider key that
// came with the request. The bridge stores only a hash of that key, so a reader of the database
// cannot find the code by trying all codes.
func (n Notification) digest(key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range []string{n.Phone.E164(), n.Type, n.Code, n.Text, n.UserID} {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// Notify makes the text of a notification due and returns the text's id. If an equal notification
// made a text due within the last half minute, it returns the id of that one and does nothing. The
// key is the provider key that came with the request. Judge the notification first.
func Notify(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, n Notification, key string,
) (textID string, err error) {
	// Two requests for one phone must not both look before one of them writes.
	lock := db.LockAuth0PhoneParams{Tenant: t.Slug, Phone: n.Phone, At: tx.Moment()}
	if err := tx.LockAuth0Phone(ctx, lock); err != nil {
		return "", fmt.Errorf("auth0: locking a phone: %w", err)
	}
	digest := n.digest(key)
	same, err := tx.SameAuth0Notification(ctx, db.SameAuth0NotificationParams{
		Tenant: t.Slug, Digest: digest, Since: tx.Moment().Add(-sameFor),
	})
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return same.TextID, err
	}
	var verificationID string
	if n.Code != "" {
		verificationID, textID, err = textCode(ctx, tx, t, n)
	} else {
		textID, err = textWords(ctx, tx, t, n)
	}
	if err != nil {
		return "", err
	}
	return textID, tx.AddAuth0Notification(ctx, db.AddAuth0NotificationParams{
		ID: store.NewID(), Tenant: t.Slug, Digest: digest, UserID: kept(n.UserID, maxUserID),
		VerificationID: verificationID, TextID: textID, At: tx.Moment(),
	})
}

// textWords makes a text without a code due.
func textWords(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, n Notification,
) (textID string, err error) {
	return text.Make(ctx, tx, text.Draft{
		Tenant: t, Line: t.Way(n.Phone, tenant.ForCode).Line, Phone: n.Phone,
		Purpose: text.Relay, Body: n.Text, Deadline: tx.Now().Add(wordsLife),
	})
}

// textCode starts a verification whose code Auth0 drew and will compare. The text has Auth0's
// wording unless Twilio Verify sends it in its own. The verification's external id is the phone, so
// that a later code replaces it, as at Auth0.
func textCode(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, n Notification,
) (verificationID, textID string, err error) {
	request := verification.For(t, doorPhone, n.Phone)
	request.ExternalID, request.Replace, request.Notify = n.Phone.E164(), true, false
	request.ComparedElsewhere = true
	request.Locale = t.CodeLanguageFor(n.Language, request.Phone)
	if request.Code, err = verification.ParseCode(n.Code); err != nil {
		return "", "", err
	}
	if n.Text != "" {
		request.Wording = func(string, string) string { return n.Text }
	}
	v, _, err := verification.Start(ctx, tx, request)
	if err != nil {
		return "", "", err
	}
	last, err := tx.LastTextOfVerification(ctx, v.ID)
	return v.ID, last.ID, err
}
