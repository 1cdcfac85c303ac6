package auth0_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// login is a log-in whose session token brought a phone, "" for none.
func (w world) login(digest, phone string) auth0.Login {
	return auth0.Login{
		Tenant: w.tenant, Session: auth0.Session{Digest: digest, Phone: phone}, Locale: "en",
	}
}

// find is how a log-in stands.
func (w world) find(l auth0.Login) (s auth0.Standing) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = l.Find(ctx, tx)
		return err
	})
	return s
}

// open loads the page of a log-in.
func (w world) open(l auth0.Login) (s auth0.Standing, err error) {
	err = w.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = l.Open(ctx, tx)
		return err
	})
	return s, err
}

// setPhone types a phone into the form of a log-in.
func (w world) setPhone(l auth0.Login, typed string) error {
	return w.Try(func(ctx context.Context, tx *store.Tx) error {
		_, err := l.SetPhone(ctx, tx, typed)
		return err
	})
}

// again asks for a new code of a log-in.
func again(l auth0.Login) func(ctx context.Context, tx *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := l.Again(ctx, tx)
		return err
	}
}

// right presents the right code of a log-in.
func (w world) right(l auth0.Login) verification.Checked {
	w.Helper()
	code := w.code(l)
	var checked verification.Checked
	w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		checked, err = l.Check(ctx, tx, code)
		return err
	})
	return checked
}

// code is the code that counts for a log-in.
func (w world) code(l auth0.Login) (code string) {
	w.Helper()
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		s, err := l.Find(ctx, tx)
		if err != nil {
			return err
		}
		secret, err := verification.Open(ctx, tx, "acme", s.Verification.ID)
		code = secret.Code
		return err
	})
	return code
}

// A session token is worth one text, however often its page is loaded, also at once.
func TestLoginTextsOnce(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		phone := w.Phone()
		l := w.login("d", phone.E164())
		require.ErrorIs(t, w.Try(func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Find(ctx, tx)
			return err
		}), verification.ErrUnknown)
		load := func(ctx context.Context, tx *store.Tx) error {
			_, err := l.Open(ctx, tx)
			return err
		}
		for _, err := range w.AtOnce(load, load, load, load) {
			require.NoError(t, err)
		}
		require.Equal(t, 1, w.Count("text"))
		require.Equal(t, []string{"pending"}, w.states(phone))
		require.True(t, w.find(l).More)
		require.Equal(t, verification.Right, w.right(l).Verdict)
		_, err := w.open(l)
		require.NoError(t, err)
		require.Equal(t, 1, w.Count("text"))
	})
}

// A log-in has three verifications. A phone that is typed replaces the one before.
func TestLoginStarts(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		l := w.login("d", "")
		var phones []phonemail.Number
		for n := range 3 {
			phones = append(phones, w.Phone())
			require.NoError(t, w.setPhone(l, phones[n].E164()))
			require.Equal(t, n < 2, w.find(l).More)
		}
		require.ErrorIs(t, w.setPhone(l, w.Phone().E164()), auth0.ErrStarts)
		for n, state := range []string{"canceled", "canceled", "pending"} {
			require.Equal(t, []string{state}, w.states(phones[n]))
		}
		require.NoError(t, w.setPhone(w.login("another", ""), phones[0].E164()))
	})
}

// Ensure that requests of one log-in that come at once have no more verifications than those that
// come one by one: each is a text to any number that is typed.
func TestLoginStartsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		for n := range 3 {
			l := w.login(fmt.Sprint("d", n), "")
			for range n {
				require.NoError(t, w.setPhone(l, w.Phone().E164()))
			}
			var steps []func(ctx context.Context, tx *store.Tx) error
			for range 8 {
				phone := w.Phone().E164()
				steps = append(steps, func(ctx context.Context, tx *store.Tx) error {
					_, err := l.SetPhone(ctx, tx, phone)
					return err
				})
			}
			refused := 0
			for _, err := range w.AtOnce(steps...) {
				if err != nil {
					require.ErrorIs(t, err, auth0.ErrStarts)
					refused++
				}
			}
			require.Equal(t, 8+n-3, refused)
			require.Equal(t, 3, w.Count("verification WHERE external_id = '"+l.Session.Digest+"'"))
		}
	})
}

// Again gives a new code only after the last verification failed, and to its phone.
func TestLoginAgain(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	l := w.login("d", phone.E164())
	w.Do(again(l))
	require.Empty(t, w.states(phone))
	_, err := w.open(l)
	require.NoError(t, err)
	w.Do(again(l))
	require.Equal(t, []string{"pending"}, w.states(phone))
	w.Pass(w.tenant.Codes.ValidFor)
	w.Do(again(l))
	require.Equal(t, []string{"expired", "pending"}, w.states(phone))
	require.NoError(t, w.setPhone(l, w.Phone().E164()), "the token's phone counts")
	require.Equal(t, []string{"expired", "pending"}, w.states(phone))
}

// Resend texts the code of the log-in's verification once more, in the words of the form. Before
// there is a verification it does nothing.
func TestLoginResends(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	l := w.login("d", phone.E164())
	resend := func() (v verification.Verification) {
		w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			v, err = l.Resend(ctx, tx)
			return err
		})
		return v
	}
	require.Empty(t, resend())
	s, err := w.open(l)
	require.NoError(t, err)
	w.Pass(w.tenant.Codes.Gap)
	v := resend()
	require.Equal(t, s.Verification.ID, v.ID)
	require.Equal(t, 2, v.Sends)
	require.Equal(t, []string{"suppressed", "due"}, w.Strings("SELECT state FROM text ORDER BY id"))
	_, body := w.text(w.Strings("SELECT id FROM text WHERE state = 'due'")[0])
	require.Equal(t, w.tenant.FormCodeText(w.code(l), "en"), body)
}

// Auth0's word for a phone is worth more than a person's: who types a stranger's number and wrong
// codes spends the share of typed numbers, and the stranger's own log-in goes on.
func TestLoginSaysWhoAsks(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	typed := func(subject string) auth0.Login {
		l := w.login(subject, "")
		l.Session.Subject = subject
		return l
	}
	const wrong = "1234567890" // longer than the codes that are drawn
	for n := range w.tenant.Codes.Wrong / 2 {
		l := typed(fmt.Sprint("thief", n))
		require.NoError(t, w.setPhone(l, phone.E164()))
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			checked, err := l.Check(ctx, tx, wrong)
			if err == nil && checked.Verdict != verification.Wrong {
				err = fmt.Errorf("the verdict on a wrong code is %q", checked.Verdict)
			}
			return err
		})
	}
	require.ErrorIs(t, w.setPhone(typed("another"), phone.E164()), verification.ErrBlocked)
	l := w.login("owner", phone.E164())
	_, err := w.open(l)
	require.NoError(t, err)
	require.Equal(t, verification.Right, w.right(l).Verdict)
}

// After the phone is verified no step changes anything, and leaving keeps it verified.
func TestLoginVerified(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	l := w.login("d", "")
	require.NoError(t, w.setPhone(l, phone.E164()))
	require.Equal(t, verification.Right, w.right(l).Verdict)
	w.Pass(time.Minute)
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		checked, err := l.Check(ctx, tx, "no code")
		require.NoError(t, err)
		require.Equal(t, verification.Checked{}, checked)
		resent, err := l.Resend(ctx, tx)
		require.NoError(t, err)
		require.Empty(t, resent)
		again, err := l.Again(ctx, tx)
		require.NoError(t, err)
		require.Empty(t, again)
		set, err := l.SetPhone(ctx, tx, "no number")
		require.NoError(t, err)
		require.Empty(t, set)
		left, err := l.Leave(ctx, tx)
		require.Equal(t, verification.Approved, left.Verification.State)
		return err
	})
	require.Equal(t, []string{"approved"}, w.states(phone))
	require.Equal(t, 1, w.Count("text"))
}

// A log-in that leaves has a canceled verification, also if none was started.
func TestLoginLeaves(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	leave := func(l auth0.Login) (left auth0.Left) {
		w.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			left, err = l.Leave(ctx, tx)
			return err
		})
		return left
	}
	l := w.login("d", "")
	none := leave(l)
	require.NotEmpty(t, none.Verification.ID)
	require.Equal(t, verification.Canceled, none.Verification.State)
	require.Equal(t, w.Now(), none.At)
	require.NoError(t, w.setPhone(l, phone.E164()))
	require.Equal(t, verification.Canceled, leave(l).Verification.State)
	require.Equal(t, []string{"canceled"}, w.states(phone))
}

// in writes a text in the digits of another keyboard, of which zero is the first.
func in(zero rune, text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return zero + r - '0'
		}
		return r
	}, text)
}

// People type numbers with separators, with 00 for the plus sign, and in the digits of their
// keyboard, as they type codes. They add the zero of calls at home, and paste links.
func TestTypedPhone(t *testing.T) {
	w := quick(t)
	phone := w.Phone()
	plain := phone.E164()[1:]
	for n, typed := range []string{"00" + plain, "+" + plain[:2] + " " + plain[2:4] + "-" + plain[4:],
		" (+" + plain[:2] + ")\u00a0" + plain[2:] + "/."} {
		require.NoError(t, w.setPhone(w.login(string(rune('a'+n)), ""), typed), typed)
	}
	require.Len(t, w.states(phone), 3)
	for n, typed := range []string{in('٠', "+"+plain), in('۰', "00"+plain), in('０', "＋"+plain)} {
		require.NoError(t, w.setPhone(w.login(string(rune('k'+n)), ""), typed), typed)
	}
	require.Len(t, w.states(phone), 6)
	for n, typed := range []string{
		"\u202a+" + plain + "\u202c", "+" + plain[:2] + "\u2011" + plain[2:],
		"\u3000+" + plain + "\u200b",
	} {
		require.NoError(t, w.setPhone(w.login(string(rune('p'+n)), ""), typed), typed)
	}
	require.Len(t, w.states(phone), 9)
	for n, typed := range []string{"tel:+" + plain, " Tel:+" + plain[:2] + "-" + plain[2:],
		"+" + plain[:2] + " (0)" + plain[2:], "00" + plain[:2] + "(٠) " + plain[2:]} {
		require.NoError(t, w.setPhone(w.login(string(rune('A'+n)), ""), typed), typed)
	}
	require.Len(t, w.states(phone), 13)
	for _, typed := range []string{"", plain, "0" + plain[2:], "+45", "tel:" + plain, "(0)" + plain} {
		require.ErrorIs(t, w.setPhone(w.login("x", ""), typed), phonemail.ErrNumber, typed)
	}
	require.ErrorIs(t, w.setPhone(w.login("x", ""), "+46701234567"), phonemail.ErrCountry)
}

// A phone in a country that filters links gets the code of the form without the line of the site.
// So it is when it is texted again. What Auth0 has texted comes from the sender of links and codes.
func TestLoginWithoutALink(t *testing.T) {
	w := quick(t)
	w.tenant.Works.Links = nil
	w.tenant.Sending.Twilio.LinksFrom = "ACME"
	l := w.login("d", w.Phone().E164())
	_, err := w.open(l)
	require.NoError(t, err)
	w.Pass(w.tenant.Codes.Gap)
	w.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := l.Resend(ctx, tx)
		return err
	})
	_, again := w.text(w.Strings("SELECT id FROM text WHERE state = 'due'")[0])
	require.Contains(t, again, w.code(l)+" is your ACME code")
	require.NotContains(t, again, "@bridge")
	first := w.login("e", w.Phone().E164())
	_, err = w.open(first)
	require.NoError(t, err)
	due := w.Strings("SELECT id FROM text WHERE state = 'due' ORDER BY created_at, id")
	_, body := w.text(due[len(due)-1])
	require.Contains(t, body, w.code(first)+" is your ACME code")
	require.NotContains(t, body, "@bridge")

	words := code(w.Phone(), "")
	words.Text = "Hello"
	id := w.notify(words)
	require.Equal(t, []string{"ACME"}, w.Strings("SELECT sender FROM text WHERE id = $1", id))
}

// Ensure that who leaves while the code is checked hears how the log-in ended, whichever came
// first.
func TestLeaveBesideTheCode(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		for n := range 20 {
			l := w.login(fmt.Sprint("d", n), w.Phone().E164())
			_, err := w.open(l)
			require.NoError(t, err)
			code := w.code(l)
			var left auth0.Left
			for _, err := range w.AtOnce(
				func(ctx context.Context, tx *store.Tx) (err error) {
					left, err = l.Leave(ctx, tx)
					return err
				},
				func(ctx context.Context, tx *store.Tx) error {
					_, err := l.Check(ctx, tx, code)
					if errors.Is(err, verification.ErrGone) {
						err = nil
					}
					return err
				},
			) {
				require.NoError(t, err)
			}
			require.Equal(t, w.find(l).Verification.State, left.Verification.State)
		}
	})
}
