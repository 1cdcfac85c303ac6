package flowroutedoor_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store/storetest"
)

const flowrouteKey = "key-of-the-flowroute-door-0123456789"

const phone = inboundtest.Phone

// eachFlowroute opens a door on each database.
func eachFlowroute(
	t *testing.T,
	test func(t *testing.T, f inboundtest.FlowrouteClient),
	changes ...string,
) {
	changes = append([]string{"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000"}, changes...)
	inboundtest.Each(
		t,
		func(t *testing.T, b *inboundtest.Bridge) { test(t, inboundtest.OpenFlowroute(t, b)) },
		changes...)
}

// onlyFlowroute opens a door on SQLite, for what does not depend on the database.
func onlyFlowroute(
	t *testing.T,
	test func(t *testing.T, f inboundtest.FlowrouteClient),
	changes ...string,
) {
	changes = append([]string{"SMSBRIDGE_FLOWROUTE_ADDR=127.0.0.1:8000"}, changes...)
	test(t, inboundtest.OpenFlowroute(t, inboundtest.Open(t, storetest.SQLite(t), changes...)))
}

// says shows what the service responded, to the letter.
func says(t testing.TB, r inboundtest.Response, status int, body string) {
	t.Helper()
	require.Equal(t, status, r.StatusCode, r.Body)
	require.JSONEq(t, body, r.Body)
	require.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"))
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
}

// How the original responds, row by row.
const (
	saysCreated = `{"message":"Success: Verification code created.","auth_id":"my_identifier"}`
	saysRight   = `{"authenticated":true,"auth_id":"my_identifier","message":"Success: ` +
		`Authorization code verified."}`
	saysBadCreate = `{"message":"Required arguments: 'auth_id' (str), 'recipient' (int, ` +
		`length=11)","reason":"InvalidAPIUsage"}`
	saysBadCheck = `{"message":"Required arguments: 'auth_id' (str), 'code' (int)",` +
		`"reason":"InvalidAPIUsage"}`
	saysUnknown     = `{"message":"Unknown auth id","reason":"UnknownAuthId","attempts_left":0}`
	saysExpired     = `{"message":"Expired code","reason":"ExpiredAuthCode","attempts_left":0}`
	saysWrongFormat = `{"message":"Invalid code","reason":"InvalidAuthCode","attempts_left":%d}`
)

func saysWrong(left int) string { return fmt.Sprintf(saysWrongFormat, left) }

func TestFlowrouteStory(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, body := f.Texted(t)
		require.Equal(
			t,
			code+"\nWelcome to Acme Inc! Use this one-time code to complete your signup.",
			body,
		)
		require.Len(t, code, 4)

		says(t, f.Check(t, "my_identifier", inboundtest.OtherCode(code)), 400, saysWrong(2))
		says(t, f.Check(t, "another", code), 400, saysUnknown)
		says(t, f.Check(t, "my_identifier", " 0"+code), 200, saysRight) // numbers are compared
		says(t, f.Check(t, "my_identifier", code), 400, saysUnknown)    // and it was forgotten
		require.Equal(t, "approved", f.One(t, "SELECT state FROM verification"))
		require.NotContains(t, storetest.WithoutIDs(f.Log.Take()), code)
	}, "SMSBRIDGE_ORG_NAME=Acme Inc")
}

// The third wrong code is the last one, and the right one comes too late.
func TestFlowrouteAttempts(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, _ := f.Texted(t)
		// Integers that no code can be count as well.
		for left, number := range []string{
			"-" + code, "99999999999999999999", inboundtest.OtherCode(code),
		} {
			says(t, f.Check(t, "my_identifier", number), 400, saysWrong(2-left))
		}
		says(t, f.Check(t, "my_identifier", code), 400, saysUnknown)
	})
}

// That a code has expired comes before what it is, and is said once.
func TestFlowrouteExpiry(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		for range 2 { // a second one with the same auth_id is like the first
			says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
			code, _ := f.Texted(t)
			f.Bridge.Now = f.Bridge.Now.Add(time.Hour)
			answers := make([]inboundtest.Response, 8)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() { answers[i] = f.Check(t, "my_identifier", code) })
			}
			wait.Wait()
			expired := 0
			for _, a := range answers {
				if strings.Contains(a.Body, "ExpiredAuthCode") {
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
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		old, _ := f.Texted(t)
		says(t, f.Check(t, "my_identifier", inboundtest.OtherCode(old)), 400, saysWrong(4))
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, _ := f.Texted(t)
		if old != code {
			says(t, f.Check(t, "my_identifier", old), 400, saysWrong(4))
		}
		says(t, f.Check(t, "my_identifier", code), 200, saysRight)
	}, "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED=5", "SMSBRIDGE_FLOWROUTE_CODE_LENGTH=10")
}

func TestFlowrouteSettings(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		code, body := f.Texted(t)
		require.Len(t, code, 8)
		require.Equal(t, code+" for ACME", body)
		says(t, f.Check(t, "my_identifier", inboundtest.OtherCode(code)), 400, saysWrong(0))
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		f.Bridge.Now = f.Bridge.Now.Add(90*time.Second - time.Millisecond)
		code, _ = f.Texted(t)
		says(t, f.Check(t, "my_identifier", inboundtest.Integer(t, code)), 200, saysRight)
	}, "SMSBRIDGE_FLOWROUTE_CODE_LENGTH=8", "SMSBRIDGE_FLOWROUTE_CODE_EXPIRATIO"+
		"N=90s", "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED=1",
		"SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE={{.Code}} for {{.Name}}")
}

// Malformed input gets the documented error, and records and texts nothing.
func TestFlowrouteMalformed(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		for _, body := range []string{
			"", "{", "null", "[]", `"x"`, "{}", `{"auth_id":"a"}`, `{"recipient":"+4520123456"}`,
			`{"auth_id":"","recipient":"+4520123456"}`,
			`{"auth_id":null,"recipient":"+4520123456"}`, `{"auth_id":{},"recipient":"+4520123456"}`,
			`{"auth_id":true,"recipient":"+4520123456"}`,
			`{"auth_id":"a\u0000","recipient":"+4520123456"}`,
			`{"auth_id":"` + strings.Repeat("x", 121) + `","recipient":"+4520123456"}`,
			`{"auth_id":"a","recipient":4520123456}`, `{"auth_id":"a","recipient":"4520123456"}`,
			`{"auth_id":"a","recipient":" 4520123456"}`,
			`{"auth_id":"a","recipient":"+452012345x"}`, `{"auth_id":"a","recipient":"99999999999"}`,
			`{"auth_id":"a","recipient":1.2345678901}`,
			`{"auth_id":"a","recipient":12065550100}`, `{"auth_id":"a","recipient":"+45 2012345"}`,
			`{"auth_id":"a","recipient":["+4520123456"]}`,
			`{"auth_id":"a","recipient":"+4520123456"} trailing`,
			`{"auth_id":"a","recipient":"+4520123456","x":"` + strings.Repeat("x", 9000) + `"}`,
		} {
			says(t, f.PostJSON(t, f.Endpoint, body), 400, saysBadCreate)
		}
		// the bridge's own listener has no such path
		r := f.Post(t, "", "text/plain", strings.NewReader(""))
		require.Equal(t, 404, r.StatusCode)
		plain, err := http.NewRequest(
			http.MethodPost,
			f.Endpoint,
			strings.NewReader(`{"auth_id":"a","recipient":"+4520123456"}`),
		)
		require.NoError(t, err)
		plain.Header.Set("Content-Type", "text/plain")
		says(t, f.Send(t, plain), 400, saysBadCreate)

		says(
			t,
			f.Create(t, `"a"`, `"`+phone+`"`),
			200,
			strings.Replace(saysCreated, "my_identifier", "a", 1),
		)
		recorded := f.Recorded(t)
		for _, check := range [][2]string{
			{"", "1234"}, {"a", ""}, {"a", "12a4"}, {"a", "12 34"}, {"a", "1.5"}, {"a", "٤٢٤٢"},
			{"a", "--1"},
		} {
			says(t, f.Check(t, check[0], check[1]), 400, saysBadCheck)
		}
		for _, id := range []string{"b", "A", "a\x00", "\xff", strings.Repeat("x", 121)} {
			says(t, f.Check(t, id, "1234"), 400, saysUnknown)
		}
		for method, path := range map[string]string{
			"PUT": "", "DELETE": "", "HEAD": "?auth_id=a&code=1234", "POST": "/other",
		} {
			request, err := http.NewRequest(method, f.Endpoint+path, nil)
			require.NoError(t, err)
			require.Contains(t, []int{404, 405}, f.Send(t, request).StatusCode)
		}
		require.Equal(t, recorded, f.Recorded(t))
	})
}

// An auth_id may be a number, a recipient an integer, and a code may come in a body.
func TestFlowrouteForms(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		says(
			t,
			f.Create(t, "7", "12065550100"),
			200,
			strings.Replace(saysCreated, "my_identifier", "7", 1),
		)
		require.Equal(t, "+12065550100", f.One(t, "SELECT phone FROM verification"))
		code, _ := f.Texted(t)
		says(
			t,
			f.PostJSON(t, f.Endpoint+"/check", `{"auth_id":7,"code":"`+inboundtest.OtherCode(code)+`"}`),
			400,
			saysWrong(2),
		)
		says(t, f.PostJSON(t, f.Endpoint+"/check", `{"auth_id":"7"}`), 400, saysBadCheck)
		says(
			t,
			f.PostJSON(t, f.Endpoint+"/check", `{"auth_id":7,"code":`+inboundtest.Integer(t, code)+`}`),
			200,
			strings.Replace(saysRight, "my_identifier", "7", 1),
		)
	}, "SMSBRIDGE_COUNTRIES=US")
}

// A door with a key serves no client without it. A client puts the key into its URL.
func TestFlowrouteKey(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		before := f.Recorded(t)
		for _, userinfo := range []string{"", "user:wrong@", flowrouteKey + "@"} {
			keyless := f
			keyless.Endpoint = strings.Replace(f.Endpoint, "http://", "http://"+userinfo, 1)
			r := keyless.Create(t, `"my_identifier"`, `"`+phone+`"`)
			require.Equal(t, 401, r.StatusCode, r.Body)
			require.Contains(t, r.Header.Get("WWW-Authenticate"), "Basic")
			require.Equal(t, 401, keyless.Check(t, "my_identifier", "1234").StatusCode)
		}
		require.Equal(t, before, f.Recorded(t))
		f.Endpoint = strings.Replace(f.Endpoint, "http://", "http://:"+flowrouteKey+"@", 1)
		says(t, f.Create(t, `"my_identifier"`, `"`+phone+`"`), 200, saysCreated)
		require.NotContains(t, f.Log.Take(), flowrouteKey)
	}, "SMSBRIDGE_FLOWROUTE_DOOR_KEY="+flowrouteKey)
}

// Without a key, a host name that only pretends to be this machine opens nothing.
func TestFlowrouteKeylessIsLocal(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		for host, want := range map[string]int{
			"localhost:8000": 200, "127.0.0.1": 200, "[::1]:8000": 200, "evil.example:8000": 403,
			"10.0.0.1": 403,
		} {
			r, err := http.NewRequest(
				http.MethodPost,
				f.Endpoint,
				strings.NewReader(`{"auth_id":"my_identifier","recipient":"`+phone+`"}`),
			)
			require.NoError(t, err)
			r.Host = host
			r.Header.Set("Content-Type", "application/json")
			require.Equal(t, want, f.Send(t, r).StatusCode, host)
		}
	})
}

// A phone that said STOP is not texted. A phone with too many wrong codes is neither texted nor
// compared.
func TestFlowrouteRefusals(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		for n := range 4 { // of three attempts each
			f.Create(t, `"my_identifier"`, `"`+phone+`"`)
			if n == 3 {
				says(t, f.Check(t, "my_identifier", "1"), 400, saysWrong(2))
				break
			}
			for range 3 {
				require.Equal(t, 400, f.Check(t, "my_identifier", "99999").StatusCode)
			}
		}
		r := f.Check(t, "my_identifier", "99999")
		says(
			t,
			r,
			429,
			`{"message":"Too many wrong codes for this recipient","reason":"TooManyAttempts",`+
				`"attempts_left":0}`,
		)
		require.Equal(t, "86400", r.Header.Get("Retry-After"))
		require.Equal(t, 429, f.Create(t, `"other"`, `"`+phone+`"`).StatusCode)

		f.Bridge.Now = f.Bridge.Now.Add(25 * time.Hour)
		inboundtest.Silent(t, f.Reply(t, inboundtest.ReplyForm(1, "STOP")))
		says(
			t,
			f.Create(t, `"other"`, `"`+phone+`"`),
			400,
			`{"message":"The recipient opted out of texts","reason":"RecipientOptedOut"}`,
		)
	})
}

// The right code sent 32 times at once succeeds once; 64 wrong ones at once are as few attempts
// as one by one.
func TestFlowrouteAtOnce(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		at := func(n int, code string) map[string]int {
			answers := make([]inboundtest.Response, n)
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() { answers[i] = f.Check(t, "my_identifier", code) })
			}
			wait.Wait()
			reasons := map[string]int{}
			for _, a := range answers {
				var read inboundtest.FlowrouteResponse
				require.NoError(t, json.Unmarshal([]byte(a.Body), &read), a.Body)
				reasons[read.Reason]++
			}
			return reasons
		}
		f.Create(t, `"my_identifier"`, `"`+phone+`"`)
		code, _ := f.Texted(t)
		require.Equal(t, map[string]int{"": 1, "UnknownAuthId": 31}, at(32, code))
		f.Create(t, `"my_identifier"`, `"`+phone+`"`)
		code, _ = f.Texted(t)
		require.Equal(
			t,
			map[string]int{"InvalidAuthCode": 3, "UnknownAuthId": 61},
			at(64, inboundtest.OtherCode(code)),
		)
	})
}

// When the database does not respond, the client hears that and nothing else of the database.
func TestFlowrouteUnavailable(t *testing.T) {
	onlyFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		require.NoError(t, f.Store.Close())
		r := f.Create(t, `"my_identifier"`, `"`+phone+`"`)
		says(t, r, 503, `{"message":"Please try again","reason":"Unavailable"}`)
		require.Equal(t, "5", r.Header.Get("Retry-After"))
	})
}
