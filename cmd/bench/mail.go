package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// The tenant that is measured, and its line.
const (
	slug       = "acme"
	mailDomain = "sms.acme.example"
	idpDomain  = "acme.example"
	ourNumber  = "+15005550006"
	selector   = "bench"
	ticketPath = "/lo/verify_email?ticket="
	// Mailgun keeps a mail below this path, and the bridge sends its key nowhere else.
	storagePath = "/v3/domains/" + mailDomain + "/messages/"

	// Phones begin here. There is one for each mail of a run.
	firstPhone = 4520_000_000
	mailSize   = 10 << 10 // bytes of a posted form
)

// secrets are what the server shares with its providers and callers, made for one run.
type secrets struct {
	signing, mailgun, account, token, sealing, app, flowroute, durable string
	dkim                                                               ed25519.PrivateKey
}

func newSecrets() secrets {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil || len(public) == 0 {
		panic("the system has no randomness")
	}
	return secrets{
		signing: randomHex(16), mailgun: "key-" + randomHex(16), account: "AC" + randomHex(16),
		token: randomHex(16), sealing: randomHex(32), app: randomHex(24), flowroute: randomHex(24),
		durable: randomHex(24), dkim: private,
	}
}

// dkimRecord is the key in the DNS, of the name that goes with it.
func (s secrets) dkimRecord() (name, record string) {
	public := s.dkim.Public().(ed25519.PublicKey)
	return selector + "._domainkey." + idpDomain,
		"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

func randomHex(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func phoneOf(n int) string { return "+" + strconv.Itoa(firstPhone+n) }

// numberOf is the number of the mail, flow or code that a phone stands for.
func numberOf(phone string) (int, bool) {
	digits, ok := strings.CutPrefix(phone, "+")
	number, err := strconv.Atoi(digits)
	return number - firstPhone, ok && err == nil && number >= firstPhone
}

func addressOf(n int) string { return slug + phoneOf(n) + "@" + mailDomain }
func messageOf(n int) string { return fmt.Sprintf("bench-%09d@%s", n, idpDomain) }

// macOf is HMAC-SHA256 as Mailgun writes it.
func macOf(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// mailbox writes the mails of the identity provider: each with a link, a Message-Id and a recipient
// of its own, and otherwise alike.
type mailbox struct {
	secrets
	signs   bool   // by DKIM
	storage string // base of the URLs at which Mailgun keeps mails
	idp     string // base of the links
	run     string // tells this run's tokens from another's
	fixed   []byte // the fields that all posts share, encoded
	html    string // with a place for the link
	// The body before and after the link, encoded: to encode it for each post would cost more than all
	// the rest of a post.
	before, after string
}

const linkPlace = "{link}"

func newMailbox(s secrets, signs bool, storage, idp string) *mailbox {
	m := &mailbox{secrets: s, signs: signs, storage: storage, idp: idp, run: randomHex(8)}
	words := strings.Repeat("<tr><td style=\"padding: 4px\">Welcome to ACME, we are glad.</td></tr>\n",
		28)
	m.html = "<html><body><h1>Verify your account</h1><table>\n" + words +
		"</table>\n<p>Please verify your account:</p>\n<p><a href=\"" + linkPlace +
		"\">Confirm my account</a></p>\n</body></html>\n"
	headers := [][2]string{{"Received", "by mx.mailgun.example with ESMTP"},
		{"X-Mailgun-Incoming", "Yes"}, {"Mime-Version", "1.0"},
		{"Content-Type", "text/html; charset=utf-8"}, {"Subject", "Verify your email"}}
	list, _ := json.Marshal(headers) // strings can always be encoded
	fixed := url.Values{"sender": {"bounce@" + idpDomain}, "subject": {"Verify your email"},
		"from": {"ACME <no-reply@" + idpDomain + ">"}, "domain": {mailDomain},
		"Subject": {"Verify your email"}, "Mime-Version": {"1.0"}, "X-Mailgun-Incoming": {"Yes"},
		"message-headers": {string(list)}, "stripped-text": {"Verify your account"}}
	padding := mailSize - len(fixed.Encode()) - len(url.QueryEscape(m.html)) - 700
	fixed.Set("stripped-html", strings.Repeat("x", max(0, padding)))
	m.fixed = []byte(fixed.Encode())
	before, after, _ := strings.Cut(m.html, linkPlace)
	m.before, m.after = "&body-html="+url.QueryEscape(before), url.QueryEscape(after)
	return m
}

// link is the link in a mail.
func (m *mailbox) link(n int) string { return m.idp + ticketPath + m.ticket(n) }

func (m *mailbox) ticket(n int) string { return fmt.Sprintf("%s%016x%08d", m.run, n*7919, n) }

// ticketNumber is the number of the mail with this ticket.
func ticketNumber(ticket string) (int, bool) {
	if len(ticket) < 8 {
		return 0, false
	}
	n, err := strconv.Atoi(ticket[len(ticket)-8:])
	return n, err == nil
}

// form is what Mailgun posts about a mail, signed under a token of its own.
func (m *mailbox) form(n int, now time.Time) []byte {
	stamp := strconv.FormatInt(now.Unix(), 10)
	token := fmt.Sprintf("%s%034d", m.run, n)
	form := make([]byte, 0, mailSize+1<<10)
	form = append(form, m.fixed...)
	for _, field := range [][2]string{
		{"recipient", addressOf(n)}, {"Message-Id", "<" + messageOf(n) + ">"},
		{"To", addressOf(n)}, {"message-url", m.storage + storagePath + strconv.Itoa(n)},
		{"body-plain", "Open " + m.link(n)}, {"timestamp", stamp}, {"token", token},
		{"signature", hex.EncodeToString(macOf(m.signing, stamp+token))},
	} {
		form = append(append(append(form, '&'), field[0]...), '=')
		form = append(form, url.QueryEscape(field[1])...)
	}
	form = append(append(form, m.before...), url.QueryEscape(m.link(n))...)
	return append(form, m.after...)
}

func (m *mailbox) body(n int) string { return strings.Replace(m.html, linkPlace, m.link(n), 1) }

// raw is the mail itself, with the results of Mailgun's checks.
func (m *mailbox) raw(n int, now time.Time) (string, error) {
	var b bytes.Buffer
	for _, field := range [][2]string{
		{"From", "ACME <no-reply@" + idpDomain + ">"}, {"To", addressOf(n)},
		{"Subject", "Verify your email"}, {"Date", now.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + messageOf(n) + ">"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/html; charset=utf-8"},
	} {
		b.WriteString(field[0] + ": " + field[1] + "\r\n")
	}
	b.WriteString("\r\n" + strings.ReplaceAll(m.body(n), "\n", "\r\n"))
	checks := "X-Mailgun-Incoming: Yes\r\nX-Mailgun-Dkim-Check-Result: Pass\r\n" +
		"X-Mailgun-Spf: Pass\r\n"
	if !m.signs {
		return checks + b.String(), nil
	}
	var signed strings.Builder
	err := dkim.Sign(&signed, &b, &dkim.SignOptions{
		Domain: idpDomain, Selector: selector, Signer: crypto.Signer(m.dkim),
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version",
			"Content-Type"},
	})
	return checks + signed.String(), err
}

// stored is what Mailgun's storage says about a mail: with the whole mail, or with its parts.
func (m *mailbox) stored(n int, whole bool, now time.Time) ([]byte, error) {
	fields := map[string]string{"recipients": addressOf(n), "sender": "bounce@" + idpDomain,
		"from": "ACME <no-reply@" + idpDomain + ">", "subject": "Verify your email"}
	if whole {
		raw, err := m.raw(n, now)
		if err != nil {
			return nil, err
		}
		fields["body-mime"] = raw
	} else {
		fields["Message-Id"] = "<" + messageOf(n) + ">"
		fields["body-html"], fields["body-plain"] = m.body(n), "Open "+m.link(n)
	}
	return json.Marshal(fields)
}

// reply is what Twilio posts when the phone of a flow has texted, and its signature.
func (m *mailbox) reply(n int, words, hook string) (form []byte, signature string) {
	sid := fmt.Sprintf("SM%s%016x", m.run, n)
	values := url.Values{
		"ToCountry": {"US"}, "SmsMessageSid": {sid}, "NumMedia": {"0"}, "ToCity": {""},
		"SmsSid": {sid}, "SmsStatus": {"received"}, "Body": {words}, "FromCountry": {"DK"},
		"To": {ourNumber}, "NumSegments": {"1"}, "MessageSid": {sid}, "AccountSid": {m.account},
		"From": {phoneOf(n)}, "ApiVersion": {"2010-04-01"},
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(m.token))
	mac.Write([]byte(hook))
	for _, name := range names {
		mac.Write([]byte(name + values.Get(name)))
	}
	return []byte(values.Encode()), base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
