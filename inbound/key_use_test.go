package inbound_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/meter"
	"smsbridge/internal/store/storetest"
)

// Ensure that each door says which of its keys proved a request, so that an operator sees whether
// an old one is still used. A key that proves nothing is not one of them.
func TestKeysThatAreUsed(t *testing.T) {
	const newer, older = "a-newer-key-of-this-door-0123456789abcdef",
		"an-older-key-of-this-door-0123456"
	b := openBridge(t, storetest.SQLite(t), "SMSBRIDGE_API_KEY=key-of-the-api-0123456789abcdef",
		"SMSBRIDGE_DURABLE_CODE="+newer+","+older, "SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000",
		"SMSBRIDGE_FLOWROUTE_DOOR_KEY="+newer+"f,"+older+"f", "AUTH0_DOMAIN=login.acme.example",
		"AUTH0_PROVIDER_KEY="+newer+"p,"+older+"p", "AUTH0_LOG_STREAM_TOKEN="+newer+"s,"+older+"s")
	var m *meter.Meter
	b.Change(func(s *inbound.Server) {
		m = meter.New(func() time.Time { return b.Now }, nil)
		s.Meter = m
	})
	ask := func(method, path, key string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, b.URL+path, strings.NewReader("[]"))
		require.NoError(t, err)
		r.Header.Set("Authorization", key)
		r.Header.Set("Content-Type", "application/json")
		return b.Send(t, r).StatusCode
	}
	const status = "/runtime/webhooks/durabletask/instances/none?code="
	for _, key := range []string{"wrong", older + "x", ""} {
		b.PostForm(t, "/mailgun/acme",
			inboundtest.Sign(inboundtest.MailForm(1), key, b.Now, inboundtest.Token(1)))
		ask("GET", "/v1/verifications/none", "Bearer "+key)
		ask("GET", status+key, "")
		ask("POST", "/auth0/acme/phone", "Bearer "+key)
		ask("POST", "/auth0/acme/stream", key)
	}
	require.Empty(t, m.KeysUsed())

	b.PostForm(t, "/mailgun/acme", inboundtest.Sign(inboundtest.MailForm(1), inboundtest.RetiredKey,
		b.Now, inboundtest.Token(1)))
	require.NotEqual(t, 401,
		ask("GET", "/v1/verifications/none", "Bearer key-of-the-api-0123456789abcdef"))
	require.NotEqual(t, 401, ask("GET", status+older, ""))
	require.NotEqual(t, 401, ask("POST", "/auth0/acme/phone", "Bearer "+newer+"p"))
	require.NotEqual(t, 401, ask("POST", "/auth0/acme/stream", older+"s"))
	b.URL = inboundtest.OpenFlowroute(t, b.Bridge).Endpoint
	require.NotEqual(t, 401, ask("GET", "?auth_id=x&code=1", "Bearer "+older+"f"))
	var used []string
	for _, k := range m.KeysUsed() {
		require.Equal(t, b.Now, k.Last)
		used = append(used, k.Tenant+" "+k.Setting+" "+k.Which)
	}
	require.Equal(t, []string{"acme api_keys key-1", "acme auth0.log_stream_token 2",
		"acme auth0.provider_key 1", "acme durable_door.code 2", "acme flowroute_door.key 2",
		"acme mailgun.signing_key 2"}, used)
}
