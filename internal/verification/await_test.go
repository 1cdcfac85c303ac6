package verification

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// ended is a context whose time is over.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// asked is a verification of which Twilio Verify compares a code.
func (b bench) asked(code string) (Checked, Comparison) {
	b.Helper()
	v := b.start(func(r *Request) { r.Phone = b.Phone() })
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
	})
	c := b.check(v, code)
	var q Comparison
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		q, _, err = Unanswered(ctx, tx, c.CheckID)
		return err
	})
	return c, q
}

// Ensure that a caller hears what Verify says to its code, also while it waits. It is told neither
// right nor wrong when there is no answer in time, and never right about a canceled verification.
func TestAwait(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for _, verdict := range []Verdict{Right, Wrong} {
			c, q := b.asked(right)
			heard := make(chan Checked)
			go func() {
				got, err := Await(t.Context(), b.Store, c)
				if err != nil {
					t.Error(err)
				}
				heard <- got
			}()
			b.answer(q, verdict)
			got := <-heard
			require.Equal(t, verdict, got.Verdict)
			require.Equal(t, verdict == Right, got.Verification.State == Approved)
			again, err := Await(ended(t), b.Store, got)
			require.NoError(t, err)
			require.Equal(t, got, again, "it is known")
		}
		c, q := b.asked(right)
		got, err := Await(ended(t), b.Store, c)
		require.NoError(t, err)
		require.Equal(t, Asked, got.Verdict, "in time there was no answer")
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := Cancel(ctx, tx, q.Tenant, q.VerificationID, "by the app")
			return err
		})
		b.answer(q, Right)
		got, err = Await(t.Context(), b.Store, c)
		require.NoError(t, err)
		require.Equal(t, Over, got.Verdict)
		require.Equal(t, Canceled, got.Verification.State)
		b.Exec("ALTER TABLE code_check RENAME TO lost")
		_, err = Await(t.Context(), b.Store, c)
		require.Error(t, err, "no answer is made of a failure")
	})
}

// Ensure that a caller hears that a code left, or that it will not, also while it waits.
func TestAwaitSent(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for want, end := range map[State]func(id string, v Verification){
			Pending: func(id string, _ Verification) { b.deliver(id) },
			Failed: func(id string, v Verification) {
				b.refuse(id)
				b.fails(v, NumberInvalid)
			},
		} {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			now, err := AwaitSent(ended(t), b.Store, v)
			require.NoError(t, err)
			require.Equal(t, v.ID, now.ID)
			heard := make(chan Verification)
			go func() {
				got, err := AwaitSent(t.Context(), b.Store, v)
				if err != nil {
					t.Error(err)
				}
				heard <- got
			}()
			end(b.textsOf(v)[0], v)
			got := <-heard
			if want == Pending {
				require.Equal(t, Pending, got.State)
				continue
			}
			// It may look between the refusal and the end that follows from it.
			got, err = AwaitSent(t.Context(), b.Store, got)
			require.NoError(t, err)
			require.Equal(t, NumberInvalid, got.Reason)
		}
		v := b.start(nil)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := Cancel(ctx, tx, v.Tenant, v.ID, "by the app")
			return err
		})
		got, err := AwaitSent(t.Context(), b.Store, v)
		require.NoError(t, err)
		require.Equal(t, Canceled, got.State)
		b.Exec("ALTER TABLE text RENAME TO lost")
		_, err = AwaitSent(t.Context(), b.Store, v)
		require.Error(t, err)
	})
}

// Ensure that who waits is told as soon as there is something to hear, and need not look for it.
func TestWhatIsAwaitedIsAnnounced(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		told := func(id string, do func()) {
			t.Helper()
			announced, stop := b.Store.Await(id)
			defer stop()
			do()
			require.Len(t, announced, 1)
		}
		for _, end := range []func(id string){
			func(id string) { b.deliver(id) },
			func(id string) { b.refuse(id) },
			func(id string) {
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					_, _, err := text.Begin(ctx, tx, id)
					return err
				})
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return text.Accept(ctx, tx, id, "SM"+id)
				})
			},
		} {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			told(v.ID, func() { end(b.textsOf(v)[0]) })
		}
		for _, verdict := range []Verdict{Right, Wrong} {
			c, q := b.asked(right)
			told(c.CheckID, func() { b.answer(q, verdict) })
		}
	})
}

// patience is a context that ends after some looks at it.
type patience struct {
	context.Context
	looks atomic.Int64
}

func (p *patience) Err() error {
	if p.looks.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// Ensure that a caller goes on waiting while its text is due, and while a provider is asked.
func TestAwaitSentWaits(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		id := b.textsOf(v)[0]
		looked := func() (all bool) {
			ctx := &patience{Context: t.Context()}
			ctx.looks.Store(3)
			got, err := AwaitSent(ctx, b.Store, v)
			require.NoError(t, err)
			require.Equal(t, Pending, got.State)
			return ctx.looks.Load() < 0
		}
		require.True(t, looked(), "its text is due")
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := text.Begin(ctx, tx, id)
			return err
		})
		require.True(t, looked(), "a provider is asked")
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return text.Accept(ctx, tx, id, "SM"+id)
		})
		require.False(t, looked(), "a provider has it")
	})
}

// Ensure that a caller that waits in vain looks a few times, and not thirty. In a flood there are
// hundreds of them, and their looks would hold up the very texts that they wait for.
func TestAwaitLooksLessAndLess(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), nil)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		looks := 0
		require.NoError(t, await(ctx, s, "none", func(context.Context, store.View) (bool, error) {
			looks++
			return true, nil
		}))
		require.Equal(t, 5, looks, "at once, and after 100, 300, 700 and 1,500 ms")
	})
}

// Ensure that Twilio Verify is told of each end once, and of none that is not there yet.
func TestUnreported(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		unreported := func(id string) (o Outcome, due bool) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				o, due, err = Unreported(ctx, tx, id)
				return err
			})
			return o, due
		}
		report := func(o Outcome) {
			for range 2 {
				b.Do(func(ctx context.Context, tx *store.Tx) error {
					return Reported(ctx, tx, o, "matched")
				})
				names := b.EventNames(o.ID)
				require.Equal(t, "verification.reported", names[len(names)-1])
			}
			_, due := unreported(o.ID)
			require.False(t, due, "Verify has heard")
		}
		_, due := unreported("none")
		require.False(t, due)
		v := b.start(nil)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return SentByVerify(ctx, tx, v.ID, "VE1", false)
		})
		_, due = unreported(v.ID)
		require.False(t, due, "it is pending")
		require.Equal(t, Right, b.check(v, right).Verdict, "the code is ours")
		o, due := unreported(v.ID)
		require.True(t, due)
		require.Equal(t, "VE1", o.Key())
		require.True(t, o.Approved)
		require.Equal(t, b.Now(), o.Ended)
		report(o)
		require.Equal(t, []string{"verification.pending", "verification.approved",
			"verification.reported"}, b.EventNames(v.ID))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return SentByVerify(ctx, tx, v.ID, "VE2", false)
		})
		require.Equal(t, 2, b.Jobs("report_verification", v.ID), "its text was taken after the end")

		other := b.start(func(r *Request) { r.Phone = b.Phone() })
		b.check(other, right)
		_, due = unreported(other.ID)
		require.False(t, due, "Verify did not send it")
		var id string
		b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			id, err = ReportPhone(ctx, tx, "acme", v.Phone)
			return err
		})
		require.Equal(t, 1, b.Jobs("report_verification", id))
		o, due = unreported(id)
		require.True(t, due)
		require.Equal(t, v.Phone.E164(), o.Key())
		require.True(t, o.Approved)
		report(o)
	})
}

// Ensure that Verify is told of older verifications of the phone before it starts another: of those
// that began first, ten at most, of a day at most, and of no other phone or tenant.
func TestUnreportedOfPhone(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		phone := b.Phone()
		startAs := func(to phonemail.Number, change func(*Request)) Verification {
			v := b.start(func(r *Request) { r.Phone = to; change(r) })
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return SentByVerify(ctx, tx, v.ID, "VE"+v.ID, false)
			})
			return v
		}
		atVerify := func(to phonemail.Number) Verification { return startAs(to, func(*Request) {}) }
		report := func(slug string, to phonemail.Number) (id string) {
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				id, err = ReportPhone(ctx, tx, slug, to)
				return err
			})
			return id
		}
		ids := func(v Verification) (ids []string) {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				all, err := UnreportedOfPhone(ctx, tx, v)
				ids = nil
				for _, o := range all {
					ids = append(ids, o.ID)
				}
				return err
			})
			return ids
		}
		var want []string
		old := report("acme", phone)
		b.Pass(time.Millisecond)
		for range 5 {
			want = append(want, atVerify(phone).ID)
			b.Pass(time.Second)
			want = append(want, report("acme", phone))
			b.Pass(time.Second)
		}
		atVerify(b.Phone())
		startAs(phone, func(r *Request) { r.Tenant = named("beta") })
		startAs(phone, func(r *Request) { r.Line.Account = "AC2" })
		startAs(phone, func(r *Request) { r.Line.Sender = "+4512340009" })
		report("beta", phone)
		report("acme", b.Phone())
		next := b.start(func(r *Request) { r.Phone = phone })
		require.Equal(t, append([]string{old}, want[:9]...), ids(next))
		b.Pass(24*time.Hour - 10*time.Second - time.Millisecond)
		require.Equal(t, want, ids(next), "the oldest is of more than a day ago")
		b.Pass(9 * time.Second)
		require.Equal(t, want[9:], ids(next))
	})
}

// Ensure that a code that cannot be opened is neither right nor wrong, and is not texted.
func TestCodeThatCannotBeOpened(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(func(r *Request) { r.Phone = b.Phone() })
		other := b.start(func(r *Request) { r.Phone = b.Phone() })
		b.Exec("UPDATE verification SET code = $1 WHERE id = $2", b.row(other).Code, v.ID)
		b.Pass(time.Minute)
		for name, step := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"open": func(ctx context.Context, tx *store.Tx) error {
				_, err := Open(ctx, tx, v.Tenant, v.ID)
				return err
			},
			"check": func(ctx context.Context, tx *store.Tx) error {
				_, err := Check(ctx, tx, v.Tenant, v.ID, at("api", right))
				return err
			},
			"resend": func(ctx context.Context, tx *store.Tx) error {
				_, err := Resend(ctx, tx, named(v.Tenant), v.ID, words, "")
				return err
			},
		} {
			require.ErrorIs(t, b.Try(step), store.ErrSealed, name)
		}
		require.Zero(t, b.get(v).Attempts)
		c, _ := b.asked(right)
		b.Exec("UPDATE code_check SET code = $1 WHERE id = $2", b.row(other).Code, c.CheckID)
		require.ErrorIs(t, b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := Unanswered(ctx, tx, c.CheckID)
			return err
		}), store.ErrSealed)
	})
}

// Ensure that nothing is ended by what is said of a text or check that there is not, or that has
// another end.
func TestWhatEndsNothing(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		v := b.start(nil)
		id := b.textsOf(v)[0]
		relay := ""
		b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			relay, err = text.Make(ctx, tx, text.Draft{
				Tenant: named("acme"), Line: line, Phone: v.Phone, Purpose: text.Relay, Body: "x",
				Deadline: tx.Now().Add(time.Hour),
			})
			return err
		})
		b.refuse(relay)
		for _, textID := range []string{"none", id, relay} {
			b.Do(func(ctx context.Context, tx *store.Tx) error { return FailLost(ctx, tx, textID) })
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return FailOptedOut(ctx, tx, textID)
			})
		}
		b.Do(func(ctx context.Context, tx *store.Tx) error { return Abandon(ctx, tx, "none") })
		b.Do(func(ctx context.Context, tx *store.Tx) error { return ExpireDue(ctx, tx, "none") })
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, due, err := Unanswered(ctx, tx, "none")
			require.False(t, due)
			return err
		})
		require.Equal(t, Pending, b.get(v).State)
		for _, get := range []func(ctx context.Context, tx *store.Tx) error{
			func(ctx context.Context, tx *store.Tx) error {
				_, err := ByID(ctx, tx, "none")
				return err
			},
			func(ctx context.Context, tx *store.Tx) error {
				_, err := Show(ctx, tx, "acme", "none")
				return err
			},
			func(ctx context.Context, tx *store.Tx) error {
				_, err := Show(ctx, tx, "beta", v.ID)
				return err
			},
			func(ctx context.Context, tx *store.Tx) error {
				_, err := Approve(ctx, tx, "beta", v.ID, "by its provider")
				return err
			},
		} {
			require.ErrorIs(t, b.Try(get), ErrUnknown)
		}
		b.check(v, right)
		require.ErrorIs(t, b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, err := Open(ctx, tx, v.Tenant, v.ID)
			return err
		}), ErrGone)
	})
}

// Ensure that an app sees its verifications page by page, the newest first, and those that are
// compared elsewhere on none.
func TestList(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		var want []string
		for range 5 {
			v := b.start(func(r *Request) { r.Phone = b.Phone() })
			want = append([]string{v.ID}, want...)
			b.Pass(time.Second)
			b.start(func(r *Request) { r.Phone, r.ComparedElsewhere = b.Phone(), true })
			b.start(func(r *Request) { r.Phone, r.Tenant = b.Phone(), named("beta") })
		}
		var got []string
		for before := ""; ; {
			var page []Shown
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				page, err = List(ctx, tx, "acme", before, 2)
				return err
			})
			if len(page) == 0 {
				break
			}
			for _, s := range page {
				got = append(got, s.ID)
				require.Equal(t, Waiting, s.Delivery.State)
				require.True(t, s.CheckableByText())
				before = s.ID
			}
		}
		require.Equal(t, want, got)
		require.False(t, b.start(func(r *Request) { r.ComparedElsewhere = true }).CheckableByText())
	})
}

// Ensure that a verification has the limits of its tenant's settings, each in its place.
func TestFor(t *testing.T) {
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.acme.example", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true", "SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK",
		"SMSBRIDGE_LINKS_WORK=DK", "SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=" + line.Account, "TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210",
		"TWILIO_FROM=" + line.Sender, "SMSBRIDGE_CODE_LENGTH=7", "SMSBRIDGE_CODE_VALID_FOR=7m",
		"SMSBRIDGE_CODE_ATTEMPTS=4",
	})
	require.NoError(t, err)
	one, _ := settings.Tenants.Tenant("acme")
	one.Codes.Wrong, one.Codes.Sends, one.Codes.Gap = 8, 2, 31*time.Second
	phone := mustPhone(t, "+4520123456")
	r := For(one, "api", phone)
	require.Equal(t, Limits{7 * time.Minute, 4, 8, 2, 31 * time.Second}, r.Limits)
	require.Equal(t, []any{"acme", "api", line, phone, 7, false},
		[]any{r.Tenant.Slug, r.Door, r.Line, r.Phone, r.Length, r.Notify})
	require.Contains(t, r.Wording("1234567", ""), "1234567 is your ACME code")
}
