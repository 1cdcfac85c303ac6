package limit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
)

// answer counts a right code or a yes of a text's phone.
func (d *desk) answer(t limit.Text) {
	d.do(func(ctx context.Context, tx *store.Tx) error {
		return limit.Answer(ctx, tx, t.Tenant.Slug, t.Account, t.Phone)
	})
}

// Ensure that a hold reaches what its scope says and nothing beside it, and that the timeline names
// the scope.
func TestScopes(t *testing.T) {
	each(t, func(d *desk) {
		for n, test := range []struct {
			scope limit.Scope
			held  string
			said  string
		}{
			{limit.Scope{}, "acme DK, acme SE, beta DK, beta SE, ", "all texts"},
			{limit.Scope{Tenant: "acme"}, "acme DK, acme SE, ", "tenant acme"},
			{limit.Scope{Country: "DK"}, "acme DK, beta DK, ", "to DK"},
			{limit.Scope{Tenant: "acme", Country: "DK"}, "acme DK, ", "tenant acme to DK"},
		} {
			d.do(func(ctx context.Context, tx *store.Tx) error {
				return limit.Hold(ctx, tx, test.scope)
			})
			held := ""
			for _, slug := range []string{"acme", "beta"} {
				for _, phone := range []string{"+4520000000", "+46701234567"} {
					p := d.prompt(0)
					p.Tenant.Slug, p.Account, p.Phone = slug, fmt.Sprint(slug, n), number(d, phone)
					if d.count(p) == limit.Held {
						held += slug + " " + p.Phone.Country() + ", "
					}
				}
			}
			require.Equal(d, test.held, held, test.said)
			d.do(func(ctx context.Context, tx *store.Tx) error {
				return limit.Release(ctx, tx, test.scope)
			})
			told := d.events("limit.hold")
			require.Equal(d, []string{"held: " + test.said, "released: " + test.said}, told[2*n:])
		}
	})
}

// Ensure that the money of a day may be used up to the last of it.
func TestMoneyToTheLast(t *testing.T) {
	each(t, func(d *desk) {
		text := func(n int) limit.Text {
			p := d.prompt(n)
			p.Tenant.Limits.Day.Money = price.Micro(2 * p.Cost())
			return p
		}
		require.Empty(d, d.count(text(0)))
		require.Empty(d, d.count(text(1)))
		require.Equal(d, limit.NoMoney, d.count(text(2)))
	})
}

// Ensure that a text which a phone left unanswered makes it wait no longer than a day.
func TestWaitsBeginAnew(t *testing.T) {
	each(t, func(d *desk) {
		p := d.prompt(0)
		p.Tenant.Limits.PhoneHour, p.Tenant.Limits.PhoneDay = 0, 0
		for _, wait := range []time.Duration{0, time.Minute, 2 * time.Minute, 4 * time.Minute} {
			d.at = d.at.Add(wait)
			require.Empty(d, d.count(p))
		}
		d.at = d.at.Add(24 * time.Hour)
		require.Empty(d, d.count(p))
		d.at = d.at.Add(time.Minute)
		require.Empty(d, d.count(p))
		d.at = d.at.Add(time.Minute)
		require.Equal(d, limit.TooSoon, d.count(p))
	})
}

// Ensure that texts which tell what came of a yes fill no hour: neither that of their country nor
// that of their phone.
func TestTellingFillsNoHour(t *testing.T) {
	each(t, func(d *desk) {
		p := d.prompt(0)
		p.Tenant.Limits.CountryHour = 1
		tells := p
		tells.Kind, tells.Answered = limit.Tells, true
		for range p.Tenant.Limits.PhoneDay {
			require.Empty(d, d.count(tells))
		}
		require.Empty(d, d.count(p))
		require.Equal(d, limit.InCountry, d.count(p))
	})
}

// Ensure that no breaker opens that is turned off, nor by what went unanswered in an hour before.
func TestBreakerStaysClosed(t *testing.T) {
	each(t, func(d *desk) {
		p := d.prompt(0)
		p.Tenant.Limits.Breaker = 0
		d.silence(p, 100)
		require.Empty(d, d.count(p))
		next := d.prompt(1)
		d.at = d.at.Add(time.Hour)
		require.Empty(d, d.count(next))
		require.Empty(d, d.events("limit.breaker"))
	})
}

// Ensure that an answer which comes in the pause of a breaker does not close it: it answers a text
// of before.
func TestAnswerInThePause(t *testing.T) {
	each(t, func(d *desk) {
		d.silence(d.prompt(0), 20)
		require.Equal(d, limit.Unanswered, d.count(d.prompt(1)))
		d.at = d.at.Add(10 * time.Minute)
		d.answer(d.prompt(0))
		d.at = d.at.Add(21 * time.Minute)
		for n := range 5 {
			require.Empty(d, d.count(d.prompt(10+n)))
		}
		require.Equal(d, limit.Unanswered, d.count(d.prompt(20)))
		require.Equal(d, []string{"opened for DK"}, d.events("limit.breaker"))
	})
}

// Ensure that a breaker stays open also when the caller returns the refusal as an error, which
// undoes all else.
func TestBreakerOpensAlsoWhenUndone(t *testing.T) {
	each(t, func(d *desk) {
		d.silence(d.prompt(0), 20)
		refused := errors.New("refused")
		err := d.stores[0].Do(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			refusal, err := limit.Count(ctx, tx, d.prompt(1))
			if err != nil || refusal == nil {
				return err
			}
			return refused
		})
		require.ErrorIs(d, err, refused)
		require.Equal(d, []string{"opened for DK"}, d.events("limit.breaker"))
		for range 3 {
			d.answer(d.prompt(0))
		}
		require.Equal(d, limit.Unanswered, d.count(d.prompt(2)), "it is open, whoever answers now")
	})
}
