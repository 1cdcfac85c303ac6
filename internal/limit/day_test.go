package limit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that what each budget of the day has used is known, of more tenants than one query reads,
// and which breakers are open. The next day begins with nothing.
func TestDays(t *testing.T) {
	each(t, func(d *desk) {
		tenants := []*tenant.Tenant{acme()}
		tenants[0].Limits.ProcessDay = tenant.Budget{Segments: 100, Money: 2 * price.Dollar}
		for i := range 20 {
			other := acme()
			other.Slug = fmt.Sprint("t", i)
			other.Limits.Day = tenant.Budget{Segments: 3 + i, Money: price.Dollar}
			tenants = append(tenants, other)
		}
		days := func() (days []limit.Day) {
			d.do(func(ctx context.Context, tx *store.Tx) (err error) {
				days, err = limit.Days(ctx, tx, tenants)
				return err
			})
			return days
		}
		for n := range 2 {
			p := d.prompt(n)
			p.Tenant = tenants[20]
			require.Empty(d, d.count(p))
		}
		found := days()
		require.Len(d, found, 22)
		require.Equal(d, limit.Day{
			Segments: 2, Most: 100, Money: 118_400, Budget: 2 * price.Dollar,
		}, found[0])
		require.Equal(d, limit.Day{Tenant: "acme"}, found[1])
		require.Equal(d, limit.Day{
			Tenant: "t19", Segments: 2, Most: 22, Money: 118_400, Budget: price.Dollar,
		}, found[21])

		p := d.prompt(0)
		p.Tenant = tenants[0]
		breakers := func() (open []string) {
			d.do(func(ctx context.Context, tx *store.Tx) (err error) {
				open, err = limit.Breakers(ctx, tx)
				return err
			})
			return open
		}
		require.Empty(d, breakers())
		d.silence(p, 20)
		d.count(p)
		require.Equal(d, []string{"route/acme/DK"}, breakers())
		d.at = d.at.Add(24 * time.Hour)
		require.Zero(d, days()[21].Segments)
	})
}
