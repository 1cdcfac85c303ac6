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

	"smsbridge/inbound/web"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const (
	// oldestPost is how old a signature may be. Mailgun retries for eight hours, and does not document
	// whether it signs each retry anew.
	oldestPost = 9 * time.Hour
	// newestPost is how far Mailgun's clock may be ahead of ours.
	newestPost = 5 * time.Minute
	maxToken   = 128
	// maxMessageID is the longest line of a mail (RFC 5322 section 2.1.1), so no Message-Id is longer.
	// The database indexes it.
	maxMessageID = 998
	// maxRecipients is how many phones one mail may be for.
	maxRecipients = 50
)

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

// receiveMail handles Mailgun's webhook about a mail with these fields. Mailgun never retries after
// a 200 or 406, and retries after any other status for eight hours.
func (s *Server) receiveMail(fields func(name string) bool) echo.HandlerFunc {
	return func(c echo.Context) error {
		delivery, refusal := s.readMail(c, fields)
		if refusal.status != 0 {
			return s.respond(c, "mail", refusal, nil)
		}
		taken, err := web.Commit(c.Request().Context(), s.Store,
			func(ctx context.Context, tx *store.Tx) (mail.Taken, error) {
				return mail.Take(ctx, tx, delivery)
			})
		r := response{http.StatusOK, "recorded"}
		switch {
		case err != nil:
			r = notNow
		case taken == mail.Reused:
			r = response{http.StatusNotAcceptable, "the token was used before with another content"}
		case taken == mail.Duplicate:
			r = response{http.StatusOK, "known already"}
		}
		return s.respond(c, "mail", r, err)
	}
}

// readMail proves that a request is Mailgun's and reads the mail in it, or says why not.
func (s *Server) readMail(
	c echo.Context, fields func(name string) bool,
) (mail.Delivery, response) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok {
		return mail.Delivery{}, response{http.StatusNotAcceptable, "no such tenant"}
	}
	form, err := readForm(c.Request(), fields)
	if err != nil {
		return mail.Delivery{}, unread(err)
	}
	token, posted, refusal := proveMail(t, form, s.Now())
	if refusal.status != 0 {
		return mail.Delivery{}, refusal
	}
	id, ok := messageID(form)
	if !ok {
		return mail.Delivery{}, response{
			http.StatusNotAcceptable, "a control field comes more than once",
		}
	}
	place := form.Get("message-url")
	if !storable(id) || !storable(place) || !storable(token) || len(id) > maxMessageID {
		return mail.Delivery{}, response{
			http.StatusNotAcceptable, "the token, Message-Id or message-url cannot be one",
		}
	}
	recipient, _ := web.Only(form, "recipient")
	recipients := recipientsOf(t, recipient)
	if len(recipients) == 0 {
		return mail.Delivery{}, response{
			http.StatusNotAcceptable, "the recipient is not a phone address of this tenant",
		}
	}
	return mail.Delivery{
		Tenant: t.Slug, Recipients: recipients, Token: token, PostedAt: posted, MessageID: id,
		MessageURL: place, Body: bodyOf(form), KeepBody: t.Mails.Keep == tenant.KeepBridge,
	}, response{}
}

// unread is the response to a form that could not be read.
func unread(err error) response {
	switch {
	case errors.Is(err, errTooBig):
		return response{http.StatusNotAcceptable, "the mail is too big"}
	case errors.Is(err, web.ErrNotForm):
		return response{http.StatusNotAcceptable,
			"not a form: this URL belongs into a route's store(notify=…) or forward(…)"}
	}
	return response{http.StatusServiceUnavailable, "the body ended early"}
}

// proveMail proves that a form is Mailgun's and no replay of an old one, or says why not. It
// returns Mailgun's token and its time stamp.
func proveMail(
	t *tenant.Tenant, form url.Values, now time.Time,
) (token string, posted time.Time, refusal response) {
	stamp, okStamp := web.Only(form, "timestamp")
	token, okToken := web.Only(form, "token")
	signature, okSignature := web.Only(form, "signature")
	if !okStamp || !okToken || !okSignature || len(token) > maxToken ||
		!signed(t, stamp, token, signature) {
		return "", posted, response{http.StatusUnauthorized,
			"the signature is missing or wrong: compare the tenant's HTTP webhook signing key"}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "", posted, response{http.StatusNotAcceptable, "the timestamp is not a number"}
	}
	posted = time.Unix(seconds, 0).UTC()
	switch age := now.Sub(posted); {
	case age > oldestPost:
		return "", posted, response{http.StatusNotAcceptable, "the signature is too old"}
	case age < -newestPost:
		return "", posted, response{
			http.StatusUnauthorized, "the signature is from the future: compare the clocks",
		}
	}
	return token, posted, response{}
}

// messageID is the Message-Id of a mail, "" when it has none. It returns false when a field comes
// more than once that must not.
func messageID(form url.Values) (id string, ok bool) {
	for name, values := range form {
		if len(values) > 1 && name != "body-html" && name != "from" && name != "subject" {
			return "", false
		}
		if strings.EqualFold(name, "Message-Id") {
			if id != "" {
				return "", false
			}
			id = bareID(values[0])
		}
	}
	if raw := form.Get("body-mime"); id == "" && raw != "" {
		id = idOf(raw)
	}
	return id, true
}

func bodyOf(form url.Values) mail.Body {
	return mail.Body{
		Subject: form.Get("subject"), From: form.Get("from"), Text: form.Get("body-plain"),
		HTML: strings.Join(form["body-html"], "\n"), MIME: form.Get("body-mime"),
	}
}

func bareID(header string) string { return strings.Trim(header, "<> \t\r\n") }

// idOf reads the Message-Id of a raw mail, which has no field of its own. By it a mail is known
// that comes again under a new token.
func idOf(mime string) string {
	m, err := netmail.ReadMessage(strings.NewReader(mime))
	if err != nil {
		return ""
	}
	return bareID(m.Header.Get("Message-Id"))
}

// storable reports whether every database takes a text. PostgreSQL refuses NUL and what is not
// UTF-8 (https://www.postgresql.org/docs/current/datatype-character.html), and would refuse
// each retry. The sender of a mail chooses its Message-Id.
func storable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// signed checks Mailgun's HMAC-SHA256 over timestamp and token, in constant time, against each
// of the tenant's signing keys
// (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks). The
// body is not signed.
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

// recipientsOf reads the recipients that are phone addresses of the tenant, one for each phone.
// Mailgun may send several in one post, separated by commas.
func recipientsOf(t *tenant.Tenant, recipients string) []mail.Recipient {
	var found []mail.Recipient
	seen := map[phonemail.Number]bool{}
	for _, address := range strings.Split(recipients, ",") {
		address = strings.TrimSpace(address)
		n, err := t.Address.Number(address)
		if err == nil && !seen[n] && len(found) < maxRecipients {
			seen[n] = true
			found = append(found, mail.To(n, address))
		}
	}
	return found
}
