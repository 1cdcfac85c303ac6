package idp

import (
	"net/http"
	"time"
)

// ZITADEL. Sources: internal/api/ui/login/mail_verify_handler.go, and its user service v2,
// VerifyEmail.
const (
	// ZitadelV1 takes one GET, and responds with a page. The mail has the code too.
	ZitadelV1 Provider = "zitadel-v1"
	// ZitadelV2 has a page of script, and an API that wants [Server.ServiceToken]:
	// /v2/users/ID/email/verify {verificationCode}.
	ZitadelV2 Provider = "zitadel-v2"
)

// zitadel returns ZITADEL's rows.
func zitadel() []*profile {
	// The code is in brackets, and the footer has a link.
	style := mailStyle{Subject: "Verify email", Anchor: "Verify email",
		CodeIs: "Or type in the page: Code",
		Intro:  "A new address was added. Please verify it with the button.", Powered: "zitadel"}
	newCode := func() string { return randomText(6) }
	const invalid = "Code is invalid"
	return []*profile{
		{name: ZitadelV1, purpose: purposeVerify, life: time.Hour, code: newCode,
			link:  "/ui/login/mail/verification?userID={secret}&code={code}&orgID=228391&authRequestID=",
			style: style, says: pageWords, get: getPage},
		{name: ZitadelV2, purpose: purposeVerify, life: time.Hour, code: newCode,
			link: "/ui/v2/login/verify?code={code}&userId={id}&organization=228391&requestId=",
			// A code counts for its user only.
			secret: func(k *ticket, _ time.Time) string { return k.id + "." + k.code },
			style:  style, says: sayings{"", invalid, invalid, "Code is expired", invalid},
			get: scriptPage, api: zitadelAPI()},
	}
}

func zitadelAPI() *api {
	return &api{
		pattern: "/v2/users/{user}/email/verify",
		secret: func(i *Server, r *http.Request, body map[string]string) (string, bool) {
			return r.PathValue("user") + "." + body["verificationCode"],
				r.Header.Get("Authorization") == "Bearer "+i.service
		},
		respond: func(w http.ResponseWriter, k *ticket, o outcome) {
			if o != verified {
				respondJSON(w, http.StatusBadRequest, map[string]any{"code": 3, "message": k.provider.says[o]})
				return
			}
			respondJSON(w, http.StatusOK, map[string]any{"details": map[string]any{"sequence": "2"}})
		},
	}
}

// ServiceToken returns the bearer token that ZITADEL's API wants, as an administrator would
// issue it to the bridge.
func (i *Server) ServiceToken() string { return i.service }
