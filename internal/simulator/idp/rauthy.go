package idp

import "time"

// Rauthy. Sources: templates/email, and templates/email/reset.html.
const (
	// Rauthy is the sign-up's mail, a reset link: a form with a cookie that wants a password,
	// which verifies too.
	Rauthy Provider = "rauthy"
	// RauthyChange is for a change of address: one GET, and a page.
	RauthyChange Provider = "rauthy-change"
)

// rauthy returns Rauthy's rows.
func rauthy() []*profile {
	password := passwordForm()
	return []*profile{
		{name: RauthyChange, purpose: purposeChange, life: time.Hour,
			link: "/auth/v1/users/{id}/email_confirm/{secret}",
			style: mailStyle{Subject: "Confirm your new email address", Heading: "E-Mail Change Confirm",
				Intro:  "Somebody asked for this address to become the one of their account:",
				Anchor: "Confirm the change", Parts: bothParts},
			says: pageWords, get: getPage},
		{name: Rauthy, purpose: purposeReset, life: day, proves: true,
			link: "/auth/v1/users/{id}/reset/{secret}?type=new_user",
			style: mailStyle{Subject: "New password", Intro: "Your account is there. Set a password here:",
				Anchor: "Set password", Parts: bothParts, Again: "/auth/v1/users/request_reset"},
			says: passwordWords, get: password.get, post: password.post},
	}
}
