//go:build !race

package linkclick

import (
	"fmt"
	"mime/quotedprintable"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"smsbridge/internal/longtest"
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

// BenchmarkExamine measures mails from their bytes to their finding, in processor time too, which a
// busy machine lengthens less. On a quiet one 10 kB take at most 0.5 ms, and 100 kB at most 3.
func BenchmarkExamine(b *testing.B) {
	for name, size := range map[string]int{"2kB": 0, "10kB": 10_000, "30kB": 30_000,
		"100kB": 100_000} {
		raw := longMail(size)
		require.Equal(b, auth0Verify, examineMail(b, raw).URL)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			began := processorTime(b)
			for b.Loop() {
				examineMail(b, raw)
			}
			b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkJudge measures what a page of success takes to be believed: the words of the page, and
// those of its address and of the link.
func BenchmarkJudge(b *testing.B) {
	link, err := url.Parse(auth0Verify)
	require.NoError(b, err)
	k := &click{Clicker: &Clicker{Rule: acme}, link: link, shape: shapeOf(link)}
	a := response{request: request{to: link}, status: 200}
	for name, padding := range map[string]string{
		"small": "", "10kB": strings.Repeat("<p>More <b>words</b> of it, and a code</p>\n", 240),
	} {
		p := readPage("<h1>Email verification</h1>" + padding + "<p>Your email was verified. " +
			"You can continue using the application.</p>")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if outcome, _ := k.judgePage(a, p); outcome != OutcomeConfirmed {
					b.Fatal(outcome)
				}
			}
		})
	}
}

// The three inputs with which one mail of 500 kB once took up to 36 s.
func BenchmarkAttacks(b *testing.B) {
	for name, text := range attacks(500_000) {
		m := Mail{Text: text}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Find(m, acme)
			}
		})
	}
}

// The worst raw mails of 2 MiB.
func BenchmarkWorst2MiB(b *testing.B) {
	for name, raw := range worstRawMails() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if m, err := ReadMIME(strings.NewReader(raw)); err == nil {
					Find(m, acme)
				}
			}
		})
	}
}

// Whatever is repeated until a mail is long, it is looked at in time, in the body and in the
// header.
func TestRepetitionsCostLittle(t *testing.T) {
	longtest.Skip(t)
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SampledFrom([]string{
			"1", "583920", "5 8", "-", "\n", " ", ")", "(", "](", "[", "]", "https://",
			"login.acme.example/",
			"?a=b&", "#", "code ", "order: ", "verify ", "if it was not you. ", "@", "。", "認証", "<b>",
			"</i>",
			"<td>", "</p>", "<a href=https://login.acme.example/e?t=Zk3vQ8mW1xT5>", "</a>", "<li hidden>",
			`<p style="font-size:0;`, `">`, "<!--", "-->", "&amp;", `<script type="application/ld+json">`,
			`{"@type":"ConfirmAction","url":`, "]}", "</script>", "=?utf-8?q?x?=", "\r\n ", "--b", ": ",
		})
		piece := strings.Join(rapid.SliceOfN(pieces, 1, 6).Draw(rt, "piece"), "")
		long := strings.Repeat(piece, maxBody/4/len(piece))
		start := processorTime(t)
		Find(Mail{Subject: long, Text: long, HTML: long}, Rule{Hosts: acme.Hosts, Paths: []string{"/e"}})
		_, _ = ReadMIME(strings.NewReader("A: b\r\n\r\n" + long))
		_, _ = ReadMIME(strings.NewReader("Subject: " + long + "\r\n\r\nx"))
		if used := processorTime(t) - start; used > time.Second {
			rt.Fatalf("%v for %q", used, piece)
		}
	})
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

// worstMails are mails as large as may be, each the worst for a part of the work.
func worstMails() map[string]Mail {
	fill := func(s string) string { return strings.Repeat(s, maxBody/len(s)) }
	link := `<a href="https://login.acme.example/a?b=c">verify</a>`
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < maxBody; i++ {
			fmt.Fprintf(&b, format, i, i)
		}
		return b.String()
	}
	names := numbered("n%d=%d&")
	mails := map[string]Mail{
		"lines of one digit": {Text: fill("1\n")},
		"a line of numbers":  {Text: fill("583920 ")},
		"brackets":           {Text: "https://login.acme.example/" + fill(")")},
		"open brackets":      {Text: "https://login.acme.example/" + fill("(")},
		"numbers":            {Subject: "Your code", Text: fill("code 583920 ")},
		"number lines":       {Subject: "Your code", Text: fill("583920\n")},
		"digits":             {Subject: "Your code", Text: fill("5")},
		"spaced digits":      {Subject: "Your code", Text: fill("5 ")},
		"other digits":       {Subject: "Your code", Text: fill("৫ ")},
		"promo codes":        {Subject: "Hi", Text: "583920\n" + fill("promo code ")},
		"questions":          {Subject: "Your code", Text: fill("code? ")},
		"URLs":               {Text: fill("https://login.acme.example/a?b=c ")},
		"other URLs":         {Text: numbered("https://login.acme.example/a%dZk3vQ8mW1xT5/%d ")},
		"one URL":            {Text: "https://login.acme.example/" + fill("a")},
		"schemes":            {Text: fill("https://")},
		"dots":               {Text: fill("https://a...........")},
		"addresses":          {Text: fill("a@b ")},
		"words": {Text: numbered("перевод двухфактор %d %d ") +
			"https://login.acme.example/e?" + aToken},
		"anchors": {HTML: fill(link)},
		"other anchors": {HTML: numbered(`<a href="https://login.acme.example/a%dZk3vQ8mW1xT5/%d">` +
			`verify your new email address</a>`)},
		"parameters": {HTML: numbered(`<a href="https://login.acme.example/e%d?x=%d&` + names[:8000] +
			`">x</a>`)},
		"actions": {HTML: fill(`<div itemtype="ConfirmAction"><a itemprop=url href=https://` +
			`login.acme.example/a?b=c>`)},
		"JSON-LD": {HTML: `<script type="application/ld+json">` +
			strings.Repeat(`{"@type":"ConfirmAction","url":"https://login.acme.example/a?b=c","x":[`, 5000) +
			`</script>`},
		"a list in JSON-LD": {HTML: `<script type="application/ld+json">[` +
			fill(`{"@type":"ConfirmAction","url":"https://login.acme.example/a?b=c"},`) + `1]</script>`},
		"nested JSON": {HTML: `<script type="application/ld+json">` + fill(`[`) + `</script>`},
		"attributes":  {HTML: `<a ` + fill(`href=x `) + `>`},
		"open tags":   {HTML: fill("<b>")},
		"deep tags":   {HTML: strings.Repeat("<b>", maxNesting-1) + fill("<li></i>")},
		"deep cells":  {HTML: strings.Repeat("<b>", maxNesting-2) + "<td>" + fill("<td></p>")},
		"styles":      {HTML: fill(`<p style="font-size:0">x`)},
		"long styles": {HTML: fill(`<p style="` + strings.Repeat(`a:b;`, 1000) + `">x`)},
		"comments":    {HTML: fill(`<p style="` + strings.Repeat(`/**/`, 1000) + `">x`)},
		"elements":    {HTML: fill(`<b>583920</b>`)},
		"entities":    {HTML: fill("&amp;")},
		"powered by":  {Text: fill("powered by ")},
		"one long line": {Subject: "Verify", Text: fill("verify ") +
			"\nhttps://login.acme.example/a?b=c"},
		"a subject": {Subject: fill("583920 code ")},
		"a sender":  {From: fill("@")},
	}
	all := Mail{}
	for _, m := range mails { // a bit of everything
		all.Text += m.Text[:min(len(m.Text), maxBody/len(mails))] + "\n"
		all.HTML += m.HTML[:min(len(m.HTML), maxBody/len(mails))] + "\n"
	}
	mails["everything"] = all
	for name, m := range mails { // of what is longer, only the bound is seen
		m.Text, m.HTML = m.Text[:min(len(m.Text), maxBody)], m.HTML[:min(len(m.HTML), maxBody)]
		mails[name] = m
	}
	return mails
}

// A mail as large as may be takes some 100 ms. The bound is generous, since no busy machine may
// fail it, and still far below what a quadratic loop takes.
func TestWorstMails(t *testing.T) {
	longtest.Skip(t)
	rule := Rule{Hosts: acme.Hosts, Paths: []string{"/a", "/e"}}
	for name, m := range worstMails() {
		both := Mail{Subject: m.Subject, From: m.From, Text: m.Text + m.HTML, HTML: m.HTML + m.Text}
		start := processorTime(t)
		bytes := allocated(func() { Find(both, rule) })
		used := processorTime(t) - start
		assert.Less(t, used, time.Second, name)
		assert.Less(t, bytes, uint64(64<<20), name)
		t.Logf("%-20s %4d ms %5d kB", name, used.Milliseconds(), bytes>>10)
	}
}

// worstRawMails are raw mails as large as may be, each the worst for a part of reading MIME.
func worstRawMails() map[string]string {
	fill := func(head, s string) string {
		return head + "\r\n" +
			strings.Repeat(s, (maxMail-len(head)-2)/len(s))
	}
	mails := map[string]string{
		"quoted-printable": fill("Content-Transfer-Encoding: quoted-printable\r\n", "=41"),
		"soft breaks":      fill("Content-Transfer-Encoding: quoted-printable\r\n", "=\r\n"),
		"base64":           fill("Content-Transfer-Encoding: base64\r\n", "QUFB\r\n"),
		"old charset":      fill("Content-Type: text/plain; charset=iso-2022-jp\r\n", "\x1b$B3N\x1b(B"),
		"utf-7":            fill("Content-Type: text/plain; charset=utf-7\r\n", "+AGE-"),
		"broken utf-8":     fill("Content-Type: text/html\r\n", "\xff"),
		"flowed":           fill("Content-Type: text/plain; format=flowed; delsp=yes\r\n", "> \r\n"),
		"boundaries":       fill("Content-Type: multipart/mixed; boundary=b\r\n", "--b \r\n"),
		"near boundaries":  fill("Content-Type: multipart/mixed; boundary=b\r\n", "--bb\r\n"),
		"long boundary": fill("Content-Type: multipart/mixed; boundary="+strings.Repeat("a", 70)+"\r\n",
			"--"+strings.Repeat("a", 69)+"\r\n"),
		"encoded words": "Subject: " + strings.Repeat("=?utf-8?b?QUFB?= ", maxHeader/20) + "\r\n\r\nx",
		"broken words":  "Subject: " + strings.Repeat("=?utf-8?b?", maxHeader/12) + "\r\n\r\nx",
		"folded header": "Subject: a" + strings.Repeat("\r\n a", maxHeader/8) + "\r\n\r\nx",
		"fields":        strings.Repeat("A: b\r\n", maxHeader/8) + "\r\nx",
		"parameters": "Content-Type: text/plain" + strings.Repeat("; a*0=b", maxHeader/10) +
			"\r\n\r\nx",
	}
	for name, m := range worstMails() {
		mails["text, "+name] = fill("Content-Type: text/plain; charset=utf-8\r\n", m.Text+m.HTML+" ")
		mails["HTML, "+name] = fill("Content-Type: text/html; charset=utf-8\r\n", m.HTML+m.Text+" ")
	}
	return mails
}

// From the bytes of a raw mail to its finding, or to the error that refuses it.
func TestWorstRawMails(t *testing.T) {
	longtest.Skip(t)
	for name, raw := range worstRawMails() {
		start := processorTime(t)
		bytes := allocated(func() {
			if m, err := ReadMIME(strings.NewReader(raw)); err == nil {
				Find(m, acme)
			}
		})
		used := processorTime(t) - start
		assert.Less(t, used, time.Second, name)
		assert.Less(t, bytes, uint64(64<<20), name)
		t.Logf("%-28s %4d ms %5d kB", name, used.Milliseconds(), bytes>>10)
	}
}

// Judging a page as large as may be read takes no time that a click would notice.
func TestLongPageIsJudgedQuickly(t *testing.T) {
	start := processorTime(t)
	require.Equal(t, OutcomeUnknown, judgeWords(strings.Repeat("x\n", 128<<10), true))
	require.Less(t, processorTime(t)-start, 3*time.Second) // some 50 ms

	// One sentence with every phrase of success, each of which depends on a word far before it.
	conditions, phrases := "", ""
	for _, l := range known().languages {
		conditions += l.unless[0] + " "
		phrases += strings.Join(l.phrases[OutcomeConfirmed], " ") + " "
	}
	start = processorTime(t)
	judgeWords(strings.Repeat("x ", 120<<10)+conditions+phrases, true)
	require.Less(t, processorTime(t)-start, time.Second) // some 50 ms
}

// tagsAgree asserts that tags and attributes are named as the tokenizer names them.
func tagsAgree(t testing.TB, markup string) {
	ours := html.NewTokenizer(strings.NewReader(markup))
	theirs := html.NewTokenizer(strings.NewReader(markup))
	for kind := ours.Next(); kind != html.ErrorToken; kind = ours.Next() {
		require.Equal(t, kind, theirs.Next())
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			tag, unknown := tagOf(ours)
			name, more := theirs.TagName()
			if unknown == "" {
				unknown = tag.String()
			}
			require.Equal(t, string(name), unknown)
			for kind != html.EndTagToken {
				key, val, left := ours.TagAttr()
				if !more {
					require.Empty(t, key)
					break
				}
				var theirKey, theirVal []byte
				theirKey, theirVal, more = theirs.TagAttr()
				require.Equal(t, theirKey, key)
				require.Equal(t, theirVal, val)
				require.Equal(t, more, left)
			}
		}
	}
}

func TestTagsAgreeWithTheTokenizer(t *testing.T) {
	for _, markup := range []string{
		"<a><A><a href=x><a\thref='x'><a\nb><a\fb><a\rb><a/><a/href=x></a></a ></A></a b=c></ a></a/>",
		"<td><tdx><td-x><td:x><h1><h7><x><a\x00><a\x00b></a\x00><\x00a><a", "</td", "<a b", "<é><aé><ª>",
		"<a =x><a ==x><a b b=c B=d><a b=\"><c\"><a b='</a>'><svg/><br/><br></br><style><a></style><a>",
		"<title></title><script><a></script><textarea><b></textarea></plaintext><plaintext><a>",
	} {
		tagsAgree(t, markup)
	}
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SampledFrom([]string{"<", "</", ">", "/", " ", "\n", "\x00", "a", "A", "td", "h1",
			"=", "\"", "'", "href", "é", "-", "!", "?", "x"})
		tagsAgree(t, strings.Join(rapid.SliceOf(pieces).Draw(rt, "pieces"), ""))
	})
}
