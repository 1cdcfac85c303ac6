package idp

import (
	"net/http"
	"time"
)

var pageWords = sayings{"Your email address has been verified.", "This email address has already been verified.",
	"This link has already been used.", "This link has expired.", "This link is invalid."}

// pages returns the rows of links that a GET redeems and that end on a page. Only the page's words tell success from
// failure, its status is 200 always. Sources: ZITADEL, internal/api/ui/login/mail_verify_handler.go; FusionAuth, "Email
// templates: replacement variables"; AWS, "Customizing email verification messages"; Okta, "Customize email
// notifications"; Rauthy, templates/email.
func pages() []*profile {
	return []*profile{
		{name: ZitadelV1, purpose: purposeVerify, life: time.Hour, code: zitadelCode,
			link:   "/ui/login/mail/verification?userID={secret}&code={code}&orgID=228391&authRequestID=",
			letter: zitadelLetter, says: pageWords, get: getPage},
		{name: FusionAuthGet, purpose: purposeVerify, life: day, link: "/email/verify/{secret}?client_id={id}&tenantId=d7d09513",
			letter: bareLink, says: pageWords, get: getPage},
		{name: Cognito, purpose: purposeVerify, life: day, link: "/confirmUser/?client_id={id}&user_name={email}&confirmation_code={secret}",
			letter: mailStyle{Anchor: "Verify Email"}, says: pageWords, get: getPage},
		{name: Okta, purpose: purposeVerify, life: 30 * time.Minute, link: "/email/verify/{secret}?token={id}", code: digitCode(6),
			letter: mailStyle{Anchor: "Verify Email Address", CodeIs: "Can't use the link? Enter a code instead:"},
			says:   pageWords, get: getPage},
		{name: RauthyChange, purpose: purposeChange, life: time.Hour, link: "/auth/v1/users/{id}/email_confirm/{secret}",
			letter: mailStyle{Subject: "Confirm your new email address", Heading: "E-Mail Change Confirm",
				Intro: "Somebody asked for this address to become the one of their account:", Anchor: "Confirm the change", Parts: bothParts},
			says: pageWords, get: getPage},
	}
}

// showOutcome shows the outcome on a page.
func showOutcome(_ *Server, w http.ResponseWriter, _ *http.Request, k *ticket, outcome outcome) {
	showPage(w, http.StatusOK, pageView{Title: "Result", Message: k.provider.says[outcome]})
}

// getPage serves a link that is redeemed by a GET and answers with a page.
func getPage(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	showOutcome(i, w, r, k, i.use(k))
}
