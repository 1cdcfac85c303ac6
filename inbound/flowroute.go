package inbound

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/reply"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Flowroute signs nothing, so the secret part of the URL proves a webhook. Flowroute wants a
// 200, and resends after any other status: four times, 30 seconds apart
// (https://developer.flowroute.com/api/messages/v2.1/).

var (
	errFlowrouteKey = response{http.StatusForbidden, "the key in the URL is missing or wrong: " +
		"it follows from the secret key, see deploy/PROVIDERS.md"}
	errFlowrouteJSON = errors.New("not a webhook of Flowroute's")
	// flowrouteID is a message detail record: of version 2 or 2.1, and 32 hexadecimal digits. An id in
	// any other form could be the same text's once more.
	flowrouteID   = regexp.MustCompile(`^mdr[0-9]-[0-9a-f]{32}$`)
	flowrouteCode = regexp.MustCompile(`^-?[0-9]{1,14}$`)
)

// flowrouteHook is what a webhook says: a text from a phone, or a receipt of one of ours.
type flowrouteHook struct {
	ID             string
	From, To, Body string // of a text; the numbers with or without plus
	Inbound        bool   // it is a text from a phone
	Status, Code   string // of a receipt
}

// readFlowrouteReply reads a text from a phone. Its line is the one on which the tenant texts that
// phone, through any provider. So an answer finds its question, and a STOP stops all texts.
func (s *Server) readFlowrouteReply(c echo.Context) (reply.Received, response) {
	t, refusal := s.proveFlowroute(c)
	if refusal.status != 0 {
		return reply.Received{}, refusal
	}
	hook, err := readFlowroute(http.MaxBytesReader(nil, c.Request().Body, web.MaxHook))
	if err != nil {
		return reply.Received{}, response{http.StatusBadRequest, err.Error()}
	}
	phone, err := phonemail.ParseNumber("+" + strings.TrimPrefix(hook.From, "+"))
	line, ours := t.FlowrouteLine(phone, "+"+strings.TrimPrefix(hook.To, "+"))
	if !hook.Inbound || err != nil || !ours {
		return reply.Received{}, response{http.StatusOK, "not from a phone number to the tenant's"}
	}
	return reply.Received{
		ProviderID: hook.ID, Line: line,
		Sharing: s.Settings.Tenants.ByLine(line), Phone: phone, Body: hook.Body,
		// Flowroute obeys and answers a STOP by itself, and no other word.
		Unanswered: !strings.EqualFold(strings.TrimSpace(hook.Body), "STOP"),
	}, response{}
}

// readFlowrouteReceipt reads Flowroute's report on a text of ours, which the query names.
func (s *Server) readFlowrouteReceipt(c echo.Context) (text.Receipt, response) {
	t, refusal := s.proveFlowroute(c)
	if refusal.status != 0 {
		return text.Receipt{}, refusal
	}
	hook, err := readFlowroute(http.MaxBytesReader(nil, c.Request().Body, web.MaxHook))
	if err != nil {
		return text.Receipt{}, response{http.StatusBadRequest, err.Error()}
	}
	return text.Receipt{
		TextID: c.QueryParam("text"), Account: t.Account(), ProviderID: hook.ID,
		State: flowrouteState(hook.Status), Code: hook.Code,
	}, response{}
}

// flowrouteState is the state that Flowroute's word for a text's progress means. Flowroute
// lists its words nowhere in full, so a word that names neither end counts as progress. Those in
// its examples, "smsc submit" and "message buffered", are of the five words of the gateway Kannel.
// Its success is "delivery success" ("Delivery Reports" in the manual at https://www.kannel.org).
func flowrouteState(status string) text.State {
	status = strings.ToLower(status)
	for _, end := range []string{
		"undeliver", "non-deliver", "not deliver", "fail", "reject", "expire", "delete",
	} {
		if strings.Contains(status, end) {
			return text.Undelivered
		}
	}
	if strings.Contains(status, "delivered") || strings.Contains(status, "delivery success") {
		return text.Delivered
	}
	return text.Sent
}

// proveFlowroute returns the tenant of a webhook that is Flowroute's, or says why it is not.
func (s *Server) proveFlowroute(c echo.Context) (*tenant.Tenant, response) {
	t, known := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !known || t.Sending.Flowroute.SecretKey.Reveal() == "" {
		return nil, response{http.StatusNotFound, "no such tenant at Flowroute"}
	}
	key := []byte(c.QueryParam("key"))
	if subtle.ConstantTimeCompare(key, []byte(t.Sending.Flowroute.HookKey(t.Slug))) != 1 {
		return nil, errFlowrouteKey
	}
	return t, response{}
}

// readFlowroute reads a webhook of version 2.1, or the flat shape that version 2 has for texts. It
// returns errFlowrouteJSON for any other body, and another error when there is no whole body.
func readFlowroute(body io.Reader) (flowrouteHook, error) {
	var hook struct {
		Data struct {
			Type       string `json:"type"`
			ID         string `json:"id"`
			Attributes struct {
				From       string          `json:"from"`
				To         string          `json:"to"`
				Body       string          `json:"body"`
				Direction  string          `json:"direction"`
				Status     string          `json:"status"`
				StatusCode json.RawMessage `json:"status_code"`
			} `json:"attributes"`
		} `json:"data"`
		ID   string `json:"id"`
		From string `json:"from"`
		To   string `json:"to"`
		Body string `json:"body"`
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return flowrouteHook{}, errors.New("the body is too big or ended early")
	}
	if json.Unmarshal(content, &hook) != nil {
		return flowrouteHook{}, errFlowrouteJSON
	}
	a := hook.Data.Attributes
	switch {
	case !flowrouteID.MatchString(hook.Data.ID + hook.ID): // so it has one of them, and not both
	case hook.Data.Type == "" && hook.From != "":
		return flowrouteHook{
			ID: hook.ID, From: hook.From, To: hook.To, Body: hook.Body, Inbound: true,
		}, nil
	case hook.Data.Type == "message":
		return flowrouteHook{
			ID: hook.Data.ID, From: a.From, To: a.To, Body: a.Body, Inbound: a.Direction == "inbound",
		}, nil
	case hook.Data.Type == "delivery_receipt":
		return flowrouteHook{
			ID: hook.Data.ID, Status: a.Status, Code: flowrouteCodeOf(a.StatusCode),
		}, nil
	}
	return flowrouteHook{}, errFlowrouteJSON
}

// flowrouteCodeOf is the code of a receipt, "" for none. Flowroute describes it as a string, and
// its examples have numbers (https://developer.flowroute.com/api/messages/v2.1/receive-a-dlr/). It
// only explains, so a receipt counts without one that cannot be read.
func flowrouteCodeOf(value json.RawMessage) string {
	code := web.Loose(value)
	if !flowrouteCode.MatchString(code) {
		return ""
	}
	return code
}
