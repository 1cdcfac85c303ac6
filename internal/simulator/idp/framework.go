package idp

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
)

// Frameworks and products, one for each way to end that no identity provider has. Sources: those
// that linkclick names in the file of each.
const (
	// Devise takes one GET, and responds with a 302 to the sign-in page, which shows the result to a
	// browser that brings the cookie. A failure is a page of its own.
	Devise Provider = "devise"
	// Phoenix has a form with a token and a cookie, and then does as Devise.
	Phoenix Provider = "phoenix"
	// ASPNet takes one GET, and responds with a page that has words of its own.
	ASPNet Provider = "aspnet"
	// Ghost takes one GET, and responds with a 302 to its own start page, with success=.
	Ghost Provider = "ghost"
	// Strapi takes one GET, and responds with a 302 to the application's address, to which it adds
	// nothing, and with Koa's words about it. A failure is JSON.
	Strapi Provider = "strapi"
	// Directus takes one GET, and responds with a 302 to the page of the user. A failure is JSON.
	Directus Provider = "directus"
	// JHipster has a page of script, and an API that takes a GET.
	JHipster Provider = "jhipster"
)

// frameworks returns their rows.
func frameworks() []*profile {
	confirm := phoenixForm()
	style := mailStyle{Subject: "Confirmation instructions", Anchor: "Confirm my account"}
	return []*profile{
		{name: Devise, purpose: purposeVerify, life: 3 * day, style: style,
			link: "/users/confirmation?confirmation_token={secret}",
			says: sayings{"Your email address has been successfully confirmed.",
				"Email was already confirmed, please try signing in",
				"Email was already confirmed, please try signing in",
				"Email needs to be confirmed within 3 days, please request a new one",
				"Confirmation token is invalid"},
			get: func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
				flash(i, w, r, k, i.use(k))
			}},
		{name: Phoenix, purpose: purposeVerify, life: 7 * day, link: "/users/confirm/{secret}",
			style: mailStyle{Subject: "Confirmation instructions", Parts: textPart},
			says: sameWords("User confirmed successfully.",
				"User confirmation link is invalid or it has expired."),
			get: confirm.get, post: confirm.post},
		{name: ASPNet, purpose: purposeVerify, life: day, style: style,
			link: "/Identity/Account/ConfirmEmail?userId={id}&code={secret}&returnUrl=%2F",
			says: sameWords("Thank you for confirming your email.", "Error confirming your email."),
			get:  getPage},
		{name: Ghost, purpose: purposeVerify, life: day, style: style,
			link: "/members/?token={secret}&action=signup", says: sameWords("true", "false"),
			get: getRedirect(http.StatusFound, func(_ string, k *ticket, o outcome) (string, string) {
				return "/?action=signup&success=" + k.provider.says[o], ""
			})},
		{name: Strapi, purpose: purposeVerify, life: 30 * day, style: style,
			link: "/api/auth/email-confirmation?confirmation={secret}", says: sameWords("", "Invalid token"),
			get: redirectOrJSON("Redirecting to %s.", func(app string) string { return app })},
		{name: Directus, purpose: purposeVerify, life: 7 * day, style: style,
			link:   "/users/register/verify-email?token={secret}",
			secret: jwt(`"scope":"pending-registration"`), says: sameWords("", "Invalid verification token"),
			get: redirectOrJSON("<p>Found. Redirecting to %s</p>",
				func(string) string { return "/admin/users/" + newUUID() })},
		{name: JHipster, purpose: purposeVerify, life: 3 * day, link: "/account/activate?key={secret}",
			style: bareLink, says: sameWords("", "No user was found for this activation key"),
			get: scriptPage},
	}
}

// phoenixForm returns the form with one button that Phoenix shows up to version 1.7.
func phoenixForm() formLink {
	return formLink{
		field: "_csrf_token", cookie: "_app_key",
		view:   pageView{Title: "Confirm account", Button: "Confirm my account"},
		finish: flash,
	}
}

// flash redirects to the sign-in page with the result in a cookie. What cannot be confirmed is a
// page of its own.
func flash(i *Server, w http.ResponseWriter, r *http.Request, k *ticket, o outcome) {
	if o != verified {
		showOutcome(i, w, r, k, o)
		return
	}
	http.SetCookie(w, newCookie("flash", url.QueryEscape(k.provider.says[o])))
	http.Redirect(w, r, "/users/log_in", http.StatusFound)
}

// serveFlash serves the sign-in page, which has a form of its own.
func serveFlash(w http.ResponseWriter, r *http.Request) {
	view := pageView{Title: "Log in", State: randomText(32), Field: "_csrf_token", Password: true,
		Button: "Log in"}
	if cookie, err := r.Cookie("flash"); err == nil {
		view.Message, _ = url.QueryUnescape(cookie.Value)
	}
	showPage(w, http.StatusOK, view)
}

// redirectOrJSON returns what serves a link of an API that a GET redeems: it leads on, or the
// failure is JSON. The function is given the application's address. The words are those of the
// framework, about where it leads.
func redirectOrJSON(words string, target func(app string) string) linkHandler {
	return func(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
		i.mu.Lock()
		app, o := i.app(), i.redeem(k)
		i.mu.Unlock()
		if o == verified {
			to := target(app)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			fmt.Fprintf(w, words, html.EscapeString(to))
			return
		}
		respondJSON(w, http.StatusBadRequest, map[string]any{
			"error": map[string]any{"status": http.StatusBadRequest, "message": k.provider.says[o]}})
	}
}

// serveActivation serves JHipster's API. Success is an empty body.
func (i *Server) serveActivation(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	k := i.tickets[r.URL.Query().Get("key")]
	if k == nil || k.provider.name != JHipster {
		k = &ticket{provider: i.provider(JHipster)}
	}
	o := i.redeem(k)
	i.mu.Unlock()
	if o != verified {
		respondJSON(w, http.StatusInternalServerError, map[string]any{"title": k.provider.says[o]})
	}
}
