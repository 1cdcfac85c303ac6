package idp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	htmltemplate "html/template"
	"io"
	"net/url"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-msgauth/dkim"
)

// Purposes of a mail.
const (
	purposeVerify = "verify"
	purposeCode   = "code"
	purposeReset  = "reset"
	purposeLogin  = "login"
	purposeInvite = "invite"
	purposeChange = "change"
	purposeNotice = "notice"
)

// mailParts says which parts a mail has.
type mailParts int

const (
	htmlPart mailParts = iota
	textPart
	bothParts
)

// mailStyle is how a provider writes its mail. In the words, {name} stands for the
// application's name.
type mailStyle struct {
	Subject, Heading, Intro string // empty: those of Auth0's verification mail
	Anchor                  string // words of the link; empty: the URL itself
	CodeIs                  string // words in front of the code
	Parts                   mailParts
	Repeat                  bool   // the URL follows once more, as text
	Mailto                  bool   // a mail address is linked too
	ConfirmAction           bool   // schema.org's, as JSON-LD, says what the link is for
	Outlook                 bool   // a button of its own for Outlook, in a conditional comment
	Entities                bool   // the text part has &amp; in place of &
	Powered                 string // whose maker the footer links to
	// Again is the path of a second link on the provider's host, which sends another mail.
	Again string
}

// bareLink is a mail that shows the URL itself as the link's words.
var bareLink = mailStyle{Subject: "Please verify your email address", Parts: bothParts,
	Intro: "Follow this link to verify your account:"}

// filledMail is what the mail templates show.
type filledMail struct {
	mailStyle
	Name, Domain, Code, Again string
	Links                     []string // the first is the one that counts
	Extra                     bool
}

// OutlookButton returns the comment that only Outlook reads.
func (l filledMail) OutlookButton(link string) htmltemplate.HTML {
	return htmltemplate.HTML(
		`<!--[if mso]><v:roundrect xmlns:v="urn:schemas-microsoft-com:vml" href="` +
			htmltemplate.HTMLEscapeString(link) + `"><center>` + htmltemplate.HTMLEscapeString(l.Anchor) +
			`</center></v:roundrect><![endif]-->`)
}

// Plain returns a link as the text part shows it.
func (l filledMail) Plain(link string) string {
	if l.Entities {
		return strings.ReplaceAll(link, "&", "&amp;")
	}
	return link
}

// htmlBody has the structure of Auth0's default mails: nested tables, a logo, one heading, one
// link, a rule, a footer.
var htmlBody = sync.OnceValue(func() *htmltemplate.Template {
	return htmltemplate.Must(htmltemplate.New("html").Parse(htmlText))
})

const htmlText = `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{.Subject}}</title>
{{- if .ConfirmAction}}{{range .Links}}
<script type="application/ld+json">
{"@context": "http://schema.org", "@type": "EmailMessage", {{/**/ -}}
"potentialAction": {"@type": "ConfirmAction",
"name": "Confirm", {{/**/ -}}
"handler": {"@type": "HttpActionHandler", "url": {{.}}}}}
</script>
{{- end}}{{end}}</head>
<body style="margin:0;background:#eee">
<table width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table width="600" cellpadding="16" cellspacing="0" style="background:#fff">
<tr><td align="center">{{/**/ -}}
<img src="https://cdn.{{.Domain}}/logo.png" alt="{{.Name}}" width="60"></td></tr>
<tr><td>
<h1>{{.Heading}}</h1>
<p>{{.Intro}}</p>
{{- range .Links}}
{{- if $.Outlook}}
{{$.OutlookButton .}}
{{- end}}
<p><a href="{{.}}" style="color:#fff;background:#333">{{or $.Anchor .}}</a></p>
{{- if $.Repeat}}
<p>If the button does not work, copy this address into your browser:<br>{{.}}</p>
{{- end}}
{{- end}}
{{- if .Code}}
<p>{{.CodeIs}} <strong>{{.Code}}</strong></p>
{{- end}}
{{- if .Again}}
<p>Is it too late for this link? <a href="{{.Again}}">Request a new one</a></p>
{{- end}}
{{- if .Mailto}}
<p>This mail is for you alone. Write to {{/**/ -}}
<a href="mailto:help@{{.Domain}}">help@{{.Domain}}</a> if you have questions.</p>
{{- end}}
{{- if .Extra}}
<p>Questions? Our {{/**/ -}}
<a href="https://support.{{.Domain}}/tickets/new?topic=account">support team</a> {{/**/ -}}
is glad to help.</p>
{{- end}}
<p>Thanks!<br><strong>{{.Name}}</strong></p>
<hr>
<p style="font-size:11px">It was not you? Then please answer this mail and tell us.
{{- if .Powered}} Powered by {{/**/ -}}
<a href="https://www.{{.Powered}}.example/?utm_source=email">{{.Powered}}</a>.{{end}}
{{- if .Extra}} <a href="https://www.{{.Domain}}/about">Powered by {{.Name}} Identity</a>
 <a href="https://mail.{{.Domain}}/unsubscribe?list=verify&amp;token=12345">Unsubscribe</a>
{{- end}}</p>
</td></tr></table>
</td></tr></table>
</body></html>
`

var textBody = sync.OnceValue(func() *texttemplate.Template {
	return texttemplate.Must(texttemplate.New("text").Parse(plainText))
})

const plainText = `{{.Heading}}

{{.Intro}}

{{range .Links}}{{$.Plain .}}

{{end}}{{if .Code}}{{.CodeIs}} {{.Code}}

{{end}}{{if .Again}}Is it too late for this link? Request a new one: {{.Again}}

{{end}}{{if .Extra}}Questions? https://support.{{.Domain}}/tickets/new?topic=account
Unsubscribe: https://mail.{{.Domain}}/unsubscribe?list=verify&token=12345

{{end}}Thanks!
{{.Name}}
`

// mail makes the tickets of a mail, writes and signs it, notes it in the history and sends it.
func (i *Server) mail(ctx context.Context, provider *profile, address string) error {
	now := i.config.Now()
	i.mu.Lock()
	m := i.manners
	k := i.ticket(provider, address, now)
	var links []string
	if provider.link != "" {
		links = append(links, i.URL()+k.target)
		if m.TwoVerifyLinks {
			links = append(links, i.URL()+i.ticket(provider, address, now).target)
		}
	}
	i.mu.Unlock()

	letter := i.fill(provider.style, k.code, m.ExtraLinks)
	note := Mail{
		Provider: provider.name, Purpose: provider.purpose, From: i.from.Address, To: address,
		Subject: letter.Subject,
		Code:    k.code, Time: now,
	}
	if len(links) > 0 {
		note.Link = links[0]
	}
	for _, link := range links {
		if m.TrackingLink {
			link = "https://click.mailtrack.example/ls/click?upn=" +
				url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(link)))
		}
		letter.Links = append(letter.Links, link)
	}
	if m.TextOnly {
		letter.Parts = textPart
	}
	var err error
	if note.MIME, err = i.write(letter, address, now); err != nil {
		return fmt.Errorf("simulator: write mail: %w", err)
	}
	i.mu.Lock()
	i.mails = append(i.mails, note)
	i.mu.Unlock()
	if err := i.config.Send(ctx, i.from.Address, []string{address}, note.MIME); err != nil {
		return fmt.Errorf("simulator: send mail: %w", err)
	}
	return nil
}

// fill returns the letter with everything in it but the links.
func (i *Server) fill(letter mailStyle, code string, extra bool) filledMail {
	name := func(words, usual string) string {
		return strings.ReplaceAll(cmp.Or(words, usual), "{name}", i.config.Name)
	}
	letter.Subject = name(letter.Subject, "Verify your email")
	letter.Heading = name(letter.Heading, "Welcome to {name}!")
	letter.Intro = name(letter.Intro,
		"One step is left. Please show that this address is yours by following the link:")
	letter.Anchor = name(letter.Anchor, "")
	letter.CodeIs = name(letter.CodeIs, "Your verification code is")
	filled := filledMail{mailStyle: letter, Name: i.config.Name, Domain: i.config.Domain, Code: code,
		Extra: extra}
	if letter.Again != "" {
		filled.Again = i.URL() + letter.Again
	}
	return filled
}

// write returns the signed mail, quoted-printable, with lines ending in CRLF.
func (i *Server) write(letter filledMail, to string, now time.Time) ([]byte, error) {
	var header mail.Header
	header.SetDate(now)
	header.SetAddressList("From", []*mail.Address{{Name: i.from.Name, Address: i.from.Address}})
	header.SetAddressList("To", []*mail.Address{{Address: to}})
	header.SetSubject(letter.Subject)
	header.SetMessageID(randomText(24) + "@" + i.config.Domain)
	header.Set("MIME-Version", "1.0")
	var plain bytes.Buffer
	if letter.Parts != bothParts {
		media := setMedia(letter.Parts == textPart, &header.Header)
		body, err := mail.CreateSingleInlineWriter(&plain, header)
		if err != nil {
			return nil, err
		}
		if err := letter.writePart(body, media); err != nil {
			return nil, err
		}
		return i.sign(&plain)
	}
	parts, err := mail.CreateInlineWriter(&plain, header)
	if err != nil {
		return nil, err
	}
	for _, text := range []bool{true, false} { // RFC 2046, section 5.1.4: the richest comes last
		var header mail.InlineHeader
		media := setMedia(text, &header.Header)
		body, err := parts.CreatePart(header)
		if err != nil {
			return nil, err
		}
		if err := letter.writePart(body, media); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return i.sign(&plain)
}

// setMedia sets the media type and encoding of a part and returns the former.
func setMedia(text bool, header *message.Header) string {
	media := "text/html"
	if text {
		media = "text/plain"
	}
	header.Set("Content-Transfer-Encoding", "quoted-printable")
	header.SetContentType(media, map[string]string{"charset": "utf-8"})
	return media
}

func (l filledMail) writePart(body io.WriteCloser, media string) error {
	execute := htmlBody().Execute
	if media == "text/plain" {
		execute = textBody().Execute
	}
	if err := execute(body, l); err != nil {
		return err
	}
	return body.Close()
}

// Sign puts the identity provider's DKIM signature in front of a mail that it did not write.
func (i *Server) Sign(mime []byte) ([]byte, error) { return i.sign(bytes.NewReader(mime)) }

// KeyName is the name of the TXT record that has the [Server.PublicKey].
func (i *Server) KeyName() string { return i.config.Selector + "._domainkey." + i.config.Domain }

// sign puts a DKIM signature in front of a mail.
func (i *Server) sign(plain io.Reader) ([]byte, error) {
	var signed bytes.Buffer
	err := dkim.Sign(&signed, plain, &dkim.SignOptions{
		Domain: i.config.Domain, Selector: i.config.Selector, Signer: i.key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version",
			"Content-Type",
			"Content-Transfer-Encoding"},
	})
	return signed.Bytes(), err
}
