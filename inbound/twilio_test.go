package inbound_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/inboundtest"
	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// The signatures of Twilio's scheme for known requests, which others have computed.
func TestTwilioVectors(t *testing.T) {
	call := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"},
		"From": {"+12349013030"}, "To": {"+18005551212"},
	}
	require.Equal(t, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=",
		inboundtest.SignTwilio("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", call))
	form := url.Values{
		"AccountSid": {accountSID}, "Body": {"Yes"}, "From": {phone}, "To": {"+15005550006"},
		"MessageSid": {"SM00000000000000000000000000000001"},
	}
	require.Equal(t, "2mHXutA4i6U6x4OfkPszcaoa/JI=",
		inboundtest.SignTwilio(authToken, "https://bridge.example.com/hooks/twilio/sms", form))

	// And through the door, where the public URL is put in front of the path.
	b := openBridge(t, storetest.SQLite(t), "SMSBRIDGE_PUBLIC_URL=https://hooks.example.com")
	signature := inboundtest.SignTwilio(
		authToken,
		"https://hooks.example.com/twilio/acme/reply",
		form,
	)
	inboundtest.Silent(t, b.Hook(t, "/twilio/acme/reply", form.Encode(), signature))
	require.Equal(t, 1, b.Rows(t)["reply"])
}

func TestReply(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		require.Equal(t, "open", b.State(t, "challenge", id))
		form := inboundtest.ReplyForm(1, "YES")
		inboundtest.Silent(t, b.Reply(t, form))
		require.Equal(t, "accepted", b.State(t, "challenge", id))
		after := b.Rows(t)
		require.Equal(t, 1, after["reply"])
		for range 3 { // the same MessageSid, as Twilio's retries and its fallback have it
			inboundtest.Silent(t, b.Reply(t, form))
		}
		form.Set("ErrorCode", "11200")
		inboundtest.Silent(t, b.Reply(t, form))
		require.Equal(t, after, b.Rows(t))
		require.Equal(t, "1", b.One(t, "SELECT COUNT(*) FROM river_job WHERE kind = 'click_link'"))
		lines := b.Lines(t)
		require.Len(t, lines, 5)
		require.Equal(t, "recorded: yes", lines[0]["reason"])
		require.Equal(t, "known already", lines[1]["reason"])
		for _, line := range lines {
			require.Equal(t, id, line["case"], "that of the question")
			require.Equal(t, "+45******56", line["phone"])
		}
	})
}

// Ensure that many deliveries of one reply at once count once.
func TestRepliesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		form := inboundtest.ReplyForm(1, "YES")
		signature := inboundtest.SignTwilio(authToken, replyURL, form)
		answers := make([]inboundtest.Response, 20)
		var wait sync.WaitGroup
		for i := range answers {
			wait.Go(func() { answers[i] = b.Hook(t, "/twilio/acme/reply", form.Encode(), signature) })
		}
		wait.Wait()
		for _, a := range answers {
			inboundtest.Silent(t, a)
		}
		require.Equal(t, "accepted", b.State(t, "challenge", id))
		require.Equal(t, 1, b.Rows(t)["reply"])
		require.Equal(t, "1", b.One(t, "SELECT COUNT(*) FROM river_job WHERE kind = 'click_link'"))
	})
}

// The public URL is signed, whatever host, scheme or address the request seems to have come to.
func TestReplyIgnoresWhereTheRequestSeemsToGo(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	for n, headers := range [][]string{
		{"Host", "evil.example"}, {"Host", "bridge.example.com:8443"},
		{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "http"},
		{"X-Forwarded-For", "203.0.113.7"}, {"X-Original-Url", "/twilio/beta/reply"},
		{"X-Rewrite-Url", "/x"}, {"Forwarded", "host=evil.example;proto=http"},
		{"X-Http-Method-Override", "GET"}, {"X-Forwarded-Prefix", "/x"},
	} {
		form := inboundtest.ReplyForm(n, "no idea")
		inboundtest.Silent(
			t,
			b.Hook(
				t,
				"/twilio/acme/reply",
				form.Encode(),
				inboundtest.SignTwilio(authToken, replyURL, form),
				headers...),
		)
		require.Equal(t, n+1, b.Rows(t)["reply"], headers)

		forged := inboundtest.ReplyForm(1000+n, "no idea")
		host := inboundtest.SignTwilio(authToken, "https://"+headers[1]+"/twilio/acme/reply", forged)
		require.Equal(
			t,
			403,
			b.Hook(t, "/twilio/acme/reply", forged.Encode(), host, headers...).StatusCode,
		)
		require.Equal(t, n+1, b.Rows(t)["reply"])
	}
	port := inboundtest.ReplyForm(2000, "no idea") // Twilio's signer sometimes writes the default port
	inboundtest.Silent(
		t,
		b.Hook(
			t,
			"/twilio/acme/reply",
			port.Encode(),
			inboundtest.SignTwilio(authToken, "https://bridge.example.com:443/twilio/acme/reply", port),
		),
	)
}

func TestForgedHooksLeaveNothing(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	_, textID := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
	before := b.Rows(t)
	genuine := inboundtest.ReplyForm(1, "YES")
	good := inboundtest.SignTwilio(authToken, replyURL, genuine)
	change := func(name, value string) url.Values {
		form := inboundtest.ReplyForm(1, "YES")
		form.Set(name, value)
		return form
	}
	query := "/twilio/acme/reply?Body=YES"
	receipt := url.Values{
		"MessageSid":    {"SM00000000000000000000000000000001"},
		"MessageStatus": {"failed"},
		"AccountSid":    {accountSID},
	}
	receiptPath := "/twilio/acme/receipt?text=" + textID
	other := change("AccountSid", "AC00000000000000000000000000000002")
	cases := map[string]struct {
		path, body, signature string
		status                int
	}{
		"no signature": {"/twilio/acme/reply", genuine.Encode(), "", 403},
		"another token": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio("00000000000000000000000000000000", replyURL, genuine),
			403,
		},
		"the SID as the token": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(accountSID, replyURL, genuine),
			403,
		},
		"an empty token": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio("", replyURL, genuine),
			403,
		},
		"over http": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, strings.Replace(replyURL, "https", "http", 1), genuine),
			403,
		},
		"over our own address": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, b.URL+"/twilio/acme/reply", genuine),
			403,
		},
		"over a slash more": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, replyURL+"/", genuine),
			403,
		},
		"over the receipt's URL": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+"/twilio/acme/receipt", genuine),
			403,
		},
		"over a fragment": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, replyURL+"#rc=3", genuine),
			403,
		},
		"over the URL only": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, replyURL, nil),
			403,
		},
		"a signature cut short": {"/twilio/acme/reply", genuine.Encode(), good[:20], 403},
		"a signature in lower case": {
			"/twilio/acme/reply",
			genuine.Encode(),
			strings.ToLower(good),
			403,
		},
		"another body": {"/twilio/acme/reply", change("Body", "NO").Encode(), good, 403},
		"another phone": {
			"/twilio/acme/reply",
			change("From", "+4520123457").Encode(),
			good,
			403,
		},
		"another MessageSid": {
			"/twilio/acme/reply",
			change("MessageSid", "SM2").Encode(),
			good,
			403,
		},
		"one field more": {
			"/twilio/acme/reply",
			change("OptOutType", "START").Encode(),
			good,
			403,
		},
		"one field less": {
			"/twilio/acme/reply",
			strings.Replace(genuine.Encode(), "&NumMedia=0", "", 1),
			good,
			403,
		},
		"nothing": {
			"/twilio/acme/reply",
			"",
			inboundtest.SignTwilio(authToken, replyURL, nil),
			403,
		},
		"Body twice":           {"/twilio/acme/reply", genuine.Encode() + "&Body=NO", good, 403},
		"Body twice, first":    {"/twilio/acme/reply", "Body=NO&" + genuine.Encode(), good, 403},
		"Body twice, the same": {"/twilio/acme/reply", genuine.Encode() + "&Body=YES", good, 403},
		"From twice": {
			"/twilio/acme/reply",
			genuine.Encode() + "&From=%2B4520123457",
			good,
			403,
		},
		"MessageSid twice": {
			"/twilio/acme/reply",
			genuine.Encode() + "&MessageSid=SM2",
			good,
			403,
		},
		"an unknown field twice": {"/twilio/acme/reply", genuine.Encode() + "&x=1&x=2", good, 403},
		"Body in query and body": {
			query,
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+query, genuine),
			403,
		},
		"an unsigned query": {"/twilio/acme/reply?x=1", genuine.Encode(), good, 403},
		"a query that was cut off": {
			"/twilio/acme/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, replyURL+"?x=1", genuine),
			403,
		},
		"another account": {
			"/twilio/acme/reply",
			other.Encode(),
			inboundtest.SignTwilio(authToken, replyURL, other),
			403,
		},
		"an account below": {
			"/twilio/acme/reply",
			change("AccountSid", "").Encode(),
			inboundtest.SignTwilio(authToken, replyURL, change("AccountSid", "")),
			403,
		},
		"another tenant": {
			"/twilio/beta/reply",
			genuine.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+"/twilio/beta/reply", genuine),
			404,
		},
		"broken escapes": {"/twilio/acme/reply", genuine.Encode() + "&x=%zz", good, 403},
		"semicolons": {
			"/twilio/acme/reply",
			strings.ReplaceAll(genuine.Encode(), "&", ";"),
			good,
			403,
		},
		"JSON": {"/twilio/acme/reply", `{"Body":"YES"}`, good, 403},
		"too large": {
			"/twilio/acme/reply",
			genuine.Encode() + "&x=" + strings.Repeat("x", web.MaxHook),
			good,
			403,
		},
		"without a MessageSid": {
			"/twilio/acme/reply",
			change("MessageSid", "").Encode(),
			inboundtest.SignTwilio(authToken, replyURL, change("MessageSid", "")),
			400,
		},
		"a receipt, not signed": {receiptPath, receipt.Encode(), "", 403},
		"a receipt for another text": {
			"/twilio/acme/receipt?text=x",
			receipt.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+receiptPath, receipt),
			403,
		},
		"a receipt without its text": {
			"/twilio/acme/receipt",
			receipt.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+receiptPath, receipt),
			403,
		},
		"a receipt signed as reply": {
			receiptPath,
			receipt.Encode(),
			inboundtest.SignTwilio(authToken, replyURL, receipt),
			403,
		},
		"a receipt of no tenant": {
			"/twilio/beta/receipt?text=" + textID,
			receipt.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+"/twilio/beta/receipt?text="+textID, receipt),
			404,
		},
	}
	for name, c := range cases {
		answer := b.Hook(t, c.path, c.body, c.signature)
		require.Equal(t, c.status, answer.StatusCode, "%s: %s", name, answer.Body)
		require.Equal(t, before, b.Rows(t), name)
		lines := b.Lines(t)
		require.Len(t, lines, 1, name)
		require.EqualValues(t, c.status, lines[0]["status"], name)
	}
	r, err := http.NewRequest(http.MethodGet, b.URL+"/twilio/acme/reply?"+genuine.Encode(), nil)
	require.NoError(t, err)
	r.Header.Set(
		"X-Twilio-Signature",
		inboundtest.SignTwilio(authToken, replyURL+"?"+genuine.Encode(), nil),
	)
	require.Equal(t, 405, b.Send(t, r).StatusCode)
	require.Equal(t, before, b.Rows(t))
	inboundtest.Silent(t, b.Reply(t, genuine)) // what the forgeries were made of is genuine
	require.Equal(t, 1, b.Rows(t)["reply"])
}

// A query that is configured at Twilio is signed as it is written, not as we would write it.
func TestReplyKeepsItsQuery(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	for n, query := range []string{"a=1", "b=2&a=1", "x=%7e%2F+y", "x", "a=1&a=2", "tenant=beta"} {
		form := inboundtest.ReplyForm(n, "what?")
		inboundtest.Silent(
			t,
			b.Hook(
				t,
				"/twilio/acme/reply?"+query,
				form.Encode(),
				inboundtest.SignTwilio(authToken, replyURL+"?"+query, form),
			),
		)
		require.Equal(t, n+1, b.Rows(t)["reply"], query)
	}
}

// A sender that is no phone, or that texts a number which no tenant texts from, gets a response and
// is not recorded.
func TestReplyFromNobody(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	n := 0
	for _, c := range []struct{ name, value string }{
		{"From", "12345"}, {"From", "ACME"}, {"From", "whatsapp:+4520123456"}, {"From", ""},
		{"From", "+45 20 12 34 56"}, {"From", "4520123456"},
		{"From", "+4520123456;x"}, {"From", "client:anna"}, {"To", "+15005550007"}, {"To", ""},
		{"To", "12345"},
	} {
		n++
		form := inboundtest.ReplyForm(n, "YES")
		form.Set(c.name, c.value)
		inboundtest.Silent(t, b.Reply(t, form))
		require.Empty(t, b.Rows(t), c)
		require.Len(t, b.Lines(t), 1)
	}
}

func TestReplyToAService(t *testing.T) {
	const service = "MG00000000000000000000000000000001"
	b := openBridge(t, storetest.SQLite(t), "TWILIO_FROM="+service)
	id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: service})
	number := inboundtest.ReplyForm(1, "YES") // to a number of the service, but not through it
	inboundtest.Silent(t, b.Reply(t, number))
	require.Equal(t, "open", b.State(t, "challenge", id))
	form := inboundtest.ReplyForm(2, "YES")
	form.Set("MessagingServiceSid", service)
	form.Set("To", "+15005550009")
	inboundtest.Silent(t, b.Reply(t, form))
	require.Equal(t, "accepted", b.State(t, "challenge", id))
}

func TestReceipt(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		_, id := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		post := func(query, status string) inboundtest.Response {
			form := url.Values{
				"MessageSid":    {"SM00000000000000000000000000000001"},
				"SmsSid":        {"SM00000000000000000000000000000001"},
				"MessageStatus": {status},
				"SmsStatus":     {status},
				"AccountSid":    {accountSID},
				"To":            {phone},
				"From":          {"+15005550006"},
				"ApiVersion":    {"2010-04-01"},
			}
			path := "/twilio/acme/receipt" + query
			return b.Hook(t, path, form.Encode(), inboundtest.SignTwilio(authToken, publicURL+path, form))
		}
		for _, status := range []string{"delivered", "sent", "queued", "delivered", "no such status"} {
			require.Equal(t, inboundtest.Response{StatusCode: 200}, bare(post("?text="+id, status)))
			require.Equal(t, "delivered", b.State(t, "text", id))
		}
		require.Equal(t, "SM00000000000000000000000000000001", b.One(t, "SELECT provider_id FROM text"))
		require.Empty(t, b.One(t, "SELECT body FROM text"))
		lines := b.Lines(t)
		require.Len(t, lines, 1, "the other receipts changed nothing")
		require.Equal(t, "text delivered", lines[0]["msg"])
		require.Equal(t, id, lines[0]["text"])
		require.Equal(t, "+45******56", lines[0]["phone"])
		require.Equal(t, b.One(t, "SELECT challenge_id FROM text"), lines[0]["case"])
		before := b.Rows(t)
		for _, query := range []string{"", "?text=", "?text=" + store.NewID(), "?other=" + id} {
			require.Equal(t, 200, post(query, "failed").StatusCode, query)
		}
		require.Equal(t, before, b.Rows(t))
		b.Lines(t)
	})
}

// Ensure that a text which does not reach its phone is a warning that says in words why.
func TestReceiptOfAnUndeliveredText(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		_, id := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		form := url.Values{
			"MessageSid": {"SM00000000000000000000000000000001"}, "MessageStatus": {"undelivered"},
			"AccountSid": {accountSID}, "ErrorCode": {"30003"},
		}
		path := "/twilio/acme/receipt?text=" + id
		require.Equal(t, 200, b.Hook(t, path, form.Encode(),
			inboundtest.SignTwilio(authToken, publicURL+path, form)).StatusCode)
		lines := b.Lines(t)
		require.Len(t, lines, 1)
		require.Equal(t, []any{
			"WARN", "text not delivered", "undelivered", "30003", "the phone is off, or out of reach",
			b.One(t, "SELECT challenge_id FROM text"),
		}, []any{
			lines[0]["level"], lines[0]["msg"], lines[0]["state"], lines[0]["code"], lines[0]["meaning"],
			lines[0]["case"],
		})
	})
}

// Ensure that no sender hears that its request was recorded while the database is closed.
func TestWithoutADatabase(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		require.NoError(t, b.Store.Close())
		receipt := url.Values{
			"MessageSid":    {"SM00000000000000000000000000000001"},
			"MessageStatus": {"sent"},
			"AccountSid":    {accountSID},
		}
		for name, answer := range map[string]inboundtest.Response{
			"mail":  b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)),
			"reply": b.Reply(t, inboundtest.ReplyForm(1, "YES")),
			"receipt": b.Hook(
				t, "/twilio/acme/receipt?text=x", receipt.Encode(),
				inboundtest.SignTwilio(authToken, publicURL+"/twilio/acme/receipt?text=x", receipt),
			),
		} {
			require.Equal(t, 503, answer.StatusCode, name)
			require.NotEmpty(t, answer.Header.Get("Retry-After"), name)
		}
		for _, line := range b.Lines(t) {
			require.Equal(t, "ERROR", line["level"])
			require.NotEmpty(t, line["error"])
		}
		require.Equal(
			t,
			401,
			b.PostForm(
				t,
				"/mailgun/acme",
				inboundtest.Sign(inboundtest.MailForm(1), "x", inboundtest.Start, inboundtest.Token(1)),
			).StatusCode,
			"a forgery is one without a database, too",
		)
		require.Empty(t, b.Rows(t))
	})
}

func TestReadiness(t *testing.T) {
	for name, databaseURL := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			// with the database's own clock, which is asked
			s, err := store.Open(t.Context(), store.Options{URL: databaseURL(t), Key: storetest.Key})
			require.NoError(t, err)
			in := &inbound.Server{
				Store: s, Log: slog.New(slog.DiscardHandler), Now: time.Now, Draining: new(atomic.Bool),
			}
			handler := in.Handler()
			get := func(path string) (int, string) {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				return w.Code, w.Body.String()
			}
			status, body := get("/readyz")
			require.Equal(t, []any{200, "ready\n"}, []any{status, body})
			require.NoError(t, s.Close())
			status, body = get("/readyz")
			require.Equal(t, []any{503, "database does not answer\n"}, []any{status, body})
			in.Draining.Store(true)
			status, body = get("/readyz")
			require.Equal(t, []any{503, "shutting down\n"}, []any{status, body})
			status, body = get("/healthz")
			require.Equal(t, []any{200, "alive\n"}, []any{status, body})
		})
	}
}

// Ensure that a panic is answered with "come back", and that its words, which may quote the
// request, are not logged.
func TestPanics(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t))
	b.Inbound.Draining.Store(true)
	require.Equal(
		t,
		200,
		b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(1)).StatusCode,
		"what comes while we shut down is still served",
	)
	b.Lines(t)
	b.Inbound.Store = nil
	for _, broken := range []func() time.Time{
		b.Inbound.Now, func() time.Time { panic("YES " + phone + " " + secretLink) },
	} {
		b.Inbound.Now = broken
		answer := b.PostForm(t, "/mailgun/acme", inboundtest.MailForm(2))
		require.Equal(t, inboundtest.Response{StatusCode: 503, Body: "please try again\n"}, bare(answer))
		require.NotEmpty(t, answer.Header.Get("Retry-After"))
		lines := b.Lines(t)
		require.Len(t, lines, 1)
		require.Contains(t, lines[0]["stack"], "mailgun.go")
	}
}

// Ensure that a reply to the sender of links finds the question that was asked from there. A reply
// to the sender of questions finds its own.
func TestReplyToTheSenderOfLinks(t *testing.T) {
	const links = "+15005550007"
	b := openBridge(t, storetest.SQLite(t), "TWILIO_LINKS_FROM="+links, "SMSBRIDGE_ANSWER=tap")
	id, _ := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
	require.Equal(t, links, b.One(t, "SELECT sender FROM challenge"))
	inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(1, "YES")))
	require.Equal(t, "open", b.State(t, "challenge", id), "it was asked by another sender")
	form := inboundtest.ReplyForm(2, "YES")
	form.Set("To", links)
	inboundtest.Silent(t, b.Reply(t, form))
	require.Equal(t, "accepted", b.State(t, "challenge", id))
	require.Equal(t, links, b.One(t, "SELECT sender FROM reply WHERE word = 'yes' AND sender <> "+
		"'+15005550006'"))

	b = openBridge(t, storetest.SQLite(t), "TWILIO_LINKS_FROM="+links)
	id, _ = b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
	inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(1, "YES")))
	require.Equal(t, "accepted", b.State(t, "challenge", id))
}
