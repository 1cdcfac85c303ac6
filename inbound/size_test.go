package inbound_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

// flood is a body that is made while it is read, so that its sender holds nothing of it, and
// that counts what was taken. A client may go on reading it after it has its response.
type flood struct {
	mu                    sync.Mutex
	before, filler, after string
	left                  int // bytes of filler still to come
	taken                 int
	peak                  uint64 // of the heap while it was read
}

func (f *flood) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	switch {
	case f.before != "":
		n = copy(p, f.before)
		f.before = f.before[n:]
	case f.left > 0:
		for n < len(p) && f.left > 0 {
			k := copy(p[n:], f.filler[:min(len(f.filler), f.left)])
			n, f.left = n+k, f.left-k
		}
	case f.after != "":
		n = copy(p, f.after)
		f.after = f.after[n:]
	default:
		return 0, io.EOF
	}
	if (f.taken+n)>>20 != f.taken>>20 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		f.peak = max(f.peak, m.HeapAlloc)
	}
	f.taken += n
	return n, nil
}

// Ensure that a body of any size takes little memory. One within the limit is read to its end, so
// that its sender hears the response. The reading of a larger one stops.
func TestLargeMails(t *testing.T) {
	genuine := inboundtest.MailForm(1).Encode()
	part := "--x\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n"
	file := "--x\r\nContent-Disposition: form-data; name=\"attachment-1\"; filename=\"a.bin\"\r\n\r\n"
	var parts strings.Builder
	for name, values := range inboundtest.MailForm(1) {
		for _, value := range values {
			fmt.Fprintf(&parts, part+"%s\r\n", name, value)
		}
	}
	const form, multi = contentForm, "multipart/form-data; boundary=x"
	filler := strings.Repeat("abcdefg%20", 100)
	cases := []struct {
		name   string
		kind   string
		body   *flood
		status int
		read   int // at most
	}{
		{
			"a large field that nobody reads",
			form,
			&flood{before: genuine + "&stripped-html=", left: inbound.MaxRead - len(genuine) - 16},
			200,
			inbound.MaxRead,
		},
		{
			"a large name",
			form,
			&flood{before: genuine + "&", left: inbound.MaxRead - len(genuine) - 2},
			200,
			inbound.MaxRead,
		},
		{
			"a large body",
			form,
			&flood{before: genuine + "&body-mime=", left: inbound.MaxRead - len(genuine) - 12},
			200,
			inbound.MaxRead,
		},
		{
			"a large HTML",
			form,
			&flood{before: "body-html=", left: inbound.MaxRead - len(genuine) - 12, after: "&" + genuine},
			406,
			inbound.MaxRead,
		},
		{
			"a large text",
			form,
			&flood{before: genuine + "&body-plain=", left: inbound.MaxRead - len(genuine) - 20},
			406,
			inbound.MaxRead,
		},
		{
			"a large file",
			multi,
			&flood{before: parts.String() + file, left: 20 << 20, after: "\r\n--x--\r\n"},
			200,
			inbound.MaxRead,
		},
		{
			"a large text in parts",
			multi,
			&flood{
				before: fmt.Sprintf(part, "body-html"),
				left:   20 << 20,
				after:  "\r\n" + parts.String() + "--x--\r\n",
			},
			406,
			inbound.MaxRead,
		},
		{
			"a large header of a part",
			multi,
			&flood{
				before: "--x\r\nX-Long: ",
				left:   20 << 20,
				after:  "\r\n\r\n" + parts.String() + "--x--\r\n",
			},
			406,
			inbound.MaxRead,
		},
		{
			"one byte too many",
			form,
			&flood{before: genuine + "&x=", left: inbound.MaxRead - len(genuine) - 2},
			406,
			2 * inbound.MaxRead,
		},
		{
			"twice as much as is read",
			form,
			&flood{before: genuine + "&x=", left: 2 * inbound.MaxRead},
			406,
			2 * inbound.MaxRead,
		},
		{
			"twice as much in parts",
			multi,
			&flood{before: parts.String() + file, left: 2 * inbound.MaxRead},
			406,
			2 * inbound.MaxRead,
		},
		{
			"without an end, and JSON",
			"application/json",
			&flood{left: 100 * inbound.MaxRead},
			406,
			2 * inbound.MaxRead,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := openBridge(t, storetest.SQLite(t))
			c.body.filler = filler
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			answer := b.Post(t, "/mailgun/acme", c.kind, c.body)
			require.Equal(t, c.status, answer.StatusCode, answer.Body)
			c.body.mu.Lock()
			defer c.body.mu.Unlock()
			require.LessOrEqual(t, c.body.taken, c.read)
			require.Greater(t, c.body.taken, 20<<20)
			if c.body.taken < inbound.MaxRead {
				require.Empty(t, c.body.after, "the body was not read to its end")
			}
			require.Less(t, int64(c.body.peak)-int64(before.HeapAlloc), int64(48<<20))
			require.Equal(t, c.status == 200, len(b.Rows(t)) > 0)
			require.Len(t, b.Lines(t), 1)
		})
	}
}

// Ensure that what is kept is measured decoded, alike in both kinds of form, and over all
// fields together.
func TestKeptSize(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	others := 0
	for name, values := range inboundtest.MailForm(1) {
		if inbound.ParsedFields(name) && name != "body-html" {
			others += len(values[0])
		}
	}
	n := 0
	for _, c := range []struct {
		over   int
		filler string
		status int
	}{
		{0, "a", 200}, {1, "a", 406}, {0, "\n", 200}, {1, "\n", 406}, {-1000, "%", 200},
		{1000, "%", 406},
	} {
		for _, write := range []func(form url.Values) inboundtest.Response{
			func(form url.Values) inboundtest.Response { return b.PostForm(t, "/mailgun/acme", form) },
			func(form url.Values) inboundtest.Response {
				kind, body := writeMultipart(t, form)
				return b.Post(t, "/mailgun/acme", kind, body)
			},
		} {
			n++
			form := inboundtest.MailForm(n)
			idLonger := len(form.Get("Message-Id")) - len(inboundtest.MailForm(1).Get("Message-Id"))
			form.Set("body-html", strings.Repeat(c.filler, inbound.MaxParsed-others-idLonger+c.over))
			answer := write(form)
			require.Equal(t, c.status, answer.StatusCode, "%d %q: %s", c.over, c.filler, answer.Body)
		}
	}
	b.Lines(t)
}

// Ensure that a body that breaks off is called for again.
func TestBrokenOffMail(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	multi, parts := writeMultipart(t, inboundtest.MailForm(2), "attachment")
	sent := 0
	for kind, body := range map[string]string{
		contentForm: inboundtest.MailForm(1).Encode(), multi: parts.String(),
	} {
		for end := 0; end < len(body); end += len(body)/20 + 1 { // in values, names, and headers of parts
			sent++
			conn, err := net.Dial("tcp", b.Listener.Addr().String())
			require.NoError(t, err)
			_, err = fmt.Fprintf(
				conn,
				"POST /mailgun/acme HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				kind,
				len(body),
				body[:end],
			)
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.Equal(t, 503, answer.StatusCode, "%s at %d", kind, end)
			require.NoError(t, answer.Body.Close())
			require.NoError(t, conn.Close())
		}
	}
	require.Empty(t, b.Rows(t))
	require.Len(t, b.Lines(t), sent)
}
