package sender_test

import (
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
		{"as Mailgun signs", top(mail.signed(tags(at(0), fmt.Sprintf("x=%d",
			posted.Add(2*time.Hour).Unix())), func(s *signing) {
			s.names = []string{"Content-Type", " Message-Id", " To", " To", " From", " From", " Subject",
				" Subject", " Mime-Version", " Date", " Sender", " Sender", " X-Feedback-Id"}
		}), "X-Mailgun-Sid: WyI="), acmeFrom},
		{"as Postmark signs", mail.signed(tags(at(0), "i=no-reply@acme.example"), func(s *signing) {
			s.names = strings.Split("From:Date:Subject:Message-Id:To:MIME-Version:Content-Type:Date:"+
				"From:Message-ID:Reply-To:Sender:Subject:To:CC", ":")
		}), acmeFrom},
		{"as Amazon SES signs", genuineTwice(func(s *signing) {
			s.names = strings.Split("MIME-Version:Content-Type:Subject:From:To:Date:Message-ID", ":")
			s.tags = []string{"q=dns/txt", at(0)}
		}, as("amazonses.com")), acmeFrom},
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
	good := genuine().signed(tags(at(0)), func(s *signing) { s.canonical = "simple" })
	for i := range len(good) {
		changed := good[:i] + string(good[i]^1) + good[i+1:]
		from, err := sender.DKIM(deliver(changed), domains(), world().look)
		require.Error(t, err, "byte %d: %q", i, good[max(0, i-20):min(len(good), i+20)])
		require.Empty(t, from)
	}
}

// Ensure that x= is compared with Mailgun's time stamp, too.
func TestExpiredBeforeMailgun(t *testing.T) {
	m := deliver(genuine().signed(tags(at(0), fmt.Sprintf("x=%d",
		posted.Add(10*time.Minute).Unix()))))
	m.PostedAt = posted.Add(30 * time.Minute)
	from, err := sender.DKIM(m, domains(), world().look)
	refused(t, from, err, "it had expired")
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

func TestMessageID(t *testing.T) {
	raw := genuine().raw()
	require.Equal(t, "1@acme.example", sender.MessageID(raw))
	require.Empty(t, sender.MessageID(top(raw, "Message-Id: <2@acme.example>")))
	require.Empty(t, sender.MessageID(genuine().set("Message-ID").raw()))
	require.Empty(t, sender.MessageID("Message-ID: <1@acme.example>"))
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

// Ensure that a signature may cover a hundred fields, and no more.
func TestMostSignedFields(t *testing.T) {
	for _, most := range []int{100, 101} {
		raw := genuine().signed(func(s *signing) {
			for len(s.names) < most {
				s.names = append(s.names, "X-None")
			}
		})
		_, err := sender.DKIM(deliver(raw), domains(), world().look)
		if most == 100 {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "more than 100 fields")
	}
}
