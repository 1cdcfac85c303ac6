package twilio

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"
)

const (
	testAccountSID = "AC00000000000000000000000000000001"
	testToken      = "0123456789abcdef0123456789abcdef"
	testFrom       = "+4511111111"
	testPooled     = "+4522222222"
	testPhone      = "+4520123456"
	testMG         = "MG00000000000000000000000000000001"
)

// receiver is the bridge's side: an HTTP server that records what Twilio posts and responds as
// told.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []receivedHook
	respond  http.HandlerFunc
}

type receivedHook struct {
	path, body string
	header     http.Header
	form       url.Values
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{respond: func(w http.ResponseWriter, _ *http.Request) { testTwiML(w, "") }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		form, _ := url.ParseQuery(string(body))
		r.mu.Lock()
		r.requests = append(r.requests, receivedHook{request.URL.String(), string(body), request.Header,
			form})
		respond := r.respond
		r.mu.Unlock()
		respond(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) respondsWith(respond http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.respond = respond
}

func (r *receiver) received() []receivedHook {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]receivedHook(nil), r.requests...)
}

// wait returns the requests once there are n.
func (r *receiver) wait(t *testing.T, n int) []receivedHook {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.received()) >= n }, time.Minute,
		time.Millisecond)
	return r.received()
}

func testTwiML(w http.ResponseWriter, verbs string) {
	w.Header().Set("Content-Type", "text/xml")
	io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Response>`+verbs+`</Response>`)
}

func openTest(t *testing.T) *Account {
	twilio, err := Open(Config{
		AccountSID: testAccountSID, AuthToken: testToken,
		Numbers:  []string{testFrom, testPooled},
		Services: map[string][]string{testMG: {testPooled}},
	})
	require.NoError(t, err)
	t.Cleanup(twilio.Close)
	return twilio
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// do sends one request with the account's credentials and returns the status and the body.
func do(t *testing.T, twilio *Account, method, path string, form url.Values) (int, string) {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(t.Context(), method, twilio.URL()+path, body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(testAccountSID, testToken)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(read)
}

const testMessages = "/2010-04-01/Accounts/" + testAccountSID + "/Messages"

// sendForm sends a text and returns the resource that the API returned.
func sendForm(t *testing.T, twilio *Account, form url.Values) map[string]any {
	t.Helper()
	status, body := do(t, twilio, "POST", testMessages+".json", form)
	require.Equal(t, 201, status, body)
	var resource map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &resource))
	return resource
}

func formOf(pairs ...string) url.Values {
	form := url.Values{"To": {testPhone}, "From": {testFrom}, "Body": {"Reply YES"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			form.Del(pairs[i])
		}
	}
	return form
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{AccountSID: testAccountSID, AuthToken: testToken, Numbers: []string{testFrom}}
	for name, spoil := range map[string]func(*Config){
		"no account":        func(c *Config) { c.AccountSID = "" },
		"odd token":         func(c *Config) { c.AuthToken = "a-b" },
		"number":            func(c *Config) { c.Numbers = []string{"4511111111"} },
		"empty service":     func(c *Config) { c.Services = map[string][]string{"MG1": nil} },
		"foreign number":    func(c *Config) { c.Services = map[string][]string{"MG1": {testPooled}} },
		"not on loopback":   func(c *Config) { c.Addr = "0.0.0.0:0" },
		"not an address":    func(c *Config) { c.Addr = "127.0.0.1" },
		"all its addresses": func(c *Config) { c.Addr = ":0" },
	} {
		config := good
		spoil(&config)
		_, err := Open(config)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "1111111", name)
	}
}

func TestCreatesFetchesAndDeletes(t *testing.T) {
	twilio := openTest(t)
	text := sendForm(t, twilio, formOf())
	sid := text["sid"].(string)
	require.Regexp(t, `^SM[0-9a-f]{32}$`, sid)
	require.Equal(t, "queued", text["status"])
	require.Equal(t, testFrom, text["from"])
	require.Equal(t, "1", text["num_segments"])
	require.Equal(t, "outbound-api", text["direction"])
	require.Nil(t, text["date_sent"])
	require.Nil(t, text["error_code"])
	_, err := time.Parse(time.RFC1123Z, text["date_created"].(string))
	require.NoError(t, err)

	status, body := do(t, twilio, "GET", text["uri"].(string), nil)
	require.Equal(t, 200, status)
	require.Contains(t, body, sid)
	status, _ = do(t, twilio, "DELETE", text["uri"].(string), nil)
	require.Equal(t, 204, status)
	status, body = do(t, twilio, "GET", text["uri"].(string), nil)
	require.Equal(t, 404, status)
	require.Contains(t, body, `"code":20404`)
	require.Len(t, twilio.Texts(), 1, "the history keeps a deleted text")
	require.Len(t, twilio.Phone(testPhone).Inbox(), 1, "and so does the phone")
}

// Ensure that the price of a text is null until a minute has passed since it was sent. Then it is a
// negative amount for all its segments.
func TestPrice(t *testing.T) {
	var passed atomic.Int64 // since the start of the test
	began := time.Now()
	twilio, err := Open(Config{AccountSID: testAccountSID, AuthToken: testToken,
		Numbers: []string{testFrom},
		Now:     func() time.Time { return began.Add(time.Duration(passed.Load())) }})
	require.NoError(t, err)
	t.Cleanup(twilio.Close)
	text := sendForm(t, twilio, formOf("Body", strings.Repeat("x", 161)))
	show := func() string {
		status, body := do(t, twilio, "GET", text["uri"].(string), nil)
		require.Equal(t, 200, status)
		return body
	}
	require.Nil(t, text["price"])
	require.Eventually(t, func() bool { return strings.Contains(show(), `"status":"delivered"`) },
		time.Minute, time.Millisecond) // it is sent behind the response, at a time of its own
	passed.Add(int64(59 * time.Second))
	require.Contains(t, show(), `"price":null`)
	passed.Add(int64(time.Second))
	require.Contains(t, show(), `"price":"-0.01500"`)
	require.Contains(t, show(), `"price_unit":"USD"`)
	twilio.Set(func(m *Manners) { m.Price, m.PriceUnit, m.PriceLag = "0.08", "EUR", time.Hour })
	require.Contains(t, show(), `"price":null`)
	passed.Add(int64(time.Hour))
	require.Contains(t, show(), `"price":"-0.16000","error`)
	require.Contains(t, show(), `"price_unit":"EUR"`)
}

func TestRefuses(t *testing.T) {
	twilio := openTest(t)
	twilio.Set(func(m *Manners) { m.Reject = map[string]int{"+4530000000": 21635} })
	for name, c := range map[string]struct {
		form url.Values
		code string
	}{
		"no To":             {formOf("To", ""), "21604"},
		"To not E.164":      {formOf("To", "20123456"), "21211"},
		"magic To":          {formOf("To", "+15005550009"), "21614"},
		"magic opt-out":     {formOf("To", "+15005550004"), "21610"},
		"rejected To":       {formOf("To", "+4530000000"), "21635"},
		"no From":           {formOf("From", ""), "21603"},
		"From not E.164":    {formOf("From", "ACME!"), "21212"},
		"foreign From":      {formOf("From", "+4599999999"), "21606"},
		"magic From":        {formOf("From", "+15005550008"), "21611"},
		"unknown service":   {formOf("From", "", "MessagingServiceSid", "MG9"), "21701"},
		"not the service's": {formOf("MessagingServiceSid", testMG), "21606"},
		"no Body":           {formOf("Body", ""), "21602"},
		"long Body":         {formOf("Body", strings.Repeat("å", 1601)), "21617"},
		"relative callback": {formOf("StatusCallback", "/receipt"), "21609"},
		"underscore host":   {formOf("StatusCallback", "http://a_b.example/"), "21609"},
	} {
		status, body := do(t, twilio, "POST", testMessages+".json", c.form)
		require.Equal(t, 400, status, name)
		require.Contains(t, body, `"code":`+c.code, name)
		require.Contains(t, body, `"more_info":"https://www.twilio.com/docs/errors/`+c.code+`"`, name)
	}
	require.Empty(t, twilio.Texts())
	sendForm(t, twilio, formOf("Body", strings.Repeat("å", 1600)))
	sendForm(t, twilio, formOf("From", magicSender))
}

func TestChecksCredentialsAndAccount(t *testing.T) {
	twilio := openTest(t)
	response, err := http.PostForm(twilio.URL()+testMessages+".json", formOf())
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, 401, response.StatusCode)
	status, body := do(t, twilio, "POST", "/2010-04-01/Accounts/AC2/Messages.json", formOf())
	require.Equal(t, 404, status)
	require.Contains(t, body, "20404")
	require.Empty(t, twilio.Texts())
}

func TestFailsOnDemand(t *testing.T) {
	twilio := openTest(t)
	for _, c := range []struct {
		status, code int
		wantStatus   int
		wantBody     string
	}{{429, 20429, 429, `"code":20429`}, {500, 20500, 500, `"code":20500`}, {0, 0, 503, "<html>"}} {
		twilio.Set(func(m *Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, c.status, c.code })
		status, body := do(t, twilio, "POST", testMessages+".json", formOf())
		require.Equal(t, c.wantStatus, status)
		require.Contains(t, body, c.wantBody)
		require.Empty(t, twilio.Texts())
	}
	sendForm(t, twilio, formOf())
}

func TestLosesTheResponse(t *testing.T) {
	twilio, receiver := openTest(t), newReceiver(t)
	twilio.Set(func(m *Manners) { m.LoseResponse = 1 })
	request, err := http.NewRequest("POST", twilio.URL()+testMessages+".json",
		strings.NewReader(formOf("StatusCallback", receiver.URL).Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(testAccountSID, testToken)
	_, err = http.DefaultClient.Do(request)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, twilio.Texts(), 1)
	require.Len(t, twilio.Phone(testPhone).Inbox(), 1)
	receiver.wait(t, 2) // the receipts come although the response was lost
	sendForm(t, twilio, formOf())
}

func TestIsSlowOnDemand(t *testing.T) {
	twilio := openTest(t)
	twilio.Set(func(m *Manners) { m.Slow = time.Minute })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", twilio.URL()+testMessages+".json", nil)
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(request)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	twilio.Set(func(m *Manners) { m.Slow = 0 })
	sendForm(t, twilio, formOf())
}

// rewriter sends twilio-go's requests to the pretend Twilio.
type rewriter struct{ base *url.URL }

func (r rewriter) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = r.base.Scheme, r.base.Host
	return http.DefaultTransport.RoundTrip(request)
}

func TestGoIsAtHome(t *testing.T) {
	twilio := openTest(t)
	base, err := url.Parse(twilio.URL())
	require.NoError(t, err)
	rest := &client.Client{
		Credentials: client.NewCredentials(testAccountSID, testToken),
		HTTPClient:  &http.Client{Transport: rewriter{base}, Timeout: 5 * time.Second},
	}
	rest.SetAccountSid(testAccountSID)
	api := openapi.NewApiServiceWithClient(rest)

	params := &openapi.CreateMessageParams{}
	params.SetTo(testPhone).SetFrom(testFrom).SetBody("Reply YES")
	for range 5 {
		text, err := api.CreateMessage(params)
		require.NoError(t, err)
		require.Equal(t, "queued", *text.Status)
		fetched, err := api.FetchMessage(*text.Sid, nil)
		require.NoError(t, err)
		require.Equal(t, "Reply YES", *fetched.Body)
	}
	list := &openapi.ListMessageParams{}
	list.SetTo(testPhone).SetPageSize(2)
	list.SetDateSentAfter(time.Now().Add(-time.Hour)).SetDateSentBefore(time.Now().Add(time.Hour))
	require.Eventually(t, func() bool { // a text has no DateSent until it is sent
		texts, err := api.ListMessage(list)
		require.NoError(t, err)
		return len(texts) == 5
	}, time.Minute, time.Millisecond)

	_, err = api.FetchMessage("SM1", nil)
	var refusal *client.TwilioRestError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, 20404, refusal.Code)
	require.Equal(t, 404, refusal.Status)
}
