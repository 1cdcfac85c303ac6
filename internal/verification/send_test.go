package verification

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// texts returns the bodies of the texts that would leave now, as the worker gets them, once each.
func (b bench) texts() []string {
	b.Helper()
	var bodies []string
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		bodies = nil
		events, err := tx.EventsAfter(ctx, db.EventsAfterParams{Most: 1000})
		for _, e := range events {
			if e.Name != "text.due" {
				continue
			}
			a, due, beginErr := text.Begin(ctx, tx, e.Subject)
			if due {
				bodies = append(bodies, a.Body)
			}
			// The provider has it, so that it is not looked up.
			err = errors.Join(err, beginErr, text.Accept(ctx, tx, e.Subject, "SM"+e.Subject))
		}
		return err
	})
	return bodies
}

func (b bench) resend(v Verification) (now Verification, err error) {
	err = b.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		now, err = Resend(ctx, tx, named(v.Tenant), v.ID, words, "")
		return err
	})
	return now, err
}

func TestSameCodeAgain(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.Code, r.Locale = "", "da" })
		code := b.peek(v)
		require.NotContains(t, b.row(v).Code, code, "sealed")
		require.Equal(t, []string{"code " + code + " da"}, b.texts())

		_, err := b.resend(v)
		require.ErrorIs(t, err, ErrTooSoon)
		var wait *WaitError
		require.ErrorAs(t, err, &wait)
		require.Equal(t, v.NextSend, wait.Until)
		require.Equal(t, b.Now().Add(time.Minute), wait.Until)

		b.Pass(time.Minute)
		now, err := b.resend(v)
		require.NoError(t, err)
		require.Equal(t, 2, now.Sends)
		require.Equal(t, v.Expires, now.Expires, "another text does not prolong the code")
		require.Equal(t, []string{"2 of 3"}, b.Strings(
			"SELECT detail FROM event WHERE name = 'verification.resent'"))
		require.Equal(t, []string{"code " + code + " da"}, b.texts())
		b.Pass(time.Minute)
		_, err = b.resend(v)
		require.NoError(t, err)
		b.Pass(time.Minute)
		_, err = b.resend(v)
		require.ErrorIs(t, err, ErrSends)
		require.Equal(t, Right, b.check(v, code).Verdict)
		require.Empty(t, b.texts(), "a text that had not left goes with its verification")
		_, err = b.resend(v)
		require.ErrorIs(t, err, ErrGone)
		_, err = b.resend(Verification{Tenant: "beta", ID: v.ID})
		require.ErrorIs(t, err, ErrUnknown)
	})
}

func TestNewCodeEachTime(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.Code, r.Renew, r.Length = "", true, 10 })
		first := b.peek(v)
		b.check(v, "0000")
		b.Pass(time.Minute)
		_, err := b.resend(v)
		require.NoError(t, err)
		second := b.peek(v)
		require.NotEqual(t, first, second)
		require.Equal(
			t,
			[]string{"code " + second + " "},
			b.texts(),
			"the first text had not left, and its code counts no more",
		)
		require.Equal(t, Wrong, b.check(v, first).Verdict)
		c := b.check(v, second)
		require.Equal(t, Right, c.Verdict)
		require.Equal(t, 3, c.Verification.Attempts, "a new code gives no new attempts")

		own := b.start(func(r *Request) { r.Renew = true })
		b.Pass(time.Minute)
		_, err = b.resend(own)
		require.NoError(t, err)
		require.Equal(t, Right, b.check(own, right).Verdict, "a code that the caller supplied stays")
	})
}

// Ensure that a text which its provider refused for the moment does not bring its code after a
// newer one.
func TestOldCodeStaysBack(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.Code, r.Renew = "", true })
		var (
			first string
			a     text.Attempt
		)
		begin := func() (due bool) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				a, due, err = text.Begin(ctx, tx, first)
				return err
			})
			return due
		}
		putBack := func() {
			b.Do(
				func(ctx context.Context, tx *store.Tx) error {
					return text.PutBack(ctx, tx, a, text.Sending)
				},
			)
		}
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			events, err := tx.EventsAfter(ctx, db.EventsAfterParams{Most: 10})
			for _, e := range events {
				if e.Name == "text.due" {
					first = e.Subject
				}
			}
			return err
		})
		require.True(t, begin())
		putBack()
		require.True(t, begin(), "until there is a newer one")
		b.Pass(time.Minute)
		_, err := b.resend(v)
		require.NoError(t, err)
		putBack()
		require.False(t, begin())
		require.Equal(t, []string{"code " + b.peek(v) + " "}, b.texts())
	})
}

// Ensure that of resends that come at once one is done.
func TestResendsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.Limits.Sends = 10 })
		b.Pass(time.Minute)
		refused := make(chan error, 32)
		race(32, func(int) { _, err := b.resend(v); refused <- err })
		close(refused)
		done := 0
		for err := range refused {
			var wait *WaitError
			if err == nil {
				done++
			} else if !errors.Is(err, ErrTooSoon) || !errors.As(err, &wait) ||
				!wait.Until.Equal(b.Now().Add(time.Minute)) {
				t.Error(err, wait)
			}
		}
		require.Equal(t, 1, done)
		require.Equal(t, 2, b.get(v).Sends)
	})
}

func TestExternalID(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		start := func(change func(*Request)) (v Verification, fresh bool) {
			r := b.request()
			r.Door, r.ExternalID = "flowroute", "a1"
			if change != nil {
				change(&r)
			}
			b.Do(
				func(ctx context.Context, tx *store.Tx) (err error) {
					v, fresh, err = Start(ctx, tx, r)
					return err
				},
			)
			return v, fresh
		}
		fresh := make(chan bool, 32)
		race(32, func(int) { _, f := start(nil); fresh <- f })
		close(fresh)
		begun := 0
		for f := range fresh {
			if f {
				begun++
			}
		}
		require.Equal(t, 1, begun)
		first, again := start(nil)
		require.False(t, again)

		for _, change := range []func(*Request){
			func(r *Request) { r.Tenant = named("beta") }, func(r *Request) { r.Door = "durable" },
			func(r *Request) { r.ExternalID = "a2" },
		} {
			_, f := start(change)
			require.True(t, f)
		}
		second, f := start(func(r *Request) { r.Replace = true })
		require.True(t, f)
		require.Equal(t, Canceled, b.get(first).State)
		require.Equal(t, Right, b.check(second, right).Verdict)
		third, f := start(nil)
		require.True(t, f, "what has ended makes room")
		b.Pass(10 * time.Minute)
		fourth, f := start(nil)
		require.True(t, f, "also when nobody has recorded its end")
		require.Equal(t, Expired, b.row(third).State)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			v, err := ByExternalID(ctx, tx, "acme", "flowroute", "a1")
			require.Equal(t, fourth.ID, v.ID)
			_, unknown := ByExternalID(ctx, tx, "acme", "flowroute", "a3")
			require.ErrorIs(t, unknown, ErrUnknown)
			return err
		})
	})
}

func TestOptedOutPhone(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		b.Do(func(ctx context.Context, tx *store.Tx) error { return text.OptOut(ctx, tx, line, v.Phone) })
		b.Pass(time.Minute)
		_, err := b.resend(v)
		require.ErrorIs(t, err, ErrOptedOut)
		err = b.Try(
			func(ctx context.Context, tx *store.Tx) error {
				_, _, err := Start(ctx, tx, b.request())
				return err
			},
		)
		require.ErrorIs(t, err, ErrOptedOut)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			all, err := List(ctx, tx, "acme", "", 10)
			require.Len(t, all, 1)
			return err
		})
	})
}

// Ensure that the app is told of each end once, and only when it wants to be; and that a sweep ends
// what is overdue.
func TestJobs(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		told := make(chan string, 10)
		river.AddWorker(
			b.Store.Workers(),
			river.WorkFunc(
				func(_ context.Context, j *river.Job[Notify]) error { told <- j.Args.ID; return nil },
			),
		)
		loud := func(r *Request) { r.Notify = true }
		approved, canceled, silent, overdue := b.start(loud), b.start(loud), b.start(nil), b.start(loud)
		b.check(silent, right)
		b.check(approved, right)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := Cancel(ctx, tx, "acme", canceled.ID, "")
			return err
		})
		b.Pass(10*time.Minute - time.Millisecond)
		sweep := func(want int) {
			var n int
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = ExpireOverdue(ctx, tx, 10)
				return err
			})
			require.Equal(t, want, n)
		}
		sweep(0)
		b.Pass(time.Millisecond)
		sweep(1)
		sweep(0)
		require.NoError(t, b.Store.Start(context.Background()))
		var got []string
		for range 3 {
			select {
			case id := <-told:
				got = append(got, id)
			case <-time.After(time.Minute):
				t.Fatal("not told of every end")
			}
		}
		require.NoError(t, b.Store.Stop(context.Background()))
		require.ElementsMatch(t, []string{approved.ID, canceled.ID, overdue.ID}, got)
		require.Empty(t, told)
	})
}

// Ensure that a verification outlives the process.
func TestRestart(t *testing.T) {
	url := storetest.SQLite(t)
	var v Verification
	t.Run("before", func(t *testing.T) {
		b := bench{storetest.OpenBench(t, url)}
		v = b.start(nil)
		b.check(v, wrong)
	})
	b := bench{storetest.OpenBench(t, url)}
	require.Equal(t, 1, b.get(v).Attempts)
	require.Equal(t, Right, b.check(v, right).Verdict)
}

func TestListPages(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		var want []string
		for range 5 {
			want = append([]string{b.start(nil).ID}, want...)
		}
		b.start(func(r *Request) { r.Tenant = named("beta") })
		var got []string
		for before := ""; ; before = got[len(got)-1] {
			var page []Shown
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				page, err = List(ctx, tx, "acme", before, 2)
				return err
			})
			if len(page) == 0 {
				break
			}
			for _, v := range page {
				got = append(got, v.ID)
			}
		}
		require.Equal(t, want, got)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			open, err := OpenOf(ctx, tx, line, mustPhone(t, "+4520123456"))
			require.Len(t, open, 6)
			require.Equal(t, want[0], open[1].ID, "the newest first")
			none, _ := OpenOf(
				ctx,
				tx,
				phonemail.Line{Account: line.Account, Sender: "+15005550007"},
				mustPhone(t, "+4520123456"),
			)
			require.Empty(t, none)
			return err
		})
	})
}

// Ensure, over any history of one phone, that no 24 hours see more wrong codes compared than are
// allowed. A guesser who may start and resend at will has ten tries at a million codes: odds of one
// in a hundred thousand.
//
//test:unwatched
func TestOddsOfGuessing(t *testing.T) {
	longtest.Skip(t)
	b := bench{storetest.OpenBench(t, storetest.SQLite(t))}
	phones := 0
	rapid.Check(t, func(rt *rapid.T) {
		phones++
		phone := mustPhone(t, "+45201"+fmt.Sprintf("%05d", phones))
		var open []Verification
		var compared []time.Time
		for range rapid.IntRange(10, 60).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{
				"start", "guess", "guess", "guess", "guess", "resend", "wait",
			}).Draw(rt, "step") {
			case "start":
				r := b.request()
				r.Phone = phone
				_ = b.Try(func(ctx context.Context, tx *store.Tx) error {
					v, _, err := Start(ctx, tx, r)
					if err == nil {
						open = append(open, v)
					}
					return err
				})
			case "guess":
				if len(open) > 0 {
					if b.check(rapid.SampledFrom(open).Draw(rt, "which"), wrong).Verdict == Wrong {
						compared = append(compared, b.Now())
					}
				}
			case "resend":
				if len(open) > 0 {
					_, _ = b.resend(open[len(open)-1])
				}
			case "wait":
				b.Pass(
					time.Duration(
						rapid.SampledFrom([]int{1, 60, 601, 3600, 40_000}).Draw(rt, "seconds"),
					) * time.Second,
				)
			}
		}
		for i, from := range compared {
			n := 0
			for _, at := range compared[i:] {
				if at.Sub(from) < GuessMemory {
					n++
				}
			}
			require.LessOrEqual(t, float64(n)/1e6, 1e-5)
		}
	})
}
