package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What Auth0 shows by default and what its clients must recognize
// (https://auth0.com/docs/customize/login-pages/universal-login/customize-text-elements for Universal Login).
var (
	idpClassicWords = idpWords{"Your email was verified. You can continue using the application.",
		"This account is already verified", "This URL can be used only once", "Access expired",
		"User account does not exist or verification code is invalid."}
	idpUniversalWords = idpWords{"Your email address was successfully verified.", "This account is already verified.",
		"This ticket was already used.", "This ticket was expired.",
		"User account does not exist or the verification code is invalid."}
)

const idpClassicChanged = "You can now login to the application with the new password."

// idpAuth0 returns Auth0's rows. The trailing # of the links is theirs.
func idpAuth0() []*idpProvider {
	const classic, universal = "/lo/verify_email?ticket={secret}#", "/u/email-verification?ticket={secret}#"
	letter := idpLetter{Anchor: "Confirm my account"}
	form, formPage := idpUniversal(false), idpUniversal(true)
	return []*idpProvider{
		{name: IdPAuth0Classic, purpose: idpVerify, life: 5 * idpDay, link: classic, letter: letter, says: idpClassicWords,
			get: idpClassic(false)},
		{name: IdPAuth0ClassicPage, purpose: idpVerify, life: 5 * idpDay, link: classic, letter: letter, says: idpClassicWords,
			get: idpClassic(true)},
		{name: IdPAuth0Universal, purpose: idpVerify, life: 5 * idpDay, link: universal, letter: letter, says: idpUniversalWords,
			get: form.get, post: form.post},
		{name: IdPAuth0UniversalPage, purpose: idpVerify, life: 5 * idpDay, link: universal, letter: letter, says: idpUniversalWords,
			get: formPage.get, post: formPage.post},
		idpCodeMail(IdPAuth0Code, 15*time.Minute, 6, idpHTMLPart),
	}
}

// Names of the mails of ChangePassword.
const (
	idpResetRedirect IdPProvider = "auth0-reset"
	idpResetPage     IdPProvider = "auth0-reset-page"
	idpResetForm     IdPProvider = "auth0-reset-form"
)

// idpResets returns the rows of those mails.
func idpResets() []*idpProvider {
	const link = "/lo/reset?ticket={secret}#"
	letter := idpLetter{Subject: "Reset your password", Heading: "Password Change Request",
		Intro: "Somebody, hopefully you, wants a new password for {name}. To go on with the new password, please", Anchor: "click here"}
	classic, universal := idpClassicWords, idpUniversalWords
	classic[idpVerified], universal[idpVerified] = idpClassicChanged, "Your password has been changed successfully."
	form := idpUniversal(false)
	form.view.Password = true
	return []*idpProvider{
		{name: idpResetRedirect, purpose: idpReset, life: 5 * idpDay, link: link, letter: letter, says: classic, get: idpClassic(false)},
		{name: idpResetPage, purpose: idpReset, life: 5 * idpDay, link: link, letter: letter, says: classic, get: idpClassic(true)},
		{name: idpResetForm, purpose: idpReset, life: 5 * idpDay, link: "/u/reset-verify?ticket={secret}#", letter: letter,
			says: universal, get: form.get, post: form.post},
	}
}

// idpClassic serves a link that is redeemed by a GET.
func idpClassic(page bool) idpHandler {
	return func(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
		i.finishAuth0(w, r, k, i.use(k), page)
	}
}

// idpUniversal returns the form of a link of Universal Login. Since July 2022 a GET uses nothing up: it shows a form
// whose state must come back together with the cookie (https://community.auth0.com/t/safelinks-process/90806).
func idpUniversal(page bool) idpForm {
	return idpForm{
		field: "state", cookie: "_csrf", view: idpView{Title: "One moment", Button: "Continue"},
		finish: func(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket, outcome idpOutcome) {
			i.finishAuth0(w, r, k, outcome, page)
		},
	}
}

// finishAuth0 shows the outcome: a redirect if there is somewhere to go, else a page, 200 even for a failure.
func (i *IdP) finishAuth0(w http.ResponseWriter, r *http.Request, k *idpTicket, outcome idpOutcome, page bool) {
	i.mu.Lock()
	to := i.manners.RedirectTo
	i.mu.Unlock()
	classic, shown := idpClassicWords[outcome], k.provider.says[outcome]
	if outcome == idpVerified && k.provider.purpose == idpReset {
		classic = idpClassicChanged
	}
	if to != "" && !page {
		http.Redirect(w, r, idpRedirection(to, k.email, classic, outcome == idpVerified), http.StatusFound)
		return
	}
	idpShow(w, http.StatusOK, idpView{Title: "Email verification", Message: shown})
}

// idpRedirection adds the outcome to the query of a URL, in front of its fragment, with the parameters Auth0 adds and
// spaces as %20 (https://auth0.com/docs/customize/email/email-templates).
func idpRedirection(to, email, message string, success bool) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	query := "message=" + escape(message) + "&success=false"
	if success {
		query = "supportSignUp=true&supportForgotPassword=true&email=" + escape(email) +
			"&message=" + escape(message) + "&success=true&code=success"
	}
	return idpAddQuery(to, query)
}

// idpAddQuery adds parameters to a URL that may have a query and a fragment.
func idpAddQuery(to, query string) string {
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
