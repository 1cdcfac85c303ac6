package limit

import (
	"context"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
)

// longestWait is how many times the first wait the longest one is.
const longestWait = 32

// judge says why the text that the rows count must not be sent, or nil.
func (c count) judge(
	ctx context.Context, tx *store.Tx, now map[string]db.Tally,
) (*Refusal, error) {
	if c.Kind == Tells {
		return nil, nil
	}
	for _, key := range []string{keyAll, countryKey(c.country), c.tenant, c.route} {
		if !now[key].HeldAt.IsZero() {
			return &Refusal{Held, c.now.Add(again).Time}, nil
		}
	}
	limits := c.Tenant.Limits
	for _, r := range []*Refusal{
		c.overDay(now[keyAll], limits.ProcessDay), c.overDay(now[c.tenant], limits.Day),
	} {
		if r != nil {
			return r, nil
		}
	}
	// The breaker comes before the limits of the hour. A fraud that uses these up early would leave
	// no text at which the breaker could open, and had them anew in the next hour.
	if c.Kind == Asks {
		if r, err := c.breaker(ctx, tx, now[c.route]); err != nil || r != nil {
			return r, err
		}
	}
	for _, r := range []*Refusal{
		c.overHour(now[c.route], limits.CountryHour, InCountry),
		c.overHour(now[c.mail], limits.MailPhones, OfMail),
		c.overHour(now[c.asker], limits.AskerHour, OfAsker),
		c.overHour(now[c.prefix], limits.PrefixHour, InRange),
		c.overPhone(now[c.toPhone]),
	} {
		if r != nil {
			return r, nil
		}
	}
	return nil, nil
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

func (c count) overHour(row db.Tally, most int, reason Reason) *Refusal {
	if most == 0 || row.Texts <= int64(most) {
		return nil
	}
	return &Refusal{reason, c.now.Truncate(hour).Add(hour)}
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

// breaker judges how many of a tenant's questions in a country went unanswered. It opens when that
// are too many. After the pause a few texts may try. Whether one of them is answered decides; when
// none is for as long again, a pause begins anew.
func (c count) breaker(ctx context.Context, tx *store.Tx, row db.Tally) (*Refusal, error) {
	most := int64(c.Tenant.Limits.Breaker)
	opened := row.OpenAt.Time
	refused := func(until time.Time) *Refusal { return &Refusal{Unanswered, until} }
	switch asked := row.Answered + row.Unanswered; {
	case most == 0:
		return nil, nil
	case opened.IsZero() && (row.Unanswered < most || row.Answered*share >= asked):
		return nil, nil
	case opened.IsZero():
		return refused(c.now.Add(pause).Time), c.turn(ctx, tx, true, 1, "opened")
	case c.now.Before(opened.Add(pause)):
		return refused(opened.Add(pause)), nil
	case row.Probes <= 1:
		// The answers of before say nothing about now.
		return nil, tx.SetBreaker(ctx, db.SetBreakerParams{
			Key: c.route, OpenAt: row.OpenAt, Probes: 1,
		})
	case row.Answered > 0:
		return nil, c.turn(ctx, tx, false, 0, "closed")
	case row.Probes <= probes:
		return nil, nil
	case c.now.Before(opened.Add(2 * pause)):
		return refused(opened.Add(2 * pause)), nil
	}
	return refused(c.now.Add(pause).Time), c.turn(ctx, tx, true, 1, "opened again")
}

// turn opens or closes the breaker. A text that is refused is counted as a probe until it is
// taken back.
func (c count) turn(
	ctx context.Context, tx *store.Tx, open bool, tried int64, detail string,
) error {
	set := db.SetBreakerParams{Key: c.route, Probes: tried}
	if open {
		set.OpenAt = c.now
	}
	if err := tx.SetBreaker(ctx, set); err != nil {
		return err
	}
	return tell(ctx, tx, c.Tenant.Slug, "limit.breaker", detail+" for "+c.country)
}
