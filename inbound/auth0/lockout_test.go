package auth0_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// Ensure that a person who logs in, types a stranger's number and wrong codes locks that phone out
// of nothing but typed numbers. The log-in of its owner, whom Auth0 vouches for, the API and a
// reply by text go on.
func TestTypedNumberLocksNoOwnerOut(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		for n := range 5 {
			thief := b.visitor(t, jwt.MapClaims{"sub": fmt.Sprint("auth0|thief", n)})
			thief.press("phone", "phone", phone)
			require.Contains(t, thief.press("check", "code", "000000").Body, "That is not the code.")
		}
		require.Equal(t, "typed", b.One(t, "SELECT asker FROM guess"))
		stranger := b.visitor(t, jwt.MapClaims{"sub": "auth0|another"})
		require.Contains(t, stranger.press("phone", "phone", phone).Body, "too many wrong codes")

		owner := b.visitor(t, withPhone)
		b.Now = b.Now.Add(time.Second) // so that the last text is the owner's
		owner.load()
		codes := owner.codes()
		_, claims := owner.returned(owner.press("check", "code", codes[len(codes)-1]))
		require.Equal(t, phone, claims["phone_number"])
		app := inboundtest.NewApp(t, b.Bridge)
		require.Equal(t, 201, app.Create().StatusCode)
	}, append(inboundtest.APISettings(), auth0Settings...)...)
}

// Ensure that a person who types wrong codes must pause, and hears it.
func TestTypedCodesPause(t *testing.T) {
	eachVisitor(t, nil, func(t *testing.T, v *visitor) {
		v.press("phone", "phone", phone)
		code := v.codes()[0]
		for range 3 {
			require.Contains(t, v.press("check", "code", wrongCode6(code)).Body, "That is not the code.")
		}
		const wait = "Please wait a few minutes before you try another code."
		require.Contains(t, v.press("check", "code", code).Body, wait, "not even the right one")
		require.Contains(t, v.press("phone", "phone", "+4520123457").Body, wait)
		require.Equal(t, "3", v.One(t, "SELECT attempts FROM verification"))
		require.Equal(t, "1", v.One(t, "SELECT COUNT(*) FROM text"))
		v.Now = v.Now.Add(5 * time.Second)
		_, claims := v.returned(v.press("check", "code", code))
		require.Equal(t, phone, claims["phone_number"])
		require.NotContains(t, v.Log.Take(), "auth0|5f7c")
		require.NotContains(t, v.One(t, "SELECT subject FROM verification"), "5f7c")
	})
}

const says = "No text could be sent to this phone."

// refuse has every provider refuse the last text for good.
func (v *visitor) refuse() {
	v.t.Helper()
	id := v.One(v.t, "SELECT id FROM text ORDER BY id DESC LIMIT 1")
	of := v.One(v.t, "SELECT verification_id FROM text WHERE id = '"+id+"'")
	v.Do(v.t, func(ctx context.Context, tx *store.Tx) error {
		if err := text.Refuse(ctx, tx, id, "21614"); err != nil {
			return err
		}
		return verification.Fail(ctx, tx, of, verification.NumberUnreachable)
	})
}

// Ensure that the form says that no text could be sent, and asks for another number if this one was
// typed.
func TestFormSaysThatNoTextCouldBeSent(t *testing.T) {
	eachVisitor(t, nil, func(t *testing.T, v *visitor) {
		v.press("phone", "phone", phone)
		v.refuse()
		page := v.load()
		require.Contains(t, page.Body, says)
		require.Contains(t, page.Body, `<label for="phone">`)
		require.NotContains(t, page.Body, "<details>", "it asks at once")
		require.NotContains(t, page.Body, `id="code"`)
		require.Contains(t, v.press("check", "code", "123456").Body, says)
		require.NotContains(t, v.press("phone", "phone", "+4520123457").Body, says)
		codes := v.codes()
		_, claims := v.returned(v.press("check", "code", codes[len(codes)-1]))
		require.Equal(t, "+4520123457", claims["phone_number"])
	})
}

// Ensure that it says so too where Auth0 gave the number, and leads back with the reason.
func TestFormSaysThatAuth0sNumberGetsNoText(t *testing.T) {
	eachVisitor(t, withPhone, func(t *testing.T, v *visitor) {
		v.load()
		v.refuse()
		page := v.load()
		require.Contains(t, page.Body, says)
		require.NotContains(t, page.Body, `id="phone"`)
		_, claims := v.returned(v.press("leave"))
		require.Equal(t, "failed", claims["reason"])
		require.Equal(t, false, claims["phone_verified"])
	})
}
