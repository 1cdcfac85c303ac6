package idp

import (
	"net/http"
	"net/url"
	"time"
)

// Hasura is hasura-auth, the identity provider of Nhost. It takes one GET, and responds with a
// 302 with refreshToken= or error=. Source: nhost/hasura-auth.
const Hasura Provider = "hasura-auth"

// hasura returns hasura-auth's row.
func hasura() []*profile {
	return []*profile{{
		name: Hasura, purpose: purposeVerify, life: 30 * day,
		link:   "/verify?ticket={secret}&type=emailVerify&redirectTo={app}",
		secret: func(*ticket, time.Time) string { return "verifyEmail:" + newUUID() },
		style:  mailStyle{Anchor: "Verify Email", Outlook: true, Powered: "Nhost"},
		says:   sameWords("", "Invalid or expired verification ticket"),
		get:    getRedirect(http.StatusFound, hasuraTarget),
	}}
}

// hasuraTarget hands out a refresh token on success.
func hasuraTarget(app string, k *ticket, o outcome) (string, string) {
	if o == verified {
		return addQuery(app, "refreshToken="+newUUID()+"&type=emailVerify"), ""
	}
	said := url.QueryEscape(k.provider.says[o])
	return addQuery(app, "error=invalid-ticket&errorDescription="+said), ""
}
