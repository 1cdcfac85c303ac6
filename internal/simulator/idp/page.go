package idp

import (
	"html/template"
	"net/http"
	"sync"
)

// pageView is one page. At most one of State and Proceed is set.
type pageView struct {
	Title, Message string
	// of the element around the message, by which Keycloak's pages are told apart; mostly empty
	MessageID    string
	State, Field string // shows the form that posts the one under the name of the other
	// of the form; empty: a script presses it, and a reader without script is told to
	Button   string
	Password bool   // the form asks for a new password
	Proceed  string // shows a link to it
	Script   bool   // nothing works without a script
}

// pageTemplate is read with the first page: a bridge shows none.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body>
{{- if .Script}}
<noscript>You need to enable JavaScript to run this app.</noscript>
<div id="root"></div><script src="/static/main.js"></script>
{{- else}}
<h1>{{.Title}}</h1>
{{- end}}
{{- if .Message}}
<div{{with .MessageID}} id="{{.}}"{{end}}><p class="instruction">{{.Message}}</p>
{{- if .Proceed}}
<p><a href="{{.Proceed}}">&raquo; Click here to proceed</a></p>
{{- end}}</div>
{{- end}}
{{- if .State}}
<form method="POST">
<input type="hidden" name="{{.Field}}" value="{{.State}}">
{{- if .Password}}
<label>New password <input type="password" name="password" required></label>
<label>Once more <input type="password" name="confirm_password" required></label>
{{- end}}
{{- if .Button}}
<button type="submit" name="action" value="default">{{.Button}}</button>
{{- else}}
<noscript><p>Without JavaScript, please press the button.</p>{{/**/ -}}
<button type="submit">Continue</button></noscript>
<script>document.forms[0].submit()</script>
{{- end}}
</form>
{{- end}}
</body></html>
`

// showPage writes a page that no cache may keep.
func showPage(w http.ResponseWriter, status int, view pageView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	pageTemplate().Execute(w, view) // a reader that has gone away is no fault of ours
}

// response is a response that is made under the lock and written after it.
type response struct {
	cookie   *http.Cookie // nil: none
	location string       // of a redirect; empty: body is the response
	status   int
	body     any // to be encoded as JSON
}

func (a response) write(w http.ResponseWriter, r *http.Request) {
	if a.cookie != nil {
		http.SetCookie(w, a.cookie)
	}
	if a.location != "" {
		http.Redirect(w, r, a.location, a.status)
		return
	}
	respondJSON(w, a.status, a.body)
}

// newCookie returns a cookie for the whole host.
func newCookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode}
}

var pageWords = sayings{"Your email address has been verified.",
	"This email address has already been verified.",
	"This link has already been used.", "This link has expired.", "This link is invalid."}

// showOutcome shows the outcome on a page. Only the page's words tell success from failure, its
// status is 200 always.
func showOutcome(_ *Server, w http.ResponseWriter, _ *http.Request, k *ticket, o outcome) {
	showPage(w, http.StatusOK, pageView{Title: "Result", Message: k.provider.says[o]})
}

// getPage serves a link that a GET redeems and whose response is a page.
func getPage(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	showOutcome(i, w, r, k, i.use(k))
}
