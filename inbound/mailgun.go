package inbound

import (
	"context"
	"errors"
	"net/http"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

const (
	// oldestPost is how old a signature may be. Mailgun retries for eight hours, and does not document
	// whether it signs each retry anew.
	oldestPost = 9 * time.Hour
	// newestPost is how far Mailgun's clock may be ahead of ours.
	newestPost = 5 * time.Minute
	maxToken   = 128
	// maxRecipients is how many phones one mail may be for.
	maxRecipients = 50
	// maxParsed is of the fields of a parsed mail, together: its text and its HTML, of which
	// linkclick looks at 512 KiB each.
	maxParsed = 1 << 20
	// maxRaw is of the fields of a raw mail. It has its pictures in it, and a DKIM signature is about
	// all of it.
	maxRaw = 2 << 20
)

// messageIDField is the mail's own field, spelled as in the mail.
const messageIDField = "Message-Id"

// parsedMail is what is read of a mail that Mailgun parsed, rawMail of a raw one
// (https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http).
// Each has a Message-Id beside.
func parsedMail() reading {
	return reading{append(envelopeFields(), "body-plain", "body-html", "message-url"), maxParsed}
}

func rawMail() reading { return reading{append(envelopeFields(), "body-mime"), maxRaw} }

func envelopeFields() []string {
	return []string{"recipient", "sender", "from", "subject", "timestamp", "token", "signature"}
}

// mailDoor is the door of Mailgun's webhooks about mails.
type mailDoor struct {
	*Server
	signers map[string][]*signer // by tenant
	forms   sync.Pool            // of *formReader
}

func (s *Server) openMailDoor() *mailDoor {
	d := &mailDoor{Server: s, signers: map[string][]*signer{}}
	d.forms.New = func() any { return newFormReader() }
	for _, t := range s.Settings.Tenants.All() {
		for _, key := range t.Mails.Mailgun.SigningKeys {
			d.signers[t.Slug] = append(d.signers[t.Slug], newSigner(key.Reveal()))
		}
	}
	return d
}

// receiveMail handles Mailgun's webhook about a mail, of which it reads what is said. Mailgun never
// retries after a 200 or 406, and retries after any other status for eight hours.
func (d *mailDoor) receiveMail(what reading) echo.HandlerFunc {
	return func(c echo.Context) error {
		post, refusal := d.readMail(c, what)
		if refusal.status != 0 {
			return d.respond(c, "mail", refusal, nil)
		}
		packed := mail.Pack(d.Store, post.Delivery)
		taken, err := web.Commit(c.Request().Context(), d.Store,
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
		d.noteMail(c, packed, taken, r, err)
		return writeReason(c, r)
	}
}

// noteMail logs what was made of a mail, one line for each phone. That it was recorded says nothing
// of what comes of it.
func (d *mailDoor) noteMail(
	c echo.Context, packed mail.Packed, taken mail.Taken, r response, err error,
) {
	if err != nil || taken == mail.Reused {
		d.note(c, "mail", r, err)
		return
	}
	ctx, cancel := web.Bound(c.Request().Context())
	defer cancel()
	entries, err := mail.Entries(ctx, d.Store, packed, taken)
	if err != nil || len(entries) == 0 {
		d.note(c, "mail", r, err)
		return
	}
	if taken == mail.New {
		r.reason = "waits for its examination"
	}
	for _, e := range entries {
		d.note(c, "mail", r, nil, "case", e.ID, "phone", e.Phone)
	}
}

// mailPost is a webhook about a mail.
type mailPost struct {
	mail.Delivery
	strangers bool // some recipients are not phone addresses of the tenant
}

// readMail proves that a request is Mailgun's and reads the mail in it, or says why not. What can
// be refused without the body is refused before any of it is read. What the signature refuses is
// kept no longer than until the signature has come.
func (d *mailDoor) readMail(c echo.Context, what reading) (mailPost, response) {
	t, ok := d.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok {
		return mailPost{}, response{http.StatusNotAcceptable, noSuchTenant}
	}
	r := c.Request()
	if r.ContentLength > maxRead {
		return mailPost{}, unread(errTooBig)
	}
	proof := mailProof{signers: d.signers[t.Slug], now: d.Now(), refusal: unsigned}
	form, err := d.readForm(c, what, &proof)
	switch {
	case err != nil && !errors.Is(err, errUnproven):
		return mailPost{}, unread(err)
	case proof.refusal.status != 0:
		return mailPost{}, proof.refusal
	}
	d.edge().Used(t.Slug, "mailgun.signing_key", proof.place)
	id, ok := messageID(form)
	if !ok {
		return mailPost{}, response{
			http.StatusNotAcceptable, "a control field comes more than once",
		}
	}
	place := form.get("message-url")
	// One that PostgreSQL refused would be refused at each retry.
	if !mail.IsMessageID(id) || !store.IsPlain(place) || !store.IsPlain(proof.token) {
		return mailPost{}, response{
			http.StatusNotAcceptable, "the token, Message-Id or message-url cannot be one",
		}
	}
	recipient, _ := form.only("recipient")
	recipients, strangers := recipientsOf(t, recipient)
	switch {
	case len(recipients) == 0:
		return mailPost{}, response{
			http.StatusNotAcceptable, noPhoneAddress,
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

// readForm reads the form of a request, and has its proof judged as soon as that has come.
func (d *mailDoor) readForm(c echo.Context, what reading, p *mailProof) (form, error) {
	reader := d.forms.Get().(*formReader)
	defer d.forms.Put(reader)
	r := c.Request()
	hold, upload := web.HoldOf(r), web.OpenUpload(c)
	defer upload.End()
	return reader.readForm(r.Header.Get(echo.HeaderContentType), upload, hold, what, p.look)
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

// messageID is the Message-Id of a mail, "" when it has none. It returns false when a field comes
// more than once that must not.
func messageID(f form) (id string, ok bool) {
	for i, field := range f {
		switch field.name {
		case "body-html", "from", "subject":
			continue
		}
		if f[:i].has(field.name) {
			return "", false
		}
		if strings.EqualFold(field.name, messageIDField) {
			if id != "" {
				return "", false
			}
			id = bareID(field.value)
		}
	}
	if raw := f.get("body-mime"); id == "" && raw != "" {
		id = idOf(raw)
	}
	return id, true
}

func bodyOf(f form) mail.Body {
	return mail.Body{
		Subject: f.get("subject"), From: f.get("from"), Text: f.get("body-plain"),
		HTML: f.join("body-html", "\n"), MIME: f.get("body-mime"), Envelope: f.get("sender"),
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

// recipientsOf reads the recipients that are phone addresses of the tenant, one for each phone.
// Mailgun may send several in one post, separated by commas. Others in the list are no mistake:
// Mailgun names all recipients of the mail in its domain, and some may be another tenant's, for
// whom another route posts the same mail. So the mail is taken for the tenant's own.
func recipientsOf(t *tenant.Tenant, recipients string) (found []mail.Recipient, strangers bool) {
	for address := range strings.SplitSeq(recipients, ",") {
		address = strings.TrimSpace(address)
		n, err := t.Address.Number(address)
		seen := func(r mail.Recipient) bool { return r.Phone == n }
		if err != nil {
			strangers = true
		} else if len(found) <= maxRecipients && !slices.ContainsFunc(found, seen) {
			found = append(found, mail.To(n, address))
		}
	}
	return found, strangers
}
