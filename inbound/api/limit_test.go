package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

const limitedKey = "0f5c2f7e9d3b4a618c7d5e2f1a0b9c8d7e6f5a4b"

func request(t *testing.T, b *inboundtest.Bridge, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", b.URL+"/v1/verifications", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+limitedKey)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Ensure that a code which a limit refuses is a 429 with the time to wait, and leaves nothing.
func TestLimitedCode(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t), "SMSBRIDGE_API_KEY="+limitedKey,
		"SMSBRIDGE_LIMIT_WAIT=1m")
	create := func() inboundtest.Response {
		r := request(t, b, `{"phone":"+4520123456"}`)
		return b.Send(t, r)
	}
	require.Equal(t, 201, create().StatusCode)
	before := b.Recorded(t)
	b.Now = b.Now.Add(20 * time.Second)
	refused := create()
	require.Equal(t, 429, refused.StatusCode)
	require.Equal(t, "40", refused.Header.Get("Retry-After"))
	require.Contains(t, refused.Body, "urn:smsbridge:problem:too-soon")
	require.Equal(t, before, b.Recorded(t))
	b.Now = b.Now.Add(40 * time.Second)
	require.Equal(t, 201, create().StatusCode)
}

// Ensure that the app hears when another text may follow: by the gap of the code, or by what the
// limits of the phone say, whichever is later.
func TestNextSend(t *testing.T) {
	for wait, seconds := range map[string]int{"30s": 60, "5m": 300, "0s": 60} {
		b := inboundtest.Open(t, storetest.SQLite(t),
			append(inboundtest.APISettings(), "SMSBRIDGE_LIMIT_WAIT="+wait)...)
		app := inboundtest.NewApp(t, b)
		next := b.Now.Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339)
		v := app.Create()
		require.Equal(t, next, v.NextSendAt[:19]+"Z", wait)
		path := "/v1/verifications/" + v.ID
		require.Equal(t, v.NextSendAt, app.Call("GET", path, "").NextSendAt)
		require.Contains(t, app.Call("GET", "/v1/verifications", "").Body, v.NextSendAt)
		wrong := app.Check(v.ID, inboundtest.OtherCode(inboundtest.OwnCode))
		require.Equal(t, v.NextSendAt, wrong.Problem.Verification.NextSendAt)
		b.Now = b.Now.Add(time.Duration(seconds)*time.Second - 1)
		require.Equal(t, 429, app.Call("POST", path+"/resend", "").StatusCode)
		b.Now = b.Now.Add(1)
		again := app.Call("POST", path+"/resend", "")
		require.Equal(t, 200, again.StatusCode)
		if wait == "5m" {
			next = b.Now.Add(10 * time.Minute).UTC().Format(time.RFC3339)
			require.Equal(t, next, again.NextSendAt[:19]+"Z")
		}
	}
}
