package api_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

// Ensure that the API shows what became of the text, and why a verification failed.
func TestDeliveryIsShown(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		id := a.Create().ID
		show := func() inboundtest.Verification {
			r := a.Call("GET", "/v1/verifications/"+id, "")
			require.Equal(t, 200, r.StatusCode)
			var page struct{ Verifications []inboundtest.Verification }
			list := a.Call("GET", "/v1/verifications?limit=1", "")
			require.NoError(t, json.Unmarshal([]byte(list.Body), &page))
			require.Equal(t, []inboundtest.Verification{r.Verification}, page.Verifications)
			return r.Verification
		}
		require.Equal(t, "pending", show().Delivery.State)
		textID := a.One(t, "SELECT id FROM text")
		a.Now = a.Now.Add(time.Second)
		a.Do(t, func(ctx context.Context, tx *store.Tx) error {
			_, _, err := text.Begin(ctx, tx, textID)
			if err == nil {
				err = text.Accept(ctx, tx, textID, "SM1")
			}
			return err
		})
		sent := show()
		require.Equal(t, "sent", sent.Delivery.State)
		require.NotEqual(t, sent.CreatedAt, sent.Delivery.At)
		receive := func(state text.State) {
			a.Do(t, func(ctx context.Context, tx *store.Tx) error {
				return takeReceipt(ctx, tx, text.Receipt{
					TextID: textID, Account: inboundtest.AccountSID, ProviderID: "SM1", State: state,
				})
			})
		}
		receive(text.Failed)
		failed := show()
		require.Equal(t, "failed", failed.Delivery.State)
		require.Equal(t, "failed", failed.Status)
		require.Equal(t, "provider_refused", failed.Reason)
		r := a.Check(id, "1234")
		require.Equal(t, "not-pending", r.Kind())
		require.Equal(t, "provider_refused", r.Problem.Verification.Reason)
	})
}

// Ensure that a key of the API learns nothing of a code that Auth0 compares, and does nothing to
// it.
func TestAuth0sCodesAreUnknown(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		acme := a.Inbound.Settings.Tenants.All()[0]
		var v verification.Verification
		a.Do(t, func(ctx context.Context, tx *store.Tx) (err error) {
			phone, err := phonemail.ParseNumber("+4520123456")
			if err != nil {
				return err
			}
			r := verification.For(acme, "auth0_phone", phone)
			r.Code, r.ComparedElsewhere, r.Limits.Gap = "482913", true, 0
			v, _, err = verification.Start(ctx, tx, r)
			return err
		})
		one := "/v1/verifications/" + v.ID
		for _, call := range [][3]string{
			{"GET", one, ""}, {"POST", one + "/resend", ""}, {"POST", one + "/cancel", ""},
			{"POST", one + "/check", `{"code":"482913"}`}, {"POST", one + "/check", `{"code":"000000"}`},
		} {
			require.Equal(t, "not-found", a.Call(call[0], call[1], call[2]).Kind(), call)
		}
		require.NotContains(t, a.Call("GET", "/v1/verifications", "").Body, v.ID)
		require.Equal(t, "pending 0 1",
			a.One(t, "SELECT state || ' ' || attempts || ' ' || sends FROM verification"))
	})
}

// Ensure that an app can say for whom it asks, and that no one subject spends the share of all.
func TestSubject(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		create := func(subject string) inboundtest.APIResponse {
			return a.Call("POST", "/v1/verifications", `{"phone":"+4520123456","subject":"`+subject+`"}`)
		}
		id := create("thief").ID
		for range 5 {
			require.Equal(t, "wrong-code", a.Check(id, "0000").Kind())
		}
		require.Equal(t, "too-many-wrong-codes", create("thief").Kind())
		require.Equal(t, 201, create("owner").StatusCode)
		empty := create("")
		require.Equal(t, "invalid-field", empty.Kind())
		require.Equal(t, "subject", empty.Problem.Field)
		require.NotContains(t, a.Log.Take(), "thief")
	})
}

func takeReceipt(ctx context.Context, tx *store.Tx, r text.Receipt) error {
	_, err := verification.TakeReceipt(ctx, tx, r)
	return err
}
