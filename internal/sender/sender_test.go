package sender_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/sender"
)

// domains are what the tenant of these tests allows: two of its own, and those of a company that
// it bought.
func domains() []string { return []string{"acme.example", "mail.acme.example", "other.example"} }

// deliver is the mail as the worker passes it to the gate.
func deliver(raw string) sender.Mail {
	return sender.Mail{
		MIME: raw, MessageID: "1@acme.example", Envelope: "bounce@acme.example", PostedAt: posted,
		DeliveredTo: func(address string) bool { return address == recipient },
	}
}

// refused shows that a mail does not pass, for a reason.
func refused(t *testing.T, from string, err error, reason string) {
	t.Helper()
	var r sender.Refusal
	require.Empty(t, from)
	require.ErrorAs(t, err, &r)
	require.Contains(t, string(r), reason)
	require.NotContains(t, string(r), "ticket")
	require.NotContains(t, string(r), "4520123456")
}

// hostile is a mail that must not pass.
type hostile struct {
	name   string
	raw    string
	reason string
}

// top puts lines on top of a mail, as those do who pass one on.
func top(raw string, lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" + raw }

func at(d time.Duration) string { return fmt.Sprintf("t=%d", posted.Add(d).Unix()) }

func aboutSignatures() []hostile {
	mail := genuine()
	return []hostile{
		{"no signature", mail.raw(), "no DKIM signature"},
		{"another domain", mail.signed(as("evil.example")), "signed by evil.example"},
		{"the mail provider's shared domain", mail.signed(as("sendgrid.net")), "signed by sendgrid.net"},
		{"a domain that ends like ours", mail.signed(as("notacme.example")), "not by one of"},
		{"a domain that begins like ours", mail.signed(as("acme.example.evil.io")), "not by one of"},
		{"the top of our domain", mail.signed(as("example")), "no DKIM signature"},
		{"a subdomain of ours that is not listed", mail.signed(as("news.acme.example")),
			"signed by news.acme.example"},
		{"our domain, another one's key", mail.signed(key("s1", edKey("evil.example"))),
			"a signed field is another one"},
		{"a key that does not exist", mail.signed(key("none", edKey("acme"))), "not in the DNS"},
		{"a revoked key", mail.signed(key("revoked", edKey("acme"))), "revoked"},
		{"a short key", mail.signed(key("weak", rsaKey())), "less than 1024 bits"},
		{"a key that is there twice", mail.signed(key("twice", edKey("acme"))), "more than once"},
		{"a key that is broken", mail.signed(key("broken", edKey("acme"))), "cannot be read"},
		{"another record in the key's place", mail.signed(key("foreign", edKey("acme"))),
			"cannot be read"},
		{"a key for other services than mail", mail.signed(key("web", edKey("acme"))), "cannot be read"},
		{"a key for another hash", mail.signed(key("sha1", edKey("acme"))), "cannot be read"},
		{"SHA-1", mail.signed(key("rsa", rsaKey()), func(s *signing) { s.algorithm = "rsa-sha1" }),
			"SHA-1"},
		{"the body's end open", mail.signed(tags("l=40")), "l="},
		{"the body's end open and used", mail.signed(tags("l=40")) + "https://evil.example/\r\n", "l="},
		{"the whole body by length", mail.signed(tags(fmt.Sprintf("l=%d", len(mail.body)))), "l="},
		{"signed two hours ago", mail.signed(tags(at(-2 * time.Hour))), "more than an hour"},
		{"signed tomorrow", mail.signed(tags(at(24 * time.Hour))), "in the future"},
		{"expired", mail.signed(tags(at(-30*time.Minute),
			fmt.Sprintf("x=%d", posted.Add(-10*time.Minute).Unix()))), "expired"},
		{"a signature time that is none", mail.signed(tags("t=now")), "cannot be read"},
		{"i= of another domain", mail.signed(tags("i=@evil.example")), "i= names another domain"},
		{"i= of a subdomain, with a strict key", mail.signed(tags("i=@news.acme.example"),
			key("strict", edKey("acme"))), "t=s"},
		{"From of another company that is allowed", mail.set("From", "From: no-reply@other.example").
			signed(), "another organization"},
		{"a selector with a path", mail.signed(tags(at(0)), key("../s1", edKey("acme"))),
			"the name of its key"},
		{"a selector of blanks", mail.signed(tags(at(0)), key(" ", edKey("acme"))),
			"the name of its key"},
		{"too many names", mail.signed(func(s *signing) {
			for range 120 {
				s.names = append(s.names, "X-None")
			}
		}), "more than 100 fields"},
		{"two tags d=", mail.signed(tags("d=evil.example")), "cannot be read"},
		{"another version", strings.Replace(mail.signed(tags(at(0))), "v=1", "v=2", 1),
			"cannot be read"},
		{"no version", strings.Replace(mail.signed(tags(at(0))), "v=1; ", "", 1), "cannot be read"},
		{"ours is there, and broken; another's is good", genuineTwice(as("evil.example"),
			key("s1", edKey("evil.example"))), "a signed field is another one"},
	}
}

// genuineTwice is a mail with two signatures, of which each is made differently.
func genuineTwice(first, second func(*signing)) string {
	one, two := acme(), acme()
	first(&one)
	second(&two)
	return two.sign(one.sign(genuine().raw()))
}

func aboutFields() []hostile {
	mail := genuine()
	good := mail.signed()
	set := func(name string, lines ...string) string { return mail.set(name, lines...).signed() }
	cases := []hostile{
		{"From on top", top(good, "From: evil@evil.example"), "2 fields from"},
		{"From on top, of the same domain", top(good, "From: ceo@acme.example"), "2 fields from"},
		{"To on top", top(good, "To: acme+4571234567@sms.acme.example"), "2 fields to"},
		{"Subject on top", top(good, "Subject: Win"), "2 fields subject"},
		{"Date on top", top(good, "Date: "+posted.UTC().Format(time.RFC1123Z)), "2 fields date"},
		{"Message-ID on top", top(good, "Message-ID: <2@acme.example>"), "2 fields message-id"},
		{"Message-ID twice, and signed twice", mail.set("X", "Message-ID: <2@acme.example>").signed(),
			"2 fields message-id"},
		{"From in other letters", top(good, "FROM: evil@evil.example"), "2 fields from"},
		{"From with a blank before the colon", top(good, "From : evil@evil.example"), "RFC 5322"},
		{"From with a letter that folds to another", top(good, "\u017Fubject: Win"), "RFC 5322"},
		{"Content-Type on top", top(good, "Content-Type: text/html"), "several fields content-type"},
		{"an encoding on top, twice", top(good, "Content-Transfer-Encoding: base64",
			"Content-Transfer-Encoding: 7bit"), "several fields content-transfer-encoding"},
		{"From replaced", strings.Replace(good, "no-reply@", "ceo@", 1), "a signed field is another"},
		{"Subject replaced", strings.Replace(good, "Verify", "Confirm", 1), "a signed field is another"},
		{"Date replaced", strings.Replace(mail.on(posted.Add(-time.Minute)).signed(),
			posted.Add(-time.Minute).UTC().Format(time.RFC1123Z),
			posted.UTC().Format(time.RFC1123Z), 1), "a signed field is another"},
		{"Message-ID replaced", strings.Replace(good, "<1@acme", "<2@acme", 1), "another one than the"},
		{"another Message-ID than the webhook's", set("Message-ID", "Message-ID: <7@acme.example>"),
			"another one than the webhook"},
		{"To replaced", strings.Replace(mail.set("To", "To: acme+4571234567@sms.acme.example").signed(),
			"acme+4571234567@", "acme+4520123456@", 1), "a signed field is another"},
		{"for another recipient", set("To", "To: acme+4571234567@sms.acme.example"), "delivered to"},
		{"for the recipient's mailbox elsewhere", set("To", "To: acme+4520123456@evil.example"),
			"delivered to"},
		{"for two recipients", set("To", "To: "+recipient+", kim@acme.example"), "To is not exactly"},
		{"for the recipient twice", set("To", "To: "+recipient+", "+recipient), "To is not exactly"},
		{"for a group", set("To", "To: Users: "+recipient+";"), "To is not exactly"},
		{"for no one", set("To"), "0 fields to"},
		{"for hidden recipients", set("To", "To: undisclosed-recipients:;"), "To is not exactly"},
		{"a recipient in a comment", set("To", "To: ("+recipient+") kim@acme.example"),
			"To is not exactly"},
		{"a recipient as a name", set("To", `To: "`+recipient+`" <kim@acme.example>`), "delivered to"},
		{"two addresses in From", set("From", "From: no-reply@acme.example, evil@evil.example"),
			"From is not exactly"},
		{"two addresses in brackets", set("From", "From: <no-reply@acme.example> <evil@evil.example>"),
			"From is not exactly"},
		{"a group in From", set("From", "From: ACME: no-reply@acme.example;"), "From is not exactly"},
		{"a comment in From", set("From", "From: no-reply@acme.example (evil@evil.example)"),
			"From is not exactly"},
		{"a route in From", set("From", "From: <@evil.example:no-reply@acme.example>"),
			"From is not exactly"},
		{"a quoted local part", set("From", `From: "no-reply@acme.example>"@acme.example`),
			"From is not exactly"},
		{"no address in From", set("From", "From: ACME"), "From is not exactly"},
		{"a foreign From", set("From", "From: evil@evil.example"), "From is not an address below"},
		{"a name that is our address", set("From", `From: "no-reply@acme.example" <evil@evil.example>`),
			"From is not an address below"},
		{"an encoded name that is our address",
			set("From", "From: =?utf-8?q?=3Cno-reply=40acme=2Eexample=3E?= <evil@evil.example>"),
			"From is not an address below"},
		{"an encoded name in base64", set("From", "From: =?utf-8?b?"+base64.StdEncoding.EncodeToString(
			[]byte("no-reply@acme.example"))+"?= <evil@evil.example>"), "From is not an address below"},
		{"a homograph of our domain", set("From", "From: no-reply@\u0430cme.example"),
			"From is not exactly"},
		{"a name without its end", set("From", `From: "ACME <no-reply@acme.example>`),
			"From is not exactly"},
	}
	return cases
}

func aboutTheRest() []hostile {
	mail := genuine()
	good := mail.signed()
	simple := mail.signed(func(s *signing) { s.canonical = "simple" })
	cases := []hostile{
		{"the body replaced", strings.Replace(good, link, "https://evil.example/", 1), "the body is"},
		{"the body continued", good + "https://evil.example/\r\n", "the body is another one"},
		{"the body cut", strings.TrimSuffix(good, link+"\r\n"), "the body is another one"},
		{"no body", strings.TrimSuffix(good[:strings.Index(good, "\r\n\r\n")], "\r\n"), "no body"},
		{"blanks in a simple body", strings.Replace(simple, "please confirm", "please  confirm", 1),
			"the body is another one"},
		{"blanks in a simple header", strings.Replace(simple, "Verify your", "Verify  your", 1),
			"a signed field is another"},
		{"a field of a simple mail folded", strings.Replace(simple, "Verify your", "Verify\r\n your", 1),
			"a signed field is another"},
		{"yesterday's mail", mail.on(posted.Add(-24 * time.Hour)).signed(), "Date is more than an hour"},
		{"yesterday's mail, signed now", mail.on(posted.Add(-24 * time.Hour)).signed(tags(at(0))),
			"Date is more than an hour"},
		{"tomorrow's mail", mail.on(posted.Add(24 * time.Hour)).signed(), "Date is in the future"},
		{"a date that is none", mail.set("Date", "Date: soon").signed(), "Date is not a date"},
		{"a bare CR in the header", top(good, "X: y\rFrom: evil@evil.example"), "RFC 5322"},
		{"NUL in the header", top(good, "X: \x00"), "RFC 5322"},
		{"a line without a colon", top(good, "evil"), "RFC 5322"},
		{"a mailbox line", top(good, "From evil@evil.example Thu Nov 26"), "RFC 5322"},
		{"a folded blank line", strings.Replace(good, "\r\nTo:", "\r\n \r\nTo:", 1), "RFC 5322"},
		{"a continuation without a field", top(good, " From: evil@evil.example"), "RFC 5322"},
		{"an empty line on top", "\r\n" + good, "0 fields from"},
		{"a header in the body", strings.Replace(good, "\r\nFrom: ", "\r\n\r\nFrom: ", 1),
			"0 fields from"},
		{"sent on", top(good, "Resent-From: evil@evil.example", "Resent-To: "+recipient), "Resent"},
		{"Sender of another organization", top(good, "Sender: evil@evil.example"), "Sender belongs"},
		{"Sender twice", top(good, "Sender: a@acme.example", "Sender: b@acme.example"),
			"several fields sender"},
		{"Mailgun's results forged", top(mail.raw(), "X-Mailgun-Dkim-Check-Result: Pass",
			"X-Mailgun-Spf: Pass"), "no DKIM signature"},
		{"Authentication-Results forged", top(mail.raw(),
			"Authentication-Results: mx.mailgun.org; dkim=pass header.d=acme.example; spf=pass"),
			"no DKIM signature"},
		{"SPF alone", top(mail.raw(), "Received-SPF: pass", "Return-Path: <bounce@acme.example>"),
			"no DKIM signature"},
		{"ARC alone", top(mail.raw(), "ARC-Seal: i=1; a=rsa-sha256; d=acme.example; s=s1; cv=none; b=x"),
			"no DKIM signature"},
		{"a signature in the body", mail.raw() + mail.signed(), "no DKIM signature"},
		{"a header bomb", top(good, "X: "+strings.Repeat("x", 70_000)), "larger than 64 KiB"},
		{"many fields", top(good, strings.Repeat("X: y\r\n", 300)+"X: y"), "more than 200 fields"},
		{"a MIME bomb", mail.set("Content-Type", "Content-Type: multipart/mixed; boundary=b").raw() +
			strings.Repeat("--b\r\n\r\nx\r\n", 20_000), "no DKIM signature"},
		{"nothing", "", "no body"},
	}
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID"} {
		reason := "does not cover " + strings.ToLower(name)
		cases = append(cases, hostile{"h= without " + name, mail.signed(
			without(name), tags(at(0))), reason})
		if name != "To" {
			cases = append(cases, hostile{"without " + name, mail.set(name).signed(without(name),
				tags(at(0))), "0 fields " + strings.ToLower(name)})
		}
	}
	return cases
}

// Ensure that no mail passes that the identity provider did not send to this recipient now. Each is
// refused for a reason of its own.
func TestHostile(t *testing.T) {
	var all []hostile
	for _, part := range [][]hostile{aboutSignatures(), aboutFields(), aboutTheRest()} {
		all = append(all, part...)
	}
	require.GreaterOrEqual(t, len(all), 60)
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) {
			z := world()
			from, err := sender.DKIM(deliver(h.raw), domains(), z.look)
			refused(t, from, err, h.reason)
			require.LessOrEqual(t, len(z.asked), 3)
			for _, name := range z.asked {
				require.True(t, strings.HasSuffix(name, "acme.example"), "%s is not ours to ask", name)
			}
		})
	}
}

// Ensure that every mail passes that the identity provider did send.
func TestGenuine(t *testing.T) {
	mail := genuine()
	const acmeFrom = "no-reply@acme.example"
	long := strings.Repeat("a line of the mail that is rather long, ", 40) + "\r\n"
	tests := []struct{ name, raw, from string }{
		{"relaxed", mail.signed(), acmeFrom},
		{"simple", mail.signed(func(s *signing) { s.canonical = "simple" }), acmeFrom},
		{"RSA", mail.signed(key("rsa", rsaKey())), acmeFrom},
		{"a strict key", mail.signed(key("strict", edKey("acme"))), acmeFrom},
		{"i= of ours", mail.signed(tags("i=news@acme.example")), acmeFrom},
		{"i= of a subdomain", mail.signed(tags("i=@news.acme.example")), acmeFrom},
		{"t= and x=", mail.signed(tags(at(-time.Minute), fmt.Sprintf("x=%d",
			posted.Add(time.Hour).Unix()))), acmeFrom},
		{"signed 59 minutes ago", mail.on(posted.Add(-59 * time.Minute)).signed(
			tags(at(-59 * time.Minute))), acmeFrom},
		{"a clock that is four minutes ahead", mail.on(posted.Add(4 * time.Minute)).signed(
			tags(at(4 * time.Minute))), acmeFrom},
		{"two signatures, ours first", genuineTwice(as("sendgrid.net"), key("s1", edKey("acme"))),
			acmeFrom},
		{"two signatures, ours second", genuineTwice(key("s1", edKey("acme")), as("sendgrid.net")),
			acmeFrom},
		{"two keys of ours, one unknown yet", genuineTwice(key("s1", edKey("acme")),
			key("none", edKey("acme"))), acmeFrom},
		{"two keys of ours, one broken", genuineTwice(key("rsa", rsaKey()),
			key("s1", edKey("evil.example"))), acmeFrom},
		{"oversigned", mail.signed(func(s *signing) {
			s.names = append(s.names, "From", "To", "Subject", "Date", "Message-ID", "Cc", "Reply-To")
		}), acmeFrom},
		{"names of h= in small letters", mail.signed(func(s *signing) {
			s.names = []string{"from", "to", "subject", "date", "message-id"}
		}), acmeFrom},
		{"From in a subdomain", mail.set("From", "From: ACME <no-reply@id.acme.example>").signed(),
			"no-reply@id.acme.example"},
		{"signed by a listed subdomain", mail.signed(as("mail.acme.example")), acmeFrom},
		{"From in capitals", mail.set("From", "From: <No-Reply@ACME.example>").signed(), acmeFrom},
		{"d= in capitals", mail.signed(func(s *signing) { s.domain = "ACME.example" }), acmeFrom},
		{"a bare From", mail.set("From", "From: no-reply@acme.example").signed(), acmeFrom},
		{"a quoted name", mail.set("From", `From: "ACME, Inc. \"ID\" <x@y>" <no-reply@acme.example>`).
			signed(), acmeFrom},
		{"an encoded name", mail.set("From", "From: =?utf-8?q?ACM=C3=89?= <no-reply@acme.example>").
			signed(), acmeFrom},
		{"a name in UTF-8", mail.set("From", "From: ACMÉ <no-reply@acme.example>").signed(), acmeFrom},
		{"a subject in UTF-8, folded", mail.set("Subject",
			"Subject: =?utf-8?q?Best=C3=A4tigen_Sie?=\r\n =?utf-8?q?_Ihre_Adresse?=").signed(), acmeFrom},
		{"From and To on lines of their own", mail.set("From", "From:\r\n\tno-reply@acme.example").set(
			"To", "To:\r\n Kim <"+recipient+">").signed(), acmeFrom},
		{"long lines", draft{mail.fields, long + mail.body}.signed(), acmeFrom},
		{"a body in UTF-8", draft{mail.fields, "Hej, bekræft din e-mail: " + link + "\r\n"}.signed(),
			acmeFrom},
		{"two parts", draft{mail.set("Content-Type",
			"Content-Type: multipart/alternative;\r\n boundary=\"b\"").fields,
			"--b\r\nContent-Type: text/plain\r\n\r\n" + link + "\r\n--b\r\nContent-Type: text/html\r\n\r\n" +
				"<a href=\"" + link + "\">x</a>\r\n--b--\r\n"}.signed(), acmeFrom},
		{"what Mailgun puts on top", top(mail.signed(), "Received: from mta.acme.example by "+
			"mxa.mailgun.org with ESMTP id 1;\r\n Thu, 26 Nov 2026 12:00:00 +0000",
			"X-Envelope-From: <bounce@acme.example>", "X-Mailgun-Incoming: Yes",
			"X-Mailgun-Dkim-Check-Result: Pass"), acmeFrom},
		{"a Sender of ours", top(mail.signed(), "Sender: mailer@mail.acme.example"), acmeFrom},
		{"line ends of LF alone", strings.ReplaceAll(mail.signed(), "\r\n", "\n"), acmeFrom},
		{"blank lines at the end", mail.signed() + "\r\n\r\n", acmeFrom},
		{"blanks and folds in a relaxed header", strings.Replace(mail.signed(), "Verify your",
			"Verify\r\n   your", 1), acmeFrom},
	}
	require.GreaterOrEqual(t, len(tests), 15)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			from, err := sender.DKIM(deliver(test.raw), domains(), world().look)
			require.NoError(t, err)
			require.Equal(t, test.from, from)
		})
	}
}

// Ensure that a change of any one byte of a mail of which all is signed makes it fail.
func TestEveryByteCounts(t *testing.T) {
	good := genuine().signed(tags(at(0)))
	for i := range len(good) {
		changed := good[:i] + string(good[i]^1) + good[i+1:]
		from, err := sender.DKIM(deliver(changed), domains(), world().look)
		require.Error(t, err, "byte %d: %q", i, good[max(0, i-20):min(len(good), i+20)])
		require.Empty(t, from)
	}
}

// Ensure that trouble with the DNS is told from a key that does not exist, whatever the other
// signatures of the mail are worth.
func TestLookUpTrouble(t *testing.T) {
	const name, other = "s1._domainkey.acme.example", "rsa._domainkey.acme.example"
	bad := key("s1", edKey("evil.example"))
	tests := []struct {
		name    string
		raw     string
		trouble string
		err     error
	}{
		{"one signature", genuine().signed(), name, sender.ErrLookUp},
		{"a forged one", genuine().signed(bad), name, sender.ErrLookUp},
		{"the other signature is broken", genuineTwice(key("rsa", rsaKey()), bad), other,
			sender.ErrLookUp},
		{"the other signature is good", genuineTwice(key("rsa", rsaKey()), key("s1", edKey("acme"))),
			other, nil},
		{"of a domain that is not allowed", genuineTwice(as("evil.example"), key("s1", edKey("acme"))),
			"s1._domainkey.evil.example", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := world()
			z.trouble[test.trouble] = true
			from, err := sender.DKIM(deliver(test.raw), domains(), z.look)
			require.ErrorIs(t, err, test.err)
			require.Equal(t, err == nil, from != "")
			var r sender.Refusal
			require.False(t, errors.As(err, &r))
		})
	}
}

// Ensure that many signatures of allowed domains cost three look-ups, and others none.
func TestFewLookUps(t *testing.T) {
	raw := genuine().raw()
	for i := range 10 {
		s := acme()
		s.selector = fmt.Sprintf("none%d", i)
		raw = s.sign(raw)
		s.domain = "evil.example"
		raw = s.sign(raw)
	}
	z := world()
	from, err := sender.DKIM(deliver(raw), domains(), z.look)
	refused(t, from, err, "not in the DNS")
	require.Len(t, z.asked, 3)
}

// Ensure that the costliest mails that a forger can write are refused quickly. The forger can sign
// nothing, and yet make the body's hash right, so that the header is hashed, too.
func TestCost(t *testing.T) {
	fields := strings.TrimSuffix(strings.Repeat("X-N: y\r\n", 180), "\r\n")
	names := func(s *signing) {
		s.key = edKey("evil.example")
		for range 90 {
			s.names = append(s.names, "X-N")
		}
	}
	lines := draft{genuine().fields, strings.Repeat("\r\n", 1<<20) + "x\r\n"}
	blanks := draft{genuine().fields, strings.Repeat(" ", 2<<20-10) + "x\r\n"}
	simple := func(s *signing) { s.canonical = "simple"; names(s) }
	three := func(d draft) string {
		one := acme()
		names(&one)
		return one.sign(one.sign(d.signed(names)))
	}
	for name, raw := range map[string]string{
		"many names and fields": top(genuine().signed(names), fields),
		"many line ends":        top(lines.signed(simple), fields),
		"many blanks":           top(blanks.signed(names), fields),
		"three signatures":      top(three(blanks), fields[:8*90-2]),
		"many colons":           top(genuine().raw(), "DKIM-Signature: h="+strings.Repeat(":", 60_000)),
		"many tags":             top(genuine().raw(), "DKIM-Signature: "+strings.Repeat(";", 60_000)),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			from, err := sender.DKIM(deliver(raw), domains(), world().look)
			took := time.Since(began)
			require.Error(t, err)
			require.Empty(t, from)
			t.Log(took)
			require.Less(t, took, 2*time.Second, "100 ms alone on a machine; many times less than unbounded")
		})
	}
}

// Ensure that Mailgun's own results count only when each is there once, and for the SMTP sender.
func TestMailgun(t *testing.T) {
	const dkim, spf = "X-Mailgun-Dkim-Check-Result: Pass", "X-Mailgun-Spf: Pass"
	mail := genuine()
	tests := []struct {
		name     string
		raw      string
		envelope string
		reason   string
	}{
		{"both pass", top(mail.raw(), dkim, spf), "bounce@acme.example", ""},
		{"the SMTP sender in a subdomain", top(mail.raw(), dkim, spf), "b@em.acme.example", ""},
		{"no results", mail.raw(), "bounce@acme.example", "spam filter"},
		{"SPF alone", top(mail.raw(), spf), "bounce@acme.example", "spam filter"},
		{"DKIM alone", top(mail.raw(), dkim), "bounce@acme.example", "spam filter"},
		{"DKIM twice", top(mail.raw(), dkim, spf, dkim), "bounce@acme.example", "several results"},
		{"SPF twice", top(mail.raw(), dkim, spf, spf), "bounce@acme.example", "several results"},
		{"SPF twice, in other letters", top(mail.raw(), dkim, spf, "x-mailgun-SPF: Pass"),
			"bounce@acme.example", "several results"},
		{"Mailgun's own above a forged one", top(mail.set("X", dkim).raw(),
			"X-Mailgun-Dkim-Check-Result: Fail", spf), "bounce@acme.example", "several results"},
		{"a soft fail", top(mail.raw(), dkim, "X-Mailgun-Spf: SoftFail"), "bounce@acme.example",
			"did not end in Pass"},
		{"neutral", top(mail.raw(), dkim, "X-Mailgun-Spf: Neutral"), "bounce@acme.example",
			"did not end in Pass"},
		{"a fail", top(mail.raw(), "X-Mailgun-Dkim-Check-Result: Fail", spf), "bounce@acme.example",
			"did not end in Pass"},
		{"two words in one", top(mail.raw(), dkim, "X-Mailgun-Spf: Pass, Fail"), "bounce@acme.example",
			"did not end in Pass"},
		{"a foreign SMTP sender", top(mail.raw(), dkim, spf), "b@evil.example", "SMTP sender is not"},
		{"no SMTP sender", top(mail.raw(), dkim, spf), "", "SMTP sender is not"},
		{"the SMTP sender of another company that is allowed", top(mail.raw(), dkim, spf),
			"b@other.example", "two organizations"},
		{"a foreign From", top(mail.set("From", "From: evil@evil.example").raw(), dkim, spf),
			"bounce@acme.example", "From is not an address below"},
		{"for another recipient", top(mail.set("To", "To: acme+4571234567@sms.acme.example").raw(),
			dkim, spf), "bounce@acme.example", "delivered to"},
		{"yesterday's", top(mail.on(posted.Add(-24*time.Hour)).raw(), dkim, spf), "bounce@acme.example",
			"more than an hour"},
		{"two From", top(mail.raw(), dkim, spf, "From: evil@evil.example"), "bounce@acme.example",
			"2 fields from"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := deliver(test.raw)
			m.Envelope = test.envelope
			err := sender.Mailgun(m, domains())
			if test.reason == "" {
				require.NoError(t, err)
				return
			}
			refused(t, "", err, test.reason)
		})
	}
}

// Ensure that the domains of a mail's signatures are named, each once, however broken they are.
func TestSigners(t *testing.T) {
	raw := genuineTwice(as("sendgrid.net"), key("none", edKey("acme")))
	require.Equal(t, []string{"acme.example", "sendgrid.net"}, sender.Signers(raw))
	require.Equal(t, []string{"acme.example", "sendgrid.net"}, sender.Signers(top(raw,
		"DKIM-Signature: d=acme.example", "DKIM-Signature: d=(evil)", "DKIM-Signature: nothing")))
	require.Empty(t, sender.Signers(genuine().raw()))
	require.Empty(t, sender.Signers(""))
}
