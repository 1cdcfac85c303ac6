package inbound

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/twilio/twilio-go/client"

	"smsbridge/inbound/web"
	"smsbridge/internal/reply"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// emptyTwiML has Twilio say nothing (https://www.twilio.com/docs/messaging/twiml). What the bridge
// has to say goes out as a text of its own.
const emptyTwiML = `<?xml version="1.0" encoding="UTF-8"?><Response/>`

var forged = response{http.StatusForbidden, "the signature is missing or wrong: compare the " +
	"account's auth token and SMSBRIDGE_PUBLIC_URL with the URL configured at Twilio"}

// readTwilioReply reads a text from a phone. It came on the line of the messaging service if a
// tenant texts from it, else on that of the number.
func (s *Server) readTwilioReply(c echo.Context) (reply.Received, response) {
	form, refusal := s.readTwilio(c, s.Settings.ReplyURL, "MessageSid", "From", "To", "Body")
	if refusal.status != 0 {
		return reply.Received{}, refusal
	}
	phone, err := phonemail.ParseNumber(form.Get("From"))
	if err != nil {
		// A short code, a name or another channel: the bridge never asked it.
		return reply.Received{}, response{http.StatusOK, "not from a phone number"}
	}
	received := reply.Received{
		ProviderID: form.Get("MessageSid"), Phone: phone, Body: form.Get("Body"),
		Keyword:    form.Get("OptOutType"),
		Unanswered: form.Get("OptOutType") == "" && !twilioAnswers(form.Get("Body")),
	}
	account := form.Get("AccountSid")
	for _, sender := range []string{form.Get("MessagingServiceSid"), form.Get("To")} {
		if sender == "" || len(received.Sharing) > 0 {
			continue
		}
		received.Line = phonemail.Line{Account: account, Sender: sender}
		received.Sharing = s.Settings.Tenants.ByLine(received.Line)
	}
	if len(received.Sharing) == 0 {
		return reply.Received{}, response{
			http.StatusOK, "no tenant texts from the number or service that was texted",
		}
	}
	return received, response{}
}

// twilioAnswers reports whether Twilio answers a text from a phone by itself: a keyword of its own,
// in any case, and nothing else in the text. With OptOutType it says so itself.
//
// Source: https://help.twilio.com/articles/223134027
func twilioAnswers(body string) bool {
	switch strings.ToUpper(strings.TrimSpace(body)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT",
		"HELP", "INFO":
		return true
	}
	return false
}

// writeTwiML writes a response to a text from a phone. A 200 has Twilio say nothing.
func writeTwiML(c echo.Context, r response) error {
	if r.status != http.StatusOK {
		return writeReason(c, r)
	}
	return c.Blob(r.status, "text/xml; charset=utf-8", []byte(emptyTwiML))
}

// readTwilioReceipt reads Twilio's report on a text of ours, which the query names.
func (s *Server) readTwilioReceipt(c echo.Context) (text.Receipt, response) {
	form, refusal := s.readTwilio(c, func(slug string) string {
		url, _, _ := strings.Cut(s.Settings.ReceiptURL(slug, "", ""), "?")
		return url
	}, "MessageSid", "MessageStatus")
	return text.Receipt{
		TextID: c.QueryParam("text"), Account: form.Get("AccountSid"),
		ProviderID: form.Get("MessageSid"), State: text.TwilioState(form.Get("MessageStatus")),
		Code: form.Get("ErrorCode"),
	}, refusal
}

// readTwilio proves that a webhook is Twilio's and returns its fields, or says why not. The tenant
// in the URL only selects the auth token. The signature covers the URL as it is configured at
// Twilio, so the configured public URL is used, never the request's host. A signature fits several
// forms, so the form must also be the one that was signed: see misfit. It has the needed fields.
func (s *Server) readTwilio(
	c echo.Context, configured func(slug string) string, needed ...string,
) (url.Values, response) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || t.Sending.Twilio.AuthToken.Reveal() == "" { // without a token any caller could sign
		return nil, response{http.StatusNotFound, "no such tenant"}
	}
	form, err := web.ReadOnce(c.Request())
	if err != nil {
		return nil, response{http.StatusForbidden, err.Error()}
	}
	signedURL := configured(t.Slug)
	if query := c.Request().URL.RawQuery; query != "" {
		signedURL += "?" + query
	}
	signed := readSigned(form)
	validator := client.NewRequestValidator(t.Sending.Twilio.AuthToken.Reveal())
	signature := c.Request().Header.Get("X-Twilio-Signature")
	// The library sorts the fields by name and writes them after the URL, each with its value. Here
	// that is done already.
	written := map[string]string{"": signed.text}
	if !validator.Validate(signedURL, written, signature) ||
		form.Get("AccountSid") != t.Sending.Twilio.AccountSID {
		return nil, forged
	}
	if wrong := signed.misfit(needed...); wrong != "" {
		return nil, response{http.StatusBadRequest, "not as Twilio sends it: " + wrong}
	}
	return form, response{}
}
