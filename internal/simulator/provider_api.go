package simulator

import (
	"encoding/json"
	"mime"
	"net/http"
	"time"
)

// idpScripts returns the rows of links whose page asks an API to redeem them.
func idpScripts() []*idpProvider {
	return []*idpProvider{
		{name: IdPGoTrueTokenHash, purpose: idpVerify, life: idpDay, link: "/auth/confirm?token_hash={secret}&type=email&next={app}",
			letter: idpLetter{Subject: "Confirm your email address", Anchor: "Confirm email address"},
			says:   idpEvery("", "Email link is invalid or has expired"), get: idpScript},
		{name: IdPZitadelV2, purpose: idpVerify, life: time.Hour, code: idpCapitals, secret: idpUserAndCode,
			link:   "/ui/v2/login/verify?code={code}&userId={id}&organization=228391&requestId=",
			letter: idpZitadelLetter,
			says:   idpWords{"", "Code is invalid", "Code is invalid", "Code is expired", "Code is invalid"}, get: idpScript},
		{name: IdPFirebase, purpose: idpVerify, life: 3 * idpDay,
			link:   "/__/auth/action?mode=verifyEmail&oobCode={secret}&apiKey=" + idpFirebaseKey + "&lang=en",
			letter: idpBare, says: idpWords{"", "INVALID_OOB_CODE", "INVALID_OOB_CODE", "EXPIRED_OOB_CODE", "INVALID_OOB_CODE"}, get: idpScript},
		{name: IdPSuperTokens, purpose: idpVerify, life: idpDay, link: "/auth/verify-email?token={secret}&tenantId=public",
			letter: idpLetter{Subject: "Email verification instructions", Anchor: "Verify My Email", Repeat: true, Mailto: true},
			says:   idpEvery("OK", "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"), get: idpScript},
		{name: IdPPocketBase, purpose: idpVerify, life: 3 * idpDay, link: "/_/#/auth/confirm-verification/{secret}",
			secret: idpJWT(`"type":"verification","collectionId":"` + idpCollection + `","email":"{email}"`),
			letter: idpLetter{Anchor: "Verify"}, says: idpEvery("", "Invalid or expired token."), get: idpScript},
	}
}

// idpZitadelLetter is ZITADEL's: the code in brackets, and a footer with a link.
var idpZitadelLetter = idpLetter{Subject: "Verify email", Intro: "A new address was added. Please verify it with the button.",
	Anchor: "Verify email", CodeIs: "Or type in the page: Code", Powered: "zitadel"}

// idpCapitals makes a code as ZITADEL does.
func idpCapitals() string { return idpRandom(6) }

// idpUserAndCode makes ZITADEL's secret, a code that counts for its user only.
func idpUserAndCode(k *idpTicket, _ time.Time) string { return k.id + "." + k.code }

// idpScript serves the page of a link that only a script in it redeems: nothing happens, whatever the link has.
func idpScript(_ *IdP, w http.ResponseWriter, _ *http.Request, _ *idpTicket) {
	idpShow(w, http.StatusOK, idpView{Title: "Loading", Script: true})
}

// idpAPI is a POST with JSON that redeems a ticket.
type idpAPI struct {
	provider IdPProvider
	pattern  string // of the route, without the method
	// secret returns the secret in a request whose body has these strings, or false if the request is not as it must be.
	secret func(i *IdP, r *http.Request, body map[string]string) (string, bool)
	answer func(w http.ResponseWriter, k *idpTicket, outcome idpOutcome)
}

// idpAPIs returns the APIs. Sources: supabase/auth openapi.yaml, "/verify"; ZITADEL's user service v2, VerifyEmail;
// Google's Identity Toolkit REST reference, accounts.update; supertokens-node, recipe/emailverification; PocketBase's web
// API reference, "Confirm verification".
func idpAPIs() []idpAPI {
	return []idpAPI{
		{IdPGoTrueTokenHash, "/auth/v1/verify", func(_ *IdP, _ *http.Request, body map[string]string) (string, bool) {
			return body["token_hash"], body["type"] == "email" || body["type"] == "signup"
		}, func(w http.ResponseWriter, k *idpTicket, outcome idpOutcome) {
			if outcome != idpVerified {
				idpJSON(w, http.StatusForbidden, map[string]any{"code": 403, "error_code": "otp_expired", "msg": k.provider.says[outcome]})
				return
			}
			idpJSON(w, http.StatusOK, map[string]any{"access_token": idpRandom(120), "token_type": "bearer", "expires_in": 3600,
				"refresh_token": idpRandom(22), "user": map[string]any{"email": k.email, "role": "authenticated"}})
		}},
		{IdPZitadelV2, "/v2/users/{user}/email/verify", func(i *IdP, r *http.Request, body map[string]string) (string, bool) {
			return r.PathValue("user") + "." + body["verificationCode"], r.Header.Get("Authorization") == "Bearer "+i.service
		}, func(w http.ResponseWriter, k *idpTicket, outcome idpOutcome) {
			if outcome != idpVerified {
				idpJSON(w, http.StatusBadRequest, map[string]any{"code": 3, "message": k.provider.says[outcome]})
				return
			}
			idpJSON(w, http.StatusOK, map[string]any{"details": map[string]any{"sequence": "2"}})
		}},
		{IdPFirebase, "/v1/accounts:update", func(i *IdP, r *http.Request, body map[string]string) (string, bool) {
			return body["oobCode"], r.URL.Query().Get("key") == idpFirebaseKey
		}, func(w http.ResponseWriter, k *idpTicket, outcome idpOutcome) {
			if outcome != idpVerified {
				idpJSON(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"code": 400, "message": k.provider.says[outcome]}})
				return
			}
			idpJSON(w, http.StatusOK, map[string]any{"kind": "identitytoolkit#SetAccountInfoResponse", "email": k.email, "emailVerified": true})
		}},
		{IdPSuperTokens, "/auth/user/email/verify", func(_ *IdP, _ *http.Request, body map[string]string) (string, bool) {
			return body["token"], body["method"] == "token"
		}, func(w http.ResponseWriter, k *idpTicket, outcome idpOutcome) {
			idpJSON(w, http.StatusOK, map[string]any{"status": k.provider.says[outcome]})
		}},
		{IdPPocketBase, "/api/collections/" + idpCollection + "/confirm-verification",
			func(_ *IdP, _ *http.Request, body map[string]string) (string, bool) { return body["token"], true },
			func(w http.ResponseWriter, k *idpTicket, outcome idpOutcome) {
				if outcome == idpVerified {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				idpJSON(w, http.StatusBadRequest, map[string]any{"status": 400, "message": "Something went wrong while processing your request.",
					"data": map[string]any{"token": map[string]any{"code": "validation_invalid_token", "message": k.provider.says[outcome]}}})
			}},
	}
}

// Not secrets: Firebase's web API key is in the link, and PocketBase's collection in the token's claims.
const (
	idpFirebaseKey = "AIzaSyD-pretend-0123456789"
	idpCollection  = "_pb_users_auth_"
)

// ServiceToken returns the bearer token that ZITADEL's API wants, as an administrator would issue it to the bridge.
func (i *IdP) ServiceToken() string { return i.service }

// APIURL returns the base URL of APIs that a provider has on a host of its own, in place of
// https://identitytoolkit.googleapis.com for Firebase. It is URL, since the pretend one has one host only.
func (i *IdP) APIURL() string { return i.URL() }

// serveAPI answers a request to one API.
func (i *IdP) serveAPI(w http.ResponseWriter, r *http.Request, api idpAPI) {
	body, ok := idpReadJSON(w, r)
	if !ok {
		return
	}
	secret, ok := api.secret(i, r, body)
	if !ok {
		idpJSON(w, http.StatusUnauthorized, map[string]any{"message": "the request is not as it must be"})
		return
	}
	i.mu.Lock()
	k := i.tickets[secret]
	if k == nil || k.provider.name != api.provider {
		k = &idpTicket{provider: i.provider(api.provider)}
	}
	outcome := i.redeem(k)
	i.mu.Unlock()
	api.answer(w, k, outcome)
}

// idpReadJSON returns the strings of a JSON object that was sent as such. Otherwise it answers the request and returns
// false.
func idpReadJSON(w http.ResponseWriter, r *http.Request) (map[string]string, bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		idpJSON(w, http.StatusUnsupportedMediaType, map[string]any{"message": "the body must be application/json"})
		return nil, false
	}
	var body map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, idpMaxBody)).Decode(&body); err != nil {
		idpJSON(w, http.StatusBadRequest, map[string]any{"message": "the body is not a JSON object"})
		return nil, false
	}
	texts := make(map[string]string)
	for name, value := range body {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts, true
}

// pagesAndAPIs returns what providers serve beside their links, by pattern.
func (i *IdP) pagesAndAPIs() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"/accounts/login/{$}":                  i.serveAllauthLogin,
		"/ui/verification":                     func(w http.ResponseWriter, r *http.Request) { idpScript(i, w, r, nil) },
		"GET /self-service/verification/flows": i.serveKratosFlow,
		"GET " + idpExecutor:                   i.serveExecutor,
		"POST " + idpExecutor:                  i.serveConsent,
	}
	for _, api := range idpAPIs() {
		routes["POST "+api.pattern] = func(w http.ResponseWriter, r *http.Request) { i.serveAPI(w, r, api) }
	}
	return routes
}
