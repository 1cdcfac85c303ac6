package main

import (
	"fmt"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// resend PHONE: the identity provider mails the person's verification again.
func storyResend(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := patience()
	defer cancel()
	ts.Check(in(ts).idp.Resend(ctx, address(args[0])))
}

// stranger ADDRESS: any other sender mails to the address: what looks like the identity provider's
// mail, with a link to its host and a ticket that is no other mail's.
func storyStranger(ts *testscript.TestScript, _ bool, args []string) {
	th := in(ts)
	ctx, cancel := patience()
	defer cancel()
	ticket := fmt.Sprintf("stranger%d", time.Now().UnixNano())
	mime := fmt.Sprintf("From: ACME <no-reply@acme.example>\r\nTo: <%s>\r\n"+
		"Subject: Verify your email\r\nMessage-Id: <%s@acme.example>\r\n\r\n"+
		"Welcome to ACME! Verify your email: %s/lo/verify_email?ticket=%s0123456789abcdef\r\n",
		args[0], ticket, th.idp.URL(), ticket)
	ts.Check(th.mailgun.Deliver(ctx, "no-reply@acme.example", args[:1], []byte(mime)))
}
