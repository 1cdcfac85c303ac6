package main

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/emersion/go-smtp"

	"smsbridge/phonemail"
)

// serveDemoMail takes mails by SMTP (RFC 5321), without encryption and login, for any phone address of any domain, and delivers them on the stage.
// It returns when ctx ends or the listener fails.
func serveDemoMail(ctx context.Context, listener net.Listener, s *stage) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &mailSession{ctx: ctx, stage: s}, nil
	}))
	server.Domain = "localhost"
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

// mailSession is one SMTP connection.
type mailSession struct {
	ctx   context.Context
	stage *stage
	from  string
	to    []string
}

// Reset implements smtp.Session.
func (m *mailSession) Reset() { m.from, m.to = "", nil }

// Logout implements smtp.Session.
func (m *mailSession) Logout() error { return nil }

// Mail takes the envelope sender.
func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	m.from = from
	return nil
}

// Rcpt takes an envelope recipient that is a phone address, and answers 550 to others, which identity providers show in their logs.
func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if _, _, err := phonemail.ParseAddress(to); err != nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "Not a phone address such as " + demoExample}
	}
	m.to = append(m.to, to)
	return nil
}

// Data delivers the mail, or answers 554 if it is not MIME.
func (m *mailSession) Data(r io.Reader) error {
	mime, err := io.ReadAll(r)
	if err != nil {
		return err // go-smtp's own, with the right code
	}
	if err := m.stage.deliver(m.ctx, m.from, m.to, mime); err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "The mail cannot be read"}
	}
	return nil
}
