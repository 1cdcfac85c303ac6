package linkclick

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// crlf writes a mail with the line ends it has on the wire.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func TestReadMIME(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  string
		want Mail
	}{
		"plain": {crlf("Subject: Hi", "From: ACME <a@acme.example>", "", "Hello", "you"),
			Mail{Subject: "Hi", From: "ACME <a@acme.example>", Text: "Hello\nyou\n"}},
		"soft breaks in a link": {crlf("Content-Type: text/html; charset=utf-8",
			"Content-Transfer-Encoding: Quoted-Printable", "",
			`<a href=3D"https://login.acme.example/u/email-verificatio=`,
			`n?ticket=3DZk3v&amp;x=3Dy">Bekr=C3=A6ft</a>`),
			Mail{HTML: "<a href=\"https://login.acme.example/u/email-verification?ticket=Zk3v&amp;x=y\">" +
				"Bekræft</a>\n"}},
		"encoded words": {crlf("Subject: =?UTF-8?B?QmVrcsOmZnQ=?= =?iso-8859-1?Q?_din_e-mail_=E6?=",
			"From: =?utf-8?q?ACM=C3=89?= <a@acme.example>", "", "x"),
			Mail{Subject: "Bekræft din e-mail æ", From: "ACMÉ <a@acme.example>", Text: "x\n"}},
		"alternative, base64, old charsets": {crlf("Subject: S",
			`Content-Type: multipart/alternative; boundary="b"`, "",
			"--b", "Content-Type: text/plain; charset=windows-1252", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString([]byte("na\xefve \x80")),
			"--b", "Content-Type: text/html; charset=iso-2022-jp", "", "\x1b$B3NG'\x1b(B",
			"--b--"),
			Mail{Subject: "S", Text: "naïve €", HTML: "確認"}},
		"nested, attachments skipped, parts joined": {crlf("Content-Type: multipart/mixed; boundary=a",
			"",
			"--a", "Content-Type: multipart/related; boundary=b", "",
			"--b", "Content-Type: text/html", "", "<p>1</p>", "--b", "Content-Type: image/png", "", "png",
			"--b--",
			"--a", "Content-Type: text/html", "", "<p>2</p>",
			"--a", "Content-Type: text/html", "Content-Disposition: attachment; filename=x.html", "",
			"<p>3</p>",
			"--a", "Content-Type: message/rfc822", "", "Subject: inner", "", "inner",
			"--a--"),
			Mail{HTML: "<p>1</p>\n<p>2</p>"}},
		"flowed lines, blanks deleted": {crlf(`Content-Type: text/plain; format=flowed; DelSp=yes`, "",
			"Please  ", "confirm:  ", "https://login.acme.example/u/email-verification?ti ",
			"cket=Zk3vQ8mW ", "1xT5", "", " >stuffed", "> quo ", "> ted", "-- ", "ACME"),
			Mail{
				Text: "Please confirm: https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5\n" +
					"\n>stuffed\nquoted\n-- \nACME\n"}},
		"flowed lines, blanks kept": {crlf(`Content-Type: text/plain; format=flowed`, "", "583920 ",
			"Hi"),
			Mail{Text: "583920 \nHi\n"}},
		"unknown charset is read as it is": {crlf("Content-Type: text/plain; charset=x-none", "",
			"https://a.example/\xff"),
			Mail{Text: "https://a.example/\uFFFD\n"}},
		"unknown encoding is skipped": {crlf("Content-Type: text/plain",
			"Content-Transfer-Encoding: x-none", "", "abc"), Mail{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadMIME(strings.NewReader(tt.raw))
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestReadMIMELimits(t *testing.T) {
	nested := func(depth int) string {
		var b strings.Builder
		for i := range depth {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		b.WriteString("Content-Type: text/plain\r\n\r\nx\r\n")
		for i := depth - 1; i >= 0; i-- {
			fmt.Fprintf(&b, "--b%d--\r\n", i)
		}
		return b.String()
	}
	parts := func(n int) string {
		return crlf("Content-Type: multipart/mixed; boundary=b", "") + strings.Repeat(crlf("--b",
			"Content-Type: text/plain", "", "x"), n) + crlf("--b--")
	}
	for name, tt := range map[string]struct {
		raw string
		err error
	}{
		"largest mail":   {crlf("Subject: x", "") + strings.Repeat("x", maxMail-14), nil},
		"one byte more":  {crlf("Subject: x", "") + strings.Repeat("x", maxMail-13), ErrTooLarge},
		"most parts":     {parts(maxParts - 1), nil},
		"one part more":  {parts(maxParts), ErrTooLarge},
		"deepest":        {nested(maxDepth), nil},
		"one level more": {nested(maxDepth + 1), ErrTooLarge},
		"header flood":   {strings.Repeat("X-A: secret\r\n", 6000) + "\r\nx", ErrMalformed},
		"no header":      {"just secret words\r\n", ErrMalformed},
		"cut in a part": {crlf("Content-Type: multipart/mixed; boundary=b", "", "--b",
			"Content-Type: text/plain", "", "x"), ErrMalformed},
		"bad base64":         {crlf("Content-Transfer-Encoding: base64", "", "secret!"), ErrMalformed},
		"no boundary at all": {crlf("Content-Type: multipart/mixed", "", "x"), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ReadMIME(strings.NewReader(tt.raw))
			if tt.err == nil {
				require.NoError(t, err)
				require.NotEmpty(t, m.Text)
				require.LessOrEqual(t, len(m.Text), maxBody+1)
				return
			}
			require.ErrorIs(t, err, tt.err)
			require.NotContains(t, err.Error(), "secret")
			require.Empty(t, m)
		})
	}
}

func TestReadMIMEReaderError(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := ReadMIME(io.MultiReader(strings.NewReader("Subject: x\r\n\r\nab"),
		iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
}

func FuzzReadMIME(f *testing.F) {
	f.Add([]byte(crlf("Subject: =?utf-8?q?x?=", "Content-Type: multipart/alternative; boundary=b", "",
		"--b", "", "x", "--b--")))
	f.Add([]byte(crlf("Content-Type: text/html; charset=utf-7",
		"Content-Transfer-Encoding: quoted-printable", "", "=3D=", "x")))
	f.Add([]byte("Subject: " + strings.Repeat("=?utf-8?b?QUFB?= ", 3000) + "\r\n\r\nx"))
	f.Add([]byte(crlf("Content-Type: text/plain; format=flowed; delsp=yes", "", "> a \r\n-- \r\n b ",
		"c")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m Mail
		var err error
		costsLittle(t, func() { m, err = ReadMIME(bytes.NewReader(raw)) })
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
			t.Fatal(err)
		}
		// Nothing grows beyond its limit; a replaced byte becomes three.
		if len(m.Text) > 3*maxBody || len(m.HTML) > 3*maxBody {
			t.Fatal("too long")
		}
	})
}

// Ensure that a raw mail brings the first language that its header names.
func TestContentLanguage(t *testing.T) {
	m, err := ReadMIME(strings.NewReader("Content-Language: da-DK, en\r\n\r\nHej"))
	require.NoError(t, err)
	require.Equal(t, "da-DK", m.Language)
}
