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
	// maxParsed is of the fields of a parsed mail, together: its text and its HTML, of which
	// linkclick looks at 512 KiB each.
	maxParsed = 1 << 20
	// maxRaw is of the fields of a raw mail. It has its pictures in it, and a DKIM signature is about
	// all of it.
	maxRaw = 2 << 20
)

// parsedMail is what is read of a mail that Mailgun parsed, rawMail of a raw one
// (https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http).
func parsedMail() reading { return reading{parsedFields, maxParsed} }

func rawMail() reading { return reading{rawFields, maxRaw} }

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

// receiveMail handles Mailgun's webhook about a mail, of which it reads what is said. Mailgun never
// retries after a 200 or 406, and retries after any other status for eight hours.
func (s *Server) receiveMail(what reading) echo.HandlerFunc {
	return func(c echo.Context) error {
		post, refusal := s.readMail(c, what)
		if refusal.status != 0 {
			return s.respond(c, "mail", refusal, nil)
		}
		packed := mail.Pack(s.Store, post.Delivery)
		taken, err := web.Commit(c.Request().Context(), s.Store,
			func(ctx context.Context, tx *store.Tx) (mail.Taken, error) {
				return mail.Take(ctx, tx, packed)
			})
		r := response{http.StatusOK, "recorded"}
		switch {
		case err != nil:
			r = notNow
		case taken == mail.Reused:
			r = response{http.StatusNotAcceptable, "the token was used before with another content"}
		case taken == mail.Duplicate:
			r = response{http.StatusOK, "known already"}
		case post.strangers:
			r = response{http.StatusOK, "recorded for the recipients that are this tenant's"}
		}
		return s.respond(c, "mail", r, err)
	}
}

// mailPost is a webhook about a mail.
type mailPost struct {
	mail.Delivery
	strangers bool // some recipients are not phone addresses of the tenant
}

// readMail proves that a request is Mailgun's and reads the mail in it, or says why not. What can
// be refused without the body is refused before any of it is read.
func (s *Server) readMail(c echo.Context, what reading) (mailPost, response) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok {
		return mailPost{}, response{http.StatusNotAcceptable, "no such tenant"}
	}
	r := c.Request()
	if r.ContentLength > maxRead {
		return mailPost{}, unread(errTooBig)
	}
	hold, upload := web.HoldOf(r), web.OpenUpload(c)
	form, err := readForm(r.Header.Get(echo.HeaderContentType), upload, hold, what)
	upload.End()
	if err != nil {
		return mailPost{}, unread(err)
	}
	proof, refusal := proveMail(t, form, s.Now())
	if refusal.status != 0 {
		return mailPost{}, refusal
	}
	id, ok := messageID(form)
	if !ok {
		return mailPost{}, response{
			http.StatusNotAcceptable, "a control field comes more than once",
		}
	}
	place := form.Get("message-url")
	if !storable(id) || !storable(place) || !storable(proof.token) || len(id) > maxMessageID {
		return mailPost{}, response{
			http.StatusNotAcceptable, "the token, Message-Id or message-url cannot be one",
		}
	}
	recipient, _ := web.Only(form, "recipient")
	recipients, strangers := recipientsOf(t, recipient)
	switch {
	case len(recipients) == 0:
		return mailPost{}, response{
			http.StatusNotAcceptable, "the recipient is not a phone address of this tenant",
		}
	case len(recipients) > maxRecipients:
		return mailPost{}, response{
			http.StatusNotAcceptable, "the mail is for more phones than one mail may be for",
		}
	}
	return mailPost{mail.Delivery{
		Tenant: t.Slug, Recipients: recipients, Signer: proof.signer, Token: proof.token,
		PostedAt: proof.posted, MessageID: id, MessageURL: place, Body: bodyOf(form),
		KeepBody: t.Mails.Keep == tenant.KeepBridge,
	}, strangers}, response{}
}

// unread is the response to a form that could not be read.
func unread(err error) response {
	switch {
	case errors.Is(err, errTooBig):
		return response{http.StatusNotAcceptable, "the mail is too big"}
	case errors.Is(err, web.ErrBusy):
		return response{http.StatusServiceUnavailable, "too many mails come at once"}
	case errors.Is(err, web.ErrNotForm):
		return response{http.StatusNotAcceptable,
			"not a form: this URL belongs into a route's store(notify=…) or forward(…)"}
	}
	return response{http.StatusServiceUnavailable, "the body ended early or came too slowly"}
}

// proof is what Mailgun signed: a time and a token. Signer stands for the key that it signed with.
type proof struct {
	signer, token string
	posted        time.Time
}

// proveMail proves that a form is Mailgun's and no replay of an old one, or says why not.
func proveMail(t *tenant.Tenant, form url.Values, now time.Time) (proof, response) {
	stamp, okStamp := web.Only(form, "timestamp")
	token, okToken := web.Only(form, "token")
	signature, okSignature := web.Only(form, "signature")
	signer := ""
	if okStamp && okToken && okSignature && len(token) <= maxToken {
		signer = signerOf(t, stamp, token, signature)
	}
	if signer == "" {
		return proof{}, response{http.StatusUnauthorized,
			"the signature is missing or wrong: compare the tenant's HTTP webhook signing key"}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return proof{}, response{http.StatusNotAcceptable, "the timestamp is not a number"}
	}
	posted := time.Unix(seconds, 0).UTC()
	switch age := now.Sub(posted); {
	case age > oldestPost:
		return proof{}, response{http.StatusNotAcceptable, "the signature is too old"}
	case age < -newestPost:
		return proof{}, response{
			http.StatusUnauthorized, "the signature is from the future: compare the clocks",
		}
	}
	return proof{signer, token, posted}, response{}
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
		Envelope: form.Get("sender"),
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

// signerOf checks Mailgun's HMAC-SHA256 over timestamp and token, in constant time, against each
// of the tenant's signing keys
// (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks). The
// body is not signed. It returns the digest of the key that signed, "" when none did.
func signerOf(t *tenant.Tenant, stamp, token, signature string) (signer string) {
	claimed, err := hex.DecodeString(signature)
	if err != nil {
		return ""
	}
	for _, key := range t.Mails.Mailgun.SigningKeys {
		if hmac.Equal(macOf(key.Reveal(), stamp+token), claimed) {
			signer = keyDigest(key.Reveal())
		}
	}
	return signer
}

// keyDigest stands for a signing key in the database. It is a MAC of words that Mailgun never
// signs, since its text begins with a number. So it proves nothing to a door.
func keyDigest(key string) string { return hex.EncodeToString(macOf(key, "signer")[:16]) }

func macOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// recipientsOf reads the recipients that are phone addresses of the tenant, one for each phone.
// Mailgun may send several in one post, separated by commas. Others in the list are no mistake:
// Mailgun names all recipients of the mail in its domain, and some may be another tenant's, for
// whom another route posts the same mail. So the mail is taken for the tenant's own.
func recipientsOf(t *tenant.Tenant, recipients string) (found []mail.Recipient, strangers bool) {
	seen := map[phonemail.Number]bool{}
	for address := range strings.SplitSeq(recipients, ",") {
		address = strings.TrimSpace(address)
		n, err := t.Address.Number(address)
		if err != nil {
			strangers = true
		} else if !seen[n] && len(found) <= maxRecipients {
			seen[n] = true
			found = append(found, mail.To(n, address))
		}
	}
	return found, strangers
}
