package idp

import "time"

// Okta. Source: "Customize email notifications".
const (
	// Okta takes one GET, and responds with a page. The mail has a code too.
	Okta Provider = "okta"
	// OktaActivation is an invitation: a form with a cookie that wants a password.
	OktaActivation Provider = "okta-activation"
)

// okta returns Okta's rows.
func okta() []*profile {
	password := passwordForm()
	return []*profile{
		{name: Okta, purpose: purposeVerify, life: 30 * time.Minute,
			link: "/email/verify/{secret}?token={id}",
			code: digitCode(6),
			style: mailStyle{Anchor: "Verify Email Address",
				CodeIs: "Can't use the link? Enter a code instead:"},
			says: pageWords, get: getPage},
		{name: OktaActivation, purpose: purposeInvite, life: 7 * day, link: "/welcome/{secret}",
			style: mailStyle{Subject: "Activate your {name} account", Anchor: "Activate account",
				Intro: "Your organization has made an account for you. Choose a password to begin."},
			says: passwordWords, get: password.get, post: password.post},
	}
}
