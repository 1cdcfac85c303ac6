package idp

import (
	"net/http"
	"net/url"
	"time"
)

// forms returns the rows of links that a form redeems. Sources: FusionAuth, issues 629 and 2443 (postMethod);
// django-allauth, "Account: URLs"; Authgear, resources/authgear/templates; Okta, "Customize email notifications"; Rauthy,
// templates/email/reset.html.
func forms() []*profile {
	auto := formLink{field: "csrf", cookie: "fusionauth.csrf", view: pageView{Title: "One moment"}, finish: showOutcome}
	approve := formLink{field: "gorilla.csrf.Token", cookie: "csrf_token", finish: showOutcome,
		view: pageView{Title: "Approve the login?", Button: "Approve"}}
	password := passwordForm()
	return []*profile{
		{name: FusionAuth, purpose: purposeVerify, life: day, link: "/email/verify/{secret}?client_id={id}&postMethod=true&tenantId=d7d09513",
			letter: bareLink, says: pageWords, get: auto.get, post: auto.post},
		{name: Allauth, purpose: purposeVerify, life: 3 * day, link: "/accounts/confirm-email/{secret}/",
			letter: mailStyle{Subject: "Please Confirm Your Email Address", Heading: "Hello from {name}!",
				Intro: "This address was given to register an account. To confirm that this is correct, go to", Parts: textPart},
			says: sameWords("You have confirmed", "This email confirmation link expired or is invalid."),
			get:  allauthForm.get, post: allauthForm.post},
		{name: Authgear, purpose: purposeLogin, life: 20 * time.Minute, link: "/flows/verify_login_link?code={secret}",
			letter: mailStyle{Subject: "Your login link", Heading: "Log in to {name}", Intro: "Approve the login on this page:",
				Anchor: "Log in", Parts: bothParts},
			says: sayings{"The login is approved.", "This link has been used.", "This link has been used.", "This link has expired.",
				"This link is invalid."},
			get: approve.get, post: approve.post},
		{name: OktaActivation, purpose: purposeInvite, life: 7 * day, link: "/welcome/{secret}",
			letter: mailStyle{Subject: "Activate your {name} account",
				Intro: "Your organization has made an account for you. Choose a password to begin.", Anchor: "Activate account"},
			says: passwordWords, get: password.get, post: password.post},
		{name: Rauthy, purpose: purposeReset, life: day, link: "/auth/v1/users/{id}/reset/{secret}?type=new_user",
			letter: mailStyle{Subject: "New password", Intro: "Your account is there. Set a password here:", Anchor: "Set password",
				Parts: bothParts, Again: "/auth/v1/users/request_reset"},
			says: passwordWords, get: password.get, post: password.post},
	}
}

var passwordWords = sayings{"Your password has been set.", "This link has already been used.", "This link has already been used.",
	"This link has expired.", "This link is invalid."}

// passwordForm returns a form that only a person can fill in.
func passwordForm() formLink {
	return formLink{field: "state", cookie: "session", finish: showOutcome,
		view: pageView{Title: "Choose a password", Password: true, Button: "Save"}}
}

// formLink is a link whose GET shows a form and whose POST redeems it, if the form's hidden field and the cookie of that
// GET come back. A GET uses nothing up; a link that cannot be redeemed any more shows its end at once.
type formLink struct {
	field, cookie string   // names of the hidden field and of the cookie
	view          pageView // of the form; State and Field are filled in
	finish        func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, outcome outcome)
}

func (f formLink) get(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	i.mu.Lock()
	outcome := i.outlook(k)
	view := f.view
	if outcome == verified {
		k.state, k.cookie = randomText(40), randomText(24)
		view.State, view.Field = k.state, f.field
	}
	cookie := k.cookie
	i.mu.Unlock()
	if outcome != verified {
		f.finish(i, w, r, k, outcome)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: f.cookie, Value: cookie, Path: r.URL.Path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	showPage(w, http.StatusOK, view)
}

func (f formLink) post(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	cookie, err := r.Cookie(f.cookie)
	state, password := r.PostFormValue(f.field), r.PostFormValue("password")
	i.mu.Lock()
	outcome := i.outlook(k)
	genuine := err == nil && k.state != "" && state == k.state && cookie.Value == k.cookie && (!f.view.Password || password != "")
	if genuine {
		outcome = i.redeem(k)
	}
	i.mu.Unlock()
	if outcome == verified && !genuine {
		showPage(w, http.StatusBadRequest, pageView{Title: "Something went wrong", Message: "Please open the link again."})
		return
	}
	f.finish(i, w, r, k, outcome)
}

// allauthForm is django-allauth's form (https://docs.allauth.org, "Email verification"): with
// ACCOUNT_CONFIRM_EMAIL_ON_GET at its default a GET only asks. It ends in a redirect to the sign-in page, which has a form
// of its own and shows the result to whoever brings the cookie. All that cannot be confirmed is one page.
var allauthForm = formLink{
	field: "csrfmiddlewaretoken", cookie: "csrftoken",
	view: pageView{Title: "Confirm Email Address", Message: "Please confirm that this address is yours.", Button: "Confirm"},
	finish: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, outcome outcome) {
		if outcome != verified {
			showOutcome(i, w, r, k, outcome)
			return
		}
		said := url.QueryEscape(k.provider.says[outcome] + " " + k.email + ".")
		http.SetCookie(w, newCookie("messages", said))
		http.Redirect(w, r, "/accounts/login/", http.StatusFound)
	},
}

func (i *Server) serveAllauthLogin(w http.ResponseWriter, r *http.Request) {
	view := pageView{Title: "Sign In", State: randomText(32), Field: "csrfmiddlewaretoken", Password: true, Button: "Sign In"}
	if cookie, err := r.Cookie("messages"); err == nil {
		view.Message, _ = url.QueryUnescape(cookie.Value)
	}
	showPage(w, http.StatusOK, view)
}
