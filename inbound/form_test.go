package inbound

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/inbound/web"
)

// wantedOf is the part of a form that is read, as the standard library reads all of it.
func wantedOf(form url.Values) url.Values {
	wanted := url.Values{}
	for name, values := range form {
		if parsedMail().known([]byte(name)) != "" && len(name) <= maxKey {
			wanted[name] = values
		}
	}
	return wanted
}

// readerOf reads a body from its beginning, with buffers that served another form before, and a
// keeper with memory of its own.
func readerOf(in io.Reader, hold *web.Hold) (*formReader, *keeper) {
	r := newFormReader()
	for i := range r.first {
		r.first[i] = 'x'
	}
	r.name = append(r.name, "token"...)
	r.from = limited{body: in, left: maxRead}
	return r, &keeper{reading: parsedMail(), hold: hold, first: r.first[:0]}
}

// valuesOf are the fields of a form, as the standard library holds them.
func valuesOf(f form) url.Values {
	values := url.Values{}
	for _, field := range f {
		values.Add(field.name, field.value)
	}
	return values
}

// agree shows that the reading of a urlencoded body is that of url.ParseQuery wherever the
// latter accepts the body, however the bytes arrive. What was charged for it is what it holds.
func agree(t interface{ Fatalf(string, ...any) }, body string) {
	want, err := url.ParseQuery(body)
	for _, in := range []io.Reader{
		strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)),
	} {
		var budget web.Budget
		r, k := readerOf(in, budget.Hold())
		refused := r.readURLEncoded(k)
		size, values := 0, len(k.form)
		for _, field := range k.form {
			size += len(field.name) + len(field.value) + valueCost
		}
		// Beside the form there are at most the pieces of one value, of which the last may be empty.
		if held := int(budget.Held()); refused == nil && held != size || held > 2*len(body)+
			values*(valueCost+maxKey)+firstPiece+longestPiece {
			t.Fatalf("%d bytes are held for %d of %d", held, size, len(body))
		}
		if k.drop(); budget.Held() != 0 {
			t.Fatalf("%d bytes are held for nothing", budget.Held())
		}
		if err != nil {
			continue // it refuses semicolons and broken escapes also in fields that are not wanted
		}
		if refused != nil {
			t.Fatalf("refused: %v", refused)
		}
	}
	if err != nil {
		return
	}
	for _, in := range []io.Reader{
		strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)),
	} {
		r, k := readerOf(in, new(web.Budget).Hold())
		err := r.readURLEncoded(k)
		if got := valuesOf(k.form); err != nil || !reflect.DeepEqual(got, wantedOf(want)) {
			t.Fatalf("got %v and %v, want %v", got, err, wantedOf(want))
		}
	}
}

// Ensure that reading a form allocates little more than what is charged for it, whatever the form.
func TestReadingAllocatesWhatIsCharged(t *testing.T) {
	for name, body := range map[string]string{
		"nothing wanted": strings.Repeat("x=y&", 1<<18), "one value": "body-html=" +
			strings.Repeat("a", 1<<20),
		"escaped": "body-html=" + strings.Repeat("%41", 1<<20), "too big": "body-html=" +
			strings.Repeat("a", 8<<20),
		"a name": strings.Repeat("a", 8<<20), "names": strings.Repeat("body-htm=&", 1<<17),
		"values": strings.Repeat("body-html=a&", maxParts),
	} {
		r, k := readerOf(strings.NewReader(body), new(web.Budget).Hold())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = r.readURLEncoded(k)
		runtime.ReadMemStats(&after)
		held := 0
		for _, piece := range k.pieces {
			held += cap(piece)
		}
		for _, field := range k.form {
			held += 2*len(field.value) + 2*valueCost // its pieces, and their copy
		}
		// Names of fields are short-lived, and at most maxKey bytes long.
		names := 100 * (strings.Count(body, "&") + 1)
		require.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc), held+names+maxKey*4+longestPiece,
			name)
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
		r, k := readerOf(bytes.NewReader(body), new(web.Budget).Hold())
		if r.readMultipart(boundary, k) != nil {
			return
		}
		got := valuesOf(k.form)
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
