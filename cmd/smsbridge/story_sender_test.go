package main

import (
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"smsbridge/internal/simulator/dns"
)

// forge PHONE: a stranger mails to the phone's address in the identity provider's name. The mail
// has all but its signature.
func storyForge(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := patience()
	defer cancel()
	to := address(args[0])
	mail := "From: ACME <no-reply@acme.example>\r\nTo: <" + to +
		">\r\nSubject: Verify your email\r\n" +
		"Date: " + time.Now().Format(time.RFC1123Z) + "\r\nMessage-ID: <forged@acme.example>\r\n" +
		"X-Mailgun-Dkim-Check-Result: Pass\r\nX-Mailgun-Spf: Pass\r\n\r\n" +
		in(ts).idp.URL() + "/lo/verify_email?ticket=0123456789abcdef0123456789abcdef\r\n"
	ts.Check(in(ts).mailgun.Deliver(ctx, "bounce@acme.example", []string{to}, []byte(mail)))
}

// dns KNOB: how the name server behaves from now on, which has the identity provider's key.
func storyDNS(ts *testscript.TestScript, _ bool, args []string) {
	th := in(ts)
	switch args[0] {
	case "down":
		th.dns.Set(func(m *dns.Manners) { m.Fail = true })
	case "well":
		th.dns.Set(func(m *dns.Manners) { *m = dns.Manners{} })
	case "asked":
		until(ts, "the name server to be asked", func() bool { return len(th.dns.Asked()) > 0 })
	default:
		ts.Fatalf("no such knob: %s", args[0])
	}
}
