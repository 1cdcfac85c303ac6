package idp

import "net/http"

// Firebase has a page of script, and an API at [Server.APIURL]: /v1/accounts:update?key=
// {oobCode}. Source: Google's Identity Toolkit REST reference, accounts.update.
const Firebase Provider = "firebase"

// firebaseKey is the web API key. It is no secret, since the link has it.
const firebaseKey = "AIzaSyD-pretend-0123456789"

// firebase returns Firebase's row.
func firebase() []*profile {
	const invalid = "INVALID_OOB_CODE"
	return []*profile{{
		name: Firebase, purpose: purposeVerify, life: 3 * day,
		link:  "/__/auth/action?mode=verifyEmail&oobCode={secret}&apiKey=" + firebaseKey + "&lang=en",
		style: bareLink, says: sayings{"", invalid, invalid, "EXPIRED_OOB_CODE", invalid},
		get: scriptPage, api: firebaseAPI(),
	}}
}

func firebaseAPI() *api {
	return &api{
		pattern: "/v1/accounts:update",
		secret: func(_ *Server, r *http.Request, body map[string]string) (string, bool) {
			return body["oobCode"], r.URL.Query().Get("key") == firebaseKey
		},
		respond: func(w http.ResponseWriter, k *ticket, o outcome) {
			if o != verified {
				respondJSON(w, http.StatusBadRequest, map[string]any{
					"error": map[string]any{"code": 400, "message": k.provider.says[o]}})
				return
			}
			respondJSON(w, http.StatusOK, map[string]any{
				"kind": "identitytoolkit#SetAccountInfoResponse", "email": k.email, "emailVerified": true})
		},
	}
}

// APIURL returns the base URL of APIs that a provider has on a host of its own, in place of
// https://identitytoolkit.googleapis.com for Firebase. It is URL, since the server has one host
// only.
func (i *Server) APIURL() string { return i.URL() }
