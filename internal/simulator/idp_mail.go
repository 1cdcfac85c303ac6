package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	htmltemplate "html/template"
	"io"
	"net/url"
	texttemplate "text/template"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"
)

// Purposes of a mail and its link.
const (
	idpVerify = "verify"
	idpReset  = "reset"
)

// idpLetter is what the mail templates show.
type idpLetter struct {
	Name, Domain, Subject string
	Reset, Extra          bool
	Links                 []string // the first is the one that counts
}

// idpHTML has the structure of Auth0's default mails: nested tables, a logo, one heading, one link, a rule, a footer.
var idpHTML = htmltemplate.Must(htmltemplate.New("html").Parse(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="margin:0;background:#eee">
<table width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table width="600" cellpadding="16" cellspacing="0" style="background:#fff">
<tr><td align="center"><img src="https://cdn.{{.Domain}}/logo.png" alt="{{.Name}}" width="60"></td></tr>
<tr><td>
{{- if .Reset}}
<h1>Password Change Request</h1>
<p>Somebody, hopefully you, wants a new password for {{.Name}}.</p>
<p>To go on with the new password, please {{range .Links}}<a href="{{.}}">click here</a> {{end}}.</p>
{{- else}}
<h1>Welcome to {{.Name}}!</h1>
<p>One step is left. Please show that this address is yours by following the link:</p>
{{range .Links}}<p><a href="{{.}}" style="color:#fff;background:#333">Confirm my account</a></p>
{{end}}
{{- end}}
{{- if .Extra}}
<p>Questions? Our <a href="https://support.{{.Domain}}/tickets/new?topic=account">support team</a> is glad to help.</p>
{{- end}}
<p>Thanks!<br><strong>{{.Name}}</strong></p>
<hr>
<p style="font-size:11px">It was not you? Then please answer this mail and tell us.
{{- if .Extra}} <a href="https://www.{{.Domain}}/about">Powered by {{.Name}} Identity</a>
 <a href="https://mail.{{.Domain}}/unsubscribe?list=verify&amp;token=12345">Unsubscribe</a>{{end}}</p>
</td></tr></table>
</td></tr></table>
</body></html>
`))

var idpText = texttemplate.Must(texttemplate.New("text").Parse(
	`{{if .Reset}}Somebody, hopefully you, wants a new password for {{.Name}}. To go on with it, open
{{else}}Welcome to {{.Name}}! To show that this address is yours, open
{{end}}
{{range .Links}}{{.}}

{{end}}{{if .Extra}}Questions? https://support.{{.Domain}}/tickets/new?topic=account
Unsubscribe: https://mail.{{.Domain}}/unsubscribe?list=verify&token=12345

{{end}}Thanks!
{{.Name}}
`))

// mail makes the tickets of a mail, writes and signs it, notes it in the history and sends it.
func (i *IdP) mail(ctx context.Context, purpose, address string) error {
	now := i.config.Now()
	i.mu.Lock()
	m := i.manners
	links := []string{i.ticket(purpose, address, now)}
	if m.TwoVerifyLinks {
		links = append(links, i.ticket(purpose, address, now))
	}
	i.mu.Unlock()

	letter := idpLetter{
		Name: i.config.Name, Domain: i.config.Domain, Subject: "Verify your email",
		Reset: purpose == idpReset, Extra: m.ExtraLinks, Links: links,
	}
	if letter.Reset {
		letter.Subject = "Reset your password"
	}
	link := links[0]
	if m.TrackingLink {
		letter.Links = nil
		for _, target := range links {
			letter.Links = append(letter.Links, "https://click.mailtrack.example/ls/click?upn="+
				url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(target))))
		}
	}
	mime, err := i.write(letter, address, m.TextOnly, now)
	if err != nil {
		return fmt.Errorf("simulator: write mail: %w", err)
	}
	i.mu.Lock()
	i.mails = append(i.mails, IdPMail{
		Purpose: purpose, From: i.from.Address, To: address, Subject: letter.Subject, Link: link, MIME: mime, Time: now,
	})
	i.mu.Unlock()
	if err := i.config.Send(ctx, i.from.Address, []string{address}, mime); err != nil {
		return fmt.Errorf("simulator: send mail: %w", err)
	}
	return nil
}

// write returns the signed mail: one part, quoted-printable, with lines ending in CRLF.
func (i *IdP) write(letter idpLetter, to string, textOnly bool, now time.Time) ([]byte, error) {
	var header mail.Header
	header.SetDate(now)
	header.SetAddressList("From", []*mail.Address{{Name: i.from.Name, Address: i.from.Address}})
	header.SetAddressList("To", []*mail.Address{{Address: to}})
	header.SetSubject(letter.Subject)
	header.SetMessageID(idpRandom(24) + "@" + i.config.Domain)
	header.Set("MIME-Version", "1.0")
	header.Set("Content-Transfer-Encoding", "quoted-printable")
	execute, media := idpHTML.Execute, "text/html"
	if textOnly {
		execute, media = idpText.Execute, "text/plain"
	}
	header.SetContentType(media, map[string]string{"charset": "utf-8"})

	var plain bytes.Buffer
	body, err := mail.CreateSingleInlineWriter(&plain, header)
	if err != nil {
		return nil, err
	}
	if err := execute(body, letter); err != nil {
		return nil, err
	}
	if err := body.Close(); err != nil {
		return nil, err
	}
	return i.sign(&plain)
}

// sign puts a DKIM signature in front of a mail.
func (i *IdP) sign(plain io.Reader) ([]byte, error) {
	var signed bytes.Buffer
	err := dkim.Sign(&signed, plain, &dkim.SignOptions{
		Domain: i.config.Domain, Selector: i.config.Selector, Signer: i.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
			"Content-Transfer-Encoding"},
	})
	return signed.Bytes(), err
}
