package idp

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What Auth0 shows by default and what its clients must recognize
// (https://auth0.com/docs/customize/login-pages/universal-login/customize-text-elements for Universal Login).
var (
	auth0ClassicWords = sayings{"Your email was verified. You can continue using the application.",
		"This account is already verified", "This URL can be used only once", "Access expired",
		"User account does not exist or verification code is invalid."}
	auth0UniversalWords = sayings{"Your email address was successfully verified.", "This account is already verified.",
		"This ticket was already used.", "This ticket was expired.",
		"User account does not exist or the verification code is invalid."}
)

const auth0ClassicChanged = "You can now login to the application with the new password."

// auth0 returns Auth0's rows. The trailing # of the links is theirs.
func auth0() []*profile {
	const classic, universal = "/lo/verify_email?ticket={secret}#", "/u/email-verification?ticket={secret}#"
	letter := mailStyle{Anchor: "Confirm my account"}
	form, formPage := universalForm(false), universalForm(true)
	return []*profile{
		{name: Auth0Classic, purpose: purposeVerify, life: 5 * day, link: classic, letter: letter, says: auth0ClassicWords,
			get: classicLink(false)},
		{name: Auth0ClassicPage, purpose: purposeVerify, life: 5 * day, link: classic, letter: letter, says: auth0ClassicWords,
			get: classicLink(true)},
		{name: Auth0Universal, purpose: purposeVerify, life: 5 * day, link: universal, letter: letter, says: auth0UniversalWords,
			get: form.get, post: form.post},
		{name: Auth0UniversalPage, purpose: purposeVerify, life: 5 * day, link: universal, letter: letter, says: auth0UniversalWords,
			get: formPage.get, post: formPage.post},
		codeMail(Auth0Code, 15*time.Minute, 6, htmlPart),
	}
}

// Names of the mails of ChangePassword.
const (
	auth0Reset     Provider = "auth0-reset"
	auth0ResetPage Provider = "auth0-reset-page"
	auth0ResetForm Provider = "auth0-reset-form"
)

// resets returns the rows of those mails.
func resets() []*profile {
	const link = "/lo/reset?ticket={secret}#"
	letter := mailStyle{Subject: "Reset your password", Heading: "Password Change Request",
		Intro: "Somebody, hopefully you, wants a new password for {name}. To go on with the new password, please", Anchor: "click here"}
	classic, universal := auth0ClassicWords, auth0UniversalWords
	classic[verified], universal[verified] = auth0ClassicChanged, "Your password has been changed successfully."
	form := universalForm(false)
	form.view.Password = true
	return []*profile{
		{name: auth0Reset, purpose: purposeReset, life: 5 * day, link: link, letter: letter, says: classic, get: classicLink(false)},
		{name: auth0ResetPage, purpose: purposeReset, life: 5 * day, link: link, letter: letter, says: classic, get: classicLink(true)},
		{name: auth0ResetForm, purpose: purposeReset, life: 5 * day, link: "/u/reset-verify?ticket={secret}#", letter: letter,
			says: universal, get: form.get, post: form.post},
	}
}

// classicLink serves a link that is redeemed by a GET.
func classicLink(page bool) linkHandler {
	return func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
		i.finishAuth0(w, r, k, i.use(k), page)
	}
}

// universalForm returns the form of a link of Universal Login. Since July 2022 a GET uses nothing up: it shows a form
// whose state must come back together with the cookie (https://community.auth0.com/t/safelinks-process/90806).
func universalForm(page bool) formLink {
	return formLink{
		field: "state", cookie: "_csrf", view: pageView{Title: "One moment", Button: "Continue"},
		finish: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, outcome outcome) {
			i.finishAuth0(w, r, k, outcome, page)
		},
	}
}

// finishAuth0 shows the outcome: a redirect if there is somewhere to go, else a page, 200 even for a failure.
func (i *Server) finishAuth0(w http.ResponseWriter, r *http.Request, k *ticket, outcome outcome, page bool) {
	i.mu.Lock()
	to := i.manners.RedirectTo
	i.mu.Unlock()
	classic, shown := auth0ClassicWords[outcome], k.provider.says[outcome]
	if outcome == verified && k.provider.purpose == purposeReset {
		classic = auth0ClassicChanged
	}
	if to != "" && !page {
		http.Redirect(w, r, auth0Redirect(to, k.email, classic, outcome == verified), http.StatusFound)
		return
	}
	showPage(w, http.StatusOK, pageView{Title: "Email verification", Message: shown})
}

// auth0Redirect adds the outcome to the query of a URL, in front of its fragment, with the parameters Auth0 adds and
// spaces as %20 (https://auth0.com/docs/customize/email/email-templates).
func auth0Redirect(to, email, message string, success bool) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	query := "message=" + escape(message) + "&success=false"
	if success {
		query = "supportSignUp=true&supportForgotPassword=true&email=" + escape(email) +
			"&message=" + escape(message) + "&success=true&code=success"
	}
	return addQuery(to, query)
}

// addQuery adds parameters to a URL that may have a query and a fragment.
func addQuery(to, query string) string {
	to, fragment, hasFragment := strings.Cut(to, "#")
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	to += separator + query
	if hasFragment {
		to += "#" + fragment
	}
	return to
}
