// Package limit is the rule for how many texts there may be: to one phone, for one who asks, to
// one country, and for the money of a day.
//
// It is for the rule that makes a text due, and for the rules that must know before whether it
// may. It counts in the transaction that makes the text due, so that no crash and no second
// replica makes it lose count. It promises:
//
//   - No text that asks passes a limit: a prompt, a relay, a code. A hint passes none but the wait,
//     which its phone has ended itself by replying.
//   - A text that tells a person what came of an answer is counted and never refused. So a fraud
//     that uses up a budget keeps no one who answered from hearing of it.
//   - Of two transactions that count at once neither misses the other.
//   - The rows hold no number: the keyed digest of a phone, a range or an asker stands for it.
//
// # What is counted where
//
// A text counts in up to eight rows. They are read when it is judged, and written and locked at the
// end of the transaction, in one order: the first is always the one of all texts. What is locked is
// judged again if another transaction has changed it meanwhile (ledger.go).
//
//	all               segments and money of the day
//	country/DK        whether an operator holds it
//	tenant/acme       segments and money of the day
//	route/acme/DK     texts of the hour; the breaker
//	mail/acme/…       texts of the day
//	asker/acme/…      texts of the hour
//	prefix/acme/DK/…  texts of the hour, to numbers that differ in the last four digits
//	phone/DK/…        when it was texted last; of all tenants with one account at a provider
//
// An hour and a day are those of the clock in UTC, so that an operator can say when a limit ends.
// A phone belongs to a person, and gets no more in any hour and any day, wherever these begin.
//
// A second text to a phone must wait a minute, and each further one twice as long. A yes or a right
// code ends that. A no does not: its person did not ask for the text. A text that may not leave now
// is refused, not held: a question that comes ten minutes late asks about something that its person
// has given up.
//
// A mail's sender, when proved, is the identity provider, which speaks for all who sign up. It
// is not one who asks. Mails without a proved sender count as those of one asker together: who
// forges a sender forges the next one too.
package limit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Kind is how a text is treated.
type Kind int

// The kinds.
const (
	Asks  Kind = iota // a prompt, a relay, a code
	Hints             // says how to answer, because the phone replied
	Tells             // says what came of an answer
)

// Text is a text that is to be made due.
type Text struct {
	Tenant   *tenant.Tenant
	Account  string // whose sender it comes from
	Phone    phonemail.Number
	Kind     Kind
	Asker    string // who asks for it, "" when that is an app or an identity provider
	Mail     string // the Message-Id of the mail that causes it, "" for none
	Segments int
	Code     bool // it says a one-time code
	Answered bool // it follows from a yes of the phone
}

// Refusal is why a text must not be sent, and from when on it might.
type Refusal struct {
	Reason Reason
	Until  time.Time
}

// Reason is why a text is suppressed, in words for operators.
type Reason string

// The reasons.
const (
	Held         Reason = "limit: an operator holds these texts"
	Unanswered   Reason = "limit: too many in this country went unanswered"
	NoSegments   Reason = "limit: the segments of the day are used up"
	NoMoney      Reason = "limit: the money of the day is used up"
	InCountry    Reason = "limit: texts to this country in an hour"
	OfMail       Reason = "limit: phones of one mail"
	OfAsker      Reason = "limit: texts for one asker in an hour"
	InRange      Reason = "limit: texts to this range of numbers in an hour"
	ToPhoneInDay Reason = "limit: texts to this phone in a day"
	ToPhone      Reason = "limit: texts to this phone in an hour"
	TooSoon      Reason = "limit: too soon after an unanswered text"
)

// Memory is how long a row matters after the beginning of the window that was counted in last.
const Memory = 25 * time.Hour

const (
	hour = time.Hour
	day  = 24 * time.Hour
	// again is when a text that is refused without a known end may be asked for again.
	again = 10 * time.Minute
)

// AskerOfMail is who asks for a text by a mail to a tenant.
func AskerOfMail(t *tenant.Tenant) string {
	if t.Mails.Sender.Verify == tenant.VerifyOff {
		return "mail"
	}
	return ""
}

// Cost is what a text is taken to cost, in millionths of a dollar.
func (t Text) Cost() int64 {
	return int64(t.Tenant.Price(t.Phone.Country(), t.Segments, t.Code))
}

// Count counts a text, and returns why it must not be sent, or nil. A text that is refused is not
// counted. When the refusal turns the breaker, that stays, also if the caller returns the refusal
// as an error, which undoes all else.
func Count(ctx context.Context, tx *store.Tx, t Text) (*Refusal, error) {
	c, l := newCount(t, tx), ledgerOf(tx)
	rows := c.rows(t)
	if t.Kind == Tells {
		l.add(rows)
		c.watch(l, nil)
		return nil, nil
	}
	if err := l.load(ctx, tx, rows); err != nil {
		return nil, err
	}
	before := make([]db.Tally, 0, len(rows))
	for _, r := range rows {
		before = append(before, l.now[r.Key])
		l.now[r.Key] = apply(l.now[r.Key], r)
	}
	refusal, turn := c.judge(l.now)
	if refusal == nil {
		l.sum(rows)
		l.texts = append(l.texts, c)
	} else {
		for _, row := range before {
			l.now[row.Key] = row
		}
	}
	if turn != nil {
		if err := l.turn(ctx, tx, c, *turn, refusal != nil); err != nil {
			return nil, err
		}
	}
	c.watch(l, refusal)
	if refusal != nil && turn != nil && turn.detail != "" {
		tx.IfUndone(func(ctx context.Context, tx *store.Tx) error {
			refusal, err := Count(ctx, tx, t)
			if err == nil && refusal == nil {
				err = errAdmitted
			}
			return err
		})
	}
	return refusal, nil
}

// errAdmitted undoes the count of a text that was refused before, and is not sent now either.
var errAdmitted = errors.New("limit: the text was refused a moment ago")

// count is the rows of one text.
type count struct {
	Text
	country string
	now     moment.Moment

	route, tenant, mail, asker, prefix, toPhone string // keys, "" for what is not counted
}

const keyAll = "all"

func newCount(t Text, view store.View) count {
	country, e164 := t.Phone.Country(), t.Phone.E164()
	slug := t.Tenant.Slug
	c := count{
		Text: t, country: country, now: view.Moment(),
		tenant: tenantKey(slug), route: routeKey(slug, country),
		toPhone: phoneKey(view, t.Account, t.Phone),
	}
	if t.Mail != "" {
		c.mail = "mail/" + slug + "/" + view.Fingerprint("mail\x00"+t.Mail)
	}
	if t.Asker != "" {
		c.asker = "asker/" + slug + "/" + view.Fingerprint("asker\x00"+t.Asker)
	}
	if len(e164) > lastDigits {
		cut := e164[:len(e164)-lastDigits]
		c.prefix = "prefix/" + slug + "/" + country + "/" + view.Fingerprint("prefix\x00"+cut)
	}
	return c
}

// lastDigits are those in which the numbers of a range differ.
const lastDigits = 4

func tenantKey(slug string) string         { return "tenant/" + slug }
func countryKey(country string) string     { return "country/" + country }
func routeKey(slug, country string) string { return "route/" + slug + "/" + country }

func phoneKey(view store.View, account string, phone phonemail.Number) string {
	return "phone/" + phone.Country() + "/" +
		view.Fingerprint("phone\x00"+account+"\x00"+phone.E164())
}

// rows are what a text adds, in the order in which they are locked.
func (c count) rows(t Text) []db.TallyParams {
	today := moment.Of(c.now.Truncate(day))
	thisHour := moment.Of(c.now.Truncate(hour))
	row := func(key string, window moment.Moment) db.TallyParams {
		return db.TallyParams{Key: key, WindowAt: window}
	}
	all, own := row(keyAll, today), row(c.tenant, today)
	for _, r := range []*db.TallyParams{&all, &own} {
		r.Segments, r.Money = int64(t.Segments), t.Cost()
	}
	route, phone := row(c.route, thisHour), row(c.toPhone, thisHour)
	if t.Answered {
		route.Answered, phone.YesAt = 1, c.now
	}
	switch {
	case t.Kind == Tells && !t.Answered:
		return []db.TallyParams{all, own}
	case t.Kind == Tells:
		return []db.TallyParams{all, own, route, phone}
	}
	all.Texts, own.Texts, route.Texts = 1, 1, 1
	if t.Kind == Asks {
		route.Probes = 1
	}
	phone.Recent = stamp(c.now.Time)
	rows := []db.TallyParams{all, row(countryKey(c.country), thisHour), own, route}
	for _, r := range []db.TallyParams{
		row(c.mail, today), row(c.asker, thisHour), row(c.prefix, thisHour),
	} {
		if r.Key != "" {
			r.Texts = 1
			rows = append(rows, r)
		}
	}
	return append(rows, phone)
}

// stampDigits is how many digits a time of a phone's row has.
const stampDigits = 13

func stamp(at time.Time) string { return fmt.Sprintf("%0*d", stampDigits, at.UnixMilli()) }

// stamps reads the times of a phone's row, oldest first.
func stamps(kept string) (all []time.Time) {
	for len(kept) >= stampDigits {
		millis, err := strconv.ParseInt(kept[:stampDigits], 10, 64)
		if err == nil {
			all = append(all, time.UnixMilli(millis).UTC())
		}
		kept = kept[stampDigits:]
	}
	return all
}
