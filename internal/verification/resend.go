package verification

import (
	"context"
	"fmt"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Resend texts the code once more, or a new one if the verification was started so. Source is where
// the request comes from, as in Request. It returns ErrUnknown, ErrGone, ErrSends, ErrOptedOut, or
// in a WaitError ErrTooSoon, ErrLimited, ErrBlocked or ErrPaused.
func Resend(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, id string, words Wording, source string,
) (Verification, error) {
	row, err := get(ctx, tx, t.Slug, id)
	if err != nil {
		return Verification{}, err
	}
	v := read(row, tx.Now())
	if err := readmit(ctx, tx, t, row, source); err != nil {
		return v, err
	}
	code, sealed, err := nextCode(tx, row)
	if err != nil {
		return v, err
	}
	asker := Request{Source: source, Asker: Asker{row.Asker, row.Subject}}.whose()
	draft := text.Draft{
		Tenant: t, VerificationID: id, Line: v.Line, Phone: v.Phone, Purpose: text.Code,
		Body: words(code, v.Locale), Deadline: v.Expires, Asker: asker,
		Wording: codeWording, Language: v.Locale,
	}
	if err := admitText(ctx, tx, draft); err != nil {
		return v, err
	}
	n, err := tx.CountSend(
		ctx,
		db.CountSendParams{ID: id, Now: tx.Moment(), Code: sealed, Sends: row.Sends},
	)
	if err != nil {
		return v, err
	}
	if n == 0 { // another caller sent it, or ended the verification, at this very moment
		return v, &WaitError{ErrTooSoon, tx.Now().Add(time.Duration(row.Gap) * time.Millisecond)}
	}
	if err := tx.Record(
		ctx, t.Slug, id, "verification.resent", fmt.Sprintf("%d of %d", v.Sends+1, v.MaxSends),
	); err != nil {
		return v, err
	}
	// An earlier text that has not left yet would say the same, or a code that counts no more.
	if err := suppress(ctx, tx, id, "resent"); err != nil {
		return v, err
	}
	if v, err = Get(ctx, tx, t.Slug, id); err != nil {
		return v, err
	}
	return v, send(ctx, tx, draft)
}

// readmit refuses another text of a verification for what refused its first one, and for what
// bounds the texts of one verification.
func readmit(
	ctx context.Context, tx store.View, t *tenant.Tenant, row db.Verification, source string,
) error {
	v := read(row, tx.Now())
	switch {
	case v.State != Pending:
		return ErrGone
	case v.Test && !isTest(t, v.Phone, tx.Now()): // its fixed code must not be texted
		return ErrGone
	case v.Sends >= v.MaxSends:
		return ErrSends
	case tx.Now().Before(v.NextSend):
		return &WaitError{ErrTooSoon, v.NextSend}
	}
	out, err := text.OptedOut(ctx, tx, v.Tenant, v.Line, v.Phone)
	switch {
	case err != nil:
		return err
	case out:
		return ErrOptedOut
	}
	wait, err := look(ctx, tx, v.Tenant, budgets(row, row.Door, digestOf(source)))
	if err == nil && wait != nil {
		err = wait
	}
	return err
}

func isTest(t *tenant.Tenant, phone phonemail.Number, now time.Time) bool {
	_, test := t.Test(phone, now)
	return test
}

// nextCode is the code for the next text, plain and sealed.
func nextCode(tx *store.Tx, row db.Verification) (code, sealed string, err error) {
	if row.Renew > 0 {
		code = Draw(int(row.Renew))
		return code, tx.Seal(place(row.ID, row.Tenant), []byte(code)), nil
	}
	plain, err := tx.Open(place(row.ID, row.Tenant), row.Code)
	if err != nil {
		return "", "", fmt.Errorf("verification %s: %w", row.ID, err)
	}
	return string(plain), row.Code, nil
}
