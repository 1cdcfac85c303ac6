package verification

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/phonemail"
)

// Get returns a tenant's verification, or ErrUnknown.
func Get(ctx context.Context, tx store.View, tenant, id string) (Verification, error) {
	row, err := get(ctx, tx, tenant, id)
	if err != nil {
		return Verification{}, err
	}
	return read(row, tx.Now()), nil
}

func get(ctx context.Context, tx store.View, tenant, id string) (db.Verification, error) {
	row, err := tx.GetVerificationOf(ctx, db.GetVerificationOfParams{Tenant: tenant, ID: id})
	if errors.Is(err, sql.ErrNoRows) {
		return row, ErrUnknown
	}
	return row, err
}

// ByID returns the verification of whatever tenant, or ErrUnknown. It is for jobs, which carry
// only the id.
func ByID(ctx context.Context, tx store.View, id string) (Verification, error) {
	row, err := tx.GetVerification(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Verification{}, ErrUnknown
	}
	if err != nil {
		return Verification{}, err
	}
	return read(row, tx.Now()), nil
}

// ByExternalID returns the newest verification that a door of a tenant calls so, or ErrUnknown.
// At most one of them is pending.
func ByExternalID(
	ctx context.Context,
	tx store.View,
	tenant, door, externalID string,
) (Verification, error) {
	row, err := tx.GetExternalVerification(
		ctx,
		db.GetExternalVerificationParams{Tenant: tenant, Door: door, ExternalID: externalID},
	)
	if errors.Is(err, sql.ErrNoRows) {
		return Verification{}, ErrUnknown
	}
	if err != nil {
		return Verification{}, err
	}
	return read(row, tx.Now()), nil
}

// CheckableByText reports whether a reply of the phone may present a code for the verification.
func (v Verification) CheckableByText() bool { return v.byText }

// OpenOf returns the pending verifications of a phone on a line, the newest first, at most 100.
func OpenOf(
	ctx context.Context,
	tx store.View,
	l phonemail.Line,
	phone phonemail.Number,
) ([]Verification, error) {
	rows, err := tx.OpenVerificationsOfPhone(ctx, db.OpenVerificationsOfPhoneParams{
		Account: l.Account, Sender: l.Sender, Phone: phone, Now: tx.Moment(),
	})
	return readAll(rows, tx.Now()), err
}

func readAll(rows []db.Verification, now time.Time) []Verification {
	all := make([]Verification, 0, len(rows))
	for _, row := range rows {
		all = append(all, read(row, now))
	}
	return all
}

func read(row db.Verification, now time.Time) Verification {
	v := Verification{
		ID: row.ID, Tenant: row.Tenant, Door: row.Door, ExternalID: row.ExternalID,
		Line:  phonemail.Line{Account: row.Account, Sender: row.Sender},
		Phone: row.Phone, Locale: row.Locale, State: row.State, Reason: row.Reason,
		byText: checkableAt(ByText, row), Test: row.Test != 0,
		Attempts: int(row.Attempts), MaxAttempts: int(row.MaxAttempts),
		Sends: int(row.Sends), MaxSends: int(row.MaxSends),
		Opened: row.OpenedAt.Time, Expires: row.ExpiresAt.Time,
		NextSend: row.SentAt.Add(time.Duration(row.Gap) * time.Millisecond).Time,
	}
	if v.State == Pending && !now.Before(v.Expires) {
		v.State = Expired
	}
	switch {
	case v.State == Expired: // at that time, however late a worker records it
		v.Ended = v.Expires
	case !row.EndedAt.IsZero():
		v.Ended = row.EndedAt.Time
	}
	return v
}
