package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"smsbridge/internal/tenant"
)

const maxProof = 1 << 20 // bytes of a response of the identity provider's API

// proved asks the identity provider's own API whether an address is verified, in this spelling and
// no other. Where the API has it in another spelling, that is no proof: it may be about another
// account. Errors never contain the address.
func (w *Worker) proved(ctx context.Context, p tenant.Proof, address string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	switch p.Kind {
	case tenant.ProofAuth0:
		return w.provedByAuth0(ctx, p, address)
	case tenant.ProofKeycloak:
		return w.provedByKeycloak(ctx, p, address)
	case tenant.ProofGoTrue:
		return w.provedByGoTrue(ctx, p, address)
	}
	return false, errors.New("proof: no such API")
}

// provedByAuth0 reads https://auth0.com/docs/api/management/v2/users-by-email/get-users-by-email.
func (w *Worker) provedByAuth0(ctx context.Context, p tenant.Proof, address string) (bool, error) {
	token, err := w.clientToken(ctx, p.URL+"/oauth/token", url.Values{
		"grant_type": {
			"client_credentials",
		}, "client_id": {p.ClientID}, "client_secret": {p.Secret.Reveal()}, "audience": {
			p.URL + "/api/v2/",
		},
	})
	if err != nil {
		return false, err
	}
	var users []struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := w.readProof(
		ctx, p.URL+"/api/v2/users-by-email?"+url.Values{
			"email": {address},
		}.Encode(), token, &users,
	); err != nil {
		return false, err
	}
	for _, u := range users {
		if u.Verified && u.Email == address {
			return true, nil
		}
	}
	return false, nil
}

// provedByKeycloak reads https://www.keycloak.org/docs-api/latest/rest-api/index.html, GET
// /admin/realms/{realm}/users.
func (w *Worker) provedByKeycloak(
	ctx context.Context, p tenant.Proof, address string,
) (bool, error) {
	token, err := w.clientToken(ctx, p.URL+"/protocol/openid-connect/token", url.Values{
		"grant_type": {
			"client_credentials",
		}, "client_id": {p.ClientID}, "client_secret": {p.Secret.Reveal()},
	})
	if err != nil {
		return false, err
	}
	var users []struct {
		Email    string `json:"email"`
		Verified bool   `json:"emailVerified"`
	}
	admin := strings.Replace(p.URL, "/realms/", "/admin/realms/", 1)
	if err := w.readProof(
		ctx, admin+"/users?"+url.Values{"email": {address}, "exact": {"true"}}.Encode(), token, &users,
	); err != nil {
		return false, err
	}
	for _, u := range users {
		if u.Verified && u.Email == address {
			return true, nil
		}
	}
	return false, nil
}

// provedByGoTrue reads GET /admin/users of https://github.com/supabase/auth.
func (w *Worker) provedByGoTrue(ctx context.Context, p tenant.Proof, address string) (bool, error) {
	var found struct {
		Users []struct {
			Email       string `json:"email"`
			ConfirmedAt string `json:"email_confirmed_at"`
		} `json:"users"`
	}
	if err := w.readProof(
		ctx, p.URL+"/admin/users?"+url.Values{"filter": {address}}.Encode(), p.Secret.Reveal(), &found,
	); err != nil {
		return false, err
	}
	for _, u := range found.Users {
		if u.ConfirmedAt != "" && u.Email == address {
			return true, nil
		}
	}
	return false, nil
}

// clientToken gets an access token by the client credentials grant (RFC 6749 section 4.4).
func (w *Worker) clientToken(
	ctx context.Context, endpoint string, form url.Values,
) (string, error) {
	req, err := http.NewRequestWithContext(
		ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()),
	)
	if err != nil {
		return "", errors.New("proof: the API's address cannot be used")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := w.readJSON(req, &granted); err != nil {
		return "", err
	}
	if granted.AccessToken == "" {
		return "", errors.New("proof: the API granted no token")
	}
	return granted.AccessToken, nil
}

func (w *Worker) readProof(ctx context.Context, from, token string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return errors.New("proof: the API's address cannot be used")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("apikey", token) // Supabase's gateway wants the service key here too
	return w.readJSON(req, into)
}

// readJSON sends a request and reads the JSON of its response. It uses RoundTrip, not Do: the
// token must not follow a redirect.
func (w *Worker) readJSON(req *http.Request, into any) error {
	res, err := w.http.RoundTrip(req)
	if err != nil {
		return errors.New("proof: the API does not answer")
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("proof: the API answered with status %d", res.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxProof)).Decode(into); err != nil {
		return errors.New("proof: the API's answer is not the JSON that was expected")
	}
	return nil
}
