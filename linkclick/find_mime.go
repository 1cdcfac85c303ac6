package linkclick

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // decoders for every charset mail uses
)

// What a mail may cost. Mailgun accepts mails of up to 25 MB; a verification mail has some 20 kB.
const (
	maxMail   = 2 << 20   // bytes of a raw mail
	maxHeader = 64 << 10  // bytes of its header
	maxParts  = 100       // MIME parts, containers included
	maxDepth  = 10        // MIME parts inside each other
	maxBody   = 512 << 10 // bytes used of the plain and of the HTML body
)

var (
	// ErrTooLarge is returned by [ReadMIME] for a mail with more than 2 MiB, 64 KiB of header, 100
	// parts or 10 levels of parts.
	ErrTooLarge = errors.New("mail is too large")
	// ErrMalformed is returned by [ReadMIME] for a mail whose structure or encoding cannot be read.
	ErrMalformed = errors.New("mail is malformed")
)

// Mail is what [Find] looks at: the decoded header fields and bodies of one mail, as UTF-8. Text
// and HTML may be empty.
type Mail struct {
	Subject string // decoded Subject field
	From    string // decoded From field, name and address
	Text    string // plain text body
	HTML    string // HTML body
	// Language is the first Content-Language of a raw mail (RFC 3282), "" for none.
	Language string
}

// ReadMIME reads a raw mail (RFC 5322, RFC 2045 to 2047): multipart bodies, quoted-printable and
// base64, charsets and encoded header words. It decodes only inline text/plain and text/html
// parts, joins several of a type, and keeps at most 512 KiB of each. One byte more is kept, too:
// it tells [Find] that there is a rest. Attachments and attached mails are skipped.
//
// It returns an error that wraps [ErrTooLarge], [ErrMalformed] or the error of r. Its own texts
// hold no part of the mail.
func ReadMIME(r io.Reader) (Mail, error) {
	lr := &limitReader{r: r, left: maxMail}
	m, err := readMIME(lr)
	_, _ = io.Copy(io.Discard, lr) // what is not read yet counts for the limit too
	switch {
	case lr.err != nil:
		return Mail{}, fmt.Errorf("read mail: %w", lr.err)
	case errors.Is(err, ErrTooLarge):
		return Mail{}, fmt.Errorf("read mail: %w", ErrTooLarge)
	case err != nil:
		// The parser quotes the line it fails on, so its error stays here.
		return Mail{}, fmt.Errorf("read mail: %w", ErrMalformed)
	}
	return m, nil
}

func readMIME(r io.Reader) (Mail, error) {
	root, err := message.ReadWithOptions(r, &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if root == nil {
		return Mail{}, err
	}
	m := Mail{Subject: headerText(root, "Subject"), From: headerText(root, "From")}
	m.Language, _, _ = strings.Cut(strings.TrimSpace(root.Header.Get("Content-Language")), ",")
	if message.IsUnknownEncoding(err) {
		return m, nil
	}
	var text, markup strings.Builder
	parts := 0
	err = root.Walk(func(path []int, part *message.Entity, err error) error {
		if parts++; parts > maxParts || len(path) > maxDepth {
			return ErrTooLarge
		}
		if message.IsUnknownEncoding(err) {
			return nil
		}
		// A part in an unknown charset is read as it is: links are ASCII.
		switch kind, params, _ := part.Header.ContentType(); {
		case isAttachment(part):
			return nil
		case kind == "text/html":
			return appendBody(&markup, part.Body, asItIs)
		case kind == "text/plain" && isFlowed(params):
			return appendBody(&text, part.Body, unflowed)
		case kind == "text/plain" || kind == "":
			return appendBody(&text, part.Body, asItIs)
		}
		return nil
	})
	m.Text, m.HTML = text.String(), markup.String()
	return m, err
}

func isAttachment(part *message.Entity) bool {
	disposition, _, _ := part.Header.ContentDisposition()
	return strings.EqualFold(disposition, "attachment")
}

func headerText(e *message.Entity, name string) string {
	s, err := e.Header.Text(name)
	if err != nil {
		s = e.Header.Get(name)
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// isFlowed reports whether the sender broke lines at will, also inside a URL (RFC 3676 section 4,
// "format=flowed" with "DelSp=yes").
func isFlowed(params map[string]string) bool {
	return strings.EqualFold(params["format"], "flowed") && strings.EqualFold(params["delsp"], "yes")
}

// unflowed joins the lines of such a text: a line that ends in a blank goes on in the next one, and
// the blank was not in the text. A line "-- " is a signature's and stands alone.
func unflowed(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		quotes := len(line) - len(strings.TrimLeft(line, ">"))
		line = strings.TrimPrefix(line[quotes:], " ") // space-stuffing, section 4.4
		if flows, ok := strings.CutSuffix(line, " "); ok && line != "-- " {
			b.WriteString(flows)
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func asItIs(text string) string { return text }

// appendBody adds what fits of a part to dst, as read makes of it. Line ends become "\n".
func appendBody(dst *strings.Builder, body io.Reader, read func(string) string) error {
	room := maxBody + 1 - dst.Len()
	if room <= 0 {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(body, int64(room)))
	if err != nil {
		return err
	}
	if dst.Len() > 0 {
		dst.WriteByte('\n')
	}
	s := string(b)
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst.WriteString(read(strings.ReplaceAll(s, "\r\n", "\n")))
	return nil
}

// limitReader fails with ErrTooLarge where io.LimitReader would pretend that the input ended, and
// remembers the error that ended the reading.
type limitReader struct {
	r    io.Reader
	left int
	err  error
}

func (l *limitReader) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if len(p) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= n
	if l.left < 0 {
		l.err = ErrTooLarge
		return 0, l.err
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}
