package idp

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Auth0 (https://auth0.com/docs/customize/email/email-templates).
const (
	// Auth0Classic takes one GET, and responds with a 302 to RedirectTo with success= and message=.
	Auth0Classic Provider = "auth0-classic"
	// Auth0ClassicPage takes one GET, and responds with a page, whatever RedirectTo is.
	Auth0ClassicPage Provider = "auth0-classic-page"
	// Auth0Universal takes a GET, and a POST of a form with hidden state and cookie; then it
	// redirects as Auth0Classic.
	Auth0Universal Provider = "auth0-universal"
	// Auth0UniversalPage is the same, and ends on a page, whatever RedirectTo is.
	Auth0UniversalPage Provider = "auth0-universal-page"
	// Auth0Code mails a code, and no link.
	Auth0Code Provider = "auth0-code"
)

// What Auth0 shows by default and what its clients must recognize. For Universal Login see
// https://auth0.com/docs/customize/login-pages/universal-login/customize-text-elements.
var (
	auth0ClassicWords = sayings{"Your email was verified. You can continue using the application.",
		"This account is already verified", "This URL can be used only once", "Access expired",
		"User account does not exist or verification code is invalid."}
	auth0UniversalWords = sayings{"Your email address was successfully verified.",
		"This account is already verified.", "This ticket was already used.", "This ticket was expired.",
		"User account does not exist or the verification code is invalid."}
)

const auth0ClassicChanged = "You can now login to the application with the new password."

// auth0 returns Auth0's rows. The trailing # of the links is theirs.
func auth0() []*profile {
	const classic = "/lo/verify_email?ticket={secret}#"
	const universal = "/u/email-verification?ticket={secret}#"
	style := mailStyle{Anchor: "Confirm my account"}
	form, formPage := universalForm(false), universalForm(true)
	return []*profile{
		{name: Auth0Classic, purpose: purposeVerify, life: 5 * day, link: classic, style: style,
			says: auth0ClassicWords, get: classicLink(false)},
		{name: Auth0ClassicPage, purpose: purposeVerify, life: 5 * day, link: classic, style: style,
			says: auth0ClassicWords, get: classicLink(true)},
		{name: Auth0Universal, purpose: purposeVerify, life: 5 * day, link: universal, style: style,
			says: auth0UniversalWords, get: form.get, post: form.post},
		{name: Auth0UniversalPage, purpose: purposeVerify, life: 5 * day, link: universal, style: style,
			says: auth0UniversalWords, get: formPage.get, post: formPage.post},
		codeMail(Auth0Code, 15*time.Minute, 6, htmlPart),
	}
}

// Names of the mails of [Server.ChangePassword].
const (
	auth0Reset       Provider = "auth0-reset"
	auth0ResetPage   Provider = "auth0-reset-page"
	auth0ResetForm   Provider = "auth0-reset-form"
	auth0ResetChoice Provider = "auth0-reset-choice"
)

// auth0Resets returns the rows of those mails.
func auth0Resets() []*profile {
	const link = "/lo/reset?ticket={secret}#"
	style := mailStyle{Subject: "Reset your password", Heading: "Password Change Request",
		Intro: "Somebody, hopefully you, wants a new password for {name}. " +
			"To go on with the new password, please", Anchor: "click here"}
	classic, universal := auth0ClassicWords, auth0UniversalWords
	classic[verified] = auth0ClassicChanged
	universal[verified] = "Your password has been changed successfully."
	form := universalForm(false)
	form.view.Password = true
	return []*profile{
		{name: auth0Reset, purpose: purposeReset, life: 5 * day, link: link, style: style, says: classic,
			get: classicLink(false)},
		{name: auth0ResetPage, purpose: purposeReset, life: 5 * day, link: link, style: style,
			says: classic, get: classicLink(true)},
		{name: auth0ResetForm, purpose: purposeReset, life: 5 * day,
			link:  "/u/reset-verify?ticket={secret}#",
			style: style, says: universal, get: form.get, post: form.post},
		{name: auth0ResetChoice, purpose: purposeReset, life: 5 * day, link: link, style: style,
			says: universal, get: form.get, post: form.post},
	}
}

// classicLink serves a link that a GET redeems.
func classicLink(page bool) linkHandler {
	return func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
		i.finishAuth0(w, r, k, i.use(k), page)
	}
}

// universalForm returns the form of a link of Universal Login. Since July 2022 a GET uses
// nothing up. It shows a form whose state must come back together with the cookie
// (https://community.auth0.com/t/safelinks-process/90806).
func universalForm(page bool) formLink {
	return formLink{
		field: "state", cookie: "_csrf", view: pageView{Title: "One moment", Button: "Continue"},
		finish: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, o outcome) {
			i.finishAuth0(w, r, k, o, page)
		},
	}
}

// finishAuth0 shows the outcome: a redirect if there is somewhere to go, else a page, with
// status 200 even for a failure.
func (i *Server) finishAuth0(
	w http.ResponseWriter, r *http.Request, k *ticket, o outcome, page bool,
) {
	i.mu.Lock()
	to, mute := i.manners.RedirectTo, i.manners.Mute
	i.mu.Unlock()
	if mute {
		showPage(w, http.StatusOK, pageView{Title: "Welcome", Message: "Good to see you."})
		return
	}
	classic, shown := auth0ClassicWords[o], k.provider.says[o]
	if o == verified && k.provider.purpose == purposeReset {
		classic = auth0ClassicChanged
	}
	if to != "" && !page {
		http.Redirect(w, r, auth0Redirect(to, k.email, classic, o == verified), http.StatusFound)
		return
	}
	showPage(w, http.StatusOK, pageView{Title: "Email verification", Message: shown})
}

// auth0Redirect adds the outcome to the query of a URL, in front of its fragment. The
// parameters are those that Auth0 adds, with spaces as %20
// (https://auth0.com/docs/customize/email/email-templates).
func auth0Redirect(to, email, message string, success bool) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	query := "message=" + escape(message) + "&success=false"
	if success {
		query = "supportSignUp=true&supportForgotPassword=true&email=" + escape(email) +
			"&message=" + escape(message) + "&success=true&code=success"
	}
	return addQuery(to, query)
}
