//go:build !race

package limit_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/longtest"
	"smsbridge/internal/price"
	"smsbridge/internal/store"
)

// signUps is how many sign-ups a fraud makes. The long run has 100,000.
var signUps = flag.Int("pumping.signups", 2_000, "sign-ups of the fraud that is simulated")

// Ensure that a fraud with 10,000 numbers in 50 ranges of one country passes no limit, and opens
// the breaker. People of two other countries are texted all the while, and the budget holds. Each
// of these people answers, and no number of the fraud does.
func TestPumping(t *testing.T) {
	longtest.Skip(t)
	each(t, func(d *desk) {
		const (
			length  = 24 * time.Hour
			budget  = 6_000
			ranges  = 50
			numbers = 10_000
			honest  = 600 // in each country, evenly over the day
		)
		r := rand.New(rand.NewPCG(1, 2))
		var expiring []silent
		perRange, perHour, perPhone := map[string]int{}, map[int]int{}, map[string]int{}
		texted, passed, asked := 0, 0, 0
		start, step := d.at.Truncate(length), length/time.Duration(*signUps)
		for i := range *signUps {
			d.at = start.Add(time.Duration(i) * step)
			expiring = d.expire(expiring)
			n := r.IntN(numbers)
			p := d.prompt(0)
			p.Tenant.Limits.Day.Segments = budget
			p.Tenant.Limits.Day.Money = budget * price.Dollar / 5
			e164 := fmt.Sprintf("+4530%02d%04d", n%ranges, n/ranges)
			p.Phone = number(d, e164)
			if d.count(p) == "" {
				texted++
				hour := d.at.Hour()
				perHour[hour]++
				perRange[fmt.Sprint(hour, " ", n%ranges)]++
				perPhone[e164]++
				expiring = append(expiring, silent{d.at.Add(10 * time.Minute), p})
			}
			for k := i * honest / *signUps; k < (i+1)*honest / *signUps; k++ {
				for _, country := range []string{"+4670%07d", "+4915%09d"} {
					h := p
					h.Phone = number(d, fmt.Sprintf(country, k*16_001))
					asked++
					if d.count(h) != "" {
						continue
					}
					passed++
					h.Kind, h.Answered = limit.Tells, true
					require.Empty(d, d.count(h))
				}
			}
		}
		for what, n := range perRange {
			require.LessOrEqual(d, n, 20, what)
		}
		for hour, n := range perHour {
			require.LessOrEqual(d, n, 200, hour)
		}
		for _, n := range perPhone {
			require.LessOrEqual(d, n, 10)
		}
		require.NotEmpty(d, d.events("limit.breaker"))
		require.GreaterOrEqual(d, float64(passed), 0.99*float64(asked))
		require.LessOrEqual(d, texted+2*passed, budget)
		d.Logf("%d sign-ups of a fraud: %d texts; %d of %d honest ones passed; the breaker: %d events",
			*signUps, texted, passed, asked, len(d.events("limit.breaker")))
	})
}

// silent is a question that no one answers until it is over.
type silent struct {
	over time.Time
	text limit.Text
}

// expire counts what is over, as the sweep does.
func (d *desk) expire(all []silent) []silent {
	var over []limit.Silence
	for len(all) > 0 && !d.at.Before(all[0].over) {
		over = append(over, limit.Silence{Tenant: all[0].text.Tenant.Slug, Phone: all[0].text.Phone})
		all = all[1:]
	}
	if len(over) > 0 {
		d.do(func(ctx context.Context, tx *store.Tx) error { return limit.CountSilence(ctx, tx, over) })
	}
	return all
}
