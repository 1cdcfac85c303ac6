package inbound_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

// forgery is a post that must leave nothing behind.
type forgery struct {
	path   string // "/mailgun/acme" if empty
	kind   string // content type; a urlencoded form if empty
	body   string
	form   url.Values // instead of body
	status int
}

// with returns a genuine form, changed.
func with(change func(url.Values)) url.Values {
	form := inboundtest.MailForm(1)
	change(form)
	return form
}

// set returns a genuine form with one field replaced; by nothing when there are no values.
func set(name string, values ...string) url.Values {
	return with(func(form url.Values) {
		delete(form, name)
		if values != nil {
			form[name] = values
		}
	})
}

// doubled returns a genuine form in which a field comes again.
func doubled(name, value string) url.Values {
	return with(func(form url.Values) { form[name] = append(form[name], value) })
}

// forgeSignatures are posts that Mailgun did not sign, or not lately.
func forgeSignatures() map[string]forgery {
	genuine := inboundtest.MailForm(1)
	signature, stamp := genuine.Get("signature"), genuine.Get("timestamp")
	cases := map[string]forgery{
		"another key": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				inboundtest.APISecret,
				inboundtest.Start,
				inboundtest.Token(1),
			),
			status: 401,
		},
		"a key that is empty": {
			form:   inboundtest.Sign(inboundtest.MailForm(1), "", inboundtest.Start, inboundtest.Token(1)),
			status: 401,
		},
		"both keys in one": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey+","+retiredKey,
				inboundtest.Start,
				inboundtest.Token(1),
			),
			status: 401,
		},
		"9 hours and a minute old": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				inboundtest.Start.Add(-9*time.Hour-time.Minute),
				inboundtest.Token(1),
			),
			status: 406,
		},
		"9 hours and a second old": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				inboundtest.Start.Add(-9*time.Hour-time.Second),
				inboundtest.Token(1),
			),
			status: 406,
		},
		"of last year": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				inboundtest.Start.AddDate(-1, 0, 0),
				inboundtest.Token(1),
			),
			status: 406,
		},
		"of 1970": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				time.Unix(0, 0),
				inboundtest.Token(1),
			),
			status: 406,
		},
		"five minutes ahead": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				inboundtest.Start.Add(5*time.Minute+time.Second),
				inboundtest.Token(1),
			),
			status: 401,
		},
		"of next year": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				inboundtest.Start.AddDate(1, 0, 0),
				inboundtest.Token(1),
			),
			status: 401,
		},
		"beyond all years": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				time.Unix(1<<62, 0),
				inboundtest.Token(1),
			),
			status: 401,
		},
		"before all years": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				time.Unix(-1<<62, 0),
				inboundtest.Token(1),
			),
			status: 406,
		},
		"another time stamp": {form: set("timestamp", "1700000001"), status: 401},
		"another token":      {form: set("token", inboundtest.Token(2)), status: 401},
		"a token that is too long": {
			form: inboundtest.Sign(
				inboundtest.MailForm(1),
				signingKey,
				inboundtest.Start,
				strings.Repeat("t", inbound.MaxToken+1),
			),
			status: 401,
		},
		"a token with NUL": {
			form:   inboundtest.Sign(inboundtest.MailForm(1), signingKey, inboundtest.Start, "abc\x00def"),
			status: 406,
		},
		"digits moved to the stamp": {
			form: with(
				func(f url.Values) { f.Set("timestamp", stamp+"0"); f.Set("token", inboundtest.Token(1)[1:]) },
			),
			status: 401,
		},
		"digits moved to the token": {
			form: with(
				func(f url.Values) {
					f.Set("timestamp", stamp[:9])
					f.Set("token", stamp[9:]+inboundtest.Token(1))
				},
			),
			status: 406,
		},
		"parent-signature only": {
			form: with(
				func(f url.Values) { f["parent-signature"] = f["signature"]; delete(f, "signature") },
			),
			status: 401,
		},
		"names in capitals": {
			form:   with(func(f url.Values) { f["Signature"] = f["signature"]; delete(f, "signature") }),
			status: 401,
		},
		"a name with a space": {
			form:   with(func(f url.Values) { f["signature "] = f["signature"]; delete(f, "signature") }),
			status: 401,
		},
		"nothing but the signature": {form: url.Values{"signature": {signature}}, status: 401},
	}
	for name, wrong := range map[string]string{
		"empty": "", "truncated": signature[:62], "one digit short": signature[:63],
		"one byte long":      signature + "00",
		"not hexadecimal":    "zz" + signature[2:],
		"in base64":          "26vIhILV3+vzUDGc89uRCvOqmdpfvx9U3a4qP9PX/Mo=",
		"a space before":     " " + signature,
		"a line break after": signature + "\n", "all zeros": strings.Repeat("0", 64),
		"half of it": signature[:32], "0x before": "0x" + signature,
	} {
		cases["a signature that is: "+name] = forgery{form: set("signature", wrong), status: 401}
	}
	for _, name := range []string{"timestamp", "token", "signature"} {
		cases["without "+name] = forgery{form: set(name), status: 401}
		cases["with an empty "+name] = forgery{form: set(name, ""), status: 401}
		cases["with the same "+name+" twice"] = forgery{
			form:   doubled(name, genuine.Get(name)),
			status: 401,
		}
		cases["with a second "+name] = forgery{form: doubled(name, "1"), status: 401}
		cases["with a bare "+name+" before"] = forgery{body: name + "&" + genuine.Encode(), status: 401}
		cases["with "+name+" in the query only"] = forgery{
			path:   "/mailgun/acme?" + name + "=" + genuine.Get(name),
			form:   set(name),
			status: 401,
		}
	}
	for _, stamp := range []string{
		"17e8", "1700000000.5", "0x6553f100", "now", "", " 1700000000", "99999999999999999999",
	} {
		form := inboundtest.MailForm(1)
		form.Set("timestamp", stamp)
		form.Set("signature", inboundtest.MACOf(signingKey, stamp+inboundtest.Token(1)))
		cases["a time stamp that is: "+stamp] = forgery{form: form, status: 406}
	}
	return cases
}

// forgeFields are signed posts with fields on which no code could act safely.
func forgeFields() map[string]forgery {
	cases := map[string]forgery{
		"another tenant":       {path: "/mailgun/beta", form: inboundtest.MailForm(1), status: 406},
		"a tenant in capitals": {path: "/mailgun/ACME", form: inboundtest.MailForm(1), status: 406},
		"a tenant with an escape": {
			path:   "/mailgun/acme%2fmime",
			form:   inboundtest.MailForm(1),
			status: 406,
		},
		"a tenant that is a number": {
			path:   "/mailgun/+4520123456",
			form:   inboundtest.MailForm(1),
			status: 406,
		},
		"a Message-Id in two cases": {form: doubled("message-id", "<other@acme.example>"), status: 406},
		"a Message-Id with NUL":     {form: set("Message-Id", "<a\x00b@acme.example>"), status: 406},
		"a Message-Id not in UTF-8": {form: set("Message-Id", "<a\xffb@acme.example>"), status: 406},
		"a Message-Id without end": {
			form:   set("Message-Id", "<"+strings.Repeat("x", 999)+">"),
			status: 406,
		},
		"a message-url with a break": {form: set("message-url", storedURL+"\r\nHost: x"), status: 406},
		"a message-url with NUL":     {form: set("message-url", storedURL+"\x00"), status: 406},
	}
	for name, value := range map[string]string{
		"recipient": "acme+4520123457@sms.acme.example", "sender": "x@evil.example",
		"body-plain":  "Open https://evil.example",
		"message-url": "https://evil.example/v3/domains/x/messages/y",
		"Message-Id":  "<other@acme.example>",
	} {
		cases["with a second "+name] = forgery{form: doubled(name, value), status: 406}
	}
	cases["with a second body-mime"] = forgery{
		path:   "/mailgun/acme/mime",
		form:   with(func(f url.Values) { f["body-mime"] = []string{"a", "b"} }),
		status: 406,
	}
	for name, recipient := range map[string]string{
		"nobody": "", "no address": "nobody", "a local part only": "acme+4520123456",
		"another domain": "acme+4520123456@acme.example",
		"a domain below": "acme+4520123456@x.sms.acme.example",
		"another prefix": "beta+4520123456@sms.acme.example", "no number": "acme@sms.acme.example",
		"too short a number":          "acme+45@sms.acme.example",
		"too long a number":           "acme+452012345645201@sms.acme.example",
		"no country":                  "acme+99920123456@sms.acme.example",
		"letters":                     "acme+45twenty@sms.acme.example",
		"a number that starts with 0": "acme+020123456@sms.acme.example",
		"a space for the plus":        "acme 4520123456@sms.acme.example",
		"a display name":              "ACME <acme+4520123456@sms.acme.example>",
		"two pluses":                  "acme++4520123456@sms.acme.example",
		"digits of another script":    "acme+٤٥٢٠١٢٣٤٥٦@sms.acme.example",
		"a comment":                   "acme+4520123456(x)@sms.acme.example", "commas only": ",,,",
		"a list of strangers": "a@b.example,acme@sms.acme.example",
		"a semicolon list":    "acme+4520123456@sms.acme.example;x@sms.acme.example",
	} {
		cases["to "+name] = forgery{form: set("recipient", recipient), status: 406}
	}
	many := make([]string, inbound.MaxRecipients+1)
	for i := range many {
		many[i] = fmt.Sprintf("acme+4520%06d@sms.acme.example", i)
	}
	cases["to one phone too many"] = forgery{
		form: set("recipient", strings.Join(many, ",")), status: 406,
	}
	for name, big := range map[string]int{"body-plain": inbound.MaxParsed,
		"subject": inbound.MaxParsed} {
		cases["with a "+name+" that is too big"] = forgery{
			form: set(name, strings.Repeat("x", big)), status: 406,
		}
	}
	cases["with a raw mail that is too big"] = forgery{
		path: "/mailgun/acme/mime", form: set("body-mime", strings.Repeat("x", inbound.MaxRaw)),
		status: 406,
	}
	cases["without a recipient"] = forgery{form: set("recipient"), status: 406}
	return cases
}

// fieldsAs renders a form in parts with a boundary.
func fieldsAs(boundary string, form url.Values) string {
	var b strings.Builder
	for name, values := range form {
		for _, value := range values {
			fmt.Fprintf(
				&b,
				"--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n",
				boundary,
				name,
				value,
			)
		}
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// forgeBodies are posts that are not the form that a mail comes in.
func forgeBodies() map[string]forgery {
	genuine := inboundtest.MailForm(1).Encode()
	cases := map[string]forgery{
		"as JSON": {
			kind:   "application/json",
			body:   `{"signature":{"token":"x"},"event-data":{}}`,
			status: 406,
		},
		"as text":                 {kind: "text/plain", body: genuine, status: 406},
		"as mixed parts":          {kind: "multipart/mixed; boundary=x", body: "--x--\r\n", status: 406},
		"without a type":          {kind: " ", body: genuine, status: 406},
		"with half a type":        {kind: "application/", body: genuine, status: 406},
		"with two types":          {kind: contentForm + ", text/plain", body: genuine, status: 406},
		"with a broken parameter": {kind: "multipart/form-data; boundary", body: genuine, status: 406},
		"without a boundary":      {kind: "multipart/form-data", body: genuine, status: 406},
		"empty":                   {status: 401},
		"empty parts": {
			kind:   "multipart/form-data; boundary=x",
			body:   "--x--\r\n",
			status: 401,
		},
		"a form called parts": {kind: "multipart/form-data; boundary=x", body: genuine, status: 406},
		"no last boundary": {
			kind:   "multipart/form-data; boundary=x",
			body:   "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n1\r\n--x",
			status: 406,
		},
		"a part without an end": {
			kind:   "multipart/form-data; boundary=x",
			body:   "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n1",
			status: 406,
		},
		"a part without a header": {
			kind:   "multipart/form-data; boundary=x",
			body:   "--x\r\nno header\r\n\r\n1\r\n--x--\r\n",
			status: 406,
		},
		"fields as files": {
			kind: "multipart/form-data; boundary=x",
			body: strings.ReplaceAll(
				fieldsAs("x", inboundtest.MailForm(1)),
				"form-data; name",
				"form-data; filename=f; name",
			),
			status: 401,
		},
		"ten thousand parts": {
			kind: "multipart/form-data; boundary=x",
			body: strings.Repeat(
				"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n",
				10_000,
			) + "--x--\r\n",
			status: 406,
		},
		"ten thousand values": {body: strings.Repeat("from=&", 10_000) + genuine, status: 406},
		"ampersands":          {body: strings.Repeat("&", 100_000), status: 401},
		"equals signs":        {body: strings.Repeat("=", 100_000), status: 401},
		"bytes":               {body: strings.Repeat("\x00\xff\r\n%", 10_000), status: 401},
		"with semicolons":     {body: strings.ReplaceAll(genuine, "&", ";"), status: 401},
		"escaped twice":       {body: url.QueryEscape(genuine), status: 401},
	}
	for _, broken := range []string{"%", "%2", "%zz", "%%", "%u0041"} {
		cases["with the escape "+broken] = forgery{body: "token=" + broken + "&" + genuine, status: 406}
	}
	return cases
}

// Ensure that what is refused leaves nothing behind, and one line in the log without anything
// that came with it.
func TestForgedMailsLeaveNothing(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	all := map[string]forgery{}
	for kind, cases := range map[string]map[string]forgery{
		"signature": forgeSignatures(), "field": forgeFields(), "body": forgeBodies(),
	} {
		for name, c := range cases {
			all[kind+": "+name] = c
		}
	}
	require.Greater(t, len(all), 100)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			c := all[name]
			if c.form != nil {
				c.body = c.form.Encode()
			}
			if c.path == "" {
				c.path = "/mailgun/acme"
			}
			if c.kind == "" {
				c.kind = contentForm
			}
			answer := b.Post(t, c.path, c.kind, strings.NewReader(c.body))
			require.Equal(t, c.status, answer.StatusCode, answer.Body)
			require.Empty(t, answer.Header.Get("Retry-After"))
			require.Empty(t, b.Rows(t))
			lines := b.Lines(t)
			require.Len(t, lines, 1)
			require.EqualValues(t, c.status, lines[0]["status"])
			require.NotEmpty(t, lines[0]["reason"])
			require.NotContains(t, lines[0], "error")
		})
	}
	require.Equal(
		t,
		"recorded\n",
		b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).Body,
		"what the forgeries were made of is genuine, and its token not used up",
	)
}

// Ensure that a captured signature carries no second content.
func TestReplayedMailsLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		require.Equal(t, 200, b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).StatusCode)
		b.Lines(t)
		before := b.Rows(t)
		replays := map[string]url.Values{
			"another link": set(
				"body-plain",
				"Open https://login.acme.example/u/email-verification?ticket=SECRETOTHER",
			),
			"another HTML":        set("body-html", `<a href="https://evil.example">Confirm</a>`),
			"another phone":       set("recipient", "acme+4520123457@sms.acme.example"),
			"one more phone":      set("recipient", address+",acme+4520123457@sms.acme.example"),
			"another Message-Id":  set("Message-Id", "<other@acme.example>"),
			"no Message-Id":       set("Message-Id"),
			"another message-url": set("message-url", "https://evil.example/v3/domains/x/messages/y"),
			"another subject":     set("subject", "Reset your password"),
			"another from":        set("from", "Evil <x@evil.example>"),
			"no body":             set("body-plain"),
		}
		for _, later := range []time.Duration{0, 8*time.Hour + 59*time.Minute} {
			b.Now = inboundtest.Start.Add(later)
			for name, form := range replays {
				answer := b.PostForm(t, "/mailgun/acme", form)
				require.Equal(t, 406, answer.StatusCode, "%s: %s", name, answer.Body)
				lines := b.Lines(t)
				require.Len(t, lines, 1)
				require.Equal(t, "WARN", lines[0]["level"])
				require.Equal(t, before, b.Rows(t), name)
			}
		}
		raw := inboundtest.MailForm(1)
		raw.Set("body-mime", "Subject: x\r\n\r\nOpen "+secretLink)
		require.Equal(t, 406, b.PostForm(t, "/mailgun/acme/mime", raw).StatusCode, "as a raw mail")
		b.Now = inboundtest.Start.Add(9*time.Hour + time.Minute)
		require.Equal(
			t,
			406,
			b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).StatusCode,
			"the same, but too late",
		)
		require.Equal(t, before, b.Rows(t))
	})
}

func TestOtherMethodsAndPathsLeaveNothing(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	body := inboundtest.MailForm(1).Encode()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/mailgun/acme?" + body, 405}, {"PUT", "/mailgun/acme", 405},
		{"HEAD", "/mailgun/acme", 405}, {"DELETE", "/mailgun/acme", 405},
		{"POST", "/mailgun/acme/", 404}, {"POST", "/mailgun/acme/mime/", 404},
		{"POST", "//mailgun/acme", 404}, {"POST", "/mailgun//acme", 404},
		{"POST", "/mailgun/acme/../acme", 404}, {"POST", "/MAILGUN/acme", 404},
		{"POST", "/mailgun", 404}, {"POST", "/", 404}, {"POST", "/healthz", 405},
	} {
		r, err := http.NewRequest(c.method, b.URL+c.path, io.NopCloser(strings.NewReader(body)))
		require.NoError(t, err)
		r.Header.Set("Content-Type", contentForm)
		require.Equal(t, c.status, b.Send(t, r).StatusCode, "%s %s", c.method, c.path)
		require.Empty(t, b.Rows(t))
		b.Lines(t)
	}
}

// Ensure that a monitor may ask with HEAD wherever it may ask with GET.
func TestMonitorsMayAskWithHead(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	for _, path := range []string{"/", "/healthz", "/readyz", "/v1/openapi.yaml"} {
		head, err := http.NewRequest("HEAD", b.URL+path, nil)
		require.NoError(t, err)
		said := b.Send(t, head)
		get, err := http.NewRequest("GET", b.URL+path, nil)
		require.NoError(t, err)
		shown := b.Send(t, get)
		require.Equal(t, 200, said.StatusCode, path)
		require.Equal(t, shown.Header.Get("Content-Type"), said.Header.Get("Content-Type"), path)
		require.Empty(t, said.Body, path)
	}
	require.Empty(t, b.Rows(t))
}

// Ensure that a person who opens the bridge's address reads what it is.
func TestWelcome(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	for method, body := range map[string]string{
		"HEAD": "", "GET": "This is smsbridge. It puts the questions of mails to phones, by text.\n" +
			"Apps: /v1/openapi.yaml describes the API. " +
			"Operators: /healthz and /readyz say how it is.\n",
	} {
		r, err := http.NewRequest(method, b.URL+"/", nil)
		require.NoError(t, err)
		welcome := b.Send(t, r)
		require.Equal(t, 200, welcome.StatusCode)
		require.Equal(t, "text/plain; charset=UTF-8", welcome.Header.Get("Content-Type"))
		require.Equal(t, body, welcome.Body)
	}
	r, err := http.NewRequest("GET", b.URL+"/elsewhere", nil)
	require.NoError(t, err)
	elsewhere := b.Send(t, r)
	require.Equal(t, 404, elsewhere.StatusCode)
	require.JSONEq(t, `{"message":"Not Found"}`, elsewhere.Body)
}
