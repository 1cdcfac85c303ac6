package outbound

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/longtest"
	"smsbridge/internal/settings"
	"smsbridge/internal/tenant"
	"smsbridge/internal/wording"
)

// idpAPI responds as the three APIs do, for one verified and one unverified address. It finds an
// address in any spelling, and says the one that it has.
func idpAPI(t *testing.T, verified, unverified string) *httptest.Server {
	users := map[string]bool{verified: true, unverified: false}
	write := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	grant := func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue(
			"grant_type",
		) != "client_credentials" || r.FormValue("client_id") != "bridge" || r.FormValue(
			"client_secret",
		) != "s3cret" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		write(w, map[string]string{"access_token": "granted"})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", grant)
	mux.HandleFunc("POST /realms/acme/protocol/openid-connect/token", grant)
	mux.HandleFunc("GET /api/v2/users-by-email", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer granted" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		email := strings.ToLower(r.URL.Query().Get("email"))
		verified, known := users[email]
		if !known {
			write(w, []any{})
			return
		}
		write(w, []any{map[string]any{"email": email, "email_verified": verified}})
	})
	mux.HandleFunc("GET /admin/realms/acme/users", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer granted" || r.URL.Query().Get("exact") != "true" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		email := strings.ToLower(r.URL.Query().Get("email"))
		write(w, []any{map[string]any{"email": email, "emailVerified": users[email]}})
	})
	mux.HandleFunc("GET /admin/users", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("apikey") != "s3cret" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		// The filter also finds addresses that only contain what was asked for.
		found := []any{
			map[string]any{
				"email": "x" + r.URL.Query().Get("filter"), "email_confirmed_at": "2026-01-01T00:00:00Z",
			},
		}
		for email, verified := range users {
			user := map[string]any{"email": email, "email_confirmed_at": nil}
			if verified {
				user["email_confirmed_at"] = "2026-01-01T00:00:00Z"
			}
			found = append(found, user)
		}
		write(w, map[string]any{"users": found})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// Ensure that each API gets the request it needs, and that only the very address counts. No error
// repeats the address or a secret.
func TestProved(t *testing.T) {
	t.Parallel()
	server := idpAPI(t, "acme+4512345678@sms.acme.example", "acme+4520123456@sms.acme.example")
	w := &Worker{http: http.DefaultTransport}
	for _, p := range []tenant.Proof{
		{
			Kind: tenant.ProofAuth0, URL: server.URL, ClientID: "bridge",
			Secret: settings.NewSecret("s3cret"),
		},
		{
			Kind: tenant.ProofKeycloak, URL: server.URL + "/realms/acme", ClientID: "bridge",
			Secret: settings.NewSecret("s3cret"),
		},
		{Kind: tenant.ProofGoTrue, URL: server.URL, Secret: settings.NewSecret("s3cret")},
	} {
		for address, want := range map[string]bool{
			"acme+4512345678@sms.acme.example": true,
			"acme+4520123456@sms.acme.example": false,
			"acme+4530123456@sms.acme.example": false,
			"ACME+4512345678@sms.acme.example": false, // another spelling, and another account
			"acme+4512345678@SMS.acme.example": false,
		} {
			got, err := w.proved(t.Context(), p, address)
			require.NoError(t, err, p.Kind)
			require.Equal(t, want, got, "%s %s", p.Kind, address)
		}
		p.Secret = settings.NewSecret("wrong")
		got, err := w.proved(t.Context(), p, "acme+4512345678@sms.acme.example")
		require.False(t, got)
		require.ErrorContains(t, err, "status 40")
		require.NotContains(t, err.Error(), "4512345678")
		require.NotContains(t, err.Error(), "wrong")

		p.URL = "http://127.0.0.1:1/realms/x"
		_, err = w.proved(t.Context(), p, "acme+4512345678@sms.acme.example")
		require.EqualError(t, err, "proof: the API does not answer")
	}
}

// Ensure that the account of another spelling proves nothing about a click, and that the account
// of the very address does.
func TestProofIsAboutTheAddressOfTheMail(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	used := redirect("success=false&message=" + url.QueryEscape("This URL can be used only once"))
	api := idpAPI(t, address, "acme+4512345678@sms.acme.example")
	for _, kind := range []tenant.Proof{
		{Kind: tenant.ProofAuth0, URL: api.URL, ClientID: "bridge"},
		{Kind: tenant.ProofKeycloak, URL: api.URL + "/realms/acme", ClientID: "bridge"},
		{Kind: tenant.ProofGoTrue, URL: api.URL},
	} {
		for recipient, proved := range map[string]bool{
			address:                              true,
			"ACME" + phone + "@sms.acme.example": false,
			"Acme" + phone + "@sms.acme.example": false,
			"":                                   true, // of an older version: the tenant's spelling
		} {
			w := quick(t)
			link, _ := w.provider(used)
			w.tenant().Proof = kind
			w.tenant().Proof.Secret = settings.NewSecret("s3cret")
			id := w.acceptedFor(recipient, link, challenge.Registration)
			require.NoError(t, w.clickLink(t.Context(), id))
			if proved {
				w.ended(id, "confirmed", "already", wording.Already)
			} else {
				w.ended(id, "failed", "used", wording.Used)
			}
		}
	}
}

// Ensure that the API is asked only about a sign-up whose click left it open. What the click said,
// and what became of a password, is nothing that it knows.
func TestProofDecidesOnlyWhatIsOpen(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	proof := tenant.Proof{
		Kind: tenant.ProofGoTrue, URL: idpAPI(t, address, "").URL, Secret: settings.NewSecret("s3cret"),
	}
	asks := page(http.StatusOK, `<form method="post"><input type="password" name="p"></form>`)
	nothing := page(http.StatusOK, "<p>Hello.</p>")
	confirmed := redirect("success=true&message=Your+email+was+verified")
	for name, tt := range map[string]struct {
		serve          http.HandlerFunc
		state, outcome string
		saying         wording.Saying
	}{
		"nothing clear": {nothing, "confirmed", "already", wording.Already},
		"a question":    {asks, "confirmed", "already", wording.Already},
		"confirmed":     {confirmed, "confirmed", "confirmed", wording.ConfirmedRegistration},
		"expired": {page(http.StatusOK, "This link has expired."), "failed", "expired",
			wording.LinkExpired},
	} {
		t.Run(name, func(t *testing.T) {
			w := quick(t)
			link, _ := w.provider(tt.serve)
			w.tenant().Proof = proof
			id := w.acceptedFor(address, link, challenge.Registration)
			require.NoError(t, w.clickLink(t.Context(), id))
			w.ended(id, tt.state, tt.outcome, tt.saying)
		})
	}
	t.Run("a password", func(t *testing.T) {
		w := quick(t)
		link, _ := w.provider(nothing)
		w.tenant().Proof = proof
		id := w.acceptedFor(address, reset(link), challenge.Password)
		require.NoError(t, w.clickLink(t.Context(), id))
		w.handedOver(id, "unknown", reset(link), wording.RelayReset)
	})
}
