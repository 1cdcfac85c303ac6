package idp

import (
	"net/http"
	"time"
)

// Clerk takes one GET, and responds with a 302 with __clerk_status=. Source:
// https://clerk.com/docs, "email links".
const Clerk Provider = "clerk"

// clerk returns Clerk's row.
func clerk() []*profile {
	return []*profile{{
		name: Clerk, purpose: purposeVerify, life: 10 * time.Minute,
		link: "/v1/verify?_clerk_js_version=5.0.0&token={secret}", secret: jwt(`"st":"sign_up"`),
		style: mailStyle{Subject: "Verify your email for {name}", Anchor: "Verify email",
			Parts:    bothParts,
			Entities: true},
		says: sayings{"verified", "failed", "failed", "expired", "failed"},
		get:  getRedirect(http.StatusFound, clerkTarget),
	}}
}

func clerkTarget(app string, k *ticket, o outcome) (string, string) {
	query := "__clerk_status=" + k.provider.says[o]
	if o != verified {
		return addQuery(app, query), ""
	}
	return addQuery(app, query+"&__clerk_created_session=sess_"+randomText(27)), "__client"
}
