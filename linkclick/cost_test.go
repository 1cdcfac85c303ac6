//go:build unix

package linkclick

import (
	"bufio"
	"fmt"
	"mime/quotedprintable"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// longMail returns a raw mail of a newsletter's making with about size bytes, of which the last
// are a verification.
func longMail(size int) string {
	var b strings.Builder
	b.WriteString("Subject: Verify your email\r\nContent-Type: text/html; " +
		"charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	for i := 0; b.Len() < size; i++ {
		if i%12 == 0 && i/12 < maxLinks/2 {
			fmt.Fprintf(w, `<tr><td style="padding:0"><p>Words of a <a href="https://www.acme.example/n?`+
				`a=%d&amp;b=2">letter</a></p></td></tr>`+"\n", i)
		}
		fmt.Fprint(w, `<tr><td style="padding:0" class="wide"><p>More <b>words</b> of it, code 1.</p>`+
			`</td></tr>`+"\n")
	}
	fmt.Fprint(w, verifyMail(auth0Verify))
	_ = w.Close()
	return b.String()
}

func examineMail(t testing.TB, raw string) Finding {
	m, err := ReadMIME(strings.NewReader(raw))
	require.NoError(t, err)
	return Find(m, acme)
}

// A mail of 100 kB takes less than 5 ms, from its bytes to its finding.
func BenchmarkExamine100kB(b *testing.B) {
	raw := longMail(100_000)
	require.Equal(b, auth0Verify, examineMail(b, raw).URL)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		examineMail(b, raw)
	}
}

// A usual verification mail.
func BenchmarkExamine2kB(b *testing.B) {
	raw := longMail(0)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		examineMail(b, raw)
	}
}

// allocated returns how many bytes do allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// processorTime returns what this process has used. A busy machine does not lengthen it.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Memory grows with the size of a mail and not faster, up to where a mail is not read any
// further.
func TestMemoryIsLinear(t *testing.T) {
	small, large := longMail(50_000), longMail(400_000)
	once := allocated(func() { examineMail(t, small) })
	eight := allocated(func() { examineMail(t, large) })
	require.Less(t, eight, 10*once, "%d bytes for 50 kB, %d for 400 kB", once, eight)
	require.Less(t, eight, uint64(40*len(large)))
}

// What a hostile mail may cost: the worst of each part of the work, as large as a body may be.
func TestWorstMails(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, maxBody/len(s)) }
	for name, m := range map[string]Mail{
		"numbers":      {Subject: "Your code", Text: fill("code 583920 ")},
		"number lines": {Subject: "Your code", Text: fill("583920\n")},
		"promo codes":  {Subject: "Hi", Text: "583920\n" + fill("promo code ")},
		"questions":    {Subject: "Your code", Text: fill("code? ")},
		"URLs":         {Text: fill("https://login.acme.example/a?b=c ")},
		"one URL":      {Text: "https://login.acme.example/" + fill("a")},
		"schemes":      {Text: fill("https://")},
		"anchors":      {HTML: fill(`<a href="https://login.acme.example/a?b=c">verify</a>`)},
		"actions": {HTML: fill(`<div itemtype="ConfirmAction"><a itemprop=url href=https://` +
			`login.acme.example/a?b=c>`)},
		"JSON-LD": {HTML: `<script type="application/ld+json">` +
			strings.Repeat(`{"@type":"ConfirmAction","url":"https://login.acme.example/a?b=c","x":[`, 5000) +
			`</script>`},
		"nested JSON": {HTML: `<script type="application/ld+json">` + fill(`[`) + `</script>`},
		"attributes":  {HTML: `<a ` + fill(`href=x `) + `>`},
		"open tags":   {HTML: fill("<b>")},
		"entities":    {HTML: fill("&amp;")},
		"powered by":  {Text: fill("powered by ")},
		"one long line": {Subject: "Verify your code", Text: fill("verify ") +
			"\nhttps://login.acme.example/a?b=c"},
	} {
		start := processorTime(t)
		bytes := allocated(func() { Find(m, acme) })
		require.Less(t, processorTime(t)-start, 2*time.Second, name) // some 50 ms
		require.Less(t, bytes, uint64(64<<20), name)
	}
}

// Judging a page as large as may be read takes no time that a click would notice.
func TestLongPageIsJudgedQuickly(t *testing.T) {
	start := processorTime(t)
	require.Equal(t, OutcomeUnknown, judgeWords(strings.Repeat("x\n", 128<<10), true))
	require.Less(t, processorTime(t)-start, 3*time.Second) // some 50 ms
}

// A server that sends without end costs a click no more than it reads.
func TestClickMemoryIsBounded(t *testing.T) {
	filler := []byte(strings.Repeat("<p>words ", 1000))
	for _, head := range []string{
		"Content-Type: text/html\r\n\r\n", "Content-Type: application/json\r\n\r\n{\"a\":\"",
		"Content-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n",
		"Content-Type: text/html; charset=utf-16\r\n\r\n", "X: ",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\n" + head))
			for err == nil {
				_, err = conn.Write(filler)
			}
		}()
		c := &Clicker{Rule: Rule{Hosts: []string{l.Addr().String()}, UnsafeAllow: loopback},
			Timeout: time.Minute}
		var r Result
		bytes := allocated(func() {
			r = open(t, c,
				"http://"+l.Addr().String()+"/auth/verify-email?token=t1&callbackURL=%2F")
		})
		l.Close()
		require.Equal(t, OutcomeUnknown, r.Outcome, head)
		require.Less(t, bytes, uint64(24<<20), head)
		require.Len(t, r.Steps, 1)
		require.Equal(t, http.MethodGet, r.Steps[0].Method)
	}
}
