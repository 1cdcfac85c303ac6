package mailgun

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mail in other charsets than UTF-8 is posted as UTF-8
)

// parsedMail is one received mail, taken apart as far as webhooks and API need it.
type parsedMail struct {
	mime        []byte
	headers     []headerField // in the order of the mail
	plain       string        // text/plain parts, or made from the HTML
	htmls       []string      // text/html parts
	attachments []attachment
}

// headerField is one header field.
type headerField struct {
	name    string // capitalized as Mailgun does: Message-Id, Mime-Version
	written string // as the mail's author spelled it
	value   string // decoded (RFC 2047), unfolded
}

// attachment is a part that is not a body.
type attachment struct {
	name, contentType, contentID string
	data                         []byte
}

// parseMail takes a mail apart. The error never quotes the mail.
func parseMail(mime []byte) (*parsedMail, error) {
	entity, err := message.Read(bytes.NewReader(mime))
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil, errors.New("simulator: the mail's header cannot be read")
	}
	mail := &parsedMail{mime: mime}
	for fields := entity.Header.Fields(); fields.Next(); {
		raw, _ := fields.Raw() // fields that were read have their bytes
		written, _, _ := bytes.Cut(raw, []byte(":"))
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		mail.headers = append(mail.headers, headerField{
			name: fields.Key(), written: string(bytes.TrimSpace(written)),
			value: strings.ToValidUTF8(value, "\uFFFD"),
		})
	}
	var plain []string
	err = entity.Walk(func(_ []int, part *message.Entity, _ error) error {
		kind, params, _ := part.Header.ContentType()
		if strings.HasPrefix(kind, "multipart/") {
			return nil
		}
		data, err := io.ReadAll(part.Body)
		if err != nil {
			return err
		}
		disposition, dispositionParams, _ := part.Header.ContentDisposition()
		text := strings.ToValidUTF8(string(data), "\uFFFD")
		switch {
		case disposition != "attachment" && (kind == "text/plain" || kind == ""):
			plain = append(plain, text)
		case disposition != "attachment" && kind == "text/html":
			mail.htmls = append(mail.htmls, text)
		default:
			mail.attachments = append(mail.attachments, attachment{
				name:        firstOf(dispositionParams["filename"], params["name"], "attachment"),
				contentType: firstOf(kind, "application/octet-stream"),
				contentID:   part.Header.Get("Content-Id"),
				data:        data,
			})
		}
		return nil
	})
	if err != nil {
		return nil, errors.New("simulator: the mail's body cannot be read")
	}
	mail.plain = strings.Join(plain, "\r\n")
	if mail.plain == "" {
		mail.plain = plainFromHTML(mail.html())
	}
	return mail, nil
}

// header returns the first field of that capitalized name, or "".
func (mail *parsedMail) header(name string) string {
	i := slices.IndexFunc(mail.headers, func(h headerField) bool { return h.name == name })
	if i < 0 {
		return ""
	}
	return mail.headers[i].value
}

// html returns all text/html parts as one text.
func (mail *parsedMail) html() string { return strings.Join(mail.htmls, "\r\n") }

// headerPairs returns what message-headers holds.
func (mail *parsedMail) headerPairs() [][2]string {
	pairs := make([][2]string, len(mail.headers))
	for i, h := range mail.headers {
		pairs[i] = [2]string{h.name, h.value}
	}
	return pairs
}

// strippedMail is what Mailgun calls stripped-text, stripped-signature and stripped-html.
type strippedMail struct{ text, signature, html string }

var (
	quoteStart     = regexp.MustCompile(`(?m)^(>|On .+ wrote:\s*$)`)
	signatureStart = regexp.MustCompile(`(?m)^-- ?\r?$`)
)

// stripped cuts the quoted mail and the signature off, plainly. Mailgun guesses better, and a
// receiver should rely on neither.
func (mail *parsedMail) stripped() strippedMail {
	text := mail.plain
	if at := quoteStart.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	var signature string
	if at := signatureStart.FindStringIndex(text); at != nil {
		text, signature = text[:at[0]], text[at[1]:]
	}
	return strippedMail{text: strings.TrimSpace(text), signature: strings.TrimSpace(signature),
		html: mail.html()}
}

var (
	unreadHTML = regexp.MustCompile(
		`(?is)<script\b.*?</script>|<style\b.*?</style>|<head\b.*?</head>|<!--.*?-->`)
	htmlTag    = regexp.MustCompile(`<[^>]*>`)
	whiteSpace = regexp.MustCompile(`\s+`)
)

// plainFromHTML keeps the words and loses the links, which a receiver must not miss in body-plain.
func plainFromHTML(s string) string {
	s = htmlTag.ReplaceAllString(unreadHTML.ReplaceAllString(s, " "), " ")
	return strings.TrimSpace(whiteSpace.ReplaceAllString(html.UnescapeString(s), " "))
}

// withReceived puts the header fields on top that Mailgun adds on receipt, and makes the line
// ends CRLF (RFC 5321, 2.3.8). A mail that begins with a space would continue our last field,
// and is refused.
func withReceived(sender, id, date string, mime []byte) ([]byte, error) {
	if len(mime) == 0 || mime[0] == ' ' || mime[0] == '\t' {
		return nil, errors.New("simulator: the mail does not begin with a header")
	}
	mime = bytes.ReplaceAll(bytes.ReplaceAll(mime, []byte("\r\n"), []byte("\n")), []byte("\n"),
		[]byte("\r\n"))
	received := fmt.Sprintf("Received: from sender by mxa.mailgun.example with ESMTP id %s; %s\r\n",
		id, date)
	top := received + "X-Envelope-From: <" + sender + ">\r\nX-Mailgun-Incoming: Yes\r\n"
	return append([]byte(top), mime...), nil
}

// firstOf returns the first value that is not empty.
func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
