package demo

import (
	"context"
	"net"

	"smsbridge/internal/simulator/smtp"
	"smsbridge/phonemail"
)

// ServeMail takes mails by SMTP for any phone address of any domain, without encryption and
// login, and delivers them. It returns when ctx ends or the listener fails.
func (s *Stage) ServeMail(ctx context.Context, listener net.Listener) error {
	return smtp.Serve(ctx, listener, smtp.Config{
		Accepts: func(address string) bool {
			_, _, err := phonemail.ParseAddress(address)
			return err == nil
		},
		Refusal: "Not a phone address such as " + Example,
		Deliver: s.deliver,
	})
}
