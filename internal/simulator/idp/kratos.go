package idp

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

// Ory Kratos has a page of script, and an API of several steps with a cookie
// (https://www.ory.sh/docs/kratos/self-service/flows/verify-email-account-activation).
const (
	// KratosCode takes a GET of the link, a GET of the flow, and a POST of its form with code and
	// csrf_token.
	KratosCode Provider = "kratos-code"
	// KratosLink takes a GET of the link, which verifies; only the flow says how it went.
	KratosLink Provider = "kratos-link"
)

// kratos returns Kratos' rows.
func kratos() []*profile {
	const invalid = "The verification code is invalid or has already been used. Please try again."
	const done = "The request was already completed successfully and can not be retried."
	says := sayings{"You successfully verified your email address.", done, done,
		"The verification flow expired 1.00 minutes ago, please try again.", invalid}
	return []*profile{
		{name: KratosCode, purpose: purposeVerify, life: time.Hour,
			link:   "/self-service/verification?code={code}&flow={secret}",
			secret: func(*ticket, time.Time) string { return newUUID() }, code: digitCode(6),
			style: mailStyle{Subject: "Use code to verify your email address",
				Intro:  "Please verify your account with the code, or follow the link.",
				CodeIs: "Your code is:", Parts: bothParts},
			says: says, get: kratosCodeLink, post: kratosSubmit},
		{name: KratosLink, purpose: purposeVerify, life: time.Hour,
			link:  "/self-service/verification?flow={id}&token={secret}",
			style: bareLink, says: says, get: kratosLink},
	}
}

// kratosFlow is a self-service flow of Ory Kratos
// (https://www.ory.sh/docs/kratos/self-service/flows/verify-email-account-activation).
type kratosFlow struct {
	ticket  *ticket // that the flow's form redeems; nil if nothing is left to do
	cookie  string  // of the browser that the flow belongs to
	csrf    string
	state   string // sent_email, passed_challenge or choose_method
	said    string
	refused bool // said is of an error
}

const kratosCookie = "csrf_token_82b119fa58a0a1cb6faa9738c1d0dbbf04fcc89a657b7beb31fcde400ced48ab"

// kratosCodeLink fills in the code and shows the form of the flow the mail is of, or a new flow
// that says why not.
func kratosCodeLink(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	i.mu.Lock()
	id, flow := k.secret, &kratosFlow{ticket: k, state: "sent_email",
		said: "An email containing a verification code has been sent."}
	if o := i.outlook(k); o != verified {
		id, flow = newUUID(), &kratosFlow{state: "choose_method", said: k.provider.says[o], refused: true}
	}
	res := i.showFlow(id, flow)
	i.mu.Unlock()
	res.write(w, r)
}

// kratosLink verifies at once. Where it leads does not tell how it went.
func kratosLink(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	i.mu.Lock()
	o := i.redeem(k)
	flow := &kratosFlow{state: "passed_challenge", said: k.provider.says[o]}
	if o != verified {
		flow.state, flow.refused = "choose_method", true
	}
	res := i.showFlow(newUUID(), flow)
	i.mu.Unlock()
	res.write(w, r)
}

// showFlow keeps the flow and redirects the browser to its page. The caller holds mu.
func (i *Server) showFlow(id string, flow *kratosFlow) response {
	flow.cookie, flow.csrf = randomText(43)+"=", randomText(86)+"=="
	i.flows[id] = flow
	return response{cookie: newCookie(kratosCookie, flow.cookie), status: http.StatusSeeOther,
		location: i.flowPage(id)}
}

func (i *Server) flowPage(id string) string { return i.URL() + "/ui/verification?flow=" + id }

// flow returns the flow with that id if it is of the browser that asks and not too old, else
// nil and what to respond. The caller holds mu.
func (i *Server) flow(r *http.Request, id string) (*kratosFlow, response) {
	flow := i.flows[id]
	cookie, err := r.Cookie(kratosCookie)
	switch {
	case flow == nil:
		return nil, kratosError(http.StatusNotFound, "", "The requested resource could not be found")
	case err != nil || cookie.Value != flow.cookie:
		return nil, kratosForgery
	case flow.ticket != nil && i.outlook(flow.ticket) == tooLate:
		return nil, kratosError(http.StatusGone, "self_service_flow_expired",
			flow.ticket.provider.says[tooLate])
	}
	return flow, response{}
}

func kratosError(status int, id, reason string) response {
	return response{status: status, body: map[string]any{
		"error": map[string]any{"id": id, "code": status, "reason": reason}}}
}

var kratosForgery = kratosError(http.StatusForbidden, "security_csrf_violation",
	"The csrf token is missing or not this flow's")

// serveKratosFlow serves GET /self-service/verification/flows?id=.
func (i *Server) serveKratosFlow(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	id := r.URL.Query().Get("id")
	flow, res := i.flow(r, id)
	if flow != nil {
		res = i.kratosJSON(id, flow)
	}
	i.mu.Unlock()
	res.write(w, r)
}

func (i *Server) kratosJSON(id string, flow *kratosFlow) response {
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
	return response{status: http.StatusOK, body: map[string]any{
		"id": id, "type": "browser", "state": flow.state, "active": "code", "ui": map[string]any{
			"action": i.URL() + "/self-service/verification?flow=" + id, "method": "POST", "nodes": nodes,
			"messages": []any{map[string]any{"id": number, "type": kind, "text": flow.said}}}}}
}

// kratosSubmit takes the flow's form, sent as a form or as JSON.
func kratosSubmit(i *Server, w http.ResponseWriter, r *http.Request, _ *ticket) {
	var fields map[string]string
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == "application/x-www-form-urlencoded" {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		fields = map[string]string{
			"code": r.PostFormValue("code"), "method": r.PostFormValue("method"),
			"csrf_token": r.PostFormValue("csrf_token"),
		}
	} else if body, ok := readJSON(w, r); ok {
		fields = body
	} else {
		return
	}
	i.submitFlow(r, fields).write(w, r)
}

// submitFlow tries the code. A wrong one leaves the flow as it is.
func (i *Server) submitFlow(r *http.Request, fields map[string]string) response {
	i.mu.Lock()
	defer i.mu.Unlock()
	id := r.URL.Query().Get("flow")
	flow, res := i.flow(r, id)
	switch {
	case flow == nil:
		return res
	case fields["csrf_token"] != flow.csrf:
		return kratosForgery
	case flow.ticket == nil || fields["method"] != "code" || fields["code"] != flow.ticket.code:
		flow.said, flow.refused = i.provider(KratosCode).says[unknown], true
	default:
		o := i.redeem(flow.ticket)
		flow.said, flow.refused = flow.ticket.provider.says[o], o != verified
		if o == verified {
			flow.state, flow.ticket = "passed_challenge", nil
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return i.kratosJSON(id, flow)
	}
	return response{status: http.StatusSeeOther, location: i.flowPage(id)}
}
