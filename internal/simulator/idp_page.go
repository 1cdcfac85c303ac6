package simulator

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// idpView is one page. At most one of State and Proceed is set.
type idpView struct {
	Title, Message string
	State          string // shows the form that posts it back
	Password       bool   // the form asks for a new password
	Proceed        string // shows a link to it
}

var idpPages = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body>
<h1 id="kc-page-title">{{.Title}}</h1>
{{- if .Message}}
<div id="kc-info-message"><p class="instruction">{{.Message}}</p>
{{- if .Proceed}}
<p><a href="{{.Proceed}}">&raquo; Click here to proceed</a></p>
{{- end}}</div>
{{- end}}
{{- if .State}}
<form method="POST">
<input type="hidden" name="state" value="{{.State}}">
{{- if .Password}}
<label>New password <input type="password" name="password" required></label>
<label>Once more <input type="password" name="confirm_password" required></label>
{{- end}}
<button type="submit" name="action" value="default">Continue</button>
</form>
{{- end}}
</body></html>
`))

// idpShow writes a page that no cache may keep.
func idpShow(w http.ResponseWriter, status int, view idpView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	idpPages.Execute(w, view) // a reader that has gone away is no fault of ours
}

// idpFormCookie and idpRealmCookie bind the second step to the first.
const (
	idpFormCookie  = "_csrf"
	idpRealmCookie = "AUTH_SESSION_ID"
)

// serveForm answers links of Auth0's Universal Login. Since July 2022 a GET uses nothing up: it shows a form whose
// state must come back together with the cookie (https://community.auth0.com/t/safelinks-process/90806). A ticket that
// cannot be redeemed shows its result at once.
func (i *IdP) serveForm(w http.ResponseWriter, r *http.Request, ticket *idpTicket) {
	i.mu.Lock()
	if refusal := i.refusal(ticket); refusal != nil {
		i.mu.Unlock()
		i.finish(w, r, ticket, *refusal)
		return
	}
	if r.Method == http.MethodGet {
		ticket.state, ticket.cookie = idpRandom(40), idpRandom(24)
		state, cookie := ticket.state, ticket.cookie
		i.mu.Unlock()
		http.SetCookie(w, &http.Cookie{
			Name: idpFormCookie, Value: cookie, Path: ticket.path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		idpShow(w, http.StatusOK, idpView{Title: "One moment", State: state, Password: ticket.purpose == idpReset})
		return
	}
	i.mu.Unlock() // while the form is read
	r.Body = http.MaxBytesReader(w, r.Body, idpMaxJSON)
	cookie, err := r.Cookie(idpFormCookie)
	state, password := r.PostFormValue("state"), r.PostFormValue("password")
	i.mu.Lock()
	genuine := err == nil && ticket.state != "" && state == ticket.state && cookie.Value == ticket.cookie
	if !genuine || (ticket.purpose == idpReset && password == "") {
		i.mu.Unlock()
		idpShow(w, http.StatusBadRequest, idpView{Title: "Something went wrong", Message: "Please open the link again."})
		return
	}
	outcome := i.redeem(ticket)
	ticket.state, ticket.cookie = "", ""
	i.mu.Unlock()
	i.finish(w, r, ticket, outcome)
}

// serveProceed answers links of Keycloak: a fresh session gets a page with a link to the same path, and only that
// link, with the session's cookie, verifies. A link works until it expires, so a second use is no error.
func (i *IdP) serveProceed(w http.ResponseWriter, r *http.Request, ticket *idpTicket) {
	i.mu.Lock()
	refusal := i.refusal(ticket)
	if refusal == &idpUnknown || refusal == &idpTooLate {
		i.mu.Unlock()
		idpShow(w, http.StatusBadRequest, idpView{Title: "We are sorry", Message: refusal.keycloak})
		return
	}
	cookie, err := r.Cookie(idpRealmCookie)
	if err == nil && ticket.cookie != "" && cookie.Value == ticket.cookie {
		outcome := i.redeem(ticket)
		i.mu.Unlock()
		idpShow(w, http.StatusOK, idpView{Title: "Email verification", Message: outcome.keycloak})
		return
	}
	ticket.cookie = idpRandom(36)
	session := ticket.cookie
	i.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: idpRealmCookie, Value: session, Path: idpPathRealm, HttpOnly: true})
	idpShow(w, http.StatusOK, idpView{
		Title: "Confirm the address", Message: "You are about to confirm your email address.", Proceed: i.URL() + ticket.target(),
	})
}

// finish shows the outcome: a redirect if there is somewhere to go, else a page, 200 even for a failure.
func (i *IdP) finish(w http.ResponseWriter, r *http.Request, ticket *idpTicket, outcome idpOutcome) {
	i.mu.Lock()
	to := i.manners.RedirectTo
	i.mu.Unlock()
	switch {
	case to != "" && ticket.answer != IdPPage:
		http.Redirect(w, r, idpRedirection(to, ticket.email, outcome), http.StatusFound)
	case ticket.answer == IdPForm:
		idpShow(w, http.StatusOK, idpView{Title: "Email verification", Message: outcome.universal})
	default:
		idpShow(w, http.StatusOK, idpView{Title: "Email verification", Message: outcome.classic})
	}
}

// idpRedirection adds the outcome to the query of a URL, in front of its fragment, with the parameters Auth0 adds and
// spaces as %20 (https://auth0.com/docs/customize/email/email-templates).
func idpRedirection(to, email string, outcome idpOutcome) string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	query := "message=" + escape(outcome.classic) + "&success=false"
	if outcome.success {
		query = "supportSignUp=true&supportForgotPassword=true&email=" + escape(email) +
			"&message=" + escape(outcome.classic) + "&success=true&code=success"
	}
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
