package auth0_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// A notification is texted once for a retry, once more for a new wish, and only the last code of a
// phone is pending.
func TestNotify(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		first := w.notify(code(phone, "482913"))
		require.Equal(t, []string{"pending"}, w.states(phone))
		require.Equal(t, 1, w.Jobs("send_text", first))

		w.Pass(29 * time.Second)
		require.Equal(t, first, w.notify(code(phone, "482913")), "a retry")
		other := w.notify(code(phone, "739201"))
		require.NotEqual(t, first, other, "another code")
		require.Equal(t, first, w.notify(code(phone, "482913")), "a retry that comes late")
		require.Equal(t, []string{"canceled", "pending"}, w.states(phone))

		w.Pass(30 * time.Second)
		require.NotEqual(t, other, w.notify(code(phone, "739201")), "a new wish")
		require.Equal(t, []string{"canceled", "canceled", "pending"}, w.states(phone))
		require.Equal(t, 3, w.Count("text"))
	})
}

// Any difference that Auth0 or a user could notice makes another notification.
func TestNotifyTellsDifferences(t *testing.T) {
	w := quick(t)
	n := code(w.Phone(), "482913")
	seen := map[string]bool{w.notify(n): true}
	for name, change := range map[string]func(n *auth0.Notification){
		"phone": func(n *auth0.Notification) { n.Phone = w.Phone() },
		"code":  func(n *auth0.Notification) { n.Code = "482914" },
		"text":  func(n *auth0.Notification) { n.Text += "." },
		"type":  func(n *auth0.Notification) { n.Type = "otp_enroll" },
		"user":  func(n *auth0.Notification) { n.UserID = "auth0|other" },
		"no code, and its digits in front of the text": func(n *auth0.Notification) {
			n.Text, n.Code = n.Code+n.Text, ""
		},
	} {
		changed := n
		change(&changed)
		id := w.notify(changed)
		require.False(t, seen[id], name)
		seen[id] = true
	}
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		id, err := auth0.Notify(ctx, tx, w.tenant, n, "another key")
		require.False(t, seen[id], "the digest is keyed")
		return err
	})
	for _, digest := range w.Strings("SELECT digest FROM auth0_notification") {
		require.Len(t, digest, 64)
	}
}

// A text without a code starts no verification. It is sent as it is.
func TestNotifyWithoutCode(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	id := w.notify(auth0.Notification{Phone: phone, Text: "Your account is blocked."})
	require.Empty(t, w.states(phone))
	require.Equal(t, []string{"relay"}, w.Strings("SELECT purpose FROM text WHERE id = $1", id))
	require.Equal(t, 1, w.Jobs("send_text", id))
	deadline, body := w.text(id)
	require.Equal(t, "Your account is blocked.", body)
	require.Equal(t, w.Now().Add(10*time.Minute), deadline)
}

// A code is texted in Auth0's words. Where Auth0 gives none, the tenant's say it.
func TestNotifyInWhoseWords(t *testing.T) {
	w := quick(t)
	n := code(w.Phone(), "482913")
	n.Text = "482913 opens the door"
	deadline, body := w.text(w.notify(n))
	require.Equal(t, "482913 opens the door", body)
	require.Equal(t, w.Now().Add(w.tenant.Codes.ValidFor), deadline)
	n.Text = ""
	_, body = w.text(w.notify(n))
	require.Equal(t, w.tenant.CodeText("482913", ""), body)
}

// Requests that come at once text each code of a phone once, and leave one code pending.
func TestNotifyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		var steps []func(ctx context.Context, tx *store.Tx) error
		for i := range 16 {
			n := code(phone, []string{"482913", "739201"}[i%2])
			steps = append(steps, func(ctx context.Context, tx *store.Tx) error {
				_, err := auth0.Notify(ctx, tx, w.tenant, n, "key")
				return err
			})
		}
		for _, err := range w.AtOnce(steps...) {
			require.NoError(t, err)
		}
		require.Equal(t, 2, w.Count("text"), "one for each code")
		require.Equal(t, 1, w.Count("text WHERE state = 'due'"))
		require.Equal(t, 1, w.Count("verification WHERE state = 'pending'"))
		require.Zero(t, w.Count("guess"), "no code was guessed")
	})
}

// Wrong codes at the bridge's own doors do not keep a phone from Auth0's codes.
func TestNotifyIgnoresWrongCodes(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	for w.tenant.Codes.Wrong = 2; w.Count("guess WHERE wrong_at LIKE '% %'") == 0; {
		w.wrongCode(phone)
	}
	require.ErrorIs(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
		_, _, err := verification.Start(ctx, tx, verification.For(w.tenant, "api", phone))
		return err
	}), verification.ErrBlocked)

	w.notify(code(phone, "482913"))
	require.Equal(t, []string{"due"}, w.Strings(
		"SELECT state FROM text WHERE phone = $1 ORDER BY id DESC LIMIT 1", phone.E164()))
}

// Auth0's codes are compared at Auth0 alone. No door of the bridge says whether one is right. No
// list shows that there is one: a key for other codes would be an oracle for Auth0's.
func TestAuth0CodesAreUnknownElsewhere(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		w.notify(code(phone, "482913"))
		var v verification.Verification
		w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			v, err = verification.ByExternalID(ctx, tx, "acme", "auth0_phone", phone.E164())
			return err
		})
		for _, door := range []string{"api", "auth0", "durable", "flowroute", "auth0_phone", "text"} {
			for _, typed := range []string{"482913", "000000"} {
				require.ErrorIs(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
					_, err := verification.Check(ctx, tx, "acme", v.ID,
						verification.Presented{Door: door, Code: typed})
					return err
				}), verification.ErrUnknown, "%s %s", door, typed)
			}
		}
		require.ErrorIs(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
			_, err := verification.Show(ctx, tx, "acme", v.ID)
			return err
		}), verification.ErrUnknown)
		require.Empty(t, w.list())
		require.False(t, v.CheckableByText())
		require.Equal(t, []string{"pending"}, w.states(phone))
		require.Zero(t, w.Count("guess"), "nothing was compared")
	})
}

// wrongCode has a phone give a wrong code to a verification of the API's.
func (w world) wrongCode(phone phonemail.Number) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		request := verification.For(w.tenant, "api", phone)
		request.Code = "1234"
		v, _, err := verification.Start(ctx, tx, request)
		if err != nil {
			return err
		}
		_, err = verification.Check(ctx, tx, "acme", v.ID,
			verification.Presented{Door: "api", Code: "4321"})
		return err
	})
}

func TestJudge(t *testing.T) {
	w := quick(t)
	swedish, err := phonemail.ParseNumber("+46701234567")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(n *auth0.Notification)
		want   error
	}{
		"a code": {func(*auth0.Notification) {}, nil},
		"as a text": {func(n *auth0.Notification) {
			n.Delivery = "text"
		}, nil},
		"a code without a text": {func(n *auth0.Notification) { n.Text = "" }, nil},
		"a text without a code": {func(n *auth0.Notification) { n.Code = "" }, nil},
		"another country": {func(n *auth0.Notification) {
			n.Phone = swedish
		}, phonemail.ErrCountry},
		"a call":  {func(n *auth0.Notification) { n.Delivery = "voice" }, auth0.ErrDelivery},
		"letters": {func(n *auth0.Notification) { n.Code = "48x913" }, verification.ErrCode},
		"nothing": {func(n *auth0.Notification) { n.Code, n.Text = "", "" }, auth0.ErrEmpty},
		"six segments": {func(n *auth0.Notification) {
			n.Text = strings.Repeat("x", 6*153)
		}, nil},
		"seven segments": {func(n *auth0.Notification) {
			n.Text = strings.Repeat("x", 6*153+1)
		}, auth0.ErrTooLong},
	} {
		n := code(w.Phone(), "482913")
		test.change(&n)
		require.ErrorIs(t, n.Judge(w.tenant, w.Now()), test.want, name)
	}
}

// A code that one replica is about to text does not keep another replica from texting a newer one.
func TestNotifyWaitsForItsTurn(t *testing.T) {
	w := open(storetest.OpenBench(t, storetest.PostgreSQL(t)))
	phone := w.Phone()
	waiting := "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	newer := make(chan string, 1)
	begin := sync.OnceFunc(func() { go func() { newer <- w.notify(code(phone, "739201")) }() })
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		if _, err := auth0.Notify(ctx, tx, w.tenant, code(phone, "482913"), "key"); err != nil {
			return err
		}
		for begin(); w.Count(waiting) == 0; {
			require.NoError(t, ctx.Err())
		}
		return nil
	})
	id := <-newer
	require.Equal(t, []string{"suppressed", "due"}, w.Strings("SELECT state FROM text ORDER BY id"))
	require.Equal(t, []string{"due"}, w.Strings("SELECT state FROM text WHERE id = $1", id))
	require.Equal(t, []string{"canceled", "pending"}, w.states(phone))
}
