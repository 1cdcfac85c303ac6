package limit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/longtest"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// uses are what is counted now, each in a line, and with a star what is near its limit. Left
// out are digests, and what is not used at all.
func (d *desk) uses(tenants ...*tenant.Tenant) (lines []string) {
	d.do(func(ctx context.Context, tx *store.Tx) error {
		lines = nil
		all, err := limit.Uses(ctx, tx, tenants)
		for _, u := range all {
			if u.Used == "0" {
				continue
			}
			what := u.What
			if parts := strings.Split(what, "/"); len(parts[len(parts)-1]) > 20 {
				what = strings.Join(parts[:len(parts)-1], "/")
			}
			line := strings.Join(strings.Fields(strings.Join(
				[]string{what, u.Limit, u.Used, u.Of, u.State}, " ")), " ")
			if u.Near() {
				line += " *"
			}
			lines = append(lines, line)
		}
		return err
	})
	return lines
}

// Ensure that an operator sees how much of each limit is used, and what is held or open. The limits
// are those of the tenant that a row is about.
func TestUses(t *testing.T) {
	each(t, func(d *desk) {
		first, small := acme(), acme()
		first.Limits.ProcessDay = tenant.Budget{Segments: 100, Money: 2 * price.Dollar}
		small.Slug = "beta"
		small.Limits.CountryHour, small.Limits.PhoneDay, small.Limits.ProcessDay = 2, 3,
			first.Limits.ProcessDay
		small.Limits.Day = tenant.Budget{Segments: 3, Money: price.Dollar / 5}
		require.Empty(d, d.uses(first, small))
		for n := range 2 {
			p := d.prompt(n)
			p.Tenant, p.Asker, p.Mail = small, "192.0.2.1", "id@acme.example"
			require.Empty(d, d.count(p))
		}
		p := d.prompt(0)
		p.Tenant = first
		d.silence(p, 20)
		require.Equal(d, limit.Unanswered, d.count(p))
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return limit.Hold(ctx, tx, limit.Scope{Country: "SE"})
		})
		require.Equal(d, []string{
			"country/SE hold held *",
			"all daily_segments 2 100",
			"all daily_money 0.1184 2.00",
			"tenant/beta limits.daily_segments 2 3 *",
			"tenant/beta limits.daily_money 0.1184 0.20 *",
			"route/acme/DK limits.breaker open *",
			"route/beta/DK limits.country_hour 2 2 used up *",
			"prefix/beta/DK limits.prefix_hour 1 20",
			"prefix/beta/DK limits.prefix_hour 1 20",
			"asker/beta limits.asker_hour 2 30",
			"mail/beta limits.mail_phones 2 10",
			"phone/DK limits.phone_day 1 3",
			"phone/DK limits.phone_day 1 3",
		}, d.uses(first, small))
		d.at = d.at.Add(2 * time.Hour)
		require.NotContains(d, strings.Join(d.uses(first, small), "\n"), "hour", "that hour is over")
		d.at = d.at.Add(24 * time.Hour)
		require.Equal(d, []string{"country/SE hold held *"}, d.uses(first, small))
	})
}

// Ensure that a phone's texts are shown although one tenant has no limit for them.
func TestUsesBesideNoLimit(t *testing.T) {
	each(t, func(d *desk) {
		limited, free := acme(), acme()
		free.Slug = "beta"
		limited.Limits.PhoneDay, free.Limits.PhoneDay = 3, 0
		p := d.prompt(0)
		p.Tenant = limited
		require.Empty(d, d.count(p))
		shown := func(tenants ...*tenant.Tenant) bool {
			return slices.ContainsFunc(d.uses(tenants...), func(line string) bool {
				return strings.Contains(line, "limits.phone_day 1 3")
			})
		}
		require.True(d, shown(limited, free))
		require.True(d, shown(free, limited))
	})
}

// Ensure that an operator sees the budgets of the day although so many phones were texted since
// midnight that not all rows are looked at. That there are more is said.
func TestUsesOfMany(t *testing.T) {
	longtest.Skip(t)
	each(t, func(d *desk) {
		one := acme()
		one.Limits.Day = tenant.Budget{Segments: 3}
		one.Limits.ProcessDay = tenant.Budget{Segments: 100}
		require.Empty(d, d.count(d.prompt(0)))
		budgets := func() (found []string) {
			for _, line := range d.uses(one) {
				if !strings.HasPrefix(line, "phone/") {
					found = append(found, line)
				}
			}
			return found
		}
		d.at = d.at.Add(2 * time.Hour)
		require.Equal(d, []string{
			"all daily_segments 1 100", "tenant/acme limits.daily_segments 1 3",
		}, budgets())
		d.do(func(ctx context.Context, tx *store.Tx) error {
			return storetest.Exec(ctx, tx, fmt.Sprintf(
				`WITH RECURSIVE one (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < %d)
				INSERT INTO tally (key, window_at, texts, segments, money, recent, yes_at, answered,
					unanswered, probes, alerted, open_at, held_at)
				SELECT 'phone/DK/' || n, %d, 0, 0, 0, '', 0, 0, 0, 0, 0, 0, 0 FROM one`,
				100_000, d.at.UnixMilli()))
		})
		require.Equal(d, []string{
			"all daily_segments 1 100", "tenant/acme limits.daily_segments 1 3",
			"older rows not shown *",
		}, budgets())
	})
}
