package verification

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const right, wrong = "482913", "000000"

var line = phonemail.Line{Account: "AC00000000000000000000000000000001", Sender: "+15005550006"}

// bench is a storetest.Bench with what is done to verifications.
type bench struct{ storetest.Bench }

func each(t *testing.T, test func(t *testing.T, b bench)) {
	t.Helper()
	storetest.EachBench(t, func(b storetest.Bench) { test(b.T, bench{b}) })
}

func mustPhone(t testing.TB, e164 string) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

// named is a tenant without limits.
func named(slug string) *tenant.Tenant { return &tenant.Tenant{Slug: slug} }

func words(code, locale string) string { return "code " + code + " " + locale }

func (b bench) request() Request {
	return Request{
		Tenant: named("acme"), Door: "api", Line: line, Phone: mustPhone(b.T, "+4520123456"), Code: right,
		Length: 6, Wording: words,
		Limits: Limits{Life: 10 * time.Minute, Attempts: 5, Wrong: 10, Sends: 3, Gap: time.Minute},
	}
}

func (b bench) start(change func(*Request)) Verification {
	b.Helper()
	r := b.request()
	if change != nil {
		change(&r)
	}
	var v Verification
	var fresh bool
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		v, fresh, err = Start(ctx, tx, r)
		return err
	})
	require.True(b, fresh)
	return v
}

func (b bench) check(v Verification, code string) (c Checked) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = Check(ctx, tx, v.Tenant, v.ID, at(v.Door, code))
		return err
	})
	return c
}

func (b bench) get(v Verification) (now Verification) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		now, err = Get(ctx, tx, v.Tenant, v.ID)
		return err
	})
	return now
}

func (b bench) row(v Verification) (row db.Verification) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.GetVerification(ctx, v.ID)
		return err
	})
	return row
}

// at is a code as a door presents it.
func at(door, code string) Presented { return Presented{Door: door, Code: code} }

// race runs f n times at once.
func race(n int, f func(i int)) {
	var wait sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wait.Go(func() { <-gate; f(i) })
	}
	close(gate)
	wait.Wait()
}

// tally checks one code n times at once over several stores and counts the verdicts.
func tally(
	t testing.TB,
	stores []*store.Store,
	v Verification,
	n int,
	code string,
) map[Verdict]int {
	var mutex sync.Mutex
	counts := map[Verdict]int{}
	race(n, func(i int) {
		var c Checked
		err := stores[i%len(stores)].Do(
			context.Background(),
			func(ctx context.Context, tx *store.Tx) (err error) {
				c, err = Check(ctx, tx, v.Tenant, v.ID, at("api", code))
				return err
			},
		)
		mutex.Lock()
		defer mutex.Unlock()
		if err != nil {
			t.Error(err)
		}
		counts[c.Verdict]++
	})
	return counts
}

// Ensure that a code approves once, however many present it at once. If the statement that counts
// an attempt does not compare the row, the first round on PostgreSQL fails: 25 are many.
func TestRightCodeApprovesOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for range 25 {
			v := b.start(func(r *Request) { r.Code = "" })
			code := b.peek(v)
			require.Equal(
				t,
				map[Verdict]int{Right: 1, Over: 31},
				tally(t, []*store.Store{b.Store}, v, 32, code),
			)
			require.Equal(t, Approved, b.get(v).State)
		}
	})
}

// peek opens the sealed code as no door can.
func (b bench) peek(v Verification) (code string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.GetVerification(ctx, v.ID)
		if err != nil {
			return err
		}
		plain, err := tx.Open(place(v.ID, v.Tenant), row.Code)
		code = string(plain)
		return err
	})
	return code
}

// Ensure that of guesses that come at once no more are compared than are allowed. The right code
// after them comes too late.
func TestGuessesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		require.Equal(
			t,
			map[Verdict]int{Wrong: 5, Over: 59},
			tally(t, []*store.Store{b.Store}, v, 64, wrong),
		)
		c := b.check(v, right)
		require.Equal(t, Over, c.Verdict)
		require.Equal(t, MaxAttemptsReached, c.Verification.State)
		require.Equal(t, 5, c.Verification.Attempts)
		require.Empty(t, b.row(v).Code)
		require.Equal(t, []string{
			"verification.pending", "verification.wrong", "verification.wrong", "verification.wrong",
			"verification.wrong", "verification.wrong",
			"verification.max_attempts_reached",
		}, b.EventNames(v.ID))
	})
}

// Ensure that a thousand guesses at two replicas consume the allowed attempts, and over many
// verifications the phone's of the day.
func TestGuessesAtTwoReplicas(t *testing.T) {
	url := storetest.PostgreSQL(t)
	b := bench{storetest.OpenBench(t, url)}
	stores := []*store.Store{b.Store, storetest.Open(t, url, b.Now)}
	v := b.start(nil)
	require.Equal(t, map[Verdict]int{Wrong: 5, Over: 995}, tally(t, stores, v, 1000, wrong))

	// Three verifications of one phone, guessed at all at once: five more in all.
	var all []Verification
	for range 3 {
		all = append(all, b.start(nil))
	}
	var compared atomic.Int64
	race(600, func(i int) {
		v := all[i%3]
		var c Checked
		if err := stores[i%2].Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
			c, err = Check(ctx, tx, v.Tenant, v.ID, at("api", wrong))
			return err
		}); err != nil {
			t.Error(err)
		}
		if c.Verdict == Wrong {
			compared.Add(1)
		}
	})
	require.EqualValues(t, 5, compared.Load())
}

// Ensure that wrong codes count against the phone for a day, whatever was started since, and
// for this tenant only.
func TestWrongCodesOfADay(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		began := b.Now()
		for range 2 {
			v := b.start(nil)
			for range 5 {
				require.Equal(t, Wrong, b.check(v, wrong).Verdict)
				b.Pass(time.Second)
			}
		}
		err := b.Try(
			func(ctx context.Context, tx *store.Tx) error {
				_, _, err := Start(ctx, tx, b.request())
				return err
			},
		)
		var wait *WaitError
		require.ErrorAs(t, err, &wait)
		require.ErrorIs(t, err, ErrBlocked)
		require.Equal(t, began.Add(GuessMemory), wait.Until)

		other := b.start(func(r *Request) { r.Tenant = named("beta") })
		require.Equal(t, Right, b.check(other, right).Verdict)
		other = b.start(func(r *Request) { r.Phone = mustPhone(t, "+4520123457") })
		require.Equal(t, Right, b.check(other, right).Verdict)

		b.Pass(wait.Until.Sub(b.Now()) - time.Millisecond)
		require.ErrorIs(
			t,
			b.Try(
				func(ctx context.Context, tx *store.Tx) error {
					_, _, err := Start(ctx, tx, b.request())
					return err
				},
			),
			ErrBlocked,
		)
		b.Pass(time.Millisecond)
		v, second := b.start(nil), b.start(nil)
		require.Equal(t, Wrong, b.check(v, wrong).Verdict, "the oldest wrong code is forgotten")
		c := b.check(second, right)
		require.Equal(t, Blocked, c.Verdict, "not even the right code is compared")
		require.Equal(t, began.Add(time.Second+GuessMemory), c.Until)
		require.Zero(t, c.Verification.Attempts)
	})
}

// Ensure that a code counts until its time is over, and not from then on.
func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		b.Pass(10*time.Minute - time.Millisecond)
		b.Do(func(ctx context.Context, tx *store.Tx) error { return ExpireDue(ctx, tx, v.ID) })
		require.Equal(t, Pending, b.get(v).State)
		later := b.start(nil)
		require.Equal(t, Right, b.check(v, right).Verdict)

		b.Pass(10 * time.Minute)
		now := b.get(later)
		require.Equal(t, Expired, now.State, "also when nobody has recorded it")
		require.Equal(t, now.Expires, now.Ended)
		require.NotEmpty(t, b.row(later).Code)
		for _, end := range []func(context.Context, *store.Tx, string, string, string) (
			Verification, error,
		){Approve, Cancel} {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				ended, err := end(ctx, tx, later.Tenant, later.ID, "")
				require.ErrorIs(t, err, ErrGone, "nobody's word counts from then on")
				require.Equal(t, now, ended)
				return nil
			})
		}
		require.Equal(t, []string{"verification.pending"}, b.EventNames(later.ID))
		b.Pass(time.Second)
		c := b.check(later, right)
		require.Equal(t, Over, c.Verdict)
		require.Equal(t, Expired, c.Verification.State)
		require.Equal(t, now.Ended, c.Verification.Ended, "whenever it was noticed")
		require.Empty(t, b.row(later).Code, "erased by the check")
		require.Equal(t, []string{"verification.pending", "verification.expired"}, b.EventNames(later.ID))
		b.Do(func(ctx context.Context, tx *store.Tx) error { return ExpireDue(ctx, tx, "no such row") })
	})
}

// Ensure that a verification ends once, however many race for its end.
func TestOneEnd(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for range 30 {
			v := b.start(func(r *Request) { r.Limits.Attempts, r.Limits.Wrong = 1, 1000 })
			race(24, func(i int) {
				err := b.Try(func(ctx context.Context, tx *store.Tx) error {
					var err error
					switch i % 3 {
					case 0:
						_, err = Check(ctx, tx, v.Tenant, v.ID, at("api", right))
					case 1:
						_, err = Check(ctx, tx, v.Tenant, v.ID, at("api", wrong))
					case 2:
						if _, err = Cancel(ctx, tx, v.Tenant, v.ID, ""); err == ErrGone {
							err = nil
						}
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
			ends := map[string]int{}
			for _, name := range b.EventNames(v.ID) {
				ends[name]++
			}
			delete(ends, "verification.pending")
			delete(ends, "verification.wrong")
			require.Equal(t, map[string]int{"verification." + string(b.get(v).State): 1}, ends)
			require.Empty(t, b.row(v).Code)
		}
	})
}

// Ensure that of callers that cancel at once one did it. The others hear that they came too late.
func TestCancelsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for range 10 {
			v := b.start(nil)
			cancel := func(ctx context.Context, tx *store.Tx) error {
				_, err := Cancel(ctx, tx, v.Tenant, v.ID, "by the app")
				return err
			}
			done := 0
			for _, err := range b.AtOnce(cancel, cancel, cancel, cancel) {
				if err == nil {
					done++
				} else {
					require.ErrorIs(t, err, ErrGone)
				}
			}
			require.Equal(t, 1, done)
			require.Equal(t, []any{Canceled, b.Now()}, []any{b.get(v).State, b.get(v).Ended})
		}
	})
}

// Ensure that what is not a code counts as no attempt, and that others' verifications are unknown.
func TestCheckRefuses(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		try := func(tenant, id, code string) error {
			return b.Try(
				func(ctx context.Context, tx *store.Tx) error {
					_, err := Check(ctx, tx, tenant, id, at("api", code))
					return err
				},
			)
		}
		require.ErrorIs(t, try("acme", v.ID, "123"), ErrCode)
		require.ErrorIs(t, try("beta", v.ID, right), ErrUnknown)
		require.ErrorIs(t, try("acme", "no such id", right), ErrUnknown)
		require.Zero(t, b.get(v).Attempts)
		require.Equal(t, Right, b.check(v, "482 913").Verdict)
		_, err := ParseCode(fmt.Sprintf("%040d", 1))
		require.ErrorIs(t, err, ErrCode)
	})
}
