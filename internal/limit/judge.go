package limit

import (
	"context"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
)

// longestWait is how many times the first wait the longest one is.
const longestWait = 32

// judge says why the text that the rows count must not be sent, or nil, and how it turns the
// breaker of its country.
func (c count) judge(now map[string]db.Tally) (*Refusal, *turn) {
	if c.held(now) {
		return &Refusal{Held, c.now.Add(again).Time}, nil
	}
	if r := c.overDays(now); r != nil {
		return r, nil
	}
	// The breaker comes before the limits of the hour. A fraud that uses these up early would leave
	// no text at which the breaker could open, and had them anew in the next hour.
	var turned *turn
	if c.Kind == Asks {
		var r *Refusal
		if r, turned = c.breaker(now[c.route]); r != nil {
			return r, turned
		}
	}
	if r := c.overHours(now); r != nil {
		return r, turned
	}
	return c.overPhone(now[c.toPhone]), turned
}

// held reports whether an operator holds the text.
func (c count) held(now map[string]db.Tally) bool {
	for _, key := range []string{keyAll, countryKey(c.country), c.tenant, c.route} {
		if !now[key].HeldAt.IsZero() {
			return true
		}
	}
	return false
}

// over says which limit the rows pass that are counted in a window, or nil.
func (c count) over(now map[string]db.Tally) *Refusal {
	if r := c.overDays(now); r != nil {
		return r
	}
	return c.overHours(now)
}

func (c count) overDays(now map[string]db.Tally) *Refusal {
	if r := c.overDay(now[keyAll], c.Tenant.Limits.ProcessDay); r != nil {
		return r
	}
	return c.overDay(now[c.tenant], c.Tenant.Limits.Day)
}

func (c count) overHours(now map[string]db.Tally) *Refusal {
	limits := c.Tenant.Limits
	for _, r := range []*Refusal{
		c.overTexts(now[c.route], limits.CountryHour, InCountry, hour),
		c.overTexts(now[c.mail], limits.MailPhones, OfMail, day),
		c.overTexts(now[c.asker], limits.AskerHour, OfAsker, hour),
		c.overTexts(now[c.prefix], limits.PrefixHour, InRange, hour),
	} {
		if r != nil {
			return r
		}
	}
	return nil
}

func (c count) overDay(row db.Tally, b tenant.Budget) *Refusal {
	until := c.now.Truncate(day).Add(day)
	switch {
	case b.Segments != 0 && row.Segments > int64(b.Segments):
		return &Refusal{NoSegments, until}
	case b.Money != 0 && price.Micro(row.Money) > b.Money:
		return &Refusal{NoMoney, until}
	}
	return nil
}

// overTexts judges a row that counts texts in a window of the clock.
func (c count) overTexts(
	row db.Tally, most int, reason Reason, window time.Duration,
) *Refusal {
	if most == 0 || row.Texts <= int64(most) {
		return nil
	}
	return &Refusal{reason, c.now.Truncate(window).Add(window)}
}

// overPhone judges a phone by the times at which it was texted before.
func (c count) overPhone(row db.Tally) *Refusal {
	all := stamps(row.Recent)
	if len(all) > 0 {
		all = all[:len(all)-1] // this text
	}
	reasons := [...]Reason{ToPhoneInDay, ToPhone, TooSoon}
	for i, until := range c.waits(all, row.YesAt.Time) {
		if c.now.Before(until) {
			return &Refusal{reasons[i], until}
		}
	}
	return nil
}

// waits are until when a phone must wait: for the limit of a day, for that of an hour, and after a
// text that it did not answer. All are the times at which it was texted, and yes when it answered.
func (c count) waits(all []time.Time, yes time.Time) [3]time.Time {
	limits := c.Tenant.Limits
	until := [3]time.Time{full(all, limits.PhoneDay, day), full(all, limits.PhoneHour, hour)}
	if c.Kind == Hints || limits.Wait == 0 {
		return until
	}
	wait, last := limits.Wait, time.Time{}
	for _, at := range all {
		if !at.After(yes) || c.now.Sub(at) >= day {
			continue
		}
		if !last.IsZero() {
			wait = min(2*wait, longestWait*limits.Wait)
		}
		last = at
	}
	if !last.IsZero() {
		until[2] = last.Add(wait)
	}
	return until
}

// full is when the next text may follow so many in a time.
func full(all []time.Time, most int, within time.Duration) time.Time {
	if most == 0 || len(all) < most {
		return time.Time{}
	}
	return all[len(all)-most].Add(within)
}

// The breaker leaves a country alone whose people do not answer.
const (
	pause  = 30 * time.Minute
	probes = 5  // texts that try whether people answer again
	share  = 10 // one of so many must answer
)

// turn is what becomes of a breaker.
type turn struct {
	open   moment.Moment // since when it is open, zero when it is closed
	probes int64         // the texts that tried since, with the one that is judged
	detail string        // what an operator is told, "" for nothing
}

// breaker judges how many of a tenant's questions in a country went unanswered. It opens when that
// are too many. After the pause a few texts may try. Whether one of them is answered decides; when
// none is for as long again, a pause begins anew.
func (c count) breaker(row db.Tally) (*Refusal, *turn) {
	most := int64(c.Tenant.Limits.Breaker)
	opened := row.OpenAt.Time
	refused := func(until time.Time) *Refusal { return &Refusal{Unanswered, until} }
	switch asked := row.Answered + row.Unanswered; {
	case most == 0:
		return nil, nil
	case opened.IsZero() && (row.Unanswered < most || row.Answered*share >= asked):
		return nil, nil
	case opened.IsZero():
		return refused(c.now.Add(pause).Time), &turn{c.now, 1, "opened"}
	case c.now.Before(opened.Add(pause)):
		return refused(opened.Add(pause)), nil
	case row.Probes <= 1:
		// The answers of before say nothing about now.
		return nil, &turn{row.OpenAt, 1, ""}
	case row.Answered > 0:
		return nil, &turn{moment.Moment{}, 0, "closed"}
	case row.Probes <= probes:
		return nil, nil
	case c.now.Before(opened.Add(2 * pause)):
		return refused(opened.Add(2 * pause)), nil
	}
	return refused(c.now.Add(pause).Time), &turn{c.now, 1, "opened again"}
}

// turn turns a breaker. A text that is refused tries nothing.
func (l *ledger) turn(
	ctx context.Context, tx *store.Tx, c count, t turn, refused bool,
) error {
	if refused {
		t.probes = max(0, t.probes-1)
	}
	row := l.now[c.route]
	row.OpenAt, row.Probes, row.Answered, row.Unanswered = t.open, t.probes, 0, 0
	l.now[c.route] = row
	if l.turned == nil {
		l.turned = map[string]bool{}
	}
	l.turned[c.route] = true
	l.add([]db.TallyParams{{Key: c.route, WindowAt: moment.Of(c.now.Truncate(hour))}})
	if t.detail == "" {
		return nil
	}
	return tell(ctx, tx, c.Tenant.Slug, "limit.breaker", t.detail+" for "+c.country)
}
