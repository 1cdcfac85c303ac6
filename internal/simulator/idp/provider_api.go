package idp

import (
	"encoding/json"
	"mime"
	"net/http"
	"time"
)

// scripts returns the rows of links whose page asks an API to redeem them.
func scripts() []*profile {
	return []*profile{
		{name: GoTrueTokenHash, purpose: purposeVerify, life: day, link: "/auth/confirm?token_hash={secret}&type=email&next={app}",
			letter: mailStyle{Subject: "Confirm your email address", Anchor: "Confirm email address"},
			says:   sameWords("", "Email link is invalid or has expired"), get: scriptPage},
		{name: ZitadelV2, purpose: purposeVerify, life: time.Hour, code: zitadelCode, secret: zitadelSecret,
			link:   "/ui/v2/login/verify?code={code}&userId={id}&organization=228391&requestId=",
			letter: zitadelLetter,
			says:   sayings{"", "Code is invalid", "Code is invalid", "Code is expired", "Code is invalid"}, get: scriptPage},
		{name: Firebase, purpose: purposeVerify, life: 3 * day,
			link:   "/__/auth/action?mode=verifyEmail&oobCode={secret}&apiKey=" + firebaseKey + "&lang=en",
			letter: bareLink, says: sayings{"", "INVALID_OOB_CODE", "INVALID_OOB_CODE", "EXPIRED_OOB_CODE", "INVALID_OOB_CODE"}, get: scriptPage},
		{name: SuperTokens, purpose: purposeVerify, life: day, link: "/auth/verify-email?token={secret}&tenantId=public",
			letter: mailStyle{Subject: "Email verification instructions", Anchor: "Verify My Email", Repeat: true, Mailto: true},
			says:   sameWords("OK", "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"), get: scriptPage},
		{name: PocketBase, purpose: purposeVerify, life: 3 * day, link: "/_/#/auth/confirm-verification/{secret}",
			secret: jwt(`"type":"verification","collectionId":"` + pocketBaseCollection + `","email":"{email}"`),
			letter: mailStyle{Anchor: "Verify"}, says: sameWords("", "Invalid or expired token."), get: scriptPage},
	}
}

// zitadelLetter is ZITADEL's: the code in brackets, and a footer with a link.
var zitadelLetter = mailStyle{Subject: "Verify email", Intro: "A new address was added. Please verify it with the button.",
	Anchor: "Verify email", CodeIs: "Or type in the page: Code", Powered: "zitadel"}

// zitadelCode makes a code as ZITADEL does.
func zitadelCode() string { return randomText(6) }

// zitadelSecret makes ZITADEL's secret, a code that counts for its user only.
func zitadelSecret(k *ticket, _ time.Time) string { return k.id + "." + k.code }

// scriptPage serves the page of a link that only a script in it redeems: nothing happens, whatever the link has.
func scriptPage(_ *Server, w http.ResponseWriter, _ *http.Request, _ *ticket) {
	showPage(w, http.StatusOK, pageView{Title: "Loading", Script: true})
}

// api is a POST with JSON that redeems a ticket.
type api struct {
	provider Provider
	pattern  string // of the route, without the method
	// secret returns the secret in a request whose body has these strings, or false if the request is not as it must be.
	secret func(i *Server, r *http.Request, body map[string]string) (string, bool)
	answer func(w http.ResponseWriter, k *ticket, outcome outcome)
}

// apIs returns the APIs. Sources: supabase/auth openapi.yaml, "/verify"; ZITADEL's user service v2, VerifyEmail;
// Google's Identity Toolkit REST reference, accounts.update; supertokens-node, recipe/emailverification; PocketBase's web
// API reference, "Confirm verification".
func apIs() []api {
	return []api{
		{GoTrueTokenHash, "/auth/v1/verify", func(_ *Server, _ *http.Request, body map[string]string) (string, bool) {
			return body["token_hash"], body["type"] == "email" || body["type"] == "signup"
		}, func(w http.ResponseWriter, k *ticket, outcome outcome) {
			if outcome != verified {
				respondJSON(w, http.StatusForbidden, map[string]any{"code": 403, "error_code": "otp_expired", "msg": k.provider.says[outcome]})
				return
			}
			respondJSON(w, http.StatusOK, map[string]any{"access_token": randomText(120), "token_type": "bearer", "expires_in": 3600,
				"refresh_token": randomText(22), "user": map[string]any{"email": k.email, "role": "authenticated"}})
		}},
		{ZitadelV2, "/v2/users/{user}/email/verify", func(i *Server, r *http.Request, body map[string]string) (string, bool) {
			return r.PathValue("user") + "." + body["verificationCode"], r.Header.Get("Authorization") == "Bearer "+i.service
		}, func(w http.ResponseWriter, k *ticket, outcome outcome) {
			if outcome != verified {
				respondJSON(w, http.StatusBadRequest, map[string]any{"code": 3, "message": k.provider.says[outcome]})
				return
			}
			respondJSON(w, http.StatusOK, map[string]any{"details": map[string]any{"sequence": "2"}})
		}},
		{Firebase, "/v1/accounts:update", func(i *Server, r *http.Request, body map[string]string) (string, bool) {
			return body["oobCode"], r.URL.Query().Get("key") == firebaseKey
		}, func(w http.ResponseWriter, k *ticket, outcome outcome) {
			if outcome != verified {
				respondJSON(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"code": 400, "message": k.provider.says[outcome]}})
				return
			}
			respondJSON(w, http.StatusOK, map[string]any{"kind": "identitytoolkit#SetAccountInfoResponse", "email": k.email, "emailVerified": true})
		}},
		{SuperTokens, "/auth/user/email/verify", func(_ *Server, _ *http.Request, body map[string]string) (string, bool) {
			return body["token"], body["method"] == "token"
		}, func(w http.ResponseWriter, k *ticket, outcome outcome) {
			respondJSON(w, http.StatusOK, map[string]any{"status": k.provider.says[outcome]})
		}},
		{PocketBase, "/api/collections/" + pocketBaseCollection + "/confirm-verification",
			func(_ *Server, _ *http.Request, body map[string]string) (string, bool) { return body["token"], true },
			func(w http.ResponseWriter, k *ticket, outcome outcome) {
				if outcome == verified {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				respondJSON(w, http.StatusBadRequest, map[string]any{"status": 400, "message": "Something went wrong while processing your request.",
					"data": map[string]any{"token": map[string]any{"code": "validation_invalid_token", "message": k.provider.says[outcome]}}})
			}},
	}
}

// Not secrets: Firebase's web API key is in the link, and PocketBase's collection in the token's claims.
const (
	firebaseKey          = "AIzaSyD-pretend-0123456789"
	pocketBaseCollection = "_pb_users_auth_"
)

// ServiceToken returns the bearer token that ZITADEL's API wants, as an administrator would issue it to the bridge.
func (i *Server) ServiceToken() string { return i.service }

// APIURL returns the base URL of APIs that a provider has on a host of its own, in place of
// https://identitytoolkit.googleapis.com for Firebase. It is URL, since the pretend one has one host only.
func (i *Server) APIURL() string { return i.URL() }

// serveAPI answers a request to one API.
func (i *Server) serveAPI(w http.ResponseWriter, r *http.Request, api api) {
	body, ok := readJSON(w, r)
	if !ok {
		return
	}
	secret, ok := api.secret(i, r, body)
	if !ok {
		respondJSON(w, http.StatusUnauthorized, map[string]any{"message": "the request is not as it must be"})
		return
	}
	i.mu.Lock()
	k := i.tickets[secret]
	if k == nil || k.provider.name != api.provider {
		k = &ticket{provider: i.provider(api.provider)}
	}
	outcome := i.redeem(k)
	i.mu.Unlock()
	api.answer(w, k, outcome)
}

// readJSON returns the strings of a JSON object that was sent as such. Otherwise it answers the request and returns
// false.
func readJSON(w http.ResponseWriter, r *http.Request) (map[string]string, bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		respondJSON(w, http.StatusUnsupportedMediaType, map[string]any{"message": "the body must be application/json"})
		return nil, false
	}
	var body map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body); err != nil {
		respondJSON(w, http.StatusBadRequest, map[string]any{"message": "the body is not a JSON object"})
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
func (i *Server) pagesAndAPIs() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"/accounts/login/{$}":                  i.serveAllauthLogin,
		"/ui/verification":                     func(w http.ResponseWriter, r *http.Request) { scriptPage(i, w, r, nil) },
		"GET /self-service/verification/flows": i.serveKratosFlow,
		"GET " + authentikExecutor:             i.serveExecutor,
		"POST " + authentikExecutor:            i.serveConsent,
	}
	for _, api := range apIs() {
		routes["POST "+api.pattern] = func(w http.ResponseWriter, r *http.Request) { i.serveAPI(w, r, api) }
	}
	return routes
}
