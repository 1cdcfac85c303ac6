// Package sender decides whether a mail was sent by a tenant's identity provider.
//
// It is for the worker that examines mails. Whatever else a mail says, an unproved one costs no
// text and opens no link. The gate gets the whole raw mail, Mailgun's signed time stamp, the
// tenant's domains and a way to look up keys. It has no clock and no network of its own.
//
// A mail passes [DKIM] only when the holder of a key of an allowed domain signed it for this very
// recipient, within the last hour. Each condition closes one way in:
//
//   - The signature's d= is one of the tenant's domains, exactly. A subdomain often belongs to
//     another company, such as the one that sends the newsletter, and so needs a line of its own.
//   - From has exactly one address. Its domain is one of the tenant's domains or below one, and
//     belongs to the same organization as d= (relaxed alignment, RFC 7489 section 3.1.1).
//     Otherwise one of two allowed companies could write in the name of the other.
//   - From, To, Subject, Date and Message-ID are signed, and each is there exactly once. A
//     signature covers the last of several fields, and mail programs show the first. So a second
//     From on top of a genuine mail would be believed (RFC 6376 section 8.15).
//   - To has exactly one address, the one that the mail was delivered to. A user of the identity
//     provider gets genuine mails, and could pass them on to the phone of another person.
//   - Date and t= lie within the hour before Mailgun's time stamp, and x= is after it. An old mail
//     that leaked is worth nothing. Date is judged too, because t= is optional.
//   - The body is signed as a whole: l= would let text be added (RFC 6376 section 8.2).
//   - The key is Ed25519 or RSA of 1024 bits or more, and the hash is not SHA-1 (RFC 8301).
//   - The header is written as RFC 5322 says, in ASCII names. What two parsers could read in two
//     ways is refused: a bare CR, a blank before a colon, a group, a comment, a folded blank
//     line.
//   - The mail was not sent on: no Resent field, and no Sender of another organization.
//
// Work is bounded before it is done: 2 MiB of mail, 64 KiB of header, 200 fields, 100 signed
// names, and three signatures, so three look-ups. A forger can name a genuine key without having
// it.
//
// [Mailgun] believes what Mailgun found out instead. It is weaker: a mail's author can write the
// same fields, and Mailgun adds its own only while the domain's spam filter is on. So each must
// be there exactly once, and it proves no sender whose later mail may stand in for an earlier
// one.
package sender

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

const (
	maxMail = 2 << 20 // bytes; more is not examined
	// maxAge is how much older than Mailgun's time stamp a mail may be. A mail server that is busy
	// or that greylists delays a mail by minutes.
	maxAge = time.Hour
	// maxAhead is how far the identity provider's clock may be ahead of Mailgun's.
	maxAhead = 5 * time.Minute
)

// Mail is one mail as it was delivered to one recipient.
type Mail struct {
	MIME      string    // the whole mail
	MessageID string    // that it was recorded under, without <>; "" is not compared
	Envelope  string    // the SMTP sender, which only [Mailgun] needs
	PostedAt  time.Time // Mailgun's signed time stamp
	// DeliveredTo reports whether an address is the recipient, by SMTP, of this mail.
	DeliveredTo func(address string) bool
}

// LookUp returns the TXT records of a name: none when there are none. An error is trouble that may
// pass, such as a timeout.
type LookUp func(name string) ([]string, error)

// Refusal says why a mail is refused for good. It repeats nothing of the mail but the domains that
// signed it.
type Refusal string

// Error implements error.
func (r Refusal) Error() string { return "sender: " + string(r) }

// ErrLookUp says that it is not known yet who sent the mail, because a key could not be looked up.
var ErrLookUp = errors.New("the DNS did not say which key the sender has")

// DKIM returns the From address of a mail in small letters, when a signature of one of the domains
// proves it. The error is a [Refusal], or [ErrLookUp] when the DNS does not respond.
func DKIM(m Mail, domains []string, look LookUp) (from string, err error) {
	l, err := open(m, domains)
	if err != nil {
		return "", err
	}
	signatures := l.signatures(domains)
	if len(signatures) == 0 {
		return "", unsigned(l.header)
	}
	var refused, trouble error
	for _, s := range signatures {
		switch err := l.judge(s, m.PostedAt, look); {
		case err == nil:
			return l.from.String(), nil
		case errors.Is(err, ErrLookUp):
			trouble = err
		case refused == nil:
			refused = err
		}
	}
	if trouble != nil {
		return "", trouble
	}
	return "", refused
}

// unsigned says whose signatures a mail has instead. That line is what an operator needs who has
// just set the domains.
func unsigned(h header) error {
	signers := h.signers()
	if len(signers) == 0 {
		return Refusal("the mail has no DKIM signature")
	}
	return Refusal("the mail is signed by " + strings.Join(signers[:min(3, len(signers))], ", ") +
		" and not by one of sender.domains")
}

// The fields in which Mailgun says what it found out about a mail
// (https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http).
const (
	mailgunDKIM = "x-mailgun-dkim-check-result"
	mailgunSPF  = "x-mailgun-spf"
)

// Mailgun returns nil when Mailgun says that a mail comes from one of the domains. Otherwise the
// error is a [Refusal].
func Mailgun(m Mail, domains []string) error {
	l, err := open(m, domains)
	if err != nil {
		return err
	}
	for _, name := range []string{mailgunDKIM, mailgunSPF} {
		switch said := l.header.all(name); {
		case len(said) == 0:
			return Refusal("Mailgun did not check the mail: switch on the domain's spam filter")
		case len(said) > 1:
			return Refusal("the mail has several results of Mailgun's checks, so one is forged")
		case said[0].value != "Pass":
			return Refusal("Mailgun's check of the mail did not end in Pass")
		}
	}
	envelope, ok := parseAddress(m.Envelope)
	if !ok || !belowAny(envelope.domain, domains) {
		return Refusal("the SMTP sender is not below one of sender.domains")
	}
	if !aligned(envelope.domain, l.from.domain) {
		return Refusal("the SMTP sender and From belong to two organizations")
	}
	return nil
}

// Signers returns the domains that a mail says it was signed by, each once, whatever their
// signatures are worth.
func Signers(mime string) []string {
	h, _, err := readHeader(mime)
	if err != nil {
		return nil
	}
	return h.signers()
}

// MessageID returns the one Message-ID of a raw mail without <>, "" when there is not exactly one.
func MessageID(mime string) string {
	h, _, err := readHeader(mime)
	if err != nil || len(h.all("message-id")) != 1 {
		return ""
	}
	return h.messageID()
}

// letter is a mail whose header has passed.
type letter struct {
	header header
	body   string
	from   address
}

// five are the fields of which a mail has exactly one each, and which must be signed.
func five() []string { return []string{"from", "to", "subject", "date", "message-id"} }

// open reads a mail and judges everything about it but its signatures.
func open(m Mail, domains []string) (letter, error) {
	if len(m.MIME) > maxMail {
		return letter{}, Refusal("the mail is larger than 2 MiB")
	}
	h, body, err := readHeader(m.MIME)
	if err != nil {
		return letter{}, err
	}
	if err := h.judge(); err != nil {
		return letter{}, err
	}
	from, ok := parseAddress(h.one("from"))
	switch {
	case !ok:
		return letter{}, Refusal("From is not exactly one plain address")
	case !belowAny(from.domain, domains):
		return letter{}, Refusal("From is not an address below one of sender.domains")
	}
	to, ok := parseAddress(h.one("to"))
	switch {
	case !ok:
		return letter{}, Refusal("To is not exactly one plain address")
	case !m.DeliveredTo(to.local + "@" + to.domain):
		return letter{}, Refusal("To is not the address that the mail was delivered to")
	}
	if m.MessageID != "" && h.messageID() != m.MessageID {
		return letter{}, Refusal("the mail is another one than the webhook was about")
	}
	if by := h.all("sender"); len(by) == 1 {
		a, ok := parseAddress(by[0].value)
		if !ok || !aligned(a.domain, from.domain) {
			return letter{}, Refusal("Sender belongs to another organization than From")
		}
	}
	date, err := mail.ParseDate(h.one("date"))
	if err != nil {
		return letter{}, Refusal("Date is not a date")
	}
	return letter{h, body, from}, fresh("Date", date, m.PostedAt)
}

// judge counts the fields of which a second one would be read by one program and not by another.
func (h header) judge() error {
	for _, name := range five() {
		if n := len(h.all(name)); n != 1 {
			return Refusal(fmt.Sprintf("the mail has %d fields %s, and not one", n, name))
		}
	}
	for _, name := range []string{
		"content-type", "content-transfer-encoding", "mime-version", "sender",
	} {
		if len(h.all(name)) > 1 {
			return Refusal("the mail has several fields " + name)
		}
	}
	resent := func(f field) bool { return strings.HasPrefix(f.name, "resent-") }
	if slices.ContainsFunc(h, resent) {
		return Refusal("the mail was sent on by another than its author (Resent)")
	}
	return nil
}

// fresh judges a time that a mail claims against Mailgun's.
func fresh(what string, claimed, posted time.Time) error {
	switch age := posted.Sub(claimed); {
	case age > maxAge:
		return Refusal(what + " is more than an hour before Mailgun received the mail")
	case age < -maxAhead:
		return Refusal(what + " is in the future")
	}
	return nil
}

// below reports whether a domain is another one or a subdomain of it.
func below(domain, other string) bool {
	return domain == other || strings.HasSuffix(domain, "."+other)
}

func belowAny(domain string, domains []string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return below(domain, d) })
}

// aligned reports whether two domains belong to one organization, by the list of public suffixes.
func aligned(a, b string) bool {
	of, err := publicsuffix.EffectiveTLDPlusOne(a)
	if err != nil {
		return false
	}
	other, err := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && of == other
}
