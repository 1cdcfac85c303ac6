package idp

import "net/http"

// SuperTokens has a page of script, and an API: /auth/user/email/verify {method: "token",
// token}. Source: supertokens-node, recipe/emailverification.
const SuperTokens Provider = "supertokens"

// superTokens returns SuperTokens' row.
func superTokens() []*profile {
	return []*profile{{
		name: SuperTokens, purpose: purposeVerify, life: day,
		link: "/auth/verify-email?token={secret}&tenantId=public",
		style: mailStyle{Subject: "Email verification instructions", Anchor: "Verify My Email",
			Repeat: true,
			Mailto: true},
		says: sameWords("OK", "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"), get: scriptPage,
		api: superTokensAPI(),
	}}
}

func superTokensAPI() *api {
	return &api{
		pattern: "/auth/user/email/verify",
		secret: func(_ *Server, _ *http.Request, body map[string]string) (string, bool) {
			return body["token"], body["method"] == "token"
		},
		respond: func(w http.ResponseWriter, k *ticket, o outcome) {
			respondJSON(w, http.StatusOK, map[string]any{"status": k.provider.says[o]})
		},
	}
}
