package inbound

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// wantedOf is the part of a form that is read, as the standard library reads all of it.
func wantedOf(form url.Values) url.Values {
	wanted := url.Values{}
	for name, values := range form {
		if parsedFields(name) && len(name) <= maxKey {
			wanted[name] = values
		}
	}
	return wanted
}

// agree shows that the reading of a urlencoded body is that of url.ParseQuery wherever the
// latter accepts the body, however the bytes arrive.
func agree(t interface{ Fatalf(string, ...any) }, body string) {
	want, err := url.ParseQuery(body)
	if err != nil {
		return // it refuses semicolons and broken escapes also in fields that are not wanted
	}
	for _, in := range []io.Reader{
		strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)),
	} {
		got, err := readURLEncoded(in, parsedFields)
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		if !reflect.DeepEqual(got, wantedOf(want)) {
			t.Fatalf("got %v, want %v", got, wantedOf(want))
		}
	}
}

func TestReadURLEncodedAgreesWithTheStandardLibrary(t *testing.T) {
	piece := rapid.SampledFrom(
		[]string{
			"recipient",
			"token",
			"body-html",
			"Message-Id",
			"messAge-iD",
			"x",
			"",
			"=",
			"&",
			"%3D",
			"%26",
			"%72ecipient",
			"+",
			"%2B",
			" ",
			"\x00",
			"ø",
			"a=b",
		},
	)
	rapid.Check(
		t,
		func(t *rapid.T) { agree(t, strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")) },
	)
	agree(t, "recipient&recipient=&recipient=a&=x&&token==&token")
}

func FuzzReadURLEncoded(f *testing.F) {
	f.Add(
		"recipient=acme%2B4520123456%40sms.acme.example&token=1&body-html=%3Ca%3E&" +
			"stripped-text=Open&Received=by+a&Received=by+b",
	)
	f.Add("token=a&token=b;c=d&recipient&=&%=%&body-html=" + strings.Repeat("%41", 100))
	f.Fuzz(func(t *testing.T, body string) { agree(t, body) })
}

func FuzzReadMultipart(f *testing.F) {
	file := "--y\r\nContent-Disposition: form-data; name=\"attachment-1\"; " +
		"filename=\"logo.png\"\r\n\r\n\x00\xff\r\n"
	field := "--y\r\nContent-Disposition: form-data; " +
		"name=\"recipient\"\r\n\r\nacme+4520123456@sms.acme.example\r\n"
	f.Add("y", []byte(file+field+"--y--\r\n"))
	f.Add("x", []byte("--x\r\nContent-Disposition: form-data; name=token\r\n\r\n1\r\n--x--\r\n"))
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		got, err := readMultipart(multipart.NewReader(bytes.NewReader(body), boundary), parsedFields)
		if err != nil {
			return
		}
		want, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(64 << 20)
		if err != nil || bytes.Contains(bytes.ToLower(body), []byte("quoted-printable")) {
			return // which ReadForm decodes, and no form has (RFC 7578 section 4.7)
		}
		defer want.RemoveAll()
		for name, values := range wantedOf(want.Value) {
			require.Equal(t, values, got[name])
		}
		for name := range got {
			require.Contains(t, want.Value, name)
		}
	})
}
