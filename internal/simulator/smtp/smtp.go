// Package smtp plays the mail server that an identity provider delivers to. The demo opens it
// for an identity provider on the same machine (smsbridge demo --smtp), and tests put it in
// front of the package mailgun.
//
// It speaks SMTP (RFC 5321) without encryption, takes mails of at most 25 MiB for at most 50
// recipients, and has no bad manners. The listener is the caller's, because an identity
// provider in a container reaches the demo by the network.
package smtp

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Config says what a server does with mails. Accepts and Deliver are required.
type Config struct {
	// Login offers AUTH PLAIN and accepts every name and password, for identity providers that
	// must log in.
	Login bool
	// Accepts judges an envelope recipient. The server responds to all others with 550 and the
	// words of Refusal.
	Accepts func(address string) bool
	Refusal string
	// Deliver takes a mail: the envelope sender ("" for a bounce), the recipients, and the
	// complete mail. The server responds to an error with 554.
	Deliver func(ctx context.Context, from string, to []string, mime []byte) error
}

// Serve takes mails until ctx ends, which is no error, or the listener fails. It closes the
// listener.
func Serve(ctx context.Context, listener net.Listener, config Config) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		s := &session{ctx: ctx, config: config}
		if config.Login {
			return loginSession{s}, nil
		}
		return s, nil
	}))
	server.Domain = "localhost"
	server.AllowInsecureAuth = config.Login
	server.EnableSMTPUTF8 = true
	server.MaxMessageBytes = 25 << 20
	server.MaxRecipients = 50
	server.ReadTimeout = time.Minute
	server.WriteTimeout = time.Minute
	defer context.AfterFunc(ctx, func() {
		server.Close()
		listener.Close() // in case the server had not begun
	})()
	err := server.Serve(listener)
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

// session is one SMTP connection.
type session struct {
	ctx    context.Context
	config Config
	from   string
	to     []string
}

// Reset forgets the transaction.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout does nothing.
func (s *session) Logout() error { return nil }

// Mail takes the envelope sender.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt takes an envelope recipient, or responds with 550, which identity providers show in
// their logs.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.config.Accepts(to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1},
			Message: s.config.Refusal}
	}
	s.to = append(s.to, to)
	return nil
}

// Data delivers the mail, or responds with 552 if it is too large and with 554 if it cannot be
// delivered.
func (s *session) Data(r io.Reader) error {
	mime, err := io.ReadAll(r)
	if err != nil {
		return err // go-smtp's own, with the right code
	}
	if err := s.config.Deliver(s.ctx, s.from, s.to, mime); err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0},
			Message: "The mail cannot be read"}
	}
	return nil
}

// loginSession is a session that offers to log in.
type loginSession struct{ *session }

// AuthMechanisms offers PLAIN.
func (loginSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth accepts every name and password.
func (loginSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}
