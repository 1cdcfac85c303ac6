package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Ensure that an app can record what a person wrote to it, with who and when. No code is texted
// from then on. The app can end this, and not what the phone itself said.
func TestOptOuts(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		const body = `{"phone":"+4520123456"}`
		started := a.Call("POST", "/v1/verifications", body)
		require.Equal(t, 201, started.StatusCode)
		found := a.Call("POST", "/v1/opt-outs/find", body)
		require.JSONEq(t, `{"phone":"+4520123456","opted_out":false,"opt_outs":[]}`, found.Body)

		since := a.Now.UTC().Add(-time.Hour).Format(time.RFC3339)
		for range 2 {
			added := a.Call("POST", "/v1/opt-outs",
				`{"phone":"+4520123456","via":"letter","since":"`+since+`"}`)
			require.Equal(t, 200, added.StatusCode)
			var shown struct {
				OptOuts []map[string]string `json:"opt_outs"`
			}
			require.NoError(t, json.Unmarshal([]byte(added.Body), &shown))
			require.Len(t, shown.OptOuts, 1)
			require.NotEmpty(t, shown.OptOuts[0]["by"])
			require.Equal(t, "letter", shown.OptOuts[0]["via"])
			require.Equal(t, since[:19]+".000Z", shown.OptOuts[0]["since"])
		}
		require.Equal(t, "opted-out", a.Call("POST", "/v1/verifications", body).Kind())
		require.Contains(t, a.Call("GET", "/v1/verifications", "").Body, `"status":"canceled"`)

		removed := a.Call("POST", "/v1/opt-outs/remove", body)
		require.Contains(t, removed.Body, `"opted_out":false`)

		n, err := phonemail.ParseNumber("+4520123456")
		require.NoError(t, err)
		require.NoError(t, a.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, phonemail.Line{Account: inboundtest.AccountSID,
				Sender: "+15005550006"}, n)
		}))
		require.Contains(t, a.Call("POST", "/v1/opt-outs/remove", body).Body, `"via":"reply"`,
			"a STOP is its phone's alone to end")

		require.NoError(t, a.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := text.SetOptOut(ctx, tx, text.Said{Phone: n, Reach: text.Reach{All: true},
				Via: "phone", Since: tx.Now()})
			return err
		}))
		require.Contains(t, a.Call("POST", "/v1/opt-outs/remove", body).Body, `"scope":"all"`,
			"nor may the app of one tenant end what counts for all")

		now := a.Now.UTC().Format(time.RFC3339Nano)
		require.Equal(t, 200, a.Call("POST", "/v1/opt-outs",
			`{"phone":"+4520123456","via":"mail","since":"`+now+`"}`).StatusCode)
		future := a.Now.Add(time.Hour).Format(time.RFC3339)
		for _, wrong := range []string{
			`{"phone":"20123456","via":"mail"}`, `{"phone":"+4520123456"}`,
			`{"phone":"+4520123456","via":"reply"}`, `{"phone":"+4520123456","via":"mail","since":"x"}`,
			`{"phone":"+4520123456","via":"mail","since":"` + future + `"}`,
			`{"phone":"+4520123456","via":"mail","since":"1970-01-01T00:00:00Z"}`,
			`{"phone":"+4520123456","via":"mail","since":"0001-01-01T00:00:00Z"}`,
			`{"phone":"+4520123456","via":"mail","since":"1970-01-01T00:00:00.0009Z"}`,
		} {
			status := a.Call("POST", "/v1/opt-outs", wrong).StatusCode
			require.Contains(t, []int{400, 422}, status, wrong)
		}
	})
}

// Ensure that a STOP to the line that codes come from is told, where questions come from another.
func TestFindOptOutOfTheLineOfCodes(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t), append(inboundtest.APISettings(),
		"TWILIO_LINKS_FROM=+15005550010")...)
	app := inboundtest.NewApp(t, b)
	form := inboundtest.ReplyForm(1, "STOP")
	form.Set("To", "+15005550010")
	require.Equal(t, http.StatusOK, b.Reply(t, form).StatusCode)
	require.Equal(t, http.StatusConflict,
		app.Call("POST", "/v1/verifications", inboundtest.StartBody).StatusCode)
	found := app.Call("POST", "/v1/opt-outs/find", `{"phone":"`+inboundtest.Phone+`"}`)
	require.Contains(t, found.Body, `"opted_out":true`)
}
