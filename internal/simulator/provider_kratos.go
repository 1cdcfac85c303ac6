package simulator

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

// idpKratos returns Kratos' rows.
func idpKratos() []*idpProvider {
	const invalid = "The verification code is invalid or has already been used. Please try again."
	const done = "The request was already completed successfully and can not be retried."
	says := idpWords{"You successfully verified your email address.", done, done,
		"The verification flow expired 1.00 minutes ago, please try again.", invalid}
	return []*idpProvider{
		{name: IdPKratosCode, purpose: idpVerify, life: time.Hour, link: "/self-service/verification?code={code}&flow={secret}",
			secret: func(*idpTicket, time.Time) string { return idpUUID() }, code: idpDigits(6),
			letter: idpLetter{Subject: "Use code to verify your email address",
				Intro:  "Please verify your account with the code, or follow the link.",
				CodeIs: "Your code is:", Parts: idpBothParts},
			says: says, get: idpKratosCodeLink, post: idpKratosSubmit},
		{name: IdPKratosLink, purpose: idpVerify, life: time.Hour, link: "/self-service/verification?flow={id}&token={secret}",
			letter: idpBare, says: says, get: idpKratosLink},
	}
}

// idpFlow is a self-service flow of Ory Kratos
// (https://www.ory.sh/docs/kratos/self-service/flows/verify-email-account-activation).
type idpFlow struct {
	ticket  *idpTicket // that the flow's form redeems; nil if nothing is left to do
	cookie  string     // of the browser that the flow belongs to
	csrf    string
	state   string // sent_email, passed_challenge or choose_method
	said    string
	refused bool // said is of an error
}

const idpKratosCookie = "csrf_token_82b119fa58a0a1cb6faa9738c1d0dbbf04fcc89a657b7beb31fcde400ced48ab"

// idpKratosCodeLink fills in the code and shows the form of the flow the mail is of, or a new flow that says why not.
func idpKratosCodeLink(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
	i.mu.Lock()
	id, flow := k.secret, &idpFlow{ticket: k, state: "sent_email", said: "An email containing a verification code has been sent."}
	if outcome := i.outlook(k); outcome != idpVerified {
		id, flow = idpUUID(), &idpFlow{state: "choose_method", said: k.provider.says[outcome], refused: true}
	}
	answer := i.showFlow(id, flow)
	i.mu.Unlock()
	answer.write(w, r)
}

// idpKratosLink verifies at once. Where it leads does not tell how it went.
func idpKratosLink(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
	i.mu.Lock()
	outcome := i.redeem(k)
	flow := &idpFlow{state: "passed_challenge", said: k.provider.says[outcome]}
	if outcome != idpVerified {
		flow.state, flow.refused = "choose_method", true
	}
	answer := i.showFlow(idpUUID(), flow)
	i.mu.Unlock()
	answer.write(w, r)
}

// showFlow keeps the flow and redirects the browser to its page. The caller holds mu.
func (i *IdP) showFlow(id string, flow *idpFlow) idpAnswer {
	flow.cookie, flow.csrf = idpRandom(43)+"=", idpRandom(86)+"=="
	i.flows[id] = flow
	return idpAnswer{cookie: idpCookie(idpKratosCookie, flow.cookie), status: http.StatusSeeOther, location: i.flowPage(id)}
}

func (i *IdP) flowPage(id string) string { return i.URL() + "/ui/verification?flow=" + id }

// flow returns the flow with that id if it is of the browser that asks and not too old, else nil and what to answer. The
// caller holds mu.
func (i *IdP) flow(r *http.Request, id string) (*idpFlow, idpAnswer) {
	flow := i.flows[id]
	cookie, err := r.Cookie(idpKratosCookie)
	switch {
	case flow == nil:
		return nil, idpKratosError(http.StatusNotFound, "", "The requested resource could not be found")
	case err != nil || cookie.Value != flow.cookie:
		return nil, idpKratosForgery
	case flow.ticket != nil && i.outlook(flow.ticket) == idpTooLate:
		return nil, idpKratosError(http.StatusGone, "self_service_flow_expired", flow.ticket.provider.says[idpTooLate])
	}
	return flow, idpAnswer{}
}

func idpKratosError(status int, id, reason string) idpAnswer {
	return idpAnswer{status: status, body: map[string]any{"error": map[string]any{"id": id, "code": status, "reason": reason}}}
}

var idpKratosForgery = idpKratosError(http.StatusForbidden, "security_csrf_violation", "The csrf token is missing or not this flow's")

// serveKratosFlow answers GET /self-service/verification/flows?id=.
func (i *IdP) serveKratosFlow(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	id := r.URL.Query().Get("id")
	flow, answer := i.flow(r, id)
	if flow != nil {
		answer = i.kratosJSON(id, flow)
	}
	i.mu.Unlock()
	answer.write(w, r)
}

func (i *IdP) kratosJSON(id string, flow *idpFlow) idpAnswer {
	kind, number := "info", 1080001
	switch {
	case flow.refused:
		kind, number = "error", 4070006
	case flow.state == "passed_challenge":
		number = 1080002
	}
	nodes := []any{}
	input := func(name, kind, value string) {
		nodes = append(nodes, map[string]any{"type": "input", "group": "code", "messages": []any{},
			"attributes": map[string]any{"node_type": "input", "name": name, "type": kind, "value": value}})
	}
	if flow.ticket != nil {
		input("code", "text", flow.ticket.code)
		input("method", "hidden", "code")
		input("method", "submit", "code")
		input("email", "submit", flow.ticket.email) // sends another mail instead
		input("csrf_token", "hidden", flow.csrf)
	}
	return idpAnswer{status: http.StatusOK, body: map[string]any{
		"id": id, "type": "browser", "state": flow.state, "active": "code", "ui": map[string]any{
			"action": i.URL() + "/self-service/verification?flow=" + id, "method": "POST", "nodes": nodes,
			"messages": []any{map[string]any{"id": number, "type": kind, "text": flow.said}}}}}
}

// idpKratosSubmit takes the flow's form, sent as a form or as JSON.
func idpKratosSubmit(i *IdP, w http.ResponseWriter, r *http.Request, _ *idpTicket) {
	var fields map[string]string
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/x-www-form-urlencoded" {
		r.Body = http.MaxBytesReader(w, r.Body, idpMaxBody)
		fields = map[string]string{
			"code": r.PostFormValue("code"), "method": r.PostFormValue("method"), "csrf_token": r.PostFormValue("csrf_token"),
		}
	} else if body, ok := idpReadJSON(w, r); ok {
		fields = body
	} else {
		return
	}
	i.submitFlow(r, fields).write(w, r)
}

// submitFlow tries the code. A wrong one leaves the flow as it is.
func (i *IdP) submitFlow(r *http.Request, fields map[string]string) idpAnswer {
	i.mu.Lock()
	defer i.mu.Unlock()
	id := r.URL.Query().Get("flow")
	flow, answer := i.flow(r, id)
	switch {
	case flow == nil:
		return answer
	case fields["csrf_token"] != flow.csrf:
		return idpKratosForgery
	case flow.ticket == nil || fields["method"] != "code" || fields["code"] != flow.ticket.code:
		flow.said, flow.refused = i.provider(IdPKratosCode).says[idpUnknown], true
	default:
		outcome := i.redeem(flow.ticket)
		flow.said, flow.refused = flow.ticket.provider.says[outcome], outcome != idpVerified
		if outcome == idpVerified {
			flow.state, flow.ticket = "passed_challenge", nil
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return i.kratosJSON(id, flow)
	}
	return idpAnswer{status: http.StatusSeeOther, location: i.flowPage(id)}
}
