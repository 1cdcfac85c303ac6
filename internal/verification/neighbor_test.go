package verification

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Ensure that wrong codes of another phone, tenant or class leave what was counted as it is: it is
// neither added to, nor written over.
func TestWrongCodesOfOthers(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for name, other := range map[string]func(*Request){
			"phone":  func(r *Request) { r.Phone = b.Phone() },
			"tenant": func(r *Request) { r.Tenant = named("beta") },
			"class":  func(r *Request) { r.Asker = AskedBy(Claim) },
		} {
			mine := func(r *Request) { r.Tenant, r.Limits.Attempts = named("of "+name), 20 }
			guess := func(change func(*Request), times int) {
				v := b.start(func(r *Request) { mine(r); change(r) })
				for range times {
					require.Equal(t, Wrong, b.check(v, wrong).Verdict, name)
				}
			}
			nothing := func(*Request) {}
			guess(nothing, 9)
			guess(other, 2)
			guess(nothing, 1)
			require.ErrorIs(t, b.begin(mine), ErrBlocked, name)
			guess(other, 1)
			require.ErrorIs(t, b.begin(mine), ErrBlocked, name)
		}
	})
}

// Ensure that a pause of one person is neither ended nor caused by another one, or at another
// tenant.
func TestPausesOfOthers(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for name, other := range map[string]func(*Request){
			"subject": as("auth0", typedBy("another")),
			"tenant":  func(r *Request) { r.Tenant = named("beta") },
		} {
			mine := func(r *Request) {
				as("auth0", typedBy("thief of "+name))(r)
				r.Phone = b.Phone()
			}
			guess := func(change func(*Request)) {
				v := b.start(func(r *Request) { mine(r); change(r) })
				require.Equal(t, Wrong, b.check(v, wrong).Verdict, name)
			}
			guess(other)
			for range 3 {
				guess(func(*Request) {})
			}
			guess(other)
			require.ErrorIs(t, b.begin(mine), ErrPaused, name)
		}
	})
}

// Ensure that who must pause for two reasons is told the longer pause.
func TestLongerOfTwoPauses(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		start := func(subject string) Verification {
			return b.start(func(r *Request) { as("auth0", typedBy(subject))(r); r.Phone = b.Phone() })
		}
		const office, elsewhere = "203.0.113.7", "198.51.100.1"
		thief := start("thief")
		for range 3 {
			require.Equal(t, Wrong, b.present(thief, Presented{"auth0", wrong, elsewhere}).Verdict)
		}
		for n := range 14 {
			v := start(fmt.Sprint(n))
			require.Equal(t, Wrong, b.present(v, Presented{"auth0", wrong, office}).Verdict)
			if n == 10 {
				require.Equal(t, b.Now().Add(5*time.Second),
					b.present(thief, Presented{"auth0", right, office}).Until)
			}
			if n > 9 && n < 13 {
				b.Pass(2 * time.Second << (n - 10))
			}
		}
		require.Equal(t, Wrong, b.present(thief, Presented{"auth0", wrong, elsewhere}).Verdict)
		require.Equal(t, b.Now().Add(16*time.Second),
			b.present(thief, Presented{"auth0", right, office}).Until, "10 seconds for the person alone")
	})
}

// Ensure that the limit of an asker is not shared by those of whom no subject or source is known.
func TestUnknownAskersShareNoLimit(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		for name, who := range map[string]Asker{"app": {}, "typed": {class: Typed}} {
			for range 3 {
				require.NoError(t, b.begin(func(r *Request) {
					as("api", who)(r)
					r.Phone = b.Phone()
					r.Tenant.Limits.AskerHour = 1
				}), name)
			}
		}
		ann := func(r *Request) {
			as("api", AskedBy(App, "ann"))(r)
			r.Phone = b.Phone()
			r.Tenant.Limits.AskerHour = 1
		}
		require.NoError(t, b.begin(ann))
		require.ErrorIs(t, b.begin(ann), ErrLimited, "one who is known has it")
	})
}

// Ensure that the end of one verification leaves the text of another one due.
func TestEndLeavesOtherTexts(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		first, second, third := b.start(nil), b.start(nil), b.start(nil)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			_, err := Cancel(ctx, tx, second.Tenant, second.ID, "")
			return err
		})
		for v, want := range map[Verification]string{
			first: "due", second: "suppressed", third: "due",
		} {
			require.Equal(t, []string{want},
				b.Strings("SELECT state FROM text WHERE verification_id = $1", v.ID))
		}
	})
}

// Ensure that a key makes a request that was sent again the one of its own tenant and key.
func TestKeysOfOthers(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		start := func(tenant, key string) (v Verification) {
			r := b.request()
			r.Tenant = named(tenant)
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				v, err = StartOnce(ctx, tx, r, Key{Value: key})
				return err
			})
			return v
		}
		started := map[string]string{}
		for range 2 {
			for _, tenant := range []string{"acme", "beta"} {
				for _, key := range []string{"order-66", "order-67"} {
					v := start(tenant, key)
					require.Equal(t, tenant, v.Tenant)
					name := fmt.Sprint(tenant, " ", key)
					if started[name] == "" {
						started[name] = v.ID
					}
					require.Equal(t, started[name], v.ID, name)
				}
			}
		}
		require.Equal(t, 4, b.Count("verification"))
	})
}

// Ensure that each caller hears that its verification has expired. Another tenant or door that has
// one by the same name may have been told before.
func TestExpiryIsToldToEach(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		type caller struct{ tenant, door string }
		callers := []caller{{"acme", "api"}, {"beta", "api"}, {"acme", "durable"}}
		for _, c := range callers {
			b.start(func(r *Request) {
				r.Tenant, r.Door, r.ExternalID, r.Phone = named(c.tenant), c.door, "mine", b.Phone()
			})
		}
		b.Pass(10 * time.Minute)
		b.Exec("UPDATE verification SET state = 'expired'")
		for n := range 2 {
			for _, c := range callers {
				var news bool
				b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
					_, news, err = CheckExternal(ctx, tx, c.tenant, "mine", at(c.door, right))
					return err
				})
				require.Equal(t, n == 0, news, c)
			}
		}
	})
}

// Ensure that a verification is shown with what became of its own text, whatever becomes of another
// one's.
func TestTextsOfOthers(t *testing.T) {
	each(t, func(t *testing.T, b bench) {
		mine := b.start(nil)
		b.deliver(b.textsOf(mine)[0])
		b.Pass(time.Minute)
		other := b.start(func(r *Request) { r.Phone = b.Phone() })
		for id, want := range map[string]DeliveryState{mine.ID: Sent, other.ID: Waiting} {
			var (
				shown Shown
				last  db.Text
			)
			b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				if shown, err = Show(ctx, tx, "acme", id); err == nil {
					last, err = tx.LastTextOfVerification(ctx, id)
				}
				return err
			})
			require.Equal(t, want, shown.Delivery.State)
			require.Equal(t, id, last.VerificationID)
		}
	})
}
