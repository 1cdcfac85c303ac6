package limit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/longtest"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// desk counts texts on one database, at a time that only the test moves.
type desk struct {
	testing.TB
	stores []*store.Store // replicas of one database
	at     time.Time
	turn   int
}

// each runs a test with one SQLite database, and with two replicas on PostgreSQL.
func each(t *testing.T, test func(d *desk)) {
	for name, open := range map[string]struct {
		url      func(*testing.T) string
		replicas int
	}{"sqlite": {storetest.SQLite, 1}, "postgres": {storetest.PostgreSQL, 2}} {
		t.Run(name, func(t *testing.T) {
			d := &desk{TB: t, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
			url := open.url(t)
			for range open.replicas {
				d.stores = append(d.stores, storetest.Open(t, url, func() time.Time { return d.at }))
			}
			test(d)
		})
	}
}

// do runs a transaction, on one replica after the other.
func (d *desk) do(f func(ctx context.Context, tx *store.Tx) error) {
	d.Helper()
	d.turn++
	require.NoError(d, d.stores[d.turn%len(d.stores)].Do(context.Background(), f))
}

// count counts a text, and returns why it is refused, or "".
func (d *desk) count(t limit.Text) limit.Reason {
	d.Helper()
	refusal := d.refusal(t)
	if refusal == nil {
		return ""
	}
	require.True(d, refusal.Until.After(d.at), "a refusal ends some time")
	return refusal.Reason
}

func (d *desk) refusal(t limit.Text) (refusal *limit.Refusal) {
	d.Helper()
	d.do(func(ctx context.Context, tx *store.Tx) (err error) {
		refusal, err = limit.Count(ctx, tx, t)
		return err
	})
	return refusal
}

// silence lets questions go unanswered.
func (d *desk) silence(t limit.Text, n int) {
	d.do(func(ctx context.Context, tx *store.Tx) error {
		all := make([]limit.Silence, n)
		for i := range all {
			all[i] = limit.Silence{Tenant: t.Tenant.Slug, Phone: t.Phone}
		}
		return limit.CountSilence(ctx, tx, all)
	})
}

// events are the details of the events of a name, oldest first.
func (d *desk) events(name string) (details []string) {
	d.do(func(ctx context.Context, tx *store.Tx) error {
		details = nil
		all, err := store.Timeline(ctx, tx, "", 100_000)
		for _, e := range all {
			if e.Name == name {
				details = append(details, e.Detail)
			}
		}
		return err
	})
	return details
}

func number(t require.TestingT, e164 string) phonemail.Number {
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

// prompt is a text of a tenant with the shipped limits to the nth phone. Each phone is in a range
// of its own.
func (d *desk) prompt(n int) limit.Text {
	return limit.Text{
		Tenant: acme(), Account: "AC1", Phone: number(d, fmt.Sprintf("+45%04d0000", 2000+n)), Segments: 1,
	}
}

func acme() *tenant.Tenant {
	return &tenant.Tenant{Slug: "acme", Limits: tenant.Limits{
		Wait: time.Minute, PhoneHour: 5, PhoneDay: 10, PrefixHour: 20, CountryHour: 200, AskerHour: 30,
		MailPhones: 10, Breaker: 20, Prices: price.Shipped(),
	}, Sending: tenant.Sending{Providers: []tenant.Provider{tenant.ByTwilio}}}
}

// Ensure that a phone is texted a minute, two, four and eight after a text that it leaves
// unanswered. It is texted five times in an hour and ten times in a day, whichever tenant asks.
//
//test:unwatched
func TestPhone(t *testing.T) {
	longtest.Skip(t)
	each(t, func(d *desk) {
		start, texted := d.at, []int(nil)
		for ; d.at.Sub(start) < 48*time.Hour; d.at = d.at.Add(time.Minute) {
			p := d.prompt(0)
			if d.at.Minute()%2 == 1 {
				p.Tenant.Slug = "beta"
			}
			if d.count(p) == "" {
				texted = append(texted, int(d.at.Sub(start).Minutes()))
			}
		}
		first := []int{0, 1, 3, 7, 15, 60, 92, 124, 156, 188}
		require.Equal(t2(d), first, texted[:10])
		for i, at := range texted {
			if i >= 10 {
				require.GreaterOrEqual(d, at-texted[i-10], 24*60)
			}
		}
		require.Greater(d, len(texted), 18)
		other := d.prompt(0)
		other.Account = "AC2"
		require.Empty(d, d.count(other), "another account's texts are not this one's")
	})
}

func t2(d *desk) require.TestingT { return d.TB }

// Ensure that a phone that answers need not wait, and that its hint does not wait either.
func TestAnswerEndsTheWait(t *testing.T) {
	each(t, func(d *desk) {
		p := d.prompt(0)
		require.Empty(d, d.count(p))
		d.at = d.at.Add(10 * time.Second)
		require.Equal(d, limit.TooSoon, d.count(p))
		hint := p
		hint.Kind = limit.Hints
		require.Empty(d, d.count(hint))
		yes := p
		yes.Kind, yes.Answered = limit.Tells, true
		require.Empty(d, d.count(yes))
		d.at = d.at.Add(time.Second)
		require.Empty(d, d.count(p))
		d.at = d.at.Add(time.Second)
		require.Equal(d, limit.TooSoon, d.count(p))
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return limit.Answer(ctx, tx, "acme", "AC1", p.Phone)
		})
		d.at = d.at.Add(time.Second)
		require.Empty(d, d.count(p))
	})
}

// Ensure that ranges, countries, askers and mails have limits of their own. A refused text is not
// counted, and an hour of the clock ends them.
func TestHour(t *testing.T) {
	each(t, func(d *desk) {
		for name, test := range map[string]struct {
			most   int
			text   func(n int) limit.Text
			reason limit.Reason
			window time.Duration
		}{
			"range": {20, func(n int) limit.Text {
				p := d.prompt(0)
				p.Tenant.Slug, p.Phone = "range", number(d, fmt.Sprintf("+452777%04d", n))
				return p
			}, limit.InRange, time.Hour},
			"country": {200, func(n int) limit.Text {
				p := d.prompt(n)
				p.Tenant.Slug = "country"
				return p
			}, limit.InCountry, time.Hour},
			"asker": {30, func(n int) limit.Text {
				p := d.prompt(1000 + n)
				p.Tenant.Slug, p.Asker = "asker", "192.0.2.1"
				return p
			}, limit.OfAsker, time.Hour},
			"mail": {10, func(n int) limit.Text {
				p := d.prompt(2000 + n)
				p.Tenant.Slug, p.Mail = "mail", "id@acme.example"
				return p
			}, limit.OfMail, 24 * time.Hour},
		} {
			for n := range test.most {
				require.Empty(d, d.count(test.text(n)), "%s %d", name, n)
			}
			for n := range 3 {
				r := d.refusal(test.text(test.most + n))
				require.Equal(d, test.reason, r.Reason, name)
				require.Equal(d, d.at.Truncate(test.window).Add(test.window), r.Until, name)
			}
			if name != "country" {
				apart := d.prompt(3000)
				apart.Tenant.Slug, apart.Account = name, name
				require.Empty(d, d.count(apart), "others of the tenant are texted")
			}
		}
		d.at = d.at.Add(time.Hour)
		next := d.prompt(205)
		next.Tenant.Slug = "country"
		require.Empty(d, d.count(next))
	})
}

// Ensure that the budget of a day ends what asks and not what tells. An operator hears of it once
// at each share, and the next day begins anew.
func TestBudget(t *testing.T) {
	each(t, func(d *desk) {
		text := func(n int) limit.Text {
			p := d.prompt(n)
			p.Tenant.Limits.Day.Segments = 10
			p.Tenant.Limits.ProcessDay.Money = 2 * price.Dollar
			return p
		}
		for n := range 10 {
			require.Empty(d, d.count(text(n)))
		}
		for n := range 3 {
			require.Equal(d, limit.NoSegments, d.count(text(10+n)))
		}
		tells := text(0)
		tells.Kind = limit.Tells
		for range 40 {
			require.Empty(d, d.count(tells))
		}
		other := text(20)
		other.Tenant.Slug = "beta"
		require.Equal(d, limit.NoMoney, d.count(other), "50 texts to Denmark cost 2.96 dollars")
		require.Equal(d, []string{
			"50 % of the day of the tenant: 5 of 10 segments",
			"80 % of the day of the tenant: 8 of 10 segments",
			"100 % of the day of the tenant: 10 of 10 segments",
			"50 % of the day of all tenants: 1.0064 of 2.00 dollars",
			"80 % of the day of all tenants: 1.6576 of 2.00 dollars",
			"100 % of the day of all tenants: 1.9536 of 2.00 dollars",
		}, d.events("limit.budget"))
		d.at = d.at.Add(24 * time.Hour)
		require.Empty(d, d.count(text(30)))
	})
}

// Ensure that a country in which questions go unanswered is left alone for a while, and then tried.
// A country in which people answer is not.
func TestBreaker(t *testing.T) {
	each(t, func(d *desk) {
		silent, good := d.prompt(0), d.prompt(0)
		good.Tenant.Slug = "beta"
		for range 3 {
			d.do(func(ctx context.Context, tx *store.Tx) error {
				return limit.Answer(ctx, tx, "beta", "AC1", good.Phone)
			})
		}
		d.silence(good, 27)
		d.silence(silent, 19)
		require.Empty(d, d.count(d.prompt(1)))
		d.silence(silent, 1)
		require.Equal(d, limit.Unanswered, d.count(d.prompt(2)))
		good.Phone = d.prompt(3).Phone
		require.Empty(d, d.count(good), "one in ten answers")
		require.Equal(d, []string{"opened for DK"}, d.events("limit.breaker"))
		d.at = d.at.Add(29 * time.Minute)
		require.Equal(d, limit.Unanswered, d.count(d.prompt(4)))
		d.at = d.at.Add(2 * time.Minute)
		for n := range 5 {
			require.Empty(d, d.count(d.prompt(10+n)))
		}
		require.Equal(d, limit.Unanswered, d.count(d.prompt(20)), "five try")
		d.at = d.at.Add(30 * time.Minute)
		require.Equal(d, limit.Unanswered, d.count(d.prompt(21)), "none was answered")
		d.at = d.at.Add(31 * time.Minute)
		require.Empty(d, d.count(d.prompt(30)))
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return limit.Answer(ctx, tx, "acme", "AC1", d.prompt(30).Phone)
		})
		for n := range 10 {
			require.Empty(d, d.count(d.prompt(40+n)))
		}
		require.Equal(d, []string{"opened for DK", "opened again for DK", "closed for DK"},
			d.events("limit.breaker"))
	})
}

// Ensure that a fraud which has used up the hour of a country opens the breaker all the same. So it
// does not get another hour's texts at the turn of the hour.
func TestBreakerOfAFullHour(t *testing.T) {
	each(t, func(d *desk) {
		text := func(n int) limit.Text {
			p := d.prompt(n)
			p.Tenant.Limits.CountryHour = 30
			return p
		}
		d.at = d.at.Truncate(time.Hour)
		for n := range 30 {
			require.Empty(d, d.count(text(n)))
		}
		require.Equal(d, limit.InCountry, d.count(text(30)))
		d.silence(text(0), 30)
		d.at = d.at.Add(50 * time.Minute)
		require.Equal(d, limit.Unanswered, d.count(text(31)))
		d.at = d.at.Add(20 * time.Minute)
		require.Equal(d, limit.Unanswered, d.count(text(32)), "the next hour begins with the pause")
	})
}

// Ensure that an operator ends texts at once and on all replicas, by tenant and country, and that
// what tells of an answer still goes.
func TestHold(t *testing.T) {
	each(t, func(d *desk) {
		for n, scope := range []limit.Scope{
			{}, {Tenant: "acme"}, {Country: "DK"}, {Tenant: "acme", Country: "DK"},
		} {
			d.do(func(ctx context.Context, tx *store.Tx) error { return limit.Hold(ctx, tx, scope) })
			p := d.prompt(2 * n)
			require.Equal(d, limit.Held, d.count(p), scope)
			require.Equal(d, limit.Held, d.count(p), scope)
			other := p
			other.Tenant, other.Phone = acme(), number(d, "+46701234567")
			other.Tenant.Slug, other.Account = "beta", fmt.Sprint(n)
			require.Equal(d, scope == limit.Scope{}, d.count(other) == limit.Held, scope)
			p.Kind = limit.Tells
			require.Empty(d, d.count(p))
			d.do(func(ctx context.Context, tx *store.Tx) error { return limit.Release(ctx, tx, scope) })
			require.Empty(d, d.count(d.prompt(2*n+1)))
		}
		require.Len(d, d.events("limit.hold"), 8)
	})
}

// Ensure that many at once do not pass a limit together, and that no row tells a number.
func TestAtOnce(t *testing.T) {
	each(t, func(d *desk) {
		const callers = 60
		allowed := make(chan bool, callers)
		for n := range callers {
			go func() {
				var refusal *limit.Refusal
				p := d.prompt(0)
				p.Phone = number(d, fmt.Sprintf("+452777%04d", n%40))
				err := d.stores[n%len(d.stores)].Do(context.Background(),
					func(ctx context.Context, tx *store.Tx) (err error) {
						refusal, err = limit.Count(ctx, tx, p)
						return err
					})
				allowed <- err == nil && refusal == nil
			}()
		}
		passed := 0
		for range callers {
			if <-allowed {
				passed++
			}
		}
		require.Equal(d, 20, passed)
		d.do(func(ctx context.Context, tx *store.Tx) error {
			row, err := tx.GetTally(ctx, "route/acme/DK")
			require.EqualValues(d, 20, row.Texts)
			return err
		})
	})
}

// Ensure that what was counted of a phone is gone once an operator has it forgotten. That holds for
// every account that is named, and for no other phone.
func TestForget(t *testing.T) {
	each(t, func(d *desk) {
		p, other := d.prompt(0), d.prompt(1)
		require.Empty(d, d.count(p))
		require.Empty(d, d.count(other))
		d.at = d.at.Add(time.Second)
		var gone int64
		d.do(func(ctx context.Context, tx *store.Tx) (err error) {
			gone, err = limit.Forget(ctx, tx, []string{"AC1", "AC2"}, p.Phone)
			return err
		})
		require.EqualValues(d, 1, gone)
		require.Empty(d, d.count(p))
		require.Equal(d, limit.TooSoon, d.count(other))
	})
}
