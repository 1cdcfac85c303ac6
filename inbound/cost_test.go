package inbound_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
)

// posted is a request that can be served again and again. So a measurement sees what a door does,
// and not what its caller does.
type posted struct {
	*http.Request
	body   []byte
	header http.Header // of the response
	status int
	said   []byte
}

// body is a body that allocates nothing when it is read again.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

// Header, Write, WriteHeader and SetReadDeadline are those of a connection.
func (p *posted) Header() http.Header               { return p.header }
func (p *posted) WriteHeader(status int)            { p.status = status }
func (p *posted) SetReadDeadline(_ time.Time) error { return nil }
func (p *posted) Write(text []byte) (int, error) {
	p.said = append(p.said, text...)
	return len(text), nil
}

// postOf is a request to a path.
func postOf(t testing.TB, path, kind string, content io.Reader, header ...string) *posted {
	t.Helper()
	all, err := io.ReadAll(content)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x"+path,
		http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "mailgun/treq-0.2.1")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.RequestURI, r.ContentLength, r.Body = path, int64(len(all)), &body{}
	return &posted{Request: r, body: all, header: http.Header{}}
}

// serve serves the request once more.
func (p *posted) serve(handler http.Handler) {
	p.Body.(*body).Reset(p.body)
	clear(p.header)
	p.said = p.said[:0]
	handler.ServeHTTP(p, p.Request)
}

// mailOf10kB is the form of a verification mail with a letter's HTML, as Mailgun posts it.
func mailOf10kB() url.Values {
	form := inboundtest.MailForm(1)
	row := `<tr><td style="padding:0 24px"><p>Welcome to ACME &mdash; please confirm.</p></td></tr>`
	form.Set("body-html", strings.Repeat(row, 24)+form.Get("body-html"))
	form.Set("stripped-html", form.Get("body-html"))
	form.Set("message-headers", `[`+strings.Repeat(`["Received","by x"],`, 60)+`["To","x"]]`)
	return form
}

// costs are the webhooks that are measured.
func costs(t testing.TB) map[string]*posted {
	mail := mailOf10kB()
	kind, parts := writeMultipart(t, mail)
	file, whole := writeMultipart(t, mail, "attachment-1")
	raw := inboundtest.MailForm(1)
	raw.Set("body-mime", "Message-Id: <1@acme.example>\r\n\r\n"+strings.Repeat("A line.\r\n", 1000))
	reply := inboundtest.ReplyForm(1, "YES")
	sid := reply.Get("MessageSid")
	receipt := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "MessageStatus": {"delivered"},
		"SmsStatus": {"delivered"}, "To": {inboundtest.Phone}, "From": {"+15005550006"},
		"AccountSid": {inboundtest.AccountSID}, "ApiVersion": {"2010-04-01"},
	}
	receiptURL := "/twilio/acme/receipt?text=1"
	return map[string]*posted{
		"mail":           postOf(t, "/mailgun/acme", contentForm, strings.NewReader(mail.Encode())),
		"mail in parts":  postOf(t, "/mailgun/acme", kind, parts),
		"mail with file": postOf(t, "/mailgun/acme", file, whole),
		"raw mail":       postOf(t, "/mailgun/acme/mime", contentForm, strings.NewReader(raw.Encode())),
		"reply": postOf(t, "/twilio/acme/reply", contentForm, strings.NewReader(reply.Encode()),
			"X-Twilio-Signature", inboundtest.SignTwilio(inboundtest.AuthToken, inboundtest.ReplyURL,
				reply)),
		"receipt": postOf(t, receiptURL, contentForm, strings.NewReader(receipt.Encode()),
			"X-Twilio-Signature", inboundtest.SignTwilio(inboundtest.AuthToken,
				inboundtest.PublicURL+receiptURL, receipt)),
	}
}

// readerOf is the doors' own work, with the log that the program has.
func readerOf(t testing.TB) http.Handler {
	s := &inbound.Server{
		Settings: inboundtest.Settings(t), Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
		Now: func() time.Time { return inboundtest.Start },
	}
	return s.Reader()
}

// BenchmarkDoor measures what a door does with a webhook, without the database.
func BenchmarkDoor(b *testing.B) {
	handler := readerOf(b)
	for name, p := range costs(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(p.body)))
			began := processorTime(b)
			for b.Loop() {
				p.serve(handler)
			}
			b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
			require.Equal(b, http.StatusOK, p.status, string(p.said))
		})
	}
}
