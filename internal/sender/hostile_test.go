package sender_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

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
		{"a From that ends like ours", set("From", "From: no-reply@notacme.example"),
			"From is not an address below"},
		{"a quoted local part without @", set("From", `From: "no reply"@acme.example`),
			"From is not exactly"},
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
		{"an escape outside of quotes", set("From", `From: evil\@evil.example <no-reply@acme.example>`),
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
		{"many folds", top(good, "X: y"+strings.Repeat("\r\n x", 1000)), "more than 1000 lines"},
		{"many fields", top(good, strings.Repeat("X: y\r\n", 300)+"X: y"), "more than 200 fields"},
		{"a large mail", draft{mail.fields, strings.Repeat("x\r\n", 700_000) + mail.body}.signed(),
			"larger than 2 MiB"},
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
