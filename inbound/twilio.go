package inbound

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/twilio/twilio-go/client"

	"smsbridge/inbound/web"
	"smsbridge/internal/reply"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// emptyTwiML has Twilio say nothing (https://www.twilio.com/docs/messaging/twiml). What the bridge
// has to say goes out as a text of its own.
const emptyTwiML = `<?xml version="1.0" encoding="UTF-8"?><Response/>`

var errForged = errors.New(
	"the signature is missing or wrong: compare the account's auth token and " +
		"SMSBRIDGE_PUBLIC_URL with the URL configured at Twilio",
)

// receiveReply takes a text from a phone.
func (s *Server) receiveReply(c echo.Context) error {
	t, form, refusal := s.readHook(c, s.Settings.ReplyURL)
	if refusal.status != 0 {
		return s.respond(c, "reply", refusal, nil)
	}
	phone, err := phonemail.ParseNumber(form.Get("From"))
	if err != nil {
		// A short code, a name or another channel: the bridge never asked it.
		return s.silence(c, t, "not from a phone number")
	}
	line, ok := s.line(form)
	if !ok {
		return s.silence(c, t, "no tenant texts from the number or service that was texted")
	}
	if form.Get("MessageSid") == "" {
		return s.respond(c, "reply", response{http.StatusBadRequest, "MessageSid is missing"}, nil)
	}
	r, err := s.takeReply(c, reply.Received{
		ProviderID: form.Get("MessageSid"), Line: line, Phone: phone, Body: form.Get("Body"),
		Keyword: form.Get("OptOutType"),
	})
	if err != nil {
		return s.respond(c, "reply", r, err)
	}
	return s.silence(c, t, r.reason)
}

// line is the tenants' side of a text: the messaging service if a tenant texts from it, else the
// number.
func (s *Server) line(form url.Values) (text.Line, bool) {
	account := form.Get("AccountSid")
	for _, sender := range []string{form.Get("MessagingServiceSid"), form.Get("To")} {
		if sender != "" && len(s.Settings.Tenants.BySender(account, sender)) > 0 {
			return text.Line{Account: account, Sender: sender}, true
		}
	}
	return text.Line{}, false
}

func (s *Server) silence(c echo.Context, t *tenant.Tenant, reason string) error {
	s.Log.Info("reply", "tenant", t.Slug, "status", http.StatusOK, "reason", reason)
	return c.Blob(http.StatusOK, "text/xml; charset=utf-8", []byte(emptyTwiML))
}

// receiveReceipt takes Twilio's report on a text of ours, which the query names.
func (s *Server) receiveReceipt(c echo.Context) error {
	_, form, refusal := s.readHook(c, func(slug string) string {
		url, _, _ := strings.Cut(s.Settings.ReceiptURL(slug, ""), "?")
		return url
	})
	if refusal.status != 0 {
		return s.respond(c, "receipt", refusal, nil)
	}
	return s.takeReceipt(c, text.Receipt{
		TextID: c.QueryParam("text"), Account: form.Get("AccountSid"),
		ProviderID: form.Get("MessageSid"), State: text.TwilioState(form.Get("MessageStatus")),
		Code: form.Get("ErrorCode"),
	})
}

// readHook proves that a webhook is Twilio's and returns its fields, or says why not. The tenant in
// the URL only selects the auth token. The signature covers the URL as it is configured at Twilio,
// so the configured public URL is used, never the request's host.
func (s *Server) readHook(
	c echo.Context, configured func(slug string) string,
) (*tenant.Tenant, url.Values, response) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || t.Sending.Twilio.AuthToken.Reveal() == "" { // without a token any caller could sign
		return nil, nil, response{http.StatusNotFound, "no such tenant"}
	}
	form, err := web.ReadOnce(c.Request())
	if err != nil {
		return nil, nil, response{http.StatusForbidden, err.Error()}
	}
	signedURL := configured(t.Slug)
	if query := c.Request().URL.RawQuery; query != "" {
		signedURL += "?" + query
	}
	params := make(map[string]string, len(form))
	for name := range form {
		params[name] = form.Get(name)
	}
	validator := client.NewRequestValidator(t.Sending.Twilio.AuthToken.Reveal())
	signature := c.Request().Header.Get("X-Twilio-Signature")
	if !validator.Validate(signedURL, params, signature) ||
		form.Get("AccountSid") != t.Sending.Twilio.AccountSID {
		return nil, nil, response{http.StatusForbidden, errForged.Error()}
	}
	return t, form, response{}
}
