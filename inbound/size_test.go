//go:build !race

package inbound_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/longtest"
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
	longtest.Skip(t)
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
	longtest.Skip(t)
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

// heap is how many bytes the process has in use, once what is garbage is gone.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// Ensure that bodies which nothing proves cost little memory: 64 half-sent posts of 6 MiB, in every
// kind of form. What they hold is given back when they end, and genuine mails are taken again.
func TestHalfSentBodiesCostLittle(t *testing.T) {
	longtest.Skip(t)
	// A little more than is kept, since what comes after that costs nothing but time.
	raw := strings.Repeat("a", 2*mebi)
	fill, some, escaped := raw[:mebi+mebi/4], raw[:mebi+mebi/4], strings.Repeat("%41", mebi/4)
	part := "--x\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n"
	const multi = "multipart/form-data; boundary=x"
	for name, c := range map[string]struct {
		path, kind string
		parts      []string
	}{
		"one field":     {"/mailgun/acme", contentForm, []string{"body-html=", fill}},
		"escaped":       {"/mailgun/acme", contentForm, []string{"body-html=", escaped}},
		"a name":        {"/mailgun/acme", contentForm, []string{some}},
		"a part":        {"/mailgun/acme", multi, []string{fmt.Sprintf(part, "body-html"), some}},
		"a part's head": {"/mailgun/acme", multi, []string{"--x\r\nX: ", some}},
		"heads":         {"/mailgun/acme", multi, []string{"--x\r\n", strings.Repeat("a:\r\n", mebi/8)}},
		"a file":        {"/mailgun/acme", multi, []string{fmt.Sprintf(part, "a"), some}},
		"raw":           {"/mailgun/acme/mime", contentForm, []string{"body-mime=", raw}},
		"no form":       {"/mailgun/acme", "text/plain", []string{some}},
		"many fields":   {"/mailgun/acme", contentForm, []string{strings.Repeat("from=&", mebi/8)}},
		"of no tenant":  {"/mailgun/nobody", contentForm, []string{"body-html=", some}},
		"Twilio's":      {"/twilio/acme/reply", contentForm, []string{"Body=", some}},
		"a key's":       {"/v1/verifications", "application/json", []string{`{"phone":"`, some}},
		"kept, not more": {"/mailgun/acme", contentForm, []string{"body-html=", fill[:960<<10], "&x=",
			fill[mebi:]}},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBridge(t, storetest.SQLite(t))
			before := heap()
			conns := make([]net.Conn, 64)
			var sending sync.WaitGroup
			for i := range conns {
				sending.Go(func() {
					conns[i] = b.half(t, c.path, c.kind, 6*mebi+1000, c.parts...)
				})
			}
			sending.Wait()
			if name == "kept, not more" {
				b.settled(t, func(n int64) bool { return n > 8*mebi && n <= 64*mebi })
			}
			// On a busy machine, garbage may pile up while the heap is measured. It is not held.
			require.Eventually(t, func() bool {
				cost := heap() - before
				t.Logf("%.1f MB", float64(cost)/1e6)
				return cost < 100e6
			}, time.Minute, 10*time.Millisecond)
			for _, conn := range conns {
				require.NoError(t, conn.Close())
			}
			b.settled(t, func(n int64) bool { return n == 0 })
			require.Equal(t, "recorded\n", b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).Body)
			b.settled(t, func(n int64) bool { return n == 0 })
		})
	}
}
