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
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// replicas are two on one PostgreSQL database. SQLite has one writer, with which nothing changes
// between what a transaction reads and its commit.
func replicas(t *testing.T) *desk {
	d := &desk{TB: t, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	url := storetest.PostgreSQL(t)
	for range 2 {
		d.stores = append(d.stores, storetest.Open(t, url, func() time.Time { return d.at }))
	}
	return d
}

// meanwhile counts a text on one replica. After it was judged there, and before the commit, the
// other replica does something that is committed first. It returns why the text is refused, and how
// often it was judged.
func (d *desk) meanwhile(
	t limit.Text, other func(ctx context.Context, tx *store.Tx) error,
) (why limit.Reason, judged int) {
	d.Helper()
	require.NoError(d, d.stores[0].Do(context.Background(),
		func(ctx context.Context, tx *store.Tx) error {
			refusal, err := limit.Count(ctx, tx, t)
			if why = ""; refusal != nil {
				why = refusal.Reason
			}
			if judged++; err != nil || judged > 1 {
				return err
			}
			return d.stores[1].Do(ctx, other)
		}))
	return why, judged
}

// Ensure that a text is judged again when another replica counts or holds something between its
// judgment and its commit. It is not when that changes nothing for it.
func TestMeanwhile(t *testing.T) {
	count := func(texts ...limit.Text) func(ctx context.Context, tx *store.Tx) error {
		return func(ctx context.Context, tx *store.Tx) error {
			for _, t := range texts {
				if refusal, err := limit.Count(ctx, tx, t); err != nil || refusal != nil {
					return fmt.Errorf("%v %w", refusal, err)
				}
			}
			return nil
		}
	}
	correct := func(c limit.Charge) func(ctx context.Context, tx *store.Tx) error {
		return func(ctx context.Context, tx *store.Tx) error {
			return limit.Correct(ctx, tx, []limit.Charge{c})
		}
	}
	for name, test := range map[string]struct {
		before int // texts that were counted
		silent int // texts that went unanswered
		text   func(p *limit.Text)
		other  func(d *desk) func(ctx context.Context, tx *store.Tx) error
		why    limit.Reason
		judged int
	}{
		"nothing that matters": {
			other:  func(d *desk) func(context.Context, *store.Tx) error { return count(d.prompt(50)) },
			judged: 1,
		},
		"the last of the hour": {
			before: 3, text: func(p *limit.Text) { p.Tenant.Limits.CountryHour = 4 },
			other: func(d *desk) func(context.Context, *store.Tx) error { return count(d.prompt(50)) },
			why:   limit.InCountry, judged: 2,
		},
		"the last of the day": {
			before: 3, text: func(p *limit.Text) { p.Tenant.Limits.ProcessDay.Money = price.Dollar / 4 },
			other: func(d *desk) func(context.Context, *store.Tx) error { return count(d.prompt(50)) },
			why:   limit.NoMoney, judged: 2,
		},
		"one for the last two of the day": {
			before: 3, text: func(p *limit.Text) { p.Tenant.Limits.Day.Segments = 5 },
			other:  func(d *desk) func(context.Context, *store.Tx) error { return count(d.prompt(50)) },
			judged: 1,
		},
		"the same phone": {
			other: func(d *desk) func(context.Context, *store.Tx) error { return count(d.prompt(90)) },
			why:   limit.TooSoon, judged: 2,
		},
		"a hold": {
			other: func(*desk) func(context.Context, *store.Tx) error {
				return func(ctx context.Context, tx *store.Tx) error {
					return limit.Hold(ctx, tx, limit.Scope{Country: "DK"})
				}
			},
			why: limit.Held, judged: 2,
		},
		"a dear price": {
			before: 1, text: func(p *limit.Text) { p.Tenant.Limits.Day.Money = price.Dollar },
			other: func(d *desk) func(context.Context, *store.Tx) error {
				return correct(d.charge("acme", price.Dollar))
			},
			why: limit.NoMoney, judged: 2,
		},
		"more segments": {
			before: 1, text: func(p *limit.Text) { p.Tenant.Limits.Day.Segments = 5 },
			other: func(d *desk) func(context.Context, *store.Tx) error {
				more := d.charge("acme", 59_200)
				more.Segments = 6
				return correct(more)
			},
			why: limit.NoSegments, judged: 2,
		},
		"the last unanswered text": {
			silent: 19,
			other: func(d *desk) func(context.Context, *store.Tx) error {
				return func(context.Context, *store.Tx) error {
					d.silence(d.prompt(0), 1)
					require.Equal(d, limit.Unanswered, d.count(d.prompt(50)))
					return nil
				}
			},
			why: limit.Unanswered, judged: 2,
		},
		"answers": {
			silent: 20,
			other: func(d *desk) func(context.Context, *store.Tx) error {
				return func(ctx context.Context, tx *store.Tx) error {
					var err error
					for n := range 3 {
						err = errors.Join(err, limit.Answer(ctx, tx, "acme", "AC1", d.prompt(n).Phone))
					}
					return err
				}
			},
			judged: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := replicas(t)
			for n := range test.before {
				require.Empty(t, d.count(d.prompt(n)))
			}
			d.silence(d.prompt(0), test.silent)
			p := d.prompt(90)
			if test.text != nil {
				test.text(&p)
			}
			why, judged := d.meanwhile(p, test.other(d))
			require.Equal(t, test.why, why)
			require.Equal(t, test.judged, judged)
		})
	}
}

// Ensure that a breaker which is open lets through as many as it should when replicas meet.
func TestBreakerMeanwhile(t *testing.T) {
	d := replicas(t)
	d.silence(d.prompt(0), 20)
	require.Equal(t, limit.Unanswered, d.count(d.prompt(1)))
	d.at = d.at.Add(31 * time.Minute)
	for n := range 4 {
		require.Empty(t, d.count(d.prompt(10+n)))
	}
	why, judged := d.meanwhile(d.prompt(20), func(ctx context.Context, tx *store.Tx) error {
		refusal, err := limit.Count(ctx, tx, d.prompt(21))
		require.Nil(t, refusal)
		return err
	})
	require.Equal(t, limit.Unanswered, why, "the fifth was the other replica's")
	require.Equal(t, 2, judged)
}

// Ensure that what one transaction counts is judged with what it has counted before.
func TestWithinOneTransaction(t *testing.T) {
	each(t, func(d *desk) {
		var reasons []limit.Reason
		d.do(func(ctx context.Context, tx *store.Tx) error {
			reasons = nil
			for n := range 8 {
				p := d.prompt(n / 2)
				p.Tenant.Limits.CountryHour = 3
				refusal, err := limit.Count(ctx, tx, p)
				if err != nil {
					return err
				}
				why := limit.Reason("")
				if refusal != nil {
					why = refusal.Reason
				}
				reasons = append(reasons, why)
			}
			return nil
		})
		require.Equal(d, []limit.Reason{"", limit.TooSoon, "", limit.TooSoon, "", limit.InCountry,
			limit.InCountry, limit.InCountry}, reasons)
		segments, _ := d.budget("all")
		require.EqualValues(d, 3, segments)
	})
}

// Ensure that an answer ends the wait of its phone for what its transaction counts afterwards. It
// does for later ones, too, whatever the transaction has counted before.
func TestAnswerWithinOneTransaction(t *testing.T) {
	answer, text := "answer", "text"
	each(t, func(d *desk) {
		for n, test := range []struct {
			calls []string
			whys  []limit.Reason
		}{
			{[]string{answer, text}, []limit.Reason{""}},
			{[]string{text, answer, text}, []limit.Reason{limit.TooSoon, ""}},
			{[]string{text, answer}, []limit.Reason{limit.TooSoon}},
		} {
			p := d.prompt(n)
			require.Empty(d, d.count(p))
			d.at = d.at.Add(time.Second)
			var whys []limit.Reason
			d.do(func(ctx context.Context, tx *store.Tx) error {
				whys = nil
				for _, call := range test.calls {
					if call == answer {
						if err := limit.Answer(ctx, tx, "acme", "AC1", p.Phone); err != nil {
							return err
						}
						continue
					}
					refusal, err := limit.Count(ctx, tx, p)
					if err != nil {
						return err
					}
					if refusal == nil {
						refusal = &limit.Refusal{}
					}
					whys = append(whys, refusal.Reason)
				}
				return nil
			})
			require.Equal(d, test.whys, whys, test.calls)
		}
		p := d.prompt(10)
		d.do(func(ctx context.Context, tx *store.Tx) error {
			refusal, err := limit.Count(ctx, tx, p)
			require.Nil(d, refusal)
			return errors.Join(err, limit.Answer(ctx, tx, "acme", "AC1", p.Phone))
		})
		require.Empty(d, d.count(p))
	})
}

// Ensure that a row keeps the newest times of a phone, however many come in one transaction. The
// copy by which texts are judged is what the database has.
func TestManyTimesOfAPhone(t *testing.T) {
	each(t, func(d *desk) {
		p := d.prompt(0)
		p.Tenant.Limits = tenant.Limits{Prices: price.Shipped()}
		for round := range 4 {
			d.at = d.at.Add(time.Minute)
			d.do(func(ctx context.Context, tx *store.Tx) error {
				for range 40 - 20*(round%2) {
					if refusal, err := limit.Count(ctx, tx, p); err != nil || refusal != nil {
						return fmt.Errorf("%v %w", refusal, err)
					}
				}
				return nil
			})
		}
		segments, _ := d.budget("all")
		require.EqualValues(d, 120, segments)
	})
}
