package inboundtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FlowrouteClient is a client of Flowroute's verification service, with nothing changed but its
// endpoint.
type FlowrouteClient struct {
	*Bridge
	Endpoint string
}

// FlowrouteResponse is what the service says.
type FlowrouteResponse struct {
	Authenticated bool   `json:"authenticated"`
	Message       string `json:"message"`
	Reason        string `json:"reason"`
	AttemptsLeft  *int   `json:"attempts_left"`
	AuthID        string `json:"auth_id"`
}

// OpenFlowroute opens the Flowroute door of the tenant acme.
func OpenFlowroute(t testing.TB, b *Bridge) FlowrouteClient {
	t.Helper()
	acme, _ := b.Inbound.Settings.Tenants.Tenant("acme")
	door := httptest.NewServer(b.Inbound.FlowrouteHandler(acme))
	t.Cleanup(door.Close)
	return FlowrouteClient{b, door.URL}
}

// Create is the client's create_auth; both values are JSON.
func (f FlowrouteClient) Create(t testing.TB, authID, recipient string) Response {
	t.Helper()
	return f.PostJSON(
		t,
		f.Endpoint,
		fmt.Sprintf(`{"auth_id": %s, "recipient": %s}`, authID, recipient),
	)
}

// PostJSON posts a body to a URL.
func (f FlowrouteClient) PostJSON(t testing.TB, url, body string) Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	return f.SendAs(t, r)
}

// SendAs sends a request with what stands in its URL before the host, as client libraries do.
func (f FlowrouteClient) SendAs(t testing.TB, r *http.Request) Response {
	t.Helper()
	if password, ok := r.URL.User.Password(); ok {
		r.SetBasicAuth(r.URL.User.Username(), password)
	}
	return f.Send(t, r)
}

// Check is the client's authenticate_code.
func (f FlowrouteClient) Check(t testing.TB, authID, code string) Response {
	t.Helper()
	query := url.Values{"auth_id": {authID}, "code": {code}}
	r, err := http.NewRequest(http.MethodGet, f.Endpoint+"?"+query.Encode(), nil)
	require.NoError(t, err)
	return f.SendAs(t, r)
}
