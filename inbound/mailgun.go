package inbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const (
	// oldestPost is how old a signature may be: Mailgun repeats a mail for eight hours, and it is not documented whether it signs it anew.
	oldestPost = 9 * time.Hour
	// newestPost is how far Mailgun's clock may be ahead of ours.
	newestPost = 5 * time.Minute
	maxToken   = 128
	// maxMessageID is the longest line of a mail (RFC 5322 section 2.1.1), so no Message-Id is longer. The database indexes it.
	maxMessageID = 998
	// maxRecipients is how many phones one mail may be for.
	maxRecipients = 50
)

func (s *Server) receiveParsedMail(c echo.Context) error { return s.receiveMail(c, parsedFields) }

func (s *Server) receiveRawMail(c echo.Context) error { return s.receiveMail(c, rawFields) }

// parsedFields are the fields that are read of a mail that Mailgun parsed, rawFields of a raw one
// (https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http).
func parsedFields(name string) bool {
	switch name {
	case "body-plain", "body-html", "message-url":
		return true
	}
	return envelopeFields(name)
}

func rawFields(name string) bool { return name == "body-mime" || envelopeFields(name) }

func envelopeFields(name string) bool {
	switch name {
	case "recipient", "sender", "from", "subject", "timestamp", "token", "signature":
		return true
	}
	return strings.EqualFold(name, "Message-Id")
}

// receiveMail takes a mail from Mailgun, which never repeats what is answered with 200 or 406, and everything else for eight hours.
func (s *Server) receiveMail(c echo.Context, fields func(string) bool) error {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok {
		return s.reply(c, "mail", answer{http.StatusNotAcceptable, "no such tenant"}, nil)
	}
	form, err := readForm(c.Request(), fields)
	switch {
	case errors.Is(err, errTooBig):
		return s.reply(c, "mail", answer{http.StatusNotAcceptable, "the mail is too big"}, nil)
	case errors.Is(err, errNotForm):
		return s.reply(c, "mail", answer{http.StatusNotAcceptable, "not a form: this URL belongs into a route's store(notify=…) or forward(…)"}, nil)
	case err != nil:
		return s.reply(c, "mail", answer{http.StatusServiceUnavailable, "the body ended early"}, nil)
	}
	delivery, refusal := s.readMail(t, form)
	if refusal.status != 0 {
		return s.reply(c, "mail", refusal, nil)
	}
	a, err := s.takeMail(c.Request().Context(), delivery)
	return s.reply(c, "mail", a, err)
}

// readMail proves that a form is Mailgun's and reads it, or says why not.
func (s *Server) readMail(t *tenant.Tenant, form url.Values) (mail.Delivery, answer) {
	d := mail.Delivery{Tenant: t.Slug, KeepBody: t.Mails.Keep == tenant.KeepBridge}
	stamp, okStamp := only(form, "timestamp")
	token, okToken := only(form, "token")
	signature, okSignature := only(form, "signature")
	if !okStamp || !okToken || !okSignature || len(token) > maxToken || !signed(t, stamp, token, signature) {
		return d, answer{http.StatusUnauthorized, "the signature is missing or wrong: compare the tenant's HTTP webhook signing key"}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return d, answer{http.StatusNotAcceptable, "the timestamp is not a number"}
	}
	d.Token, d.PostedAt = token, time.Unix(seconds, 0).UTC()
	switch age := s.Now().Sub(d.PostedAt); {
	case age > oldestPost:
		return d, answer{http.StatusNotAcceptable, "the signature is too old"}
	case age < -newestPost:
		return d, answer{http.StatusUnauthorized, "the signature is from the future: compare the clocks"}
	}
	for name, values := range form {
		if len(values) > 1 && name != "body-html" && name != "from" && name != "subject" {
			return d, answer{http.StatusNotAcceptable, "a control field comes more than once"}
		}
		if strings.EqualFold(name, "Message-Id") {
			if d.MessageID != "" {
				return d, answer{http.StatusNotAcceptable, "a control field comes more than once"}
			}
			d.MessageID = bareID(values[0])
		}
	}
	d.MessageURL = form.Get("message-url")
	if d.Body = bodyOf(form); d.MessageID == "" && d.Body.MIME != "" {
		d.MessageID = idOf(d.Body.MIME)
	}
	if !storable(d.MessageID) || !storable(d.MessageURL) || !storable(d.Token) || len(d.MessageID) > maxMessageID {
		return d, answer{http.StatusNotAcceptable, "the token, Message-Id or message-url cannot be one"}
	}
	recipient, _ := only(form, "recipient")
	if d.Phones = phones(t, recipient); len(d.Phones) == 0 {
		return d, answer{http.StatusNotAcceptable, "the recipient is not a phone address of this tenant"}
	}
	return d, answer{}
}

func bodyOf(form url.Values) mail.Body {
	return mail.Body{
		Subject: form.Get("subject"), From: form.Get("from"), Text: form.Get("body-plain"),
		HTML: strings.Join(form["body-html"], "\n"), MIME: form.Get("body-mime"),
	}
}

func bareID(header string) string { return strings.Trim(header, "<> \t\r\n") }

// idOf reads the Message-Id of a raw mail, which has no field of its own, so that a mail that is repeated under a new token is known.
func idOf(mime string) string {
	m, err := netmail.ReadMessage(strings.NewReader(mime))
	if err != nil {
		return ""
	}
	return bareID(m.Header.Get("Message-Id"))
}

// storable reports whether every database takes a text: PostgreSQL refuses NUL and what is not UTF-8, again and again
// (https://www.postgresql.org/docs/current/datatype-character.html). The sender of a mail chooses its Message-Id.
func storable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// signed checks Mailgun's HMAC-SHA256 over timestamp and token, in constant time, against each of the tenant's signing keys
// (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks). The body is not signed.
func signed(t *tenant.Tenant, stamp, token, signature string) bool {
	claimed, err := hex.DecodeString(signature)
	if err != nil {
		return false
	}
	good := false
	for _, key := range t.Mails.Mailgun.SigningKeys {
		mac := hmac.New(sha256.New, []byte(key.Reveal()))
		mac.Write([]byte(stamp))
		mac.Write([]byte(token))
		good = hmac.Equal(mac.Sum(nil), claimed) || good
	}
	return good
}

// phones reads the recipients that are phone addresses of the tenant; Mailgun may send several in one post, separated by commas.
func phones(t *tenant.Tenant, recipients string) []phonemail.Number {
	var found []phonemail.Number
	seen := map[phonemail.Number]bool{}
	for _, address := range strings.Split(recipients, ",") {
		n, err := t.Address.Number(strings.TrimSpace(address))
		if err == nil && !seen[n] && len(found) < maxRecipients {
			seen[n] = true
			found = append(found, n)
		}
	}
	return found
}

func (s *Server) takeMail(ctx context.Context, d mail.Delivery) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, commitWait)
	defer cancel()
	var taken mail.Taken
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		taken, err = mail.Take(ctx, tx, d)
		return err
	})
	switch {
	case err != nil:
		return answer{http.StatusServiceUnavailable, "cannot record now, please try again"}, err
	case taken == mail.Reused:
		return answer{http.StatusNotAcceptable, "the token was used before with another content"}, nil
	case taken == mail.Duplicate:
		return answer{http.StatusOK, "known already"}, nil
	}
	return answer{http.StatusOK, "recorded"}, nil
}
