package auth0_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
)

// fail lets each statement of a step fail in turn: none of the failures may be a decision.
func (w world) fail(step func(ctx context.Context, tx *store.Tx) error) {
	w.Helper()
	w.FailEach(step, auth0.ErrStarts, verification.ErrUnknown, verification.ErrGone,
		verification.ErrOptedOut, verification.ErrBlocked)
}

// Ensure that a database that fails at any statement texts no notification twice, and takes no
// feedback by half. The failure comes back, and the next try does the whole of it.
func TestFailingDatabaseWithNotifications(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		var id string
		notify := func(n auth0.Notification) {
			w.Helper()
			w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				id, err = auth0.Notify(ctx, tx, w.tenant, n, "key")
				return err
			})
		}
		notify(code(phone, "482913"))
		first := id
		notify(code(phone, "482913"))
		require.Equal(t, first, id, "a retry")
		notify(code(phone, "739201"))
		require.Equal(t, []string{"canceled", "pending"}, w.states(phone))
		notify(auth0.Notification{Phone: phone, Text: "Your account is blocked."})
		require.Equal(t, 3, w.Count("text"))

		var result auth0.Result
		take := func(id string, f auth0.Feedback, want auth0.Result) {
			w.Helper()
			w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
				result, err = auth0.TakeEvent(ctx, tx, w.tenant, id, f)
				return err
			})
			require.Equal(t, want, result)
		}
		f := auth0.Feedback{Source: "log", UserID: "auth0|" + phone.E164()}
		take("1", f, auth0.Matched)
		require.Equal(t, []string{"canceled", "approved"}, w.states(phone))
		take("2", f, auth0.Known)
		other := auth0.Feedback{Source: "log", UserID: "auth0|7", Phone: w.Phone()}
		take("3", other, auth0.Forwarded)
		require.Equal(t, 1, w.Count("verify_report"))
	})
}

// Ensure the same of the steps of a log-in: no failure texts a second code, and none says that a
// log-in has no codes left.
func TestFailingDatabaseWithLogins(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone, other := w.Phone(), w.Phone()
		l, typed := w.login("d", phone.E164()), w.login("e", "")
		open := func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Open(ctx, tx)
			return err
		}
		w.fail(open)
		w.fail(open)
		require.Equal(t, 1, w.Count("text"))
		w.Pass(w.tenant.Codes.Gap)
		w.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Resend(ctx, tx)
			return err
		})
		require.Equal(t, 2, w.Count("text"))
		w.Pass(w.tenant.Codes.ValidFor)
		w.fail(again(l))
		require.Equal(t, []string{"expired", "pending"}, w.states(phone))
		w.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Leave(ctx, tx)
			return err
		})
		require.Equal(t, []string{"expired", "canceled"}, w.states(phone))

		w.fail(func(ctx context.Context, tx *store.Tx) error {
			_, err := typed.SetPhone(ctx, tx, other.E164())
			return err
		})
		require.Equal(t, []string{"pending"}, w.states(other))
		var checked verification.Checked
		w.fail(func(ctx context.Context, tx *store.Tx) (err error) {
			checked, err = typed.Check(ctx, tx, "1234567890")
			return err
		})
		require.Equal(t, verification.Wrong, checked.Verdict)
		w.Pass(time.Minute)
		require.Equal(t, verification.Right, w.right(typed).Verdict)
	})
}
