package simulator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"
)

const (
	twilioTestSID    = "AC00000000000000000000000000000001"
	twilioTestToken  = "0123456789abcdef0123456789abcdef"
	twilioTestFrom   = "+4511111111"
	twilioTestPooled = "+4522222222"
	twilioTestPhone  = "+4520123456"
	twilioTestMG     = "MG00000000000000000000000000000001"
)

// twilioReceiver is the bridge's side: an HTTP server that records what Twilio posts and answers as told.
type twilioReceiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []twilioReceived
	answer   http.HandlerFunc
}

type twilioReceived struct {
	path, body string
	header     http.Header
	form       url.Values
}

func newTwilioReceiver(t *testing.T) *twilioReceiver {
	r := &twilioReceiver{answer: func(w http.ResponseWriter, _ *http.Request) { twilioTestTwiML(w, "") }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		form, _ := url.ParseQuery(string(body))
		r.mu.Lock()
		r.requests = append(r.requests, twilioReceived{request.URL.String(), string(body), request.Header, form})
		answer := r.answer
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *twilioReceiver) answers(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *twilioReceiver) received() []twilioReceived {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]twilioReceived(nil), r.requests...)
}

// wait returns the requests once there are n.
func (r *twilioReceiver) wait(t *testing.T, n int) []twilioReceived {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.received()) >= n }, 5*time.Second, time.Millisecond)
	return r.received()
}

func twilioTestTwiML(w http.ResponseWriter, verbs string) {
	w.Header().Set("Content-Type", "text/xml")
	io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Response>`+verbs+`</Response>`)
}

func openTestTwilio(t *testing.T) *Twilio {
	twilio, err := OpenTwilio(TwilioConfig{
		AccountSID: twilioTestSID, AuthToken: twilioTestToken,
		Numbers:  []string{twilioTestFrom, twilioTestPooled},
		Services: map[string][]string{twilioTestMG: {twilioTestPooled}},
	})
	require.NoError(t, err)
	t.Cleanup(twilio.Close)
	return twilio
}

func twilioTestContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// twilioDo sends one request with the account's credentials and returns the status and the body.
func twilioDo(t *testing.T, twilio *Twilio, method, path string, form url.Values) (int, string) {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(t.Context(), method, twilio.URL()+path, body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(twilioTestSID, twilioTestToken)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(answer)
}

const twilioTestMessages = "/2010-04-01/Accounts/" + twilioTestSID + "/Messages"

// twilioSend sends a text and returns the resource that the API answered.
func twilioSend(t *testing.T, twilio *Twilio, form url.Values) map[string]any {
	t.Helper()
	status, body := twilioDo(t, twilio, "POST", twilioTestMessages+".json", form)
	require.Equal(t, 201, status, body)
	var resource map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &resource))
	return resource
}

func twilioForm(pairs ...string) url.Values {
	form := url.Values{"To": {twilioTestPhone}, "From": {twilioTestFrom}, "Body": {"Reply YES"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			form.Del(pairs[i])
		}
	}
	return form
}

func TestTwilioConfigIsChecked(t *testing.T) {
	good := TwilioConfig{AccountSID: twilioTestSID, AuthToken: twilioTestToken, Numbers: []string{twilioTestFrom}}
	for name, spoil := range map[string]func(*TwilioConfig){
		"no account":        func(c *TwilioConfig) { c.AccountSID = "" },
		"odd token":         func(c *TwilioConfig) { c.AuthToken = "a-b" },
		"number":            func(c *TwilioConfig) { c.Numbers = []string{"4511111111"} },
		"empty service":     func(c *TwilioConfig) { c.Services = map[string][]string{"MG1": nil} },
		"foreign number":    func(c *TwilioConfig) { c.Services = map[string][]string{"MG1": {twilioTestPooled}} },
		"not on loopback":   func(c *TwilioConfig) { c.Addr = "0.0.0.0:0" },
		"not an address":    func(c *TwilioConfig) { c.Addr = "127.0.0.1" },
		"all its addresses": func(c *TwilioConfig) { c.Addr = ":0" },
	} {
		config := good
		spoil(&config)
		_, err := OpenTwilio(config)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "1111111", name)
	}
}

func TestTwilioCreatesFetchesAndDeletes(t *testing.T) {
	twilio := openTestTwilio(t)
	text := twilioSend(t, twilio, twilioForm())
	sid := text["sid"].(string)
	require.Regexp(t, `^SM[0-9a-f]{32}$`, sid)
	require.Equal(t, "queued", text["status"])
	require.Equal(t, twilioTestFrom, text["from"])
	require.Equal(t, "1", text["num_segments"])
	require.Equal(t, "outbound-api", text["direction"])
	require.Nil(t, text["date_sent"])
	require.Nil(t, text["error_code"])
	_, err := time.Parse(time.RFC1123Z, text["date_created"].(string))
	require.NoError(t, err)

	status, body := twilioDo(t, twilio, "GET", text["uri"].(string), nil)
	require.Equal(t, 200, status)
	require.Contains(t, body, sid)
	status, _ = twilioDo(t, twilio, "DELETE", text["uri"].(string), nil)
	require.Equal(t, 204, status)
	status, body = twilioDo(t, twilio, "GET", text["uri"].(string), nil)
	require.Equal(t, 404, status)
	require.Contains(t, body, `"code":20404`)
	require.Len(t, twilio.Texts(), 1, "the history keeps a deleted text")
	require.Len(t, twilio.Phone(twilioTestPhone).Inbox(), 1, "and so does the phone")
}

func TestTwilioRefuses(t *testing.T) {
	twilio := openTestTwilio(t)
	twilio.Set(func(m *TwilioManners) { m.Reject = map[string]int{"+4530000000": 21635} })
	for name, c := range map[string]struct {
		form url.Values
		code string
	}{
		"no To":             {twilioForm("To", ""), "21604"},
		"To not E.164":      {twilioForm("To", "20123456"), "21211"},
		"magic To":          {twilioForm("To", "+15005550009"), "21614"},
		"magic opt-out":     {twilioForm("To", "+15005550004"), "21610"},
		"rejected To":       {twilioForm("To", "+4530000000"), "21635"},
		"no From":           {twilioForm("From", ""), "21603"},
		"From not E.164":    {twilioForm("From", "ACME!"), "21212"},
		"foreign From":      {twilioForm("From", "+4599999999"), "21606"},
		"magic From":        {twilioForm("From", "+15005550008"), "21611"},
		"unknown service":   {twilioForm("From", "", "MessagingServiceSid", "MG9"), "21701"},
		"not the service's": {twilioForm("MessagingServiceSid", twilioTestMG), "21606"},
		"no Body":           {twilioForm("Body", ""), "21602"},
		"long Body":         {twilioForm("Body", strings.Repeat("å", 1601)), "21617"},
		"relative callback": {twilioForm("StatusCallback", "/receipt"), "21609"},
		"underscore host":   {twilioForm("StatusCallback", "http://a_b.example/"), "21609"},
	} {
		status, body := twilioDo(t, twilio, "POST", twilioTestMessages+".json", c.form)
		require.Equal(t, 400, status, name)
		require.Contains(t, body, `"code":`+c.code, name)
		require.Contains(t, body, `"more_info":"https://www.twilio.com/docs/errors/`+c.code+`"`, name)
	}
	require.Empty(t, twilio.Texts())
	twilioSend(t, twilio, twilioForm("Body", strings.Repeat("å", 1600)))
	twilioSend(t, twilio, twilioForm("From", twilioMagicSender))
}

func TestTwilioChecksCredentialsAndAccount(t *testing.T) {
	twilio := openTestTwilio(t)
	response, err := http.PostForm(twilio.URL()+twilioTestMessages+".json", twilioForm())
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, 401, response.StatusCode)
	status, body := twilioDo(t, twilio, "POST", "/2010-04-01/Accounts/AC2/Messages.json", twilioForm())
	require.Equal(t, 404, status)
	require.Contains(t, body, "20404")
	require.Empty(t, twilio.Texts())
}

func TestTwilioFailsOnDemand(t *testing.T) {
	twilio := openTestTwilio(t)
	for _, c := range []struct {
		status, code int
		wantStatus   int
		wantBody     string
	}{{429, 20429, 429, `"code":20429`}, {500, 20500, 500, `"code":20500`}, {0, 0, 503, "<html>"}} {
		twilio.Set(func(m *TwilioManners) { m.FailNext, m.FailStatus, m.FailCode = 1, c.status, c.code })
		status, body := twilioDo(t, twilio, "POST", twilioTestMessages+".json", twilioForm())
		require.Equal(t, c.wantStatus, status)
		require.Contains(t, body, c.wantBody)
		require.Empty(t, twilio.Texts())
	}
	twilioSend(t, twilio, twilioForm())
}

func TestTwilioLosesTheAnswer(t *testing.T) {
	twilio, receiver := openTestTwilio(t), newTwilioReceiver(t)
	twilio.Set(func(m *TwilioManners) { m.LoseResponse = 1 })
	request, err := http.NewRequest("POST", twilio.URL()+twilioTestMessages+".json",
		strings.NewReader(twilioForm("StatusCallback", receiver.URL).Encode()))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(twilioTestSID, twilioTestToken)
	_, err = http.DefaultClient.Do(request)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, twilio.Texts(), 1)
	require.Len(t, twilio.Phone(twilioTestPhone).Inbox(), 1)
	receiver.wait(t, 2) // the receipts come although the answer was lost
	twilioSend(t, twilio, twilioForm())
}

func TestTwilioIsSlowOnDemand(t *testing.T) {
	twilio := openTestTwilio(t)
	twilio.Set(func(m *TwilioManners) { m.Slow = time.Minute })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", twilio.URL()+twilioTestMessages+".json", nil)
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(request)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	twilio.Set(func(m *TwilioManners) { m.Slow = 0 })
	twilioSend(t, twilio, twilioForm())
}

// twilioRewriter sends twilio-go's requests to the pretend Twilio.
type twilioRewriter struct{ base *url.URL }

func (r twilioRewriter) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = r.base.Scheme, r.base.Host
	return http.DefaultTransport.RoundTrip(request)
}

func TestTwilioGoIsAtHome(t *testing.T) {
	twilio := openTestTwilio(t)
	base, err := url.Parse(twilio.URL())
	require.NoError(t, err)
	rest := &client.Client{
		Credentials: client.NewCredentials(twilioTestSID, twilioTestToken),
		HTTPClient:  &http.Client{Transport: twilioRewriter{base}, Timeout: 5 * time.Second},
	}
	rest.SetAccountSid(twilioTestSID)
	api := openapi.NewApiServiceWithClient(rest)

	params := &openapi.CreateMessageParams{}
	params.SetTo(twilioTestPhone).SetFrom(twilioTestFrom).SetBody("Reply YES")
	for range 5 {
		text, err := api.CreateMessage(params)
		require.NoError(t, err)
		require.Equal(t, "queued", *text.Status)
		fetched, err := api.FetchMessage(*text.Sid, nil)
		require.NoError(t, err)
		require.Equal(t, "Reply YES", *fetched.Body)
	}
	list := &openapi.ListMessageParams{}
	list.SetTo(twilioTestPhone).SetPageSize(2)
	list.SetDateSentAfter(time.Now().Add(-time.Hour)).SetDateSentBefore(time.Now().Add(time.Hour))
	require.Eventually(t, func() bool { // a text has no DateSent until it is sent
		texts, err := api.ListMessage(list)
		require.NoError(t, err)
		return len(texts) == 5
	}, 5*time.Second, time.Millisecond)

	_, err = api.FetchMessage("SM1", nil)
	var refusal *client.TwilioRestError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, 20404, refusal.Code)
	require.Equal(t, 404, refusal.Status)
}
