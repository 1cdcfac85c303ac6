// Package rehearsal is the rule for a sign-up that an operator plays with a phone of their own. So
// they learn whether the installed loop works before a real person needs it.
//
// It is for the page on which the operator begins one, and for the page that its link leads to. It
// is for the worker that examines its mail, too. The bridge itself plays the identity provider: it
// signs a mail, and Mailgun's door takes it as any other. From then on all is real: the proof of
// the sender, the limits, the text, the answer, the click and the outcome. It promises:
//
//   - Only this bridge can begin one. The key of the signature follows from the key of the
//     database, and the domain that signs can be no one's (RFC 6761 section 6.4).
//   - The mail of a rehearsal has its own sender and its own link rule. So no rehearsal opens a
//     link of the identity provider, and no other mail opens that of a rehearsal.
//   - Its address is another spelling of the phone's. So it is a question of its own beside a real
//     sign-up of that phone, and takes no link from it.
package rehearsal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const (
	domain   = "rehearsal.invalid"
	selector = "bridge"
	// From is who sends the mails of rehearsals.
	From = "rehearsal@" + domain
	// KeyName is the name of the record that would have the key of their signatures.
	KeyName = selector + "._domainkey." + domain
	// Path is where their links lead to, at the bridge's public address.
	Path = "/rehearsal"
	// OpenedEvent is the name of the event of a mail whose link was opened.
	OpenedEvent = "rehearsal.opened"
)

// key signs the mails of rehearsals. All replicas of a database have the same.
func key(view store.View) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(view.Fingerprint("rehearsal key")))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Records are what the DNS would say at KeyName (RFC 8463).
func Records(view store.View) []string {
	public := key(view).Public().(ed25519.PublicKey)
	return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
}

// Is reports whether a raw mail says that it is of a rehearsal. Its signature proves that.
func Is(mime string) bool {
	if !strings.Contains(mime, From) { // nearly all, at the cost of a search
		return false
	}
	m, err := mail.ReadMessage(strings.NewReader(mime))
	if err != nil {
		return false
	}
	from, err := m.Header.AddressList("From")
	return err == nil && len(from) == 1 && strings.EqualFold(from[0].Address, From)
}

// Of is a tenant as a rehearsal has it: the bridge is its identity provider. All else is as it is.
func Of(t *tenant.Tenant, publicURL string) *tenant.Tenant {
	played := *t
	played.Mails.Sender = tenant.Sender{Verify: tenant.VerifyDKIM, Domains: []string{domain}}
	played.Links = tenant.Links{
		UnsafeAllow: t.Links.UnsafeAllow, Paths: []string{"verify:" + Path + "?ticket"},
	}
	if u, err := url.Parse(publicURL); err == nil {
		played.Links.IdPHosts = []string{u.Host}
	}
	played.Proof = tenant.Proof{}
	return &played
}

// Letter is the mail of a rehearsal.
type Letter struct {
	MessageID string
	To        string // the phone's address
	MIME      string
}

// Write writes and signs the mail of a rehearsal. The library signs with the time of the process,
// of which now must not be far.
func Write(
	view store.View, t *tenant.Tenant, phone phonemail.Number, publicURL string, now time.Time,
) (l Letter, err error) {
	local, at, _ := strings.Cut(t.Address.Address(phone), "@")
	id := store.NewID()
	l = Letter{MessageID: id + "@" + domain, To: strings.ToUpper(local) + "@" + at}
	// So few words that they tell no language: the phone's country decides, as it mostly does.
	plain := fmt.Appendf(nil, "From: smsbridge <%s>\r\nTo: <%s>\r\nSubject: Verify\r\nDate: %s\r\n"+
		"Message-ID: <%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nVerify: %s\r\n",
		From, l.To, now.UTC().Format(time.RFC1123Z), l.MessageID,
		publicURL+Path+"?ticket="+ticket(view, t.Slug, id))
	var signed bytes.Buffer
	err = dkim.Sign(&signed, bytes.NewReader(plain), &dkim.SignOptions{
		Domain: domain, Selector: selector, Signer: key(view),
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version",
			"Content-Type"},
	})
	if err != nil {
		return l, fmt.Errorf("rehearsal: signing its mail: %w", err)
	}
	l.MIME = signed.String()
	return l, nil
}

// ticket is what the link of a rehearsal has: by it the mail is found.
func ticket(view store.View, slug, id string) string {
	return slug + "~" + id + "~" + view.Fingerprint("rehearsal ticket\x00"+slug+"\x00"+id)
}

// read returns what a ticket is about. It reports false for a ticket that this bridge did not make.
func read(view store.View, given string) (slug, messageID string, ok bool) {
	slug, rest, _ := strings.Cut(given, "~")
	id, _, _ := strings.Cut(rest, "~")
	ok = hmac.Equal([]byte(ticket(view, slug, id)), []byte(given))
	return slug, id + "@" + domain, ok
}

// Knows reports whether this bridge made a ticket.
func Knows(view store.View, given string) bool {
	_, _, ok := read(view, given)
	return ok
}

// Open records, once, that the link with a ticket was opened.
func Open(ctx context.Context, tx *store.Tx, given string) error {
	slug, messageID, ok := read(tx, given)
	if !ok {
		return nil
	}
	phones, err := tx.PhonesOfMail(ctx, messageID)
	if err != nil || len(phones) != 1 {
		return err // it never came, or its rows are deleted
	}
	id, err := CaseOf(ctx, tx, slug, messageID, phones[0])
	if err != nil || id == "" {
		return err
	}
	events, err := tx.EventsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Name == OpenedEvent {
			return nil
		}
	}
	return tx.Record(ctx, slug, id, OpenedEvent, "")
}

// CaseOf is the case of a rehearsal, by the Message-ID of its mail; "" when the mail did not come.
func CaseOf(
	ctx context.Context, view store.View, slug, messageID string, phone phonemail.Number,
) (string, error) {
	id, err := view.MailOf(ctx, db.MailOfParams{Tenant: slug, MessageID: messageID, Phone: phone})
	if store.Missing(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("rehearsal: looking for its case: %w", err)
	}
	return id, nil
}
