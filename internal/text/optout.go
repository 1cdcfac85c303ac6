package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/phonemail"
)

// This file keeps which phones must not be texted. A row is found by a keyed digest of the phone.
// The number is sealed beside it, so that it can be exported. Who is erased loses the number and
// keeps the digest: the person must not be texted again for having been forgotten.

// Reach is what an opt-out holds for: a line, a tenant or all.
type Reach struct {
	Line   phonemail.Line // of an opt-out that holds for a line
	Tenant string         // of one that holds for a tenant, whatever the line
	All    bool           // it holds for all tenants
}

// The accounts of the rows that hold for more than a line. No provider's account begins so.
const (
	ofTenant = "/tenant"
	ofAll    = "/all"
)

// IsAccount reports whether an opt-out may hold for a line of an account: the rows of others have a
// meaning of their own.
func IsAccount(account string) bool { return !strings.HasPrefix(account, "/") }

// key is the account and the sender in the row of an opt-out.
func (r Reach) key() phonemail.Line {
	switch {
	case r.All:
		return phonemail.Line{Account: ofAll}
	case r.Tenant != "":
		return phonemail.Line{Account: ofTenant, Sender: r.Tenant}
	}
	return r.Line
}

// String names what an opt-out holds for, as operators read it.
func (r Reach) String() string {
	switch {
	case r.All:
		return "all"
	case r.Tenant != "":
		return "tenant"
	}
	return "sender"
}

// Covers reports whether an opt-out keeps a tenant from texting a phone from a line.
func (r Reach) Covers(tenant string, l phonemail.Line) bool {
	return r.All || r.Tenant == tenant && tenant != "" || r == Reach{Line: l}
}

// Via is how a person said that they want no texts.
type Via string

// The ways.
const (
	ByReply    Via = "reply"    // a text to the line
	ByProvider Via = "provider" // the provider says so, as Twilio's error 21610 does
	ByMail     Via = "mail"
	ByPhone    Via = "phone"
	ByLetter   Via = "letter"
	ByOther    Via = "other"
)

// Vias are the ways that a person other than the bridge can record.
func Vias() []Via { return []Via{ByMail, ByPhone, ByLetter, ByOther} }

// Said is a person's wish to get no texts.
type Said struct {
	Phone    phonemail.Number
	Reach    Reach
	Via      Via
	Recorder string    // who recorded it, "" for the bridge itself
	Since    time.Time // when the person said so
}

// KnownOptOut is a phone that must not be texted.
type KnownOptOut struct {
	Said               // Phone is a pseudonym when the number is gone
	ID       string    // "" in a row of an older version
	Recorded time.Time // zero in a row of an older version
}

// SetOptOut records that a phone must not be texted any more. It reports whether that is new. What
// a person wrote or said takes the place of a STOP by text: a reply would end that. It keeps the
// time since which the phone must not be texted.
func SetOptOut(ctx context.Context, tx *store.Tx, s Said) (first bool, err error) {
	known, err := OptOutsOf(ctx, tx, s.Phone)
	if err != nil {
		return false, err
	}
	for _, o := range known {
		if o.Reach != s.Reach {
			continue
		}
		if !slices.Contains(Vias(), s.Via) || slices.Contains(Vias(), o.Via) {
			return false, nil
		}
		s.Since = o.Since
		if _, err := removeOptOut(ctx, tx, o, s.Phone); err != nil {
			return false, err
		}
	}
	id, err := addOptOut(ctx, tx, s)
	if err != nil || id == "" {
		return false, err
	}
	return true, tx.Record(ctx, s.Reach.Tenant, id, "opt_out.set", s.Reach.String()+" "+string(s.Via))
}

// addOptOut adds a row and returns its id, "" when there is one already.
func addOptOut(ctx context.Context, tx *store.Tx, s Said) (id string, err error) {
	id = store.NewID()
	key := s.Reach.key()
	n, err := tx.SetOptOut(ctx, db.SetOptOutParams{
		Account: key.Account, Sender: key.Sender, Phone: tx.Pseudonym(s.Phone),
		Since: moment.Of(s.Since), ID: id, Tenant: s.Reach.Tenant,
		Number: tx.Seal(numberPlace(id, s.Reach.Tenant), []byte(s.Phone.E164())),
		Via:    string(s.Via), Recorder: s.Recorder, RecordedAt: tx.Moment(),
	})
	if err != nil || n == 0 {
		return "", err
	}
	return id, nil
}

// OptOut records that a phone said STOP to a line.
func OptOut(ctx context.Context, tx *store.Tx, l phonemail.Line, phone phonemail.Number) error {
	_, err := SetOptOut(ctx, tx, Said{
		Phone: phone, Reach: Reach{Line: l}, Via: ByReply, Since: tx.Now(),
	})
	return err
}

// ClearOptOuts ends the opt-outs of a phone that are to end, and returns how many it ended.
func ClearOptOuts(
	ctx context.Context, tx *store.Tx, phone phonemail.Number, ends func(KnownOptOut) bool,
) (ended int, err error) {
	all, err := OptOutsOf(ctx, tx, phone)
	if err != nil {
		return 0, err
	}
	for _, o := range all {
		if !ends(o) {
			continue
		}
		n, err := removeOptOut(ctx, tx, o, phone)
		if err != nil {
			return ended, err
		}
		ended += n
		err = tx.Record(ctx, o.Reach.Tenant, o.ID, "opt_out.cleared", o.Reach.String())
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// removeOptOut removes the row of an opt-out: by the number in a row of an older version, then by
// the digest. AdoptOptOuts, which replaces one by the other, goes the same way: so neither misses
// what the other does. It returns how many there were.
func removeOptOut(
	ctx context.Context, tx *store.Tx, o KnownOptOut, phone phonemail.Number,
) (removed int, err error) {
	key := o.Reach.key()
	for _, as := range []phonemail.Number{phone, tx.Pseudonym(phone)} {
		n, err := tx.ClearOptOut(ctx, db.ClearOptOutParams{
			Account: key.Account, Sender: key.Sender, Phone: as,
		})
		if err != nil {
			return removed, fmt.Errorf("text: removing an opt-out: %w", err)
		}
		removed += int(n)
	}
	return removed, nil
}

// OptedOut reports whether a tenant must not text a phone from a line.
func OptedOut(
	ctx context.Context, view store.View, tenant string, l phonemail.Line, phone phonemail.Number,
) (bool, error) {
	rows, err := view.OptOutsOf(ctx, db.OptOutsOfParams{
		Digest: view.Pseudonym(phone), Phone: phone,
	})
	for _, row := range rows {
		if reachOf(row).Covers(tenant, l) {
			return true, err
		}
	}
	return false, err
}

// OptOutsOf returns all that a phone said no to.
func OptOutsOf(
	ctx context.Context, view store.View, phone phonemail.Number,
) ([]KnownOptOut, error) {
	rows, err := view.OptOutsOf(ctx, db.OptOutsOfParams{
		Digest: view.Pseudonym(phone), Phone: phone,
	})
	if err != nil {
		return nil, fmt.Errorf("text: reading opt-outs: %w", err)
	}
	return readOptOuts(view, rows)
}

// OptOutsAfter returns the opt-outs that were recorded after the one with the id after, oldest
// first, at most most. The id "" begins with the first. Call AdoptOptOuts before, until it finds
// none.
func OptOutsAfter(
	ctx context.Context, view store.View, after string, most int,
) ([]KnownOptOut, error) {
	rows, err := view.OptOutsAfter(ctx, db.OptOutsAfterParams{After: after, Most: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("text: reading opt-outs: %w", err)
	}
	return readOptOuts(view, rows)
}

// OptOutOf returns the opt-out of an id. It reports false when there is none.
func OptOutOf(
	ctx context.Context, view store.View, id string,
) (o KnownOptOut, known bool, err error) {
	rows, err := view.GetOptOut(ctx, id)
	if err != nil {
		return o, false, fmt.Errorf("text: reading an opt-out: %w", err)
	}
	all, err := readOptOuts(view, rows)
	if err != nil || len(all) == 0 {
		return o, false, err
	}
	return all[0], true, nil
}

// AdoptOptOuts gives rows of older versions, which have the number itself, the digest and an id, at
// most most of them. It returns how many it found.
func AdoptOptOuts(ctx context.Context, tx *store.Tx, most int) (int, error) {
	rows, err := tx.OlderOptOuts(ctx, int32(most))
	if err != nil {
		return 0, fmt.Errorf("text: reading older opt-outs: %w", err)
	}
	for _, row := range rows {
		key := phonemail.Line{Account: row.Account, Sender: row.Sender}
		said := Said{
			Phone: row.Phone, Reach: Reach{Line: key}, Via: Via(row.Via), Since: row.Since.Time,
		}
		n, err := tx.ClearOptOut(ctx, db.ClearOptOutParams{
			Account: row.Account, Sender: row.Sender, Phone: row.Phone,
		})
		if err == nil && n > 0 { // else a START has ended it since it was read
			_, err = addOptOut(ctx, tx, said)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

func reachOf(row db.OptOut) Reach {
	switch row.Account {
	case ofAll:
		return Reach{All: true}
	case ofTenant:
		return Reach{Tenant: row.Sender}
	}
	return Reach{Line: phonemail.Line{Account: row.Account, Sender: row.Sender}}
}

func readOptOuts(view store.View, rows []db.OptOut) ([]KnownOptOut, error) {
	all := make([]KnownOptOut, 0, len(rows))
	for _, row := range rows {
		o := KnownOptOut{
			Said: Said{
				Phone: row.Phone, Reach: reachOf(row), Via: Via(row.Via), Recorder: row.Recorder,
				Since: row.Since.Time,
			},
			ID: row.ID, Recorded: row.RecordedAt.Time,
		}
		number, err := view.Open(numberPlace(row.ID, row.Tenant), row.Number)
		if err != nil && !errors.Is(err, store.ErrSealed) { // an operator has forgotten that key
			return nil, fmt.Errorf("text: opt-out %s: %w", row.ID, err)
		}
		if len(number) > 0 {
			if err := o.Phone.Scan(number); err != nil {
				return nil, fmt.Errorf("text: opt-out %s: %w", row.ID, err)
			}
		}
		all = append(all, o)
	}
	return all, nil
}

func numberPlace(id, tenant string) store.Place {
	return store.Place{Table: "opt_out", ID: id, Column: "number", Tenant: tenant}
}
