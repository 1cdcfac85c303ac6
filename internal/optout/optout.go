// Package optout is the rule for a person who wants no more texts, however they said so: by a
// reply, through a provider, or to an operator or an app by mail, phone or letter.
//
// It is for the rule that reads replies, for the door of apps and for the operator's commands. It
// promises that an opt-out counts from the transaction on that records it. What the phone was
// being asked ends with it, also a question whose prompt has not left yet.
//
// # How far it reaches
//
// A STOP always holds for the line that was texted: carriers and providers block that line, too.
// By the tenant's setting opt_out_scope it also holds for the tenant, whatever the line, or for
// all tenants. What an operator or an app records holds for the tenant, unless it says otherwise.
//
// # How it ends
//
// START to a line ends what holds for that line, and for the tenants that text from it. It ends
// what holds for all if one of these tenants has a STOP reach that far. YES, which is START at
// Twilio, ends only what a reply or a provider said: no answer undoes a letter. An operator can
// end each, an app what an app recorded.
package optout

import (
	"context"
	"errors"
	"slices"
	"time"

	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// why is the reason for which open questions and codes are canceled.
const why = "stop"

// Heard is a STOP or a START on a line.
type Heard struct {
	Line    phonemail.Line
	Sharing []*tenant.Tenant // all that text from this line
	Phone   phonemail.Number
	Via     text.Via
}

// Stop records that a phone said STOP to a line, and ends what the phone is being asked. The
// tenants of the line say how far that reaches. Stop reports whether the STOP to that line is
// new.
func Stop(
	ctx context.Context, tx *store.Tx, tenants tenant.Set, h Heard,
) (first bool, err error) {
	for i, reach := range reaches(h) {
		added, err := Record(ctx, tx, tenants, h.said(tx, reach))
		if err != nil {
			return false, err
		}
		first = first || i == 0 && added
	}
	return first, nil
}

// Learn records what Stop does, for a worker whom a provider told so. A text that waits is
// suppressed when its turn comes, with that reason.
func Learn(ctx context.Context, tx *store.Tx, h Heard) error {
	for _, reach := range reaches(h) {
		if _, err := text.SetOptOut(ctx, tx, h.said(tx, reach)); err != nil {
			return err
		}
	}
	return nil
}

func (h Heard) said(tx *store.Tx, reach text.Reach) text.Said {
	return text.Said{Phone: h.Phone, Reach: reach, Via: h.Via, Since: tx.Now()}
}

// reaches are what a STOP on a line holds for, the line first.
func reaches(h Heard) []text.Reach {
	all := []text.Reach{{Line: h.Line}}
	for _, t := range h.Sharing {
		switch t.OptOut.Scope {
		case tenant.OptOutTenant:
			all = append(all, text.Reach{Tenant: t.Slug})
		case tenant.OptOutAll:
			all = append(all, text.Reach{All: true})
		}
	}
	return all
}

// ErrFuture says that a person cannot have said so yet.
var ErrFuture = errors.New("optout: the time is in the future")

// isFuture reports whether a person cannot have said so yet. The date of today may begin as late as
// a day after now, where it begins before that of UTC.
func isFuture(since, now time.Time) bool { return since.After(now.Add(24 * time.Hour)) }

// Record records what a person said, and ends what the phone is being asked within its reach. A
// zero Since is now.
func Record(
	ctx context.Context, tx *store.Tx, tenants tenant.Set, s text.Said,
) (first bool, err error) {
	if s.Since.IsZero() {
		s.Since = tx.Now()
	}
	if isFuture(s.Since, tx.Now()) {
		return false, ErrFuture
	}
	if first, err = text.SetOptOut(ctx, tx, s); err != nil {
		return false, err
	}
	switch {
	case s.Reach.All:
		return first, CancelAll(ctx, tx, tenants, s.Phone, why)
	case s.Reach.Tenant != "":
		t, known := tenants.Tenant(s.Reach.Tenant)
		if !known {
			return first, nil
		}
		return first, cancelOf(ctx, tx, t, s.Phone, why)
	}
	return first, cancel(ctx, tx, s.Reach.Line, s.Phone, "", why)
}

// cancel ends what a tenant is asking a phone on a line; "" stands for all tenants.
func cancel(
	ctx context.Context, tx *store.Tx, l phonemail.Line, phone phonemail.Number,
	of, reason string,
) error {
	if err := challenge.CancelAll(ctx, tx, l, phone, of, reason); err != nil {
		return err
	}
	open, err := verification.OpenOf(ctx, tx, l, phone)
	if err != nil {
		return err
	}
	for _, v := range open {
		if of != "" && v.Tenant != of {
			continue
		}
		_, err := verification.Cancel(ctx, tx, v.Tenant, v.ID, reason)
		if err != nil && !errors.Is(err, verification.ErrGone) {
			return err
		}
	}
	return nil
}

// cancelOf ends what a tenant is asking a phone on any of its lines.
func cancelOf(
	ctx context.Context, tx *store.Tx, t *tenant.Tenant, phone phonemail.Number, reason string,
) error {
	for _, line := range t.Lines(phone) {
		if err := cancel(ctx, tx, line, phone, t.Slug, reason); err != nil {
			return err
		}
	}
	return nil
}

// CancelAll ends what every tenant is asking a phone, for a reason.
func CancelAll(
	ctx context.Context, tx *store.Tx, tenants tenant.Set, phone phonemail.Number, reason string,
) error {
	for _, t := range tenants.All() {
		if err := cancelOf(ctx, tx, t, phone, reason); err != nil {
			return err
		}
	}
	return nil
}

// Start ends the opt-outs that a START to a line ends.
func Start(ctx context.Context, tx *store.Tx, h Heard) error {
	_, err := text.ClearOptOuts(ctx, tx, h.Phone, func(o text.KnownOptOut) bool {
		return h.ends(o.Reach)
	})
	return err
}

// Yes ends the opt-outs that a YES to a line ends.
func Yes(ctx context.Context, tx *store.Tx, h Heard) error {
	_, err := text.ClearOptOuts(ctx, tx, h.Phone, func(o text.KnownOptOut) bool {
		return h.ends(o.Reach) && (o.Via == text.ByReply || o.Via == text.ByProvider)
	})
	return err
}

// ends reports whether a START ends an opt-out of such a reach.
func (h Heard) ends(r text.Reach) bool {
	return slices.Contains(reaches(h), r) ||
		slices.ContainsFunc(h.Sharing, func(t *tenant.Tenant) bool {
			return r.Tenant == t.Slug
		})
}

// adoptedAtOnce is how many older rows one transaction replaces.
const adoptedAtOnce = 200

// Adopt replaces the numbers in opt-outs of older versions by their digests, in short transactions.
func Adopt(ctx context.Context, s *store.Store) error {
	for found := 1; found > 0; {
		err := s.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			found, err = text.AdoptOptOuts(ctx, tx, adoptedAtOnce)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
