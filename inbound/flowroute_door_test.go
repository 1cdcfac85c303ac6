package inbound

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

const flowrouteKey = "key-of-the-flowroute-door-0123456789"

// flowrouteClient is a client of the original service, with nothing changed but its endpoint.
type flowrouteClient struct {
	*bridge
	endpoint string
}

// eachFlowroute opens a door on each database.
func eachFlowroute(t *testing.T, test func(t *testing.T, f flowrouteClient), changes ...string) {
	changes = append([]string{"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000"}, changes...)
	each(t, func(t *testing.T, b *bridge) { test(t, openFlowroute(t, b)) }, changes...)
}

// onlyFlowroute opens a door on SQLite, for what does not depend on the database.
func onlyFlowroute(t *testing.T, test func(t *testing.T, f flowrouteClient), changes ...string) {
	test(t, openFlowroute(t, openBridge(t, storetest.SQLite(t), append([]string{"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000"}, changes...)...)))
}

func openFlowroute(t testing.TB, b *bridge) flowrouteClient {
	t.Helper()
	acme, _ := b.inbound.Settings.Tenants.Tenant("acme")
	door := httptest.NewServer(b.inbound.FlowrouteHandler(acme))
	t.Cleanup(door.Close)
	return flowrouteClient{b, door.URL}
}

// create is the client's create_auth.
func (f flowrouteClient) create(t testing.TB, authID, recipient string) response {
	t.Helper()
	return f.postJSON(t, f.endpoint, fmt.Sprintf(`{"auth_id": %s, "recipient": %s}`, authID, recipient))
}

func (f flowrouteClient) postJSON(t testing.TB, url, body string) response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	return f.sendAs(t, r)
}

// sendAs sends a request with what stands in its URL before the host, as client libraries do.
func (f flowrouteClient) sendAs(t testing.TB, r *http.Request) response {
	t.Helper()
	if password, ok := r.URL.User.Password(); ok {
		r.SetBasicAuth(r.URL.User.Username(), password)
	}
	return f.send(t, r)
}

// check is the client's authenticate_code.
func (f flowrouteClient) check(t testing.TB, authID, code string) response {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, f.endpoint+"?"+url.Values{"auth_id": {authID}, "code": {code}}.Encode(), nil)
	require.NoError(t, err)
	return f.sendAs(t, r)
}

// texted takes the newest text that is due, as if it had left, and returns the code in it: its first number.
func (b *bridge) texted(t testing.TB) (code, body string) {
	t.Helper()
	bodies := app{bridge: b, t: t}.bodies()
	require.NotEmpty(t, bodies)
	body = bodies[len(bodies)-1]
	return strings.FieldsFunc(body, func(r rune) bool { return r < '0' || r > '9' })[0], body
}

// integer is a code as a client sends it that thinks of it as a number.
func integer(t testing.TB, code string) string {
	t.Helper()
	n, err := strconv.Atoi(code)
	require.NoError(t, err)
	return strconv.Itoa(n)
}

// otherCode is a code of the same length that is not this one.
func otherCode(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

// says shows what the service answered, to the letter.
func says(t testing.TB, r response, status int, body string) {
	t.Helper()
	require.Equal(t, status, r.status, r.body)
	require.JSONEq(t, body, r.body)
	require.True(t, strings.HasPrefix(r.header.Get("Content-Type"), "application/json"))
	require.Equal(t, "no-store", r.header.Get("Cache-Control"))
}

// What the original answers, row by row.
const (
	saysCreated     = `{"message":"Success: Verification code created.","auth_id":"my_identifier"}`
	saysRight       = `{"authenticated":true,"auth_id":"my_identifier","message":"Success: Authorization code verified."}`
	saysBadCreate   = `{"message":"Required arguments: 'auth_id' (str), 'recipient' (int, length=11)","reason":"InvalidAPIUsage"}`
	saysBadCheck    = `{"message":"Required arguments: 'auth_id' (str), 'code' (int)","reason":"InvalidAPIUsage"}`
	saysUnknown     = `{"message":"Unknown auth id","reason":"UnknownAuthId","attempts_left":0}`
	saysExpired     = `{"message":"Expired code","reason":"ExpiredAuthCode","attempts_left":0}`
	saysWrongFormat = `{"message":"Invalid code","reason":"InvalidAuthCode","attempts_left":%d}`
)

func saysWrong(left int) string { return fmt.Sprintf(saysWrongFormat, left) }

func TestFlowrouteStory(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, body := f.texted(t)
		require.Equal(t, code+"\nWelcome to Acme Inc! Use this one-time code to complete your signup.", body)
		require.Len(t, code, 4)

		says(t, f.check(t, "my_identifier", otherCode(code)), 400, saysWrong(2))
		says(t, f.check(t, "another", code), 400, saysUnknown)
		says(t, f.check(t, "my_identifier", " 0"+code), 200, saysRight) // numbers are compared
		says(t, f.check(t, "my_identifier", code), 400, saysUnknown)    // and it was forgotten
		require.Equal(t, "approved", f.one(t, "SELECT state FROM verification"))
		require.NotContains(t, f.log.take(), code)
	}, "SMSBRIDGE_ORG_NAME=Acme Inc")
}

// The third wrong code is the last one, and the right one comes too late.
func TestFlowrouteAttempts(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, _ := f.texted(t)
		// Integers that no code can be count as well.
		for left, number := range []string{"-" + code, "99999999999999999999", otherCode(code)} {
			says(t, f.check(t, "my_identifier", number), 400, saysWrong(2-left))
		}
		says(t, f.check(t, "my_identifier", code), 400, saysUnknown)
	})
}

// That a code has expired comes before what it is, and is said once.
func TestFlowrouteExpiry(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		for range 2 { // a second one with the same auth_id is like the first
			says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
			code, _ := f.texted(t)
			f.bridge.now = f.bridge.now.Add(time.Hour)
			answers := make([]response, 8)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() { answers[i] = f.check(t, "my_identifier", code) })
			}
			wait.Wait()
			expired := 0
			for _, a := range answers {
				if strings.Contains(a.body, "ExpiredAuthCode") {
					says(t, a, 400, saysExpired)
					expired++
				} else {
					says(t, a, 400, saysUnknown)
				}
			}
			require.Equal(t, 1, expired)
		}
	})
}

// An auth_id that is used again has a new code and new attempts, and the old code counts no more.
func TestFlowrouteOverwrites(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		old, _ := f.texted(t)
		says(t, f.check(t, "my_identifier", otherCode(old)), 400, saysWrong(4))
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, _ := f.texted(t)
		if old != code {
			says(t, f.check(t, "my_identifier", old), 400, saysWrong(4))
		}
		says(t, f.check(t, "my_identifier", code), 200, saysRight)
	}, "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED=5", "SMSBRIDGE_FLOWROUTE_CODE_LENGTH=10")
}

func TestFlowrouteSettings(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f flowrouteClient) {
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, body := f.texted(t)
		require.Len(t, code, 8)
		require.Equal(t, code+" for ACME", body)
		says(t, f.check(t, "my_identifier", otherCode(code)), 400, saysWrong(0))
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		f.bridge.now = f.bridge.now.Add(90*time.Second - time.Millisecond)
		code, _ = f.texted(t)
		says(t, f.check(t, "my_identifier", integer(t, code)), 200, saysRight)
	}, "SMSBRIDGE_FLOWROUTE_CODE_LENGTH=8", "SMSBRIDGE_FLOWROUTE_CODE_EXPIRATION=90s", "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED=1",
		"SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE={{.Code}} for {{.Name}}")
}

// Malformed input gets the documented error, and records and texts nothing.
func TestFlowrouteMalformed(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		for _, body := range []string{
			"", "{", "null", "[]", `"x"`, "{}", `{"auth_id":"a"}`, `{"recipient":"+4520123456"}`, `{"auth_id":"","recipient":"+4520123456"}`,
			`{"auth_id":null,"recipient":"+4520123456"}`, `{"auth_id":{},"recipient":"+4520123456"}`, `{"auth_id":true,"recipient":"+4520123456"}`,
			`{"auth_id":"a\u0000","recipient":"+4520123456"}`, `{"auth_id":"` + strings.Repeat("x", 121) + `","recipient":"+4520123456"}`,
			`{"auth_id":"a","recipient":4520123456}`, `{"auth_id":"a","recipient":"4520123456"}`, `{"auth_id":"a","recipient":" 4520123456"}`,
			`{"auth_id":"a","recipient":"+452012345x"}`, `{"auth_id":"a","recipient":"99999999999"}`, `{"auth_id":"a","recipient":1.2345678901}`,
			`{"auth_id":"a","recipient":12065550100}`, `{"auth_id":"a","recipient":"+45 2012345"}`, `{"auth_id":"a","recipient":["+4520123456"]}`,
			`{"auth_id":"a","recipient":"+4520123456"} trailing`, `{"auth_id":"a","recipient":"+4520123456","x":"` + strings.Repeat("x", 9000) + `"}`,
		} {
			says(t, f.postJSON(t, f.endpoint, body), 400, saysBadCreate)
		}
		r := f.post(t, "", "text/plain", strings.NewReader("")) // the bridge's own listener has no such path
		require.Equal(t, 404, r.status)
		plain, err := http.NewRequest(http.MethodPost, f.endpoint, strings.NewReader(`{"auth_id":"a","recipient":"+4520123456"}`))
		require.NoError(t, err)
		plain.Header.Set("Content-Type", "text/plain")
		says(t, f.send(t, plain), 400, saysBadCreate)

		says(t, f.create(t, `"a"`, `"`+phone+`"`), 200, strings.Replace(saysCreated, "my_identifier", "a", 1))
		recorded := app{bridge: f.bridge, t: t}.recorded()
		for _, check := range [][2]string{{"", "1234"}, {"a", ""}, {"a", "12a4"}, {"a", "12 34"}, {"a", "1.5"}, {"a", "٤٢٤٢"}, {"a", "--1"}} {
			says(t, f.check(t, check[0], check[1]), 400, saysBadCheck)
		}
		for _, id := range []string{"b", "A", "a\x00", "\xff", strings.Repeat("x", 121)} {
			says(t, f.check(t, id, "1234"), 400, saysUnknown)
		}
		for method, path := range map[string]string{"PUT": "", "DELETE": "", "HEAD": "?auth_id=a&code=1234", "POST": "/other"} {
			request, err := http.NewRequest(method, f.endpoint+path, nil)
			require.NoError(t, err)
			require.Contains(t, []int{404, 405}, f.send(t, request).status)
		}
		require.Equal(t, recorded, app{bridge: f.bridge, t: t}.recorded())
	})
}

// An auth_id may be a number, a recipient an integer, and a code may come in a body.
func TestFlowrouteForms(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f flowrouteClient) {
		says(t, f.create(t, "7", "12065550100"), 200, strings.Replace(saysCreated, "my_identifier", "7", 1))
		require.Equal(t, "+12065550100", f.one(t, "SELECT phone FROM verification"))
		code, _ := f.texted(t)
		says(t, f.postJSON(t, f.endpoint+"/check", `{"auth_id":7,"code":"`+otherCode(code)+`"}`), 400, saysWrong(2))
		says(t, f.postJSON(t, f.endpoint+"/check", `{"auth_id":"7"}`), 400, saysBadCheck)
		says(t, f.postJSON(t, f.endpoint+"/check", `{"auth_id":7,"code":`+integer(t, code)+`}`), 200, strings.Replace(saysRight, "my_identifier", "7", 1))
	}, "SMSBRIDGE_COUNTRIES=US")
}

// With a key nobody is served without it; a client puts it into its URL.
func TestFlowrouteKey(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f flowrouteClient) {
		before := app{bridge: f.bridge, t: t}.recorded()
		for _, userinfo := range []string{"", "user:wrong@", flowrouteKey + "@"} {
			keyless := f
			keyless.endpoint = strings.Replace(f.endpoint, "http://", "http://"+userinfo, 1)
			r := keyless.create(t, `"my_identifier"`, `"`+phone+`"`)
			require.Equal(t, 401, r.status, r.body)
			require.Contains(t, r.header.Get("WWW-Authenticate"), "Basic")
			require.Equal(t, 401, keyless.check(t, "my_identifier", "1234").status)
		}
		require.Equal(t, before, app{bridge: f.bridge, t: t}.recorded())
		f.endpoint = strings.Replace(f.endpoint, "http://", "http://:"+flowrouteKey+"@", 1)
		says(t, f.create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		require.NotContains(t, f.log.take(), flowrouteKey)
	}, "SMSBRIDGE_FLOWROUTE_DOOR_KEY="+flowrouteKey)
}

// Without a key, a host name that only pretends to be this machine opens nothing.
func TestFlowrouteKeylessIsLocal(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f flowrouteClient) {
		for host, want := range map[string]int{"localhost:8000": 200, "127.0.0.1": 200, "[::1]:8000": 200, "evil.example:8000": 403, "10.0.0.1": 403} {
			r, err := http.NewRequest(http.MethodPost, f.endpoint, strings.NewReader(`{"auth_id":"my_identifier","recipient":"`+phone+`"}`))
			require.NoError(t, err)
			r.Host = host
			r.Header.Set("Content-Type", "application/json")
			require.Equal(t, want, f.send(t, r).status, host)
		}
	})
}

// Whoever said STOP is not texted; who guessed too often is neither texted nor compared.
func TestFlowrouteRefusals(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		for n := range 4 { // of three attempts each
			f.create(t, `"my_identifier"`, `"`+phone+`"`)
			if n == 3 {
				says(t, f.check(t, "my_identifier", "1"), 400, saysWrong(2))
				break
			}
			for range 3 {
				require.Equal(t, 400, f.check(t, "my_identifier", "99999").status)
			}
		}
		r := f.check(t, "my_identifier", "99999")
		says(t, r, 429, `{"message":"Too many wrong codes for this recipient","reason":"TooManyAttempts","attempts_left":0}`)
		require.Equal(t, "86400", r.header.Get("Retry-After"))
		require.Equal(t, 429, f.create(t, `"other"`, `"`+phone+`"`).status)

		f.bridge.now = f.bridge.now.Add(25 * time.Hour)
		silent(t, f.reply(t, replyForm(1, "STOP")))
		says(t, f.create(t, `"other"`, `"`+phone+`"`), 400, `{"message":"The recipient opted out of texts","reason":"RecipientOptedOut"}`)
	})
}

// The right code sent 32 times at once succeeds once; 64 wrong ones at once are as few attempts as one by one.
func TestFlowrouteAtOnce(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f flowrouteClient) {
		at := func(n int, code string) map[string]int {
			answers := make([]response, n)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() { answers[i] = f.check(t, "my_identifier", code) })
			}
			wait.Wait()
			reasons := map[string]int{}
			for _, a := range answers {
				var read flowrouteAnswer
				require.NoError(t, json.Unmarshal([]byte(a.body), &read), a.body)
				reasons[read.Reason]++
			}
			return reasons
		}
		f.create(t, `"my_identifier"`, `"`+phone+`"`)
		code, _ := f.texted(t)
		require.Equal(t, map[string]int{"": 1, "UnknownAuthId": 31}, at(32, code))
		f.create(t, `"my_identifier"`, `"`+phone+`"`)
		code, _ = f.texted(t)
		require.Equal(t, map[string]int{"InvalidAuthCode": 3, "UnknownAuthId": 61}, at(64, otherCode(code)))
	})
}

// A database that does not answer is said to, and nothing of it.
func TestFlowrouteUnavailable(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f flowrouteClient) {
		require.NoError(t, f.store.Close())
		r := f.create(t, `"my_identifier"`, `"`+phone+`"`)
		says(t, r, 503, `{"message":"Please try again","reason":"Unavailable"}`)
		require.Equal(t, "5", r.header.Get("Retry-After"))
	})
}

func FuzzFlowrouteCode(f *testing.F) {
	for _, number := range []string{"1234", " 0042", "-1", "99999999999", "", "1_0", "٤"} {
		f.Add(number, 4)
	}
	f.Fuzz(func(t *testing.T, number string, digits int) {
		digits = 4 + max(digits, -digits)%7
		code, ok := flowrouteCode(number, max(4, digits))
		if !ok {
			require.NotRegexp(t, `^[0-9]+$`, number)
			return
		}
		require.Regexp(t, `^[0-9]{4,10}$`, code, "the rule takes it")
		if plain := strings.TrimLeft(number, "0"); len(code) == digits && anyInteger.MatchString(number) && !strings.ContainsAny(number, "+- \t\n\v\f\r") {
			require.Equal(t, plain, strings.TrimLeft(code, "0"))
		}
	})
}

func FuzzReadLoose(f *testing.F) {
	for _, body := range []string{`{"auth_id":"a","recipient":1}`, `{"a":1e9}`, "[]", `{"a":null}`, `{"a":"\ud800"}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for _, value := range readLoose(r) {
			if text := loose(value); isAuthID(text) {
				require.NotContains(t, text, "\x00")
			}
		}
	})
}
