package inbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/twilio/twilio-go/client"

	"smsbridge/internal/reply"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// maxHook is the size of a Twilio webhook; a reply has at most 1600 characters.
const maxHook = 64 << 10

// emptyTwiML answers a text with silence (https://www.twilio.com/docs/messaging/twiml): what is to be said goes out as a text of its own.
const emptyTwiML = `<?xml version="1.0" encoding="UTF-8"?><Response/>`

var (
	errRepeated = errors.New("a field comes more than once")
	errForged   = errors.New("the signature is missing or wrong: compare the account's auth token and SMSBRIDGE_PUBLIC_URL with the URL configured at Twilio")
)

// receiveReply takes a text from a phone.
func (s *Server) receiveReply(c echo.Context) error {
	t, form, a := s.readHook(c, s.Settings.ReplyURL)
	if a.status != 0 {
		return s.reply(c, "reply", a, nil)
	}
	phone, err := phonemail.ParseNumber(form.Get("From"))
	if err != nil {
		// A short code, a name or another channel: nobody we could have asked.
		return s.silence(c, t, "not from a phone number")
	}
	line, ok := s.line(form)
	if !ok {
		return s.silence(c, t, "no tenant texts from the number or service that was texted")
	}
	if form.Get("MessageSid") == "" {
		return s.reply(c, "reply", answer{http.StatusBadRequest, "MessageSid is missing"}, nil)
	}
	received := reply.Received{ProviderID: form.Get("MessageSid"), Line: line, Phone: phone, Body: form.Get("Body"), Keyword: form.Get("OptOutType")}
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	var taken reply.Taken
	err = s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = reply.Take(ctx, tx, s.Settings.Tenants, received)
		return err
	})
	if err != nil {
		return s.reply(c, "reply", answer{http.StatusServiceUnavailable, "cannot record now, please try again"}, err)
	}
	if taken.Duplicate {
		return s.silence(c, t, "known already")
	}
	return s.silence(c, t, "recorded: "+string(taken.Word))
}

// line is the tenants' side of a text: the messaging service if a tenant texts from it, else the number.
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
	_, form, a := s.readHook(c, func(slug string) string { url, _, _ := strings.Cut(s.Settings.ReceiptURL(slug, ""), "?"); return url })
	if a.status != 0 {
		return s.reply(c, "receipt", a, nil)
	}
	receipt := text.Receipt{
		TextID: c.QueryParam("text"), Account: form.Get("AccountSid"), ProviderID: form.Get("MessageSid"),
		Status: form.Get("MessageStatus"), Code: form.Get("ErrorCode"),
	}
	return s.takeReceipt(c, receipt)
}

// takeReceipt records a provider's report on a text of ours, whoever carried it.
func (s *Server) takeReceipt(c echo.Context, receipt text.Receipt) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), commitWait)
	defer cancel()
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error { return text.TakeReceipt(ctx, tx, receipt) })
	if err != nil {
		return s.reply(c, "receipt", answer{http.StatusServiceUnavailable, "cannot record now, please try again"}, err)
	}
	return c.NoContent(http.StatusOK)
}

// readHook proves that a webhook is Twilio's and returns its fields, or says why not. The tenant in the URL only selects the auth token. The
// signature covers the URL as it is configured at Twilio, so the configured public URL is used, never the request's host.
func (s *Server) readHook(c echo.Context, configured func(slug string) string) (*tenant.Tenant, url.Values, answer) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || t.Sending.Twilio.AuthToken.Reveal() == "" { // without a token anybody could sign
		return nil, nil, answer{http.StatusNotFound, "no such tenant"}
	}
	form, err := readOnce(c.Request())
	if err != nil {
		return nil, nil, answer{http.StatusForbidden, err.Error()}
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
	if !validator.Validate(signedURL, params, c.Request().Header.Get("X-Twilio-Signature")) ||
		form.Get("AccountSid") != t.Sending.Twilio.AccountSID {
		return nil, nil, answer{http.StatusForbidden, errForged.Error()}
	}
	return t, form, answer{}
}

// readOnce reads a small urlencoded form in which no field may be repeated: a signature covers one value of each, and so must what is done.
func readOnce(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxHook))
	if err != nil {
		return nil, errors.New("the body is too big or ended early")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errNotForm
	}
	for name, values := range form {
		if len(values) > 1 || r.URL.Query().Has(name) {
			return nil, errRepeated
		}
	}
	return form, nil
}
