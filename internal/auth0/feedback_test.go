package auth0_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

// Feedback approves the last code of the user, or else of the phone, once, for an hour.
func TestFeedback(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		user, other := w.Phone(), w.Phone()
		byUser := auth0.Feedback{Source: "mfa", UserID: "auth0|" + user.E164()}
		w.notify(code(user, "482913"))
		require.Equal(t, auth0.Matched, w.feed(byUser))
		require.Equal(t, []string{"approved"}, w.states(user))
		require.Equal(t, auth0.Known, w.feed(byUser))

		w.notify(code(other, "739201"))
		byPhone := auth0.Feedback{Source: "sms", UserID: "sms|unheard of", Phone: other}
		require.Equal(t, auth0.Matched, w.feed(byPhone))
		require.Equal(t, []string{"approved"}, w.states(other))

		w.Pass(time.Hour)
		require.Equal(t, auth0.Known, w.feed(byPhone), "that code was texted an hour ago")
		require.Equal(t, auth0.Unmatched, w.feed(byUser), "and so was this one")
		w.Pass(time.Millisecond)
		require.Equal(t, auth0.Forwarded, w.feed(byPhone), "that code was texted long ago")
		require.Equal(t, auth0.Unmatched, w.feed(byUser))
		require.Equal(t, 2, w.Count("event WHERE name = 'auth0.unmatched' AND detail = 'mfa'"))
	})
}

// A code that ran out before Auth0 told of it stays expired.
func TestFeedbackTooLate(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	w.notify(code(phone, "482913"))
	w.Pass(w.tenant.Codes.ValidFor)
	require.Equal(t, auth0.Unmatched, w.feed(auth0.Feedback{Source: "sms", Phone: phone}))
	require.NotContains(t, w.states(phone), "approved")
}

// Of the reports of one right code that come at once, one approves.
func TestFeedbackAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		w.notify(code(phone, "482913"))
		results := make([]auth0.Result, 8)
		var steps []func(ctx context.Context, tx *store.Tx) error
		for i := range results {
			steps = append(steps, func(ctx context.Context, tx *store.Tx) (err error) {
				f := auth0.Feedback{Source: "sms", Phone: phone}
				results[i], err = auth0.TakeFeedback(ctx, tx, w.tenant, f)
				return err
			})
		}
		for _, err := range w.AtOnce(steps...) {
			require.NoError(t, err)
		}
		slices.Sort(results)
		require.Equal(t, auth0.Matched, results[7])
		require.Equal(t, slices.Repeat([]auth0.Result{auth0.Known}, 7), results[:7])
	})
}

// What a stream delivers again changes nothing, even about a code that was texted since. Another
// tenant's event with the same id is another event.
func TestEventIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		take := func(t *tenant.Tenant, id string) (result auth0.Result) {
			w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				f := auth0.Feedback{Source: "log", Phone: phone}
				result, err = auth0.TakeEvent(ctx, tx, t, id, f)
				return err
			})
			return result
		}
		w.notify(code(phone, "482913"))
		require.Equal(t, auth0.Matched, take(w.tenant, "1"))
		w.Pass(time.Minute)
		w.notify(code(phone, "482913"))
		require.Equal(t, auth0.Known, take(w.tenant, "1"))
		require.Equal(t, []string{"approved", "pending"}, w.states(phone))
		beta := *w.tenant
		beta.Slug = "beta"
		require.NotEqual(t, auth0.Known, take(&beta, "1"))
		require.Equal(t, auth0.Matched, take(w.tenant, "2"))

		for _, id := range []string{"", strings.Repeat("x", 201)} {
			for range 2 {
				w.Pass(time.Minute)
				w.notify(code(phone, "482913"))
				require.Equal(t, auth0.Matched, take(w.tenant, id), "it has no id that is kept")
			}
		}
		longest := strings.Repeat("x", 200)
		w.Pass(time.Minute)
		w.notify(code(phone, "482913"))
		require.Equal(t, auth0.Matched, take(w.tenant, longest))
		w.Pass(time.Minute)
		w.notify(code(phone, "482913"))
		require.Equal(t, auth0.Known, take(w.tenant, longest))
	})
}

// Feedback about a code that the bridge did not have texted is a report to Twilio Verify. It is no
// verification, and no list shows it as one.
func TestFeedbackAboutAnothersCode(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		require.Equal(t, auth0.Forwarded, w.feed(auth0.Feedback{Source: "sms", Phone: phone}))
		require.Empty(t, w.list())
		require.Empty(t, w.states(phone))
		ids := w.Strings("SELECT id FROM verify_report WHERE phone = $1 AND result = ''", phone.E164())
		require.Len(t, ids, 1)
		require.Equal(t, 1, w.Jobs("report_verification", ids[0]))
		require.Equal(t, []string{"auth0.forwarded"}, w.EventNames(ids[0]))

		var o verification.Outcome
		unreported := func() (unsaid bool) {
			w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				o, unsaid, err = verification.Unreported(ctx, tx, ids[0])
				return err
			})
			return unsaid
		}
		require.True(t, unreported())
		require.True(t, o.Approved)
		require.Equal(t, phone.E164(), o.Key())
		told := o
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			return verification.Reported(ctx, tx, told, "matched")
		})
		require.False(t, unreported(), "Verify has heard")
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			return verification.Reported(ctx, tx, told, "unmatched")
		})
		require.Equal(t, []string{"matched"}, w.Strings("SELECT result FROM verify_report"))
		require.Equal(t, []string{"auth0.forwarded", "verification.reported"}, w.EventNames(ids[0]))
	})
}

// Nothing is forwarded without a phone or without Twilio Verify. A Verify that compares the
// bridge's own codes is not told either: it might take the report for one of them.
func TestFeedbackThatCannotBeForwarded(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	f := auth0.Feedback{Source: "sms", Phone: phone}
	w.tenant.Sending.VerifyService.OwnCode = true
	require.Equal(t, auth0.Unmatched, w.feed(f))
	w.tenant.Sending.VerifyService.OwnCode = false
	w.tenant.Sending.Providers = slices.DeleteFunc(w.tenant.Sending.Providers,
		func(p tenant.Provider) bool {
			return p == tenant.ByVerify
		})
	require.Equal(t, auth0.Unmatched, w.feed(f))
	w.tenant.Sending.Providers = append(w.tenant.Sending.Providers, tenant.ByVerify)
	require.Equal(t, auth0.Unmatched, w.feed(auth0.Feedback{Source: "mfa", UserID: "auth0|1"}))
	require.Zero(t, w.Count("verify_report"))
	require.Equal(t, auth0.Forwarded, w.feed(f))
}

// A user of one tenant is not taken for a user of another one that has the same id there. Nor is a
// notification taken for a retry of one at another tenant.
func TestUsersOfAnotherTenant(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		other := *w.tenant
		other.Slug = "beta"
		beta := world{w.Bench, &other}
		phone := w.Phone()
		n := code(phone, "482913")
		f := auth0.Feedback{Source: "mfa", UserID: n.UserID}
		first := w.notify(n)
		require.Equal(t, auth0.Unmatched, beta.feed(f))
		w.Pass(time.Millisecond)
		require.NotEqual(t, first, beta.notify(n))
		require.Equal(t, []string{"pending", "pending"}, w.states(phone))
		require.Equal(t, auth0.Matched, w.feed(f))
		require.Equal(t, []string{"approved", "pending"}, w.states(phone))
		require.Equal(t, auth0.Matched, beta.feed(f))
	})
}
