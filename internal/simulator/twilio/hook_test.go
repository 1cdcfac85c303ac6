package twilio

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	"pgregory.net/rapid"
)

// twilio-go makes the same signature of every form and query.
func TestSignatureAgreesWithTwilioGo(t *testing.T) {
	validator := client.NewRequestValidator(testToken)
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "form")
		var params []param
		for name, value := range form {
			params = append(params, param{name, value})
		}
		target := "https://bridge.example.com/twilio/acme/reply?q=" +
			url.QueryEscape(rapid.String().Draw(t, "query"))
		if !validator.Validate(target, form, sign(testToken, target, params)) {
			t.Fatal("twilio-go refuses the signature")
		}
		decoded, err := url.ParseQuery(encode(params))
		require.NoError(t, err)
		require.Len(t, decoded, len(form))
		for name, value := range form {
			require.Equal(t, []string{value}, decoded[name])
		}
	})
}

// requireSigned checks a webhook as the bridge would: URL as configured, first value of each
// parameter.
func requireSigned(t *testing.T, base string, got receivedHook) {
	t.Helper()
	params := map[string]string{}
	for name, values := range got.form {
		params[name] = values[0]
	}
	validator := client.NewRequestValidator(testToken)
	require.True(t, validator.Validate(base+got.path, params, got.header.Get("X-Twilio-Signature")))
	require.NotEmpty(t, got.header.Get("I-Twilio-Idempotency-Token"))
}

func TestReceipts(t *testing.T) {
	for name, c := range map[string]struct {
		manners func(*Manners)
		form    []string
		want    string
	}{
		"number": {func(*Manners) {}, nil, "sent delivered"},
		"service": {func(*Manners) {}, []string{"From", "", "MessagingServiceSid", testMG},
			"queued sent delivered"},
		"undelivered": {func(m *Manners) { m.Undelivered = map[string]int{testPhone: 30003} },
			nil, "sent undelivered"},
		"out of order": {func(m *Manners) { m.ReceiptsOutOfOrder = true }, nil, "delivered sent"},
		"duplicates": {func(m *Manners) { m.DuplicateReceipts = true }, nil,
			"sent sent delivered delivered"},
	} {
		t.Run(name, func(t *testing.T) {
			twilio, receiver := openTest(t), newReceiver(t)
			twilio.Set(c.manners)
			form := formOf(c.form...)
			form.Set("StatusCallback", receiver.URL+"/receipt?text=7&b=%2f#rc=2")
			sid := sendForm(t, twilio, form)["sid"]
			var states []string
			for _, got := range receiver.wait(t, len(strings.Fields(c.want))) {
				requireSigned(t, receiver.URL, got)
				require.Equal(t, "/receipt?text=7&b=%2f", got.path)
				require.Equal(t, sid, got.form.Get("MessageSid"))
				require.Equal(t, got.form.Get("MessageStatus"), got.form.Get("SmsStatus"))
				require.Equal(t, form.Get("MessagingServiceSid"), got.form.Get("MessagingServiceSid"))
				require.Equal(t, got.form.Get("MessageStatus") == "undelivered",
					got.form.Get("ErrorCode") == "30003")
				states = append(states, got.form.Get("MessageStatus"))
			}
			require.Equal(t, c.want, strings.Join(states, " "))
		})
	}
}

func TestUndeliveredTextsReachNoPhone(t *testing.T) {
	twilio := openTest(t)
	twilio.Set(func(m *Manners) { m.Undelivered = map[string]int{testPhone: 30003} })
	sendForm(t, twilio, formOf())
	require.Eventually(t, func() bool { return twilio.Texts()[0].Status == "undelivered" },
		time.Minute, time.Millisecond)
	require.Equal(t, 30003, twilio.Texts()[0].ErrorCode)
	require.Empty(t, twilio.Phone(testPhone).Inbox())
	_, body := do(t, twilio, "GET", testMessages+"/"+twilio.Texts()[0].SID+".json", nil)
	require.Contains(t, body, `"error_code":30003`)
}

func TestDropsReceipts(t *testing.T) {
	twilio, receiver := openTest(t), newReceiver(t)
	twilio.Set(func(m *Manners) { m.DropReceipts = true })
	sendForm(t, twilio, formOf("StatusCallback", receiver.URL))
	require.Eventually(t, func() bool { return twilio.Texts()[0].Status == "delivered" },
		time.Minute, time.Millisecond)
	twilio.Close() // waits for anything under way
	require.Empty(t, receiver.received())
	require.Empty(t, twilio.Hooks())
}

func TestConnectionOverrides(t *testing.T) {
	for name, c := range map[string]struct {
		fragment string
		status   int
		attempts int
		failure  string
	}{
		"5xx is not retried by default": {"", 503, 1, "5xx"},
		"all":                           {"#rc=3&rp=all", 503, 4, "5xx"},
		"named class":                   {"#rc=2&rp=ct,4xx", 404, 3, "4xx"},
		"other class":                   {"#rc=2&rp=4xx", 500, 1, "5xx"},
		"retries out of range":          {"#rc=9&rp=5xx", 500, 2, "5xx"},
		"success is never retried":      {"#rc=5&rp=all", 200, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			twilio, receiver := openTest(t), newReceiver(t)
			receiver.respondsWith(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) })
			twilio.SetReplyURL(receiver.URL + "/reply?tenant=acme" + c.fragment)
			hook, err := twilio.Phone(testPhone).ReplyTo(testContext(t), testFrom, "YES")
			require.NoError(t, err)
			require.Equal(t, c.attempts, hook.Attempt)
			require.Equal(t, c.failure, hook.Failure)
			got := receiver.received()
			require.Len(t, got, c.attempts)
			require.Len(t, twilio.Hooks(), c.attempts)
			for _, attempt := range got {
				requireSigned(t, receiver.URL, attempt)
				require.Equal(t, got[0].header.Get("I-Twilio-Idempotency-Token"),
					attempt.header.Get("I-Twilio-Idempotency-Token"))
			}
		})
	}
}

func TestTellsConnectingFromReading(t *testing.T) {
	twilio := openTest(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody.Close()
	twilio.SetReplyURL("http://" + nobody.Addr().String())
	hook, err := twilio.Phone(testPhone).ReplyTo(testContext(t), testFrom, "YES")
	require.NoError(t, err)
	require.Equal(t, "ct", hook.Failure)
	require.Equal(t, 2, hook.Attempt, "a failed connection is retried once by default")
	require.Equal(t, 11200, hook.Code)

	twilio.SetReplyURL("http://192.0.2.1/reply#rc=0") // an address for documentation (RFC 5737)
	hook, err = twilio.Phone(testPhone).ReplyTo(testContext(t), testFrom, "YES")
	require.NoError(t, err)
	require.Equal(t, "ct", hook.Failure, "only loopback is called")

	receiver := newReceiver(t)
	receiver.respondsWith(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	twilio.SetReplyURL(receiver.URL + "#rt=100")
	hook, err = twilio.Phone(testPhone).ReplyTo(testContext(t), testFrom, "YES")
	require.NoError(t, err)
	require.Equal(t, "rt", hook.Failure)
	require.Equal(t, 1, hook.Attempt)
}

func TestFallback(t *testing.T) {
	fallback := newReceiver(t)
	twilio, err := Open(Config{
		AccountSID: testAccountSID, AuthToken: testToken, Numbers: []string{testFrom},
		FallbackURL: fallback.URL + "/fallback",
	})
	require.NoError(t, err)
	defer twilio.Close()
	receiver := newReceiver(t)
	receiver.respondsWith(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	twilio.SetReplyURL(receiver.URL + "/reply#rc=0")
	hook, err := twilio.Phone(testPhone).ReplyTo(testContext(t), testFrom, "YES")
	require.NoError(t, err)
	require.Equal(t, HookFallback, hook.Kind)
	require.Equal(t, 200, hook.Status)
	require.Zero(t, hook.Code)
	got := fallback.received()
	require.Len(t, got, 1)
	requireSigned(t, fallback.URL, got[0])
	require.Equal(t, "11200", got[0].form.Get("ErrorCode"))
	require.Equal(t, receiver.URL+"/reply", got[0].form.Get("ErrorUrl"))
	require.Equal(t, receiver.received()[0].form.Get("MessageSid"), got[0].form.Get("MessageSid"))
}

func TestJudgesResponses(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
		code        int
		texts       string // that the phone gets, joined
	}{
		"empty response": {200, "text/xml", `<?xml version="1.0"?><Response/>`, 0, ""},
		"message": {200, "text/xml; charset=utf-8",
			`<Response><Message>Thank you &amp; bye</Message></Response>`, 0, "Thank you & bye"},
		"body noun": {200, "application/xml",
			`<Response><Message><Body>One</Body></Message><Message>Two</Message></Response>`, 0, "One|Two"},
		"no content":        {204, "", "", 0, ""},
		"JSON":              {200, "application/json", `{}`, 12300, ""},
		"plain text":        {200, "text/plain", `Thanks`, 12300, ""},
		"HTML":              {200, "text/html", `<Response/>`, 12300, ""},
		"not XML":           {200, "text/xml", `<Response>`, 12100, ""},
		"another root":      {200, "text/xml", `<Reply/>`, 12100, ""},
		"text after root":   {200, "text/xml", `<Response/>x`, 12100, ""},
		"redirect":          {302, "text/xml", `<Response/>`, 11200, ""},
		"refusal with XML":  {403, "text/xml", `<Response><Message>No</Message></Response>`, 11200, ""},
		"unavailable, HTML": {503, "text/html", `<h1>503</h1>`, 11200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			twilio, receiver := openTest(t), newReceiver(t)
			receiver.respondsWith(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{c.contentType}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			twilio.SetReplyURL(receiver.URL)
			phone := twilio.Phone(testPhone)
			hook, err := phone.ReplyTo(testContext(t), testFrom, "hello")
			require.NoError(t, err)
			require.Equal(t, c.code, hook.Code)
			require.Equal(t, c.status, hook.Status)
			require.Equal(t, c.body, hook.Body)
			var bodies []string
			for _, text := range phone.Inbox() {
				require.Equal(t, testFrom, text.From)
				bodies = append(bodies, text.Body)
			}
			require.Equal(t, c.texts, strings.Join(bodies, "|"))
		})
	}
}

func TestCloseCutsHooksShort(t *testing.T) {
	twilio, receiver := openTest(t), newReceiver(t)
	receiver.respondsWith(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	sendForm(t, twilio, formOf("StatusCallback", receiver.URL))
	receiver.wait(t, 1)
	done := make(chan struct{})
	go func() { twilio.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("Close waits for a receiver that never responds")
	}
	require.Equal(t, "rt", twilio.Hooks()[0].Failure)
}

func FuzzOverrides(f *testing.F) {
	for _, seed := range []string{"https://a.example/x?y=1#rc=4&rp=all&ct=2000&rt=3000&tt=15000", "#",
		"#rc=-1", "#rp=;", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		target, o := parseOverrides(raw)
		require.True(t, strings.HasPrefix(raw, target))
		require.NotContains(t, target, "#")
		require.True(t, o.retries >= 0 && o.retries <= 5)
		for _, limit := range []time.Duration{o.connect, o.read, o.total} {
			require.True(t, limit >= 100*time.Millisecond && limit <= 15*time.Second)
		}
		require.False(t, o.retry(""))
	})
}

func FuzzTwiML(f *testing.F) {
	for _, seed := range []string{`<Response/>`,
		`<Response><Message to="+4520123456"><Body>x</Body></Message></Response>`, `<a`, ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		texts, err := parseTwiML(document)
		require.False(t, err != nil && texts != nil)
		if slices.ContainsFunc(texts, func(v messageVerb) bool { return v.Body != "" }) {
			require.Contains(t, document, "Message")
		}
	})
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"DateSent=2026-01-02", "DateSent%3E=2026-01-02T03:04:05Z",
		"DateSent%3C=x", "To=%2B45&From="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		filter, ok := parseFilter(query)
		unsent := &storedText{Text: Text{To: query.Get("To"), From: query.Get("From")}}
		dated := query.Get("DateSent") != "" || query.Get("DateSent>") != "" ||
			query.Get("DateSent<") != ""
		if ok && !dated {
			require.True(t, filter.match(unsent))
		}
	})
}
