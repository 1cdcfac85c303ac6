package inbound

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// Flowroute signs nothing, so that the secret part of the URL is what proves a webhook. It wants a 200, and resends four times, 30 seconds apart,
// what is answered otherwise (https://developer.flowroute.com/api/messages/v2.1/).

var (
	errFlowrouteKey  = answer{http.StatusForbidden, "the key in the URL is missing or wrong: it follows from the secret key, see deploy/PROVIDERS.md"}
	errFlowrouteJSON = errors.New("not a webhook of Flowroute's")
	flowrouteID      = regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)
)

// routeFlowroute adds the webhooks of Flowroute's Messaging API.
func (s *Server) routeFlowroute(e *echo.Echo) {
	e.POST("/flowroute/:tenant/reply", s.receiveFlowrouteReply)
	e.POST("/flowroute/:tenant/receipt", s.receiveFlowrouteReceipt)
}

// flowrouteHook is what a webhook says: a text from a phone, or a receipt of one of ours.
type flowrouteHook struct {
	ID             string
	From, To, Body string // of a text; the numbers with or without plus
	Inbound        bool   // it is a text from a phone
	Status, Code   string // of a receipt
}

// receiveFlowrouteReply takes a text from a phone. Its line is the one on which the tenant texts that phone, whoever carries the texts, so that an
// answer finds its question and a STOP stops them all.
func (s *Server) receiveFlowrouteReply(c echo.Context) error {
	t, hook, a := s.readFlowroute(c)
	if a.status != 0 {
		return s.reply(c, "reply", a, nil)
	}
	phone, err := phonemail.ParseNumber("+" + strings.TrimPrefix(hook.From, "+"))
	if !hook.Inbound || err != nil ||
		"+"+strings.TrimPrefix(hook.To, "+") != t.Sending.Flowroute.Number {
		return s.reply(c, "reply", answer{http.StatusOK, "not from a phone number to the tenant's"}, nil)
	}
	account, sender := t.Line(phone)
	received := reply.Received{ProviderID: hook.ID, Line: text.Line{Account: account, Sender: sender}, Phone: phone, Body: hook.Body}
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	var taken reply.Taken
	err = s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = reply.Take(ctx, tx, s.Settings.Tenants, received)
		return err
	})
	switch {
	case err != nil:
		return s.reply(c, "reply", answer{http.StatusServiceUnavailable, "cannot record now, please try again"}, err)
	case taken.Duplicate:
		return s.reply(c, "reply", answer{http.StatusOK, "known already"}, nil)
	}
	return s.reply(c, "reply", answer{http.StatusOK, "recorded: " + string(taken.Word)}, nil)
}

// receiveFlowrouteReceipt takes Flowroute's report on a text of ours, which the query names.
func (s *Server) receiveFlowrouteReceipt(c echo.Context) error {
	t, hook, a := s.readFlowroute(c)
	if a.status != 0 {
		return s.reply(c, "receipt", a, nil)
	}
	account, _ := t.Line(phonemail.Number{})
	receipt := text.Receipt{
		TextID: c.QueryParam("text"), Account: account, ProviderID: hook.ID, Status: flowrouteProgress(hook.Status), Code: hook.Code,
	}
	return s.takeReceipt(c, receipt)
}

// flowrouteProgress says in Twilio's words how far a text has come. Flowroute's list of words is not complete anywhere, so that what sounds like
// neither end counts as progress.
func flowrouteProgress(status string) string {
	status = strings.ToLower(status)
	for _, end := range []string{"undeliver", "fail", "reject", "expire", "delete"} {
		if strings.Contains(status, end) {
			return "undelivered"
		}
	}
	if strings.Contains(status, "delivered") {
		return "delivered"
	}
	return "sent"
}

// readFlowroute proves that a webhook is Flowroute's and reads it, or says why not.
func (s *Server) readFlowroute(c echo.Context) (*tenant.Tenant, flowrouteHook, answer) {
	t, known := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !known || t.Sending.Flowroute.SecretKey.Reveal() == "" {
		return nil, flowrouteHook{}, answer{http.StatusNotFound, "no such tenant at Flowroute"}
	}
	if subtle.ConstantTimeCompare([]byte(c.QueryParam("key")),
		[]byte(t.Sending.Flowroute.HookKey(t.Slug))) != 1 {
		return nil, flowrouteHook{}, errFlowrouteKey
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.Request().Body, maxHook))
	if err != nil {
		return nil, flowrouteHook{}, answer{http.StatusBadRequest, "the body is too big or ended early"}
	}
	hook, err := parseFlowroute(body)
	if err != nil {
		return nil, flowrouteHook{}, answer{http.StatusBadRequest, err.Error()}
	}
	return t, hook, answer{}
}

// parseFlowroute reads a webhook of version 2.1, or the flat shape that version 2 has for texts. It returns errFlowrouteJSON for what is neither.
func parseFlowroute(body []byte) (flowrouteHook, error) {
	var hook struct {
		Data struct {
			Type       string `json:"type"`
			ID         string `json:"id"`
			Attributes struct {
				From       string `json:"from"`
				To         string `json:"to"`
				Body       string `json:"body"`
				Direction  string `json:"direction"`
				Status     string `json:"status"`
				StatusCode *int   `json:"status_code"`
			} `json:"attributes"`
		} `json:"data"`
		ID   string `json:"id"`
		From string `json:"from"`
		To   string `json:"to"`
		Body string `json:"body"`
	}
	if json.Unmarshal(body, &hook) != nil {
		return flowrouteHook{}, errFlowrouteJSON
	}
	a := hook.Data.Attributes
	switch {
	case !flowrouteID.MatchString(hook.Data.ID + hook.ID):
	case hook.Data.Type == "" && hook.From != "":
		return flowrouteHook{ID: hook.ID, From: hook.From, To: hook.To, Body: hook.Body, Inbound: true}, nil
	case hook.Data.Type == "message":
		return flowrouteHook{ID: hook.Data.ID, From: a.From, To: a.To, Body: a.Body, Inbound: a.Direction == "inbound"}, nil
	case hook.Data.Type == "delivery_receipt":
		read := flowrouteHook{ID: hook.Data.ID, Status: a.Status}
		if a.StatusCode != nil {
			read.Code = strconv.Itoa(*a.StatusCode)
		}
		return read, nil
	}
	return flowrouteHook{}, errFlowrouteJSON
}
