package idp

import (
	"net/http"
	"net/url"
	"time"
)

// Allauth is django-allauth: a form with csrfmiddlewaretoken and a cookie, then a 302 to a page
// that needs a cookie to say how it went. Sources: https://docs.allauth.org, "Email
// verification", and "Account: URLs".
const Allauth Provider = "django-allauth"

// allauth returns django-allauth's row.
func allauth() []*profile {
	form := allauthForm()
	return []*profile{{
		name: Allauth, purpose: purposeVerify, life: 3 * day, link: "/accounts/confirm-email/{secret}/",
		secret: signedKey,
		style: mailStyle{Subject: "Please Confirm Your Email Address", Heading: "Hello from {name}!",
			Parts: textPart,
			Intro: "This address was given to register an account. " +
				"To confirm that this is correct, go to"},
		says: sameWords("You have confirmed", "This email confirmation link expired or is invalid."),
		get:  form.get, post: form.post,
	}}
}

// signedKey returns a key as Django signs it: the encoded value, the time in base 62, a signature.
func signedKey(_ *ticket, _ time.Time) string {
	return "MQ:" + randomText(6) + ":" + randomText(43)
}

// allauthForm returns the form. With ACCOUNT_CONFIRM_EMAIL_ON_GET at its default a GET only
// asks. The form ends in a redirect to the sign-in page. That page has a form of its own, and
// shows the result to a browser that brings the cookie. All that cannot be confirmed is one
// page.
func allauthForm() formLink {
	return formLink{
		field: "csrfmiddlewaretoken", cookie: "csrftoken",
		view: pageView{Title: "Confirm Email Address", Button: "Confirm",
			Message: "Please confirm that this address is yours."},
		finish: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, o outcome) {
			if o != verified {
				showOutcome(i, w, r, k, o)
				return
			}
			said := url.QueryEscape(k.provider.says[o] + " " + k.email + ".")
			http.SetCookie(w, newCookie("messages", said))
			http.Redirect(w, r, "/accounts/login/", http.StatusFound)
		},
	}
}

// serveAllauthLogin serves the sign-in page.
func (i *Server) serveAllauthLogin(w http.ResponseWriter, r *http.Request) {
	view := pageView{Title: "Sign In", State: randomText(32), Field: "csrfmiddlewaretoken",
		Password: true, Button: "Sign In"}
	if cookie, err := r.Cookie("messages"); err == nil {
		view.Message, _ = url.QueryUnescape(cookie.Value)
	}
	showPage(w, http.StatusOK, view)
}
