package verification

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
)

// This file is what an app is shown of the tenant's verifications. Those whose codes are compared
// elsewhere are unknown to it.

// Shown is a verification, and what became of the last text with its code.
type Shown struct {
	Verification
	Delivery Delivery
}

// Delivery says how far the last text with a code has come, and since when.
type Delivery struct {
	State DeliveryState
	At    time.Time
}

// DeliveryState is a word of the API.
type DeliveryState string

// The states of a delivery. A text that is due, being sent or unclear is pending to an app.
const (
	Waiting     DeliveryState = "pending"     // no provider is known to have it yet
	Sent        DeliveryState = "sent"        // a provider has it
	Delivered   DeliveryState = "delivered"   // the phone has it, by the carrier's word
	Undelivered DeliveryState = "undelivered" // it does not, by the carrier's word
	NotSent     DeliveryState = "failed"      // no provider sends it
	Suppressed  DeliveryState = "suppressed"  // it was not wanted any more before it was sent
)

// Show returns one verification, or ErrUnknown.
func Show(ctx context.Context, tx store.View, tenant, id string) (Shown, error) {
	row, err := tx.ShowVerification(ctx, db.ShowVerificationParams{
		Tenant: tenant, ID: id, Elsewhere: elsewhere,
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Shown{}, ErrUnknown
	}
	return shown(db.ListVerificationsRow(row), tx.Now()), err
}

// WithLimits returns a verification whose NextSend also heeds what the limits of texts say about
// its phone. One that gets no further text stays as it is.
func WithLimits(
	ctx context.Context, tx store.View, t *tenant.Tenant, v Verification,
) (Verification, error) {
	if v.State != Pending || v.Sends >= v.MaxSends {
		return v, nil
	}
	next, err := limit.Next(ctx, tx, t, v.Line.Account, v.Phone)
	if next.After(v.NextSend) {
		v.NextSend = next
	}
	return v, err
}

// List returns a tenant's verifications, the newest first: at most most of them, and only those
// older than the one with the id before unless it is "".
func List(
	ctx context.Context, tx store.View, tenant, before string, most int,
) ([]Shown, error) {
	if before == "" {
		before = store.AfterAll
	}
	rows, err := tx.ListVerifications(ctx, db.ListVerificationsParams{
		Tenant: tenant, Before: before, Most: int32(most), Elsewhere: elsewhere,
	})
	all := make([]Shown, 0, len(rows))
	for _, row := range rows {
		all = append(all, shown(row, tx.Now()))
	}
	return all, err
}

// AwaitSent waits until ctx ends to hear what becomes of the last text with a verification's code,
// and returns the verification as it stands then.
func AwaitSent(ctx context.Context, s *store.Store, v Verification) (Verification, error) {
	err := await(ctx, s, v.ID, func(ctx context.Context, view store.View) (bool, error) {
		last, err := view.LastTextOfVerification(ctx, v.ID)
		if err != nil {
			return false, err
		}
		now, err := Get(ctx, view, v.Tenant, v.ID)
		if err != nil {
			return false, err
		}
		v = now
		return (last.State == text.Due || last.State == text.Sending) && v.State == Pending, nil
	})
	return v, err
}

// lookAgain is when one who waits looks again without being told, since another replica may do the
// work. Each further pause is twice as long. The database may be why it takes long, and many who
// wait must not keep it busy.
const lookAgain = 100 * time.Millisecond

// await looks until there is nothing to wait for, or ctx ends: at once, when the id is announced,
// and now and then.
func await(
	ctx context.Context, s *store.Store, id string,
	look func(ctx context.Context, view store.View) (waiting bool, err error),
) error {
	announced, stop := s.Await(id)
	defer stop()
	for pause := lookAgain; ; {
		waiting := false
		err := s.Read(ctx, func(ctx context.Context, view store.View) (err error) {
			waiting, err = look(ctx, view)
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil || !waiting {
			return err
		}
		select {
		case <-ctx.Done():
		case <-announced:
		case <-time.After(pause):
			pause *= 2
		}
	}
}

func shown(row db.ListVerificationsRow, now time.Time) Shown {
	s := Shown{Verification: read(row.Verification, now)}
	s.Delivery.At = row.TextEndedAt.Time
	switch row.TextState {
	case text.Sent:
		s.Delivery = Delivery{Sent, row.SendingAt.Time}
	case text.Delivered:
		s.Delivery.State = Delivered
	case text.Undelivered:
		s.Delivery.State = Undelivered
	case text.Failed:
		s.Delivery.State = NotSent
	case text.Suppressed:
		s.Delivery.State = Suppressed
	default:
		s.Delivery = Delivery{Waiting, row.MadeAt.Time}
	}
	return s
}
