package idp

import (
	"net/http"
	"net/url"
	"time"
)

// Authentik has a page of script, and an API of several steps with a cookie: GET of the flow
// executor, POST of the consent, GET. Source: authentik/stages/email.
const Authentik Provider = "authentik"

// authentik's link is a page whose script talks to the flow executor, and the executor to a
// session.
const (
	authentikExecutor = "/api/v3/flows/executor/enrollment/{$}"
	authentikCookie   = "authentik_session"
)

// authentik returns authentik's row. The mail has the shape of authentik's templates.
func authentik() []*profile {
	return []*profile{{
		name: Authentik, purpose: purposeVerify, life: 30 * time.Minute,
		link: "/if/flow/enrollment/?flow_token={secret}",
		style: mailStyle{Subject: "Account confirmation", Anchor: "Confirm Account", Repeat: true,
			ConfirmAction: true, Powered: "authentik", Parts: bothParts},
		get: scriptPage,
	}}
}

// executorTicket returns the ticket that an executor request is about, and whether the request
// belongs to the ticket's session. The request's "query" is the query of the link. The caller
// holds mu.
func (i *Server) executorTicket(r *http.Request) (*ticket, bool) {
	query, err := url.ParseQuery(r.URL.Query().Get("query"))
	k := i.tickets[query.Get("flow_token")]
	if err != nil || k == nil || k.provider.name != Authentik {
		return &ticket{provider: i.provider(Authentik)}, false
	}
	cookie, err := r.Cookie(authentikCookie)
	return k, err == nil && k.cookie != "" && cookie.Value == k.cookie
}

// serveExecutor serves what the flow wants next.
func (i *Server) serveExecutor(w http.ResponseWriter, r *http.Request) {
	i.nextStage(r).write(w, r)
}

// nextStage goes on with the flow. Since 2025.4 a mail's token is first to be consented to, so
// that no scanner uses it up (authentik/stages/email/flow.py); the address is verified by the
// GET after that. The consent deletes the token. One that is not there any more starts the flow
// from its beginning, which is a form (authentik/flows/views/executor.py, _check_flow_token).
func (i *Server) nextStage(r *http.Request) response {
	i.mu.Lock()
	defer i.mu.Unlock()
	k, inSession := i.executorTicket(r)
	o := i.outlook(k)
	switch {
	case o != verified, k.state == authentikConsented && !inSession:
		username := map[string]any{"field_key": "username", "type": "username", "required": true}
		return authentikStage("ak-stage-prompt", "fields", []any{username})
	case k.state == authentikConsented:
		i.redeem(k)
		return authentikStage("xak-flow-redirect", "to", "/")
	case inSession:
		return authentikStage("ak-stage-consent", "token", k.state, "header_text",
			"Continue to confirm this email address.")
	}
	k.cookie, k.state = randomText(48), randomText(32)
	res := authentikStage("ak-stage-consent", "token", k.state, "header_text",
		"Continue to confirm this email address.")
	res.cookie = newCookie(authentikCookie, k.cookie)
	return res
}

// authentikConsented is the state of a ticket that has been consented to; no token is like it.
const authentikConsented = "consented"

// serveConsent takes the res to the consent stage.
func (i *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	if body, ok := readJSON(w, r); ok {
		i.consent(r, body).write(w, r)
	}
}

// consent redirects to the executor again if the consent is as it must be.
func (i *Server) consent(r *http.Request, body map[string]string) response {
	i.mu.Lock()
	defer i.mu.Unlock()
	k, inSession := i.executorTicket(r)
	switch {
	case !inSession || k.state == authentikConsented || i.outlook(k) != verified:
		return authentikStage("ak-stage-access-denied", "error_message", "Request has been denied.")
	case body["component"] != "ak-stage-consent" || body["token"] != k.state:
		return authentikStage("ak-stage-consent", "token", k.state, "response_errors",
			map[string]any{"token": []any{
				map[string]any{"code": "invalid", "string": "Invalid consent token."}}})
	}
	k.state = authentikConsented
	return response{status: http.StatusFound, location: r.URL.RequestURI()}
}

// authentikStage returns a challenge of the executor with these names and values.
func authentikStage(component string, more ...any) response {
	body := map[string]any{"component": component}
	for n := 0; n < len(more); n += 2 {
		body[more[n].(string)] = more[n+1]
	}
	return response{status: http.StatusOK, body: body}
}
