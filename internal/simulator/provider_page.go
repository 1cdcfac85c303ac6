package simulator

import (
	"net/http"
	"time"
)

var idpPageWords = idpWords{"Your email address has been verified.", "This email address has already been verified.",
	"This link has already been used.", "This link has expired.", "This link is invalid."}

// idpPages returns the rows of links that a GET redeems and that end on a page. Only the page's words tell success from
// failure, its status is 200 always. Sources: ZITADEL, internal/api/ui/login/mail_verify_handler.go; FusionAuth, "Email
// templates: replacement variables"; AWS, "Customizing email verification messages"; Okta, "Customize email
// notifications"; Rauthy, templates/email.
func idpPages() []*idpProvider {
	return []*idpProvider{
		{name: IdPZitadelV1, purpose: idpVerify, life: time.Hour, code: idpCapitals,
			link:   "/ui/login/mail/verification?userID={secret}&code={code}&orgID=228391&authRequestID=",
			letter: idpZitadelLetter, says: idpPageWords, get: idpGetPage},
		{name: IdPFusionAuthGet, purpose: idpVerify, life: idpDay, link: "/email/verify/{secret}?client_id={id}&tenantId=d7d09513",
			letter: idpBare, says: idpPageWords, get: idpGetPage},
		{name: IdPCognito, purpose: idpVerify, life: idpDay, link: "/confirmUser/?client_id={id}&user_name={email}&confirmation_code={secret}",
			letter: idpLetter{Anchor: "Verify Email"}, says: idpPageWords, get: idpGetPage},
		{name: IdPOkta, purpose: idpVerify, life: 30 * time.Minute, link: "/email/verify/{secret}?token={id}", code: idpDigits(6),
			letter: idpLetter{Anchor: "Verify Email Address", CodeIs: "Can't use the link? Enter a code instead:"},
			says:   idpPageWords, get: idpGetPage},
		{name: IdPRauthyChange, purpose: idpChange, life: time.Hour, link: "/auth/v1/users/{id}/email_confirm/{secret}",
			letter: idpLetter{Subject: "Confirm your new email address", Heading: "E-Mail Change Confirm",
				Intro: "Somebody asked for this address to become the one of their account:", Anchor: "Confirm the change", Parts: idpBothParts},
			says: idpPageWords, get: idpGetPage},
	}
}

// idpShowEnd shows the outcome on a page.
func idpShowEnd(_ *IdP, w http.ResponseWriter, _ *http.Request, k *idpTicket, outcome idpOutcome) {
	idpShow(w, http.StatusOK, idpView{Title: "Result", Message: k.provider.says[outcome]})
}

// idpGetPage serves a link that is redeemed by a GET and answers with a page.
func idpGetPage(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
	idpShowEnd(i, w, r, k, i.use(k))
}
