package simulator

import (
	"net/http"
	"net/url"
	"time"
)

// idpForms returns the rows of links that a form redeems. Sources: FusionAuth, issues 629 and 2443 (postMethod);
// django-allauth, "Account: URLs"; Authgear, resources/authgear/templates; Okta, "Customize email notifications"; Rauthy,
// templates/email/reset.html.
func idpForms() []*idpProvider {
	auto := idpForm{field: "csrf", cookie: "fusionauth.csrf", view: idpView{Title: "One moment"}, finish: idpShowEnd}
	approve := idpForm{field: "gorilla.csrf.Token", cookie: "csrf_token", finish: idpShowEnd,
		view: idpView{Title: "Approve the login?", Button: "Approve"}}
	password := idpPasswordForm()
	return []*idpProvider{
		{name: IdPFusionAuth, purpose: idpVerify, life: idpDay, link: "/email/verify/{secret}?client_id={id}&postMethod=true&tenantId=d7d09513",
			letter: idpBare, says: idpPageWords, get: auto.get, post: auto.post},
		{name: IdPAllauth, purpose: idpVerify, life: 3 * idpDay, link: "/accounts/confirm-email/{secret}/",
			letter: idpLetter{Subject: "Please Confirm Your Email Address", Heading: "Hello from {name}!",
				Intro: "This address was given to register an account. To confirm that this is correct, go to", Parts: idpTextPart},
			says: idpEvery("You have confirmed", "This email confirmation link expired or is invalid."),
			get:  idpDjango.get, post: idpDjango.post},
		{name: IdPAuthgear, purpose: idpLogin, life: 20 * time.Minute, link: "/flows/verify_login_link?code={secret}",
			letter: idpLetter{Subject: "Your login link", Heading: "Log in to {name}", Intro: "Approve the login on this page:",
				Anchor: "Log in", Parts: idpBothParts},
			says: idpWords{"The login is approved.", "This link has been used.", "This link has been used.", "This link has expired.",
				"This link is invalid."},
			get: approve.get, post: approve.post},
		{name: IdPOktaActivation, purpose: idpInvite, life: 7 * idpDay, link: "/welcome/{secret}",
			letter: idpLetter{Subject: "Activate your {name} account",
				Intro: "Your organization has made an account for you. Choose a password to begin.", Anchor: "Activate account"},
			says: idpPasswordWords, get: password.get, post: password.post},
		{name: IdPRauthy, purpose: idpReset, life: idpDay, link: "/auth/v1/users/{id}/reset/{secret}?type=new_user",
			letter: idpLetter{Subject: "New password", Intro: "Your account is there. Set a password here:", Anchor: "Set password",
				Parts: idpBothParts, Again: "/auth/v1/users/request_reset"},
			says: idpPasswordWords, get: password.get, post: password.post},
	}
}

var idpPasswordWords = idpWords{"Your password has been set.", "This link has already been used.", "This link has already been used.",
	"This link has expired.", "This link is invalid."}

// idpPasswordForm returns a form that only a person can fill in.
func idpPasswordForm() idpForm {
	return idpForm{field: "state", cookie: "session", finish: idpShowEnd,
		view: idpView{Title: "Choose a password", Password: true, Button: "Save"}}
}

// idpForm is a link whose GET shows a form and whose POST redeems it, if the form's hidden field and the cookie of that
// GET come back. A GET uses nothing up; a link that cannot be redeemed any more shows its end at once.
type idpForm struct {
	field, cookie string  // names of the hidden field and of the cookie
	view          idpView // of the form; State and Field are filled in
	finish        func(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket, outcome idpOutcome)
}

func (f idpForm) get(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
	i.mu.Lock()
	outcome := i.outlook(k)
	view := f.view
	if outcome == idpVerified {
		k.state, k.cookie = idpRandom(40), idpRandom(24)
		view.State, view.Field = k.state, f.field
	}
	cookie := k.cookie
	i.mu.Unlock()
	if outcome != idpVerified {
		f.finish(i, w, r, k, outcome)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: f.cookie, Value: cookie, Path: r.URL.Path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	idpShow(w, http.StatusOK, view)
}

func (f idpForm) post(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
	r.Body = http.MaxBytesReader(w, r.Body, idpMaxBody)
	cookie, err := r.Cookie(f.cookie)
	state, password := r.PostFormValue(f.field), r.PostFormValue("password")
	i.mu.Lock()
	outcome := i.outlook(k)
	genuine := err == nil && k.state != "" && state == k.state && cookie.Value == k.cookie && (!f.view.Password || password != "")
	if genuine {
		outcome = i.redeem(k)
	}
	i.mu.Unlock()
	if outcome == idpVerified && !genuine {
		idpShow(w, http.StatusBadRequest, idpView{Title: "Something went wrong", Message: "Please open the link again."})
		return
	}
	f.finish(i, w, r, k, outcome)
}

// idpDjango is django-allauth's form (https://docs.allauth.org, "Email verification"): with
// ACCOUNT_CONFIRM_EMAIL_ON_GET at its default a GET only asks. It ends in a redirect to the sign-in page, which has a form
// of its own and shows the result to whoever brings the cookie. All that cannot be confirmed is one page.
var idpDjango = idpForm{
	field: "csrfmiddlewaretoken", cookie: "csrftoken",
	view: idpView{Title: "Confirm Email Address", Message: "Please confirm that this address is yours.", Button: "Confirm"},
	finish: func(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket, outcome idpOutcome) {
		if outcome != idpVerified {
			idpShowEnd(i, w, r, k, outcome)
			return
		}
		said := url.QueryEscape(k.provider.says[outcome] + " " + k.email + ".")
		http.SetCookie(w, idpCookie("messages", said))
		http.Redirect(w, r, "/accounts/login/", http.StatusFound)
	},
}

func (i *IdP) serveAllauthLogin(w http.ResponseWriter, r *http.Request) {
	view := idpView{Title: "Sign In", State: idpRandom(32), Field: "csrfmiddlewaretoken", Password: true, Button: "Sign In"}
	if cookie, err := r.Cookie("messages"); err == nil {
		view.Message, _ = url.QueryUnescape(cookie.Value)
	}
	idpShow(w, http.StatusOK, view)
}
