package verification

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/text"
)

// fail lets each statement of a step fail in turn: none of the failures may be a decision.
func (b bench) fail(step func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	b.FailEach(step, ErrUnknown, ErrGone, ErrOptedOut, ErrSends, ErrTooSoon, ErrBlocked, ErrPaused,
		ErrKeyReused, ErrCode)
}

// Ensure that a database that fails at any statement starts no second verification, texts no code
// twice and refuses none. The failure comes back, and the next try does the whole of it.
func TestFailingDatabaseWhileStarting(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		r := b.request()
		r.ExternalID, r.Asker, r.Source = "x", typedBy("ann"), "192.0.2.1"
		var v Verification
		start := func(ctx context.Context, tx *store.Tx) (err error) {
			v, _, err = Start(ctx, tx, r)
			return err
		}
		b.fail(start)
		first := v
		b.fail(start)
		require.Equal(t, first.ID, v.ID, "it has the external id")
		r.Replace = true
		b.fail(start)
		require.Equal(t, Canceled, b.get(first).State)
		b.Pass(time.Hour)
		replaced := v
		b.fail(start)
		require.NotEqual(t, replaced.ID, v.ID)
		require.EqualValues(t, Expired, b.row(replaced).State, "recorded on the way")
		require.Len(t, b.textsOf(v), 1)

		r.ExternalID = ""
		once := func(ctx context.Context, tx *store.Tx) (err error) {
			v, err = StartOnce(ctx, tx, r, Key{"key", "asked"})
			return err
		}
		b.fail(once)
		first = v
		b.fail(once)
		require.Equal(t, first.ID, v.ID)

		b.Pass(time.Minute)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := Resend(ctx, tx, named(v.Tenant), v.ID, words, "")
			return err
		})
		require.Len(t, b.textsOf(v), 2)
		require.Equal(t, 2, b.get(v).Sends)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := Cancel(ctx, tx, v.Tenant, v.ID, "by the app")
			return err
		})
		require.Equal(t, Canceled, b.get(v).State)
	})
}

// Ensure the same of codes that are presented: a failure counts no guess, and is no wrong code.
func TestFailingDatabaseWhileChecking(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		present := func(v Verification, code string) (c Checked) {
			b.Helper()
			p := at(v.Door, code)
			p.Source = "192.0.2.1"
			b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				c, err = Check(ctx, tx, v.Tenant, v.ID, p)
				return err
			})
			return c
		}
		v := b.start(func(r *Request) { r.Asker, r.Limits.Attempts = typedBy("ann"), 2 })
		require.Equal(t, Wrong, present(v, wrong).Verdict)
		require.Equal(t, 1, b.get(v).Attempts)
		require.Equal(t, Right, present(v, right).Verdict)
		v = b.start(func(r *Request) { r.Phone, r.Limits.Attempts = b.Phone(), 1 })
		require.Equal(t, MaxAttemptsReached, present(v, wrong).Verification.State)
		require.Equal(t, Over, present(v, right).Verdict)
		v = b.start(func(r *Request) { r.Phone, r.Limits.Wrong = b.Phone(), 1 })
		require.Equal(t, Wrong, present(v, wrong).Verdict)
		require.Equal(t, Blocked, present(v, right).Verdict)

		v = b.start(func(r *Request) { r.Phone, r.ExternalID = b.Phone(), "x" })
		b.Pass(time.Hour)
		var news bool
		external := func(ctx context.Context, tx *store.Tx) (err error) {
			_, news, err = CheckExternal(ctx, tx, v.Tenant, "x", at(v.Door, right))
			return err
		}
		b.fail(external)
		require.True(t, news, "it is told after all")
		b.fail(external)
		require.False(t, news)
		require.EqualValues(t, Expired, b.row(v).State)
		v = b.start(func(r *Request) { r.Phone = b.Phone() })
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := Approve(ctx, tx, v.Tenant, v.ID, "by its provider")
			return err
		})
		require.Equal(t, Approved, b.get(v).State)
	})
}

// Ensure the same of what Twilio Verify says: a right code is not lost, a wrong one not counted
// twice, and each end is told once.
func TestFailingDatabaseWithVerify(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		start := func() (v Verification) {
			b.Helper()
			v = b.start(func(r *Request) { r.Phone, r.Limits.Attempts = b.Phone(), 2 })
			b.fail(func(ctx context.Context, tx *store.Tx) error {
				return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
			})
			return v
		}
		ask := func(v Verification, code string) (q Comparison) {
			b.Helper()
			var c Checked
			b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				c, err = Check(ctx, tx, v.Tenant, v.ID, at(v.Door, code))
				return err
			})
			require.Equal(t, 1, b.Jobs("check_code", c.CheckID))
			b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				q, _, err = Unanswered(ctx, tx, c.CheckID)
				return err
			})
			return q
		}
		answer := func(q Comparison, verdict Verdict) {
			b.Helper()
			b.fail(func(ctx context.Context, tx *store.Tx) error {
				return Answer(ctx, tx, q, verdict)
			})
		}
		v := start()
		answer(ask(v, wrong), Wrong)
		require.Equal(t, Pending, b.get(v).State)
		answer(ask(v, right), Right)
		require.Equal(t, Approved, b.get(v).State)
		require.Equal(t, "matched", b.row(v).Reported)
		v = start()
		answer(ask(v, wrong), Wrong)
		answer(ask(v, wrong), Wrong)
		require.Equal(t, MaxAttemptsReached, b.get(v).State)
		for ended, want := range map[State]State{Failed: Failed, "": Canceled} {
			v = start()
			q := ask(v, wrong)
			q.Ended = ended
			answer(q, Over)
			require.Equal(t, want, b.get(v).State)
		}
		v = start()
		q := ask(v, wrong)
		b.Pass(time.Hour)
		answer(q, Over)
		require.EqualValues(t, Expired, b.row(v).State)

		v = start()
		q = ask(v, wrong)
		b.fail(func(ctx context.Context, tx *store.Tx) error { return Abandon(ctx, tx, q.ID) })
		require.Equal(t, Canceled, b.get(v).State)
		var o Outcome
		b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			o, _, err = Unreported(ctx, tx, v.ID)
			return err
		})
		require.Equal(t, "VE"+v.ID, o.Key())
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return Reported(ctx, tx, o, "unmatched")
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return SentByOthers(ctx, tx, v.ID)
		})
		var id string
		b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			id, err = ReportPhone(ctx, tx, "acme", v.Phone)
			return err
		})
		next := b.start(nil)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := UnreportedOfPhone(ctx, tx, next)
			return err
		})
		b.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			o, _, err = Unreported(ctx, tx, id)
			return err
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return Reported(ctx, tx, o, "unmatched")
		})
	})
}

// Ensure the same of refused texts and of reading.
func TestFailingDatabaseWithTexts(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		start := func() (v Verification, id string) {
			v = b.start(func(r *Request) { r.Phone = b.Phone() })
			return v, b.textsOf(v)[0]
		}
		v, id := start()
		b.refuse(id)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return Fail(ctx, tx, v.ID, NumberInvalid)
		})
		require.Equal(t, Failed, b.get(v).State)
		v, id = start()
		b.refuse(id)
		b.fail(func(ctx context.Context, tx *store.Tx) error { return FailLost(ctx, tx, id) })
		require.Equal(t, Failed, b.get(v).State)
		v, id = start()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, v.Line, v.Phone)
		})
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := text.Begin(ctx, tx, id)
			return err
		})
		b.fail(func(ctx context.Context, tx *store.Tx) error { return FailOptedOut(ctx, tx, id) })
		require.Equal(t, OptedOut, b.get(v).Reason)
		v, id = start()
		b.deliver(id)
		b.fail(func(ctx context.Context, tx *store.Tx) error {
			return takeReceipt(ctx, tx, text.Receipt{
				TextID: id, Account: line.Account, ProviderID: "SM" + id, State: text.Failed,
			})
		})
		require.Equal(t, Failed, b.get(v).State)
		v, _ = start()
		for _, read := range []func(context.Context, store.View) error{
			func(ctx context.Context, view store.View) error {
				_, err := Open(ctx, view, v.Tenant, v.ID)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := ByID(ctx, view, v.ID)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := OpenOf(ctx, view, v.Line, v.Phone)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := Show(ctx, view, v.Tenant, v.ID)
				return err
			},
			func(ctx context.Context, view store.View) error {
				_, err := List(ctx, view, v.Tenant, "", 10)
				return err
			},
		} {
			b.fail(func(ctx context.Context, tx *store.Tx) error { return read(ctx, tx) })
		}
		b.Pass(time.Hour)
		b.fail(func(ctx context.Context, tx *store.Tx) error { return ExpireDue(ctx, tx, v.ID) })
		require.EqualValues(t, Expired, b.row(v).State)
	})
}
