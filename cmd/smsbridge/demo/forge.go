package demo

import (
	"context"
	"fmt"
	"time"

	"smsbridge/phonemail"
)

// stranger is the SMTP sender of forged mails.
const stranger = "stranger@evil.example"

// forge has a stranger mail to the phone's address in the name of the identity provider, with a
// link that leads there. The mail has all but the identity provider's signature. So the bridge
// refuses it, and texts nothing.
func (s *Stage) forge(ctx context.Context, phone phonemail.Number) error {
	to := s.tenant.Address.Address(phone)
	mail := fmt.Sprintf("From: ACME <no-reply@acme.example>\r\nTo: <%s>\r\n"+
		"Subject: Verify your email\r\nDate: %s\r\nMessage-ID: <%s@acme.example>\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+
		"Welcome! To verify your email address, open\r\n\r\n%s/lo/verify_email?ticket=%s\r\n",
		to, time.Now().UTC().Format(time.RFC1123Z), randomHex(8), s.idp.URL(), randomHex(16))
	return s.deliver(ctx, stranger, []string{to}, []byte(mail))
}
