package simulator

import (
	"net/http"
	"net/url"
	"time"
)

// authentik's link is a page whose script talks to the flow executor, and the executor to a session.
const (
	idpExecutor        = "/api/v3/flows/executor/enrollment/{$}"
	idpAuthentikCookie = "authentik_session"
)

// idpAuthentik returns authentik's row. The mail has the shape of authentik/stages/email/templates.
func idpAuthentik() []*idpProvider {
	return []*idpProvider{{
		name: IdPAuthentik, purpose: idpVerify, life: 30 * time.Minute, link: "/if/flow/enrollment/?flow_token={secret}",
		letter: idpLetter{Subject: "Account confirmation", Anchor: "Confirm Account", Repeat: true, ConfirmAction: true,
			Powered: "authentik", Parts: idpBothParts},
		says: idpEvery("", "Link was already used, please request a new link."), get: idpScript,
	}}
}

// executorTicket returns the ticket that an executor request is about, its "query" being the query of the link, and
// whether the request belongs to the ticket's session. The caller holds mu.
func (i *IdP) executorTicket(r *http.Request) (*idpTicket, bool) {
	query, err := url.ParseQuery(r.URL.Query().Get("query"))
	k := i.tickets[query.Get("flow_token")]
	if err != nil || k == nil || k.provider.name != IdPAuthentik {
		return &idpTicket{provider: i.provider(IdPAuthentik)}, false
	}
	cookie, err := r.Cookie(idpAuthentikCookie)
	return k, err == nil && k.cookie != "" && cookie.Value == k.cookie
}

// serveExecutor answers what the flow wants next.
func (i *IdP) serveExecutor(w http.ResponseWriter, r *http.Request) { i.nextStage(r).write(w, r) }

// nextStage goes on with the flow. Since 2025.4 a mail's token is first to be consented to, so that no scanner uses it up
// (authentik/stages/email/flow.py); the address is verified by the GET after that. A token that is not known or too old
// starts the flow from its beginning, which is a form.
func (i *IdP) nextStage(r *http.Request) idpAnswer {
	i.mu.Lock()
	defer i.mu.Unlock()
	k, inSession := i.executorTicket(r)
	outcome := i.outlook(k)
	switch {
	case outcome == idpUnknown || outcome == idpTooLate:
		return idpStage("ak-stage-prompt", "fields", []any{map[string]any{"field_key": "username", "type": "username", "required": true}})
	case outcome != idpVerified, k.state == idpConsented && !inSession:
		return idpStage("ak-stage-access-denied", "error_message", k.provider.says[idpUsed])
	case k.state == idpConsented:
		i.redeem(k)
		return idpStage("xak-flow-redirect", "to", "/")
	case inSession:
		return idpStage("ak-stage-consent", "token", k.state, "header_text", "Continue to confirm this email address.")
	}
	k.cookie, k.state = idpRandom(48), idpRandom(32)
	answer := idpStage("ak-stage-consent", "token", k.state, "header_text", "Continue to confirm this email address.")
	answer.cookie = idpCookie(idpAuthentikCookie, k.cookie)
	return answer
}

// idpConsented is the state of a ticket that has been consented to; no token is like it.
const idpConsented = "consented"

// serveConsent takes the answer to the consent stage.
func (i *IdP) serveConsent(w http.ResponseWriter, r *http.Request) {
	if body, ok := idpReadJSON(w, r); ok {
		i.consent(r, body).write(w, r)
	}
}

// consent redirects to the executor again if the consent is as it must be.
func (i *IdP) consent(r *http.Request, body map[string]string) idpAnswer {
	i.mu.Lock()
	defer i.mu.Unlock()
	k, inSession := i.executorTicket(r)
	switch {
	case !inSession || k.state == idpConsented || i.outlook(k) != idpVerified:
		return idpStage("ak-stage-access-denied", "error_message", "Request has been denied.")
	case body["component"] != "ak-stage-consent" || body["token"] != k.state:
		return idpStage("ak-stage-consent", "token", k.state, "response_errors",
			map[string]any{"token": []any{map[string]any{"code": "invalid", "string": "Invalid consent token."}}})
	}
	k.state = idpConsented
	return idpAnswer{status: http.StatusFound, location: r.URL.RequestURI()}
}

// idpStage returns a challenge of the executor with these names and values.
func idpStage(component string, more ...any) idpAnswer {
	body := map[string]any{"component": component}
	for n := 0; n < len(more); n += 2 {
		body[more[n].(string)] = more[n+1]
	}
	return idpAnswer{status: http.StatusOK, body: body}
}
