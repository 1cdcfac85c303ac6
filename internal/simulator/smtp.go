package simulator

import (
	"errors"
	"io"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// smtpServer returns the server that takes mail for m, as Mailgun's MX hosts do: without TLS, since it is on loopback; and since an
// identity provider can be told to log in, AUTH PLAIN is accepted with any name and password.
func smtpServer(m *Mailgun) *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &smtpSession{mailgun: m}, nil
	}))
	s.Domain = "mxa.mailgun.example"
	s.AllowInsecureAuth = true
	s.EnableSMTPUTF8 = true
	s.MaxMessageBytes = mailgunMaxMail
	s.MaxRecipients = 1000
	s.ReadTimeout = time.Minute
	s.WriteTimeout = time.Minute
	s.ErrorLog = smtpSilence{}
	return s
}

// smtpSession is one SMTP connection.
type smtpSession struct {
	mailgun *Mailgun
	from    string
	to      []string
}

// AuthMechanisms offers PLAIN.
func (s *smtpSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth accepts whoever it is.
func (s *smtpSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}

// Reset forgets the transaction.
func (s *smtpSession) Reset() { s.from, s.to = "", nil }

// Logout does nothing.
func (s *smtpSession) Logout() error { return nil }

// Mail takes the envelope sender.
func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt takes an envelope recipient, or answers 550 for a domain that is not served.
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.mailgun.checkRecipient(to); err != nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relaying denied"}
	}
	s.to = append(s.to, to)
	return nil
}

// Data delivers the mail: 552 if it is too large, 421 when closing, 554 if it is not MIME.
func (s *smtpSession) Data(r io.Reader) error {
	mime, err := io.ReadAll(r)
	if err != nil {
		return err // go-smtp's own, with the right code
	}
	err = s.mailgun.Deliver(s.mailgun.ctx, s.from, s.to, mime)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrMailgunClosed) || s.mailgun.ctx.Err() != nil:
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Closing down"}
	default:
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Mail cannot be read"}
	}
}

// smtpSilence drops go-smtp's log: a broken connection of a test or a demo is nobody's news.
type smtpSilence struct{}

func (smtpSilence) Printf(string, ...any) {}
func (smtpSilence) Println(...any)        {}
