package twilioverify_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/simulator/twilioverify"
)

const (
	testAccount = "AC00000000000000000000000000000001"
	testToken   = "0123456789abcdef0123456789abcdef"
	testService = "VA00000000000000000000000000000001"
	testPhone   = "+4520123456"
)

type testClock struct{ now time.Time }

func (c *testClock) time() time.Time { return c.now }

func openTest(
	t *testing.T, change func(*twilioverify.Config),
) (*twilioverify.Service, *verify.ApiService, *testClock) {
	t.Helper()
	clock := &testClock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	config := twilioverify.Config{AccountSID: testAccount, AuthToken: testToken,
		ServiceSID: testService, Now: clock.time}
	change(&config)
	v, err := twilioverify.Open(config)
	require.NoError(t, err)
	t.Cleanup(v.Close)
	target, err := url.Parse(v.URL())
	require.NoError(t, err)
	c := &client.Client{Credentials: client.NewCredentials(testAccount, testToken),
		HTTPClient: &http.Client{Transport: rewriter{target}, Timeout: 5 * time.Second}}
	c.SetAccountSid(testAccount)
	return v, verify.NewApiService(client.NewRequestHandler(c)), clock
}

// rewriter sends twilio-go's requests, whose host is a constant, to the simulator.
type rewriter struct{ to *url.URL }

func (r rewriter) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.URL.Scheme, q.URL.Host, q.Host = r.to.Scheme, r.to.Host, ""
	return http.DefaultTransport.RoundTrip(q)
}

func startParams(code string) *verify.CreateVerificationParams {
	p := (&verify.CreateVerificationParams{}).SetTo(testPhone).SetChannel("sms")
	if code != "" {
		p.SetCustomCode(code)
	}
	return p
}

func checkParams(sid, code string) *verify.CreateVerificationCheckParams {
	return (&verify.CreateVerificationCheckParams{}).SetVerificationSid(sid).SetCode(code)
}

// refusedWith shows the code and status of an error of twilio-go's.
func refusedWith(t *testing.T, err error, status, code int) {
	t.Helper()
	var rest *client.TwilioRestError
	require.ErrorAs(t, err, &rest)
	require.Equal(t, []int{status, code}, []int{rest.Status, rest.Code})
}

func TestThroughTheClient(t *testing.T) {
	v, api, _ := openTest(t, func(*twilioverify.Config) {})
	started, err := api.CreateVerification(testService, startParams(""))
	require.NoError(t, err)
	require.Equal(t, []string{testPhone, "sms", "pending", testService}, []string{*started.To,
		*started.Channel, *started.Status, *started.ServiceSid})
	require.Len(t, *started.SendCodeAttempts, 1)
	code := v.Texts()[0].Code
	require.Regexp(t, `^\d{6}$`, code)

	checked, err := api.CreateVerificationCheck(testService, checkParams(*started.Sid, code+"0"))
	require.NoError(t, err)
	require.Equal(t, "pending", *checked.Status)
	require.False(t, *checked.Valid)
	fetched, err := api.FetchVerification(testService, testPhone)
	require.NoError(t, err)
	require.Equal(t, *started.Sid, *fetched.Sid)
	checked, err = api.CreateVerificationCheck(testService,
		(&verify.CreateVerificationCheckParams{}).SetTo(testPhone).SetCode(code))
	require.NoError(t, err)
	require.Equal(t, "approved", *checked.Status)
	require.True(t, *checked.Valid)

	_, err = api.CreateVerificationCheck(testService, checkParams(*started.Sid, code))
	refusedWith(t, err, 404, 20404)
	_, err = api.FetchVerification(testService, *started.Sid)
	refusedWith(t, err, 404, 20404)
	_, err = api.FetchVerification("VA00000000000000000000000000000002", *started.Sid)
	refusedWith(t, err, 404, 20404)
}

func TestLimits(t *testing.T) {
	v, api, clock := openTest(t, func(*twilioverify.Config) {})
	var sid string
	for i := range 5 {
		started, err := api.CreateVerification(testService, startParams("111111"[i:]+"22222"[:i]))
		require.NoError(t, err)
		require.True(t, sid == "" || sid == *started.Sid)
		sid = *started.Sid
		require.Len(t, *started.SendCodeAttempts, i+1)
		require.Equal(t, "111111", v.Texts()[i].Code, "a pending verification keeps its code")
	}
	_, err := api.CreateVerification(testService, startParams("111111"))
	refusedWith(t, err, 429, 60203)
	for range 5 {
		_, err := api.CreateVerificationCheck(testService, checkParams(sid, "999999"))
		require.NoError(t, err)
	}
	_, err = api.CreateVerificationCheck(testService, checkParams(sid, "111111"))
	refusedWith(t, err, 429, 60202)
	require.Equal(t, 5, v.Checks())

	clock.now = clock.now.Add(10*time.Minute - time.Second)
	require.Equal(t, "pending", v.Status(sid))
	clock.now = clock.now.Add(time.Second)
	require.Equal(t, "expired", v.Status(sid))
	_, err = api.CreateVerificationCheck(testService, checkParams(sid, "111111"))
	refusedWith(t, err, 404, 20404)
	started, err := api.CreateVerification(testService, startParams("333333"))
	require.NoError(t, err)
	require.NotEqual(t, sid, *started.Sid)
}

func TestFeedback(t *testing.T) {
	v, api, _ := openTest(t, func(*twilioverify.Config) {})
	update := func(id, status string) error {
		_, err := api.UpdateVerification(testService, id,
			(&verify.UpdateVerificationParams{}).SetStatus(status))
		return err
	}
	started, err := api.CreateVerification(testService, startParams("1234"))
	require.NoError(t, err)
	refusedWith(t, update(*started.Sid, "expired"), 400, 60200)
	require.NoError(t, update(testPhone, "approved"), "a number will do")
	refusedWith(t, update(*started.Sid, "canceled"), 404, 20404)
	again, err := api.CreateVerification(testService, startParams("5678"))
	require.NoError(t, err)
	require.NoError(t, update(*again.Sid, "canceled"))
	require.Equal(t, []twilioverify.Feedback{
		{ID: *started.Sid, Status: "expired", Code: 60200}, {ID: testPhone, Status: "approved"},
		{ID: *started.Sid, Status: "canceled", Code: 20404}, {ID: *again.Sid, Status: "canceled"},
	}, v.Feedback())
}

func TestRefusals(t *testing.T) {
	v, api, clock := openTest(t, func(c *twilioverify.Config) { c.NoCustomCodes = true })
	v.Set(func(m *twilioverify.Manners) { m.Reject = map[string]int{"+4520999999": 60205} })
	for name, test := range map[string]struct {
		params *verify.CreateVerificationParams
		code   int
	}{
		"a custom code where none may be": {startParams("1234"), 60200},
		"no number":                       {startParams("").SetTo("20123456"), 60200},
		"another channel":                 {startParams("").SetChannel("pigeon"), 60200},
		"tags that are no object":         {startParams("").SetTags("[]"), 60200},
		"too many tags": {startParams("").SetTags(
			`{"a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":"","i":"","j":"","k":""}`), 60200},
		"a landline": {startParams("").SetTo("+4520999999"), 60205},
	} {
		_, err := api.CreateVerification(testService, test.params)
		refusedWith(t, err, 400, test.code)
		require.Empty(t, v.Texts(), name)
	}
	v.Guard("+45")
	_, err := api.CreateVerification(testService, startParams(""))
	refusedWith(t, err, 403, 60410)
	_, err = api.CreateVerification(testService, startParams("").SetRiskCheck("disable"))
	require.NoError(t, err)
	_, err = api.CreateVerification(testService, startParams("").SetTo("+46700000000"))
	require.NoError(t, err)
	clock.now = clock.now.Add(12 * time.Hour)
	_, err = api.CreateVerification(testService, startParams(""))
	require.NoError(t, err)

	v.Set(func(m *twilioverify.Manners) { m.FailNext, m.FailStatus, m.FailCode = 1, 429, 20429 })
	_, err = api.CreateVerification(testService, startParams(""))
	refusedWith(t, err, 429, 20429)
	v.Set(func(m *twilioverify.Manners) { *m = twilioverify.Manners{LoseResponse: 1} })
	before := len(v.Texts())
	_, err = api.CreateVerification(testService, startParams(""))
	require.Error(t, err)
	require.Len(t, v.Texts(), before+1, "it was done before the response was lost")
	res, err := http.Post(v.URL()+"/v2/Services/"+testService+"/Verifications",
		"application/x-www-form-urlencoded", strings.NewReader("To="+testPhone))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 401, res.StatusCode)
}

func TestReachesThePhone(t *testing.T) {
	twilio, err := twilio.Open(twilio.Config{AccountSID: testAccount, AuthToken: testToken})
	require.NoError(t, err)
	defer twilio.Close()
	_, api, _ := openTest(t, func(c *twilioverify.Config) { c.Phones, c.CodeLength = twilio, 8 })
	_, err = api.CreateVerification(testService, startParams("").SetCustomFriendlyName("ACME"))
	require.NoError(t, err)
	inbox, err := twilio.Phone(testPhone).Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Regexp(t, `^\d{8} is your code for ACME$`, inbox[0].Body)
}

func TestOpenVerifyRefuses(t *testing.T) {
	good := twilioverify.Config{AccountSID: testAccount, AuthToken: testToken, ServiceSID: testService}
	for name, change := range map[string]func(*twilioverify.Config){
		"account": func(c *twilioverify.Config) { c.AccountSID = "AC-1" },
		"token":   func(c *twilioverify.Config) { c.AuthToken = "" },
		"service": func(c *twilioverify.Config) { c.ServiceSID = "VA1" },
		"digits":  func(c *twilioverify.Config) { c.CodeLength = 3 },
		"address": func(c *twilioverify.Config) { c.Addr = "0.0.0.0:0" },
	} {
		config := good
		change(&config)
		_, err := twilioverify.Open(config)
		require.Error(t, err, name)
	}
}
