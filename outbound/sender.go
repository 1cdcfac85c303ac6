package outbound

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"smsbridge/internal/mail"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/sender"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// notRaw says why a mail that Mailgun parsed cannot be proved: a signature is over the raw mail.
const notRaw = sender.Refusal("the mail came without its raw text, which proves its sender; " +
	"change Mailgun's route to store(notify=…), or to a URL that ends in /mime")

// genuine returns the text of a mail and its sender, when the mail is proved to be the identity
// provider's. What is returned is the very text that was proved: the fields that Mailgun parsed
// are signed by none. Where the sender is not verified, or by Mailgun alone, there is no sender.
// A [sender.Refusal] is final; any other error may pass.
func (w *Worker) genuine(
	ctx context.Context, t *tenant.Tenant, m mail.Mail, now time.Time,
) (body mail.Body, from string, err error) {
	body = m.Body
	parsed := t.Mails.Sender.Verify != tenant.VerifyOff && body.MIME == ""
	switch {
	case m.HasBody && parsed && m.MessageURL == "":
		return mail.Body{}, "", notRaw
	case !m.HasBody || parsed:
		if body, err = w.fetchMail(ctx, t, m, now); err != nil {
			return mail.Body{}, "", err
		}
	}
	from, err = w.proveSender(ctx, t, m, body, now)
	return body, from, err
}

// proveSender judges the sender of a mail with this text.
func (w *Worker) proveSender(
	ctx context.Context, t *tenant.Tenant, m mail.Mail, body mail.Body, now time.Time,
) (from string, err error) {
	raw := sender.Mail{
		MIME: body.MIME, MessageID: m.MessageID, Envelope: body.Envelope, PostedAt: m.PostedAt,
		DeliveredTo: func(address string) bool {
			n, err := t.Address.Number(address)
			return err == nil && n == m.Phone &&
				(m.Recipient == "" || mail.To(n, address).Address == m.Recipient)
		},
	}
	switch t.Mails.Sender.Verify {
	case tenant.VerifyOff:
	case tenant.VerifyMailgun:
		err = sender.Mailgun(raw, t.Mails.Sender.Domains)
	default:
		from, err = sender.DKIM(raw, t.Mails.Sender.Domains, func(name string) ([]string, error) {
			if name == rehearsal.KeyName {
				return w.rehearsalKey(ctx)
			}
			records, err := w.keys.look(ctx, name, now)
			w.lookedUp(ctx, t.Slug, err)
			return records, err
		})
	}
	return from, err
}

// rehearsalKey is what no name server says: the key of the rehearsals of this bridge.
func (w *Worker) rehearsalKey(ctx context.Context) (records []string, err error) {
	err = w.Store.Read(ctx, func(_ context.Context, view store.View) error {
		records = rehearsal.Records(view)
		return nil
	})
	return records, err
}

const (
	// keyTimeout bounds one look-up, so that three fit into one try of a job.
	keyTimeout = 5 * time.Second
	// keyLife is how long a key is believed without another look-up: a key that was revoked today
	// must not count tomorrow.
	keyLife = 5 * time.Minute
	maxKeys = 1000
)

// keys looks up the keys of DKIM signatures in the DNS.
type keys struct {
	resolver *net.Resolver

	mu    sync.Mutex
	known map[string]key
}

type key struct {
	records []string
	at      time.Time
}

// newKeys returns keys that are looked up at a server, at the system's by default.
func newKeys(s tenant.Settings) *keys {
	r := &net.Resolver{PreferGo: true}
	if s.DNS.IsValid() {
		r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.DNS.String())
		}
	}
	return &keys{resolver: r, known: map[string]key{}}
}

// look returns the TXT records of a name, none when there are none. An error is trouble: only a
// response that says so means that a name does not exist.
func (k *keys) look(ctx context.Context, name string, now time.Time) ([]string, error) {
	k.mu.Lock()
	found, ok := k.known[name]
	k.mu.Unlock()
	if age := now.Sub(found.at); ok && age >= 0 && age < keyLife {
		return found.records, nil
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	// The dot keeps the resolver from trying the name below the domains that the system searches.
	records, err := k.resolver.LookupTXT(ctx, name+".")
	var failed *net.DNSError
	switch {
	case errors.As(err, &failed) && failed.IsNotFound:
		return nil, nil // and not remembered: an operator may be setting the record just now
	case err != nil:
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= maxKeys {
		clear(k.known)
	}
	k.known[name] = key{records, now}
	return records, nil
}
