package main

import (
	"context"
	"net"

	"smsbridge/internal/simulator/smtp"
	"smsbridge/phonemail"
)

// serveDemoMail takes mails by SMTP for any phone address of any domain, and delivers them on the stage. It returns when ctx
// ends or the listener fails.
func serveDemoMail(ctx context.Context, listener net.Listener, s *stage) error {
	return smtp.Serve(ctx, listener, smtp.Config{
		Accepts: func(address string) bool {
			_, _, err := phonemail.ParseAddress(address)
			return err == nil
		},
		Refusal: "Not a phone address such as " + demoExample,
		Deliver: s.deliver,
	})
}
