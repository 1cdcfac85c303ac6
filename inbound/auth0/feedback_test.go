package auth0_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/auth0"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

var withVerify = append(
	[]string{"TWILIO_VERIFY_SERVICE_SID=VA00000000000000000000000000000001"},
	auth0Settings...)

// textedOTP has a code of Auth0's texted by Twilio Verify.
func (b *bridge) textedOTP(t *testing.T, request string) {
	t.Helper()
	r, _ := b.sends(t, request, "")
	require.Equal(t, http.StatusOK, r.StatusCode, r.Body)
	id := b.One(
		t,
		"SELECT id FROM verification WHERE state = 'pending' ORDER BY opened_at DESC LIMIT 1",
	)
	require.NoError(t, b.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return verification.SentByVerify(ctx, tx, id, "VE"+id, false)
	}))
}

// counts reads the response to feedback.
func counts(t *testing.T, r inboundtest.Response) map[string]int {
	t.Helper()
	require.Equal(t, http.StatusOK, r.StatusCode, r.Body)
	all := map[string]int{}
	require.NoError(t, json.Unmarshal([]byte(r.Body), &all))
	return all
}

// reports counts the reports to Twilio Verify that are due.
func (b *bridge) reports(t *testing.T) int {
	return b.Count(t, "river_job", "kind = 'report_verification'")
}

// Ensure that an Action's feedback approves the last code of the user or the phone once. Feedback
// about no known code is counted, and no list shows it as a verification.
func TestAuth0Feedback(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		b.textedOTP(t, otp)
		require.Equal(
			t,
			map[string]int{"matched": 1},
			counts(
				t,
				b.action(t, "feedback", `{"user_id":"auth0|5f7c","phone_number":null,"factor":"mfa"}`),
			),
			"by the user",
		)
		require.Equal(t, "approved", b.One(t, "SELECT state FROM verification"))
		require.Equal(t, 1, b.reports(t))
		require.Equal(
			t,
			map[string]int{"known": 1},
			counts(t, b.action(t, "feedback", `{"user_id":"auth0|5f7c","factor":"mfa"}`)),
		)

		b.Now = b.Now.Add(time.Minute)
		b.textedOTP(t, strings.Replace(otp, "auth0|5f7c", "", 1))
		require.Equal(
			t,
			map[string]int{"matched": 1},
			counts(
				t,
				b.action(t, "feedback", `{"user_id":"sms|9","phone_number":"`+phone+`","factor":"sms"}`),
			),
			"by the phone",
		)
		require.Equal(t, 2, b.reports(t))

		require.Equal(
			t,
			map[string]int{"unmatched": 1},
			counts(t, b.action(t, "feedback", `{"user_id":"auth0|nobody","factor":"mfa"}`)),
		)
		require.Equal(t, 1, b.Count(t, "event", "name = 'auth0.unmatched'"))
		b.Now = b.Now.Add(2 * time.Hour)
		require.Equal(
			t,
			map[string]int{"forwarded": 1},
			counts(t, b.action(t, "feedback", `{"phone_number":"`+phone+`","factor":"sms"}`)),
			"that code was long ago",
		)
		require.Equal(t, 1, b.Count(t, "verify_report", "result = '' AND phone = '"+phone+"'"))
		list := inboundtest.NewApp(t, b.Bridge).Call("GET", "/v1/verifications", "")
		require.Equal(t, http.StatusOK, list.StatusCode)
		require.Equal(t, 0, strings.Count(list.Body, `"id":`), "the API knows nothing of Auth0's codes")
		require.Equal(t, 2, b.Count(t, "verification", "1=1"), "two were texted; one was reported")
		require.NotContains(t, list.Body, "feedback")
		require.Equal(t, 3, b.reports(t))
		require.NotContains(t, b.Log.Take(), "20123456")
	}, append(inboundtest.APISettings(), withVerify...)...)
}

func TestAuth0FeedbackRefuses(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	for body, status := range map[string]int{
		`{"user_id":"auth0|1"}`: 422, `{"user_id":"auth0|1","factor":"otp"}`: 422,
		`{"factor":"mfa"}`: 422, `{"factor":"mfa","phone_number":"12"}`: 422, `{`: 400, `7`: 400,
	} {
		require.Equal(t, status, b.action(t, "feedback", body).StatusCode, body)
	}
	require.Equal(
		t,
		401,
		b.action(
			t,
			"feedback",
			`{"user_id":"auth0|1","factor":"mfa"}`,
			"Authorization: Bearer "+retiring,
		).StatusCode,
	)
	require.Empty(t, b.Rows(t))

	// A Twilio Verify that compares codes for the bridge must not take it for one of these.
	acme, _ := b.Inbound.Settings.Tenants.Tenant("acme")
	acme.Sending.Providers, acme.Sending.VerifyService.OwnCode = append(acme.Sending.Providers,
		tenant.ByVerify), true
	require.Equal(
		t,
		map[string]int{"unmatched": 1},
		counts(t, b.action(t, "feedback", `{"phone_number":"`+phone+`","factor":"sms"}`)),
	)
	require.Zero(t, b.reports(t))
}

// logged is a log as Auth0 streams it.
func logged(id, kind, rest string) string {
	return fmt.Sprintf(
		`{"log_id":%q,"data":{"date":"2023-11-14T22:13:20.000Z","type":%q,"client_id":"c",`+
			`"ip":"192.0.2.1","log_id":%q%s}}`,
		id,
		kind,
		id,
		rest,
	)
}

func (b *bridge) stream(t *testing.T, body string, headers ...string) inboundtest.Response {
	t.Helper()
	return b.action(t, "stream", body, append([]string{"Authorization: " + retiring}, headers...)...)
}

// Ensure that logs in all three forms, and events, are taken once each, whatever else is among
// them.
func TestAuth0Stream(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		passwordless := logged("1", "s", `,"strategy":"sms","user_id":"sms|1","user_name":"`+phone+`"`)
		mfa := logged("2", "gd_auth_succeed",
			`,"user_id":"auth0|5f7c","details":{"request":{"auth":{"user":"x"}}}`)
		noise := logged("3", "fp", `,"user_name":"`+phone+`"`) + "\n" +
			logged("4", "s", `,"strategy":"auth0","user_id":"auth0|5f7c"`) + "\n" +
			`{"log_id":"5","data":{"type":7}}`

		b.textedOTP(t, otp)
		require.Equal(
			t,
			map[string]int{"matched": 1, "other": 3},
			counts(t, b.stream(t, noise+"\r\n"+mfa+"\n")),
			"lines",
		)
		require.Equal(t, map[string]int{"known": 1}, counts(t, b.stream(t, mfa)), "one object, again")
		b.Now = b.Now.Add(time.Minute)
		b.textedOTP(t, otp)
		require.Equal(
			t,
			map[string]int{"known": 1, "matched": 1},
			counts(t, b.stream(t, " ["+mfa+","+passwordless+"]")),
			"an array",
		)
		require.Equal(t, 2, b.reports(t))
		b.Now = b.Now.Add(time.Minute)
		b.textedOTP(t, otp)
		again := logged("6", "gd_auth_succeed", `,"user_id":"auth0|5f7c"`)
		require.Equal(
			t,
			map[string]int{"known": 1, "matched": 1, "other": 1},
			counts(t, b.stream(t, `{"logs": [`+mfa+`,`+again+`,`+logged("7", "fp", "")+`]}`)),
			"an object of logs",
		)
		require.Equal(t, 3, b.reports(t))

		b.Now = b.Now.Add(time.Minute)
		b.textedOTP(t, otp)
		event := func(id, kind, object string) string {
			return `{"specversion":"1.0","type":"` + kind + `","source":"urn:auth0:acme",` +
				`"id":"` + id + `","time":"2023-11-14T22:13:20Z",` +
				`"data":{"object":` + object + `},"a0stream":"s"}`
		}
		is := func(outcome string, n int, body string, header ...string) {
			t.Helper()
			require.Equal(t, map[string]int{outcome: n}, counts(t, b.stream(t, body, header...)))
		}
		created := event("e1", "user.created",
			`{"user_id":"sms|1","phone_number":"`+phone+`","phone_verified":true}`)
		is("matched", 1, created, "Authorization: Bearer "+retiring)
		is("known", 1, created)
		is("known", 1, `{"id":"e0","spec_version":"1.0","type":"com.auth0.user.created",`+
			`"data":{"object":{"phone_number":"`+phone+`","phone_verified":true}}}`)
		updated := `{"specversion":"1.0","type":"user.updated","id":"e2",` +
			`"data":{"object":{"user_id":"u","phone_number":"` + phone + `","phone_verified":true},` +
			`"previous_object":{"phone_verified":true}}}`
		deleted := event("e3", "user.deleted", `{"phone_verified":true}`)
		mailed := event("e4", "user.created", `{"user_id":"auth0|1","email":"x"}`)
		is("other", 3, updated+deleted+mailed)

		is("forwarded", 1, logged("9", "gd_auth_succeed",
			`,"user_id":"auth0|other","details":{"phone":"+4520123499"}`))
		// Which of two phones is it?
		is("unmatched", 1, logged("10", "gd_auth_succeed",
			`,"user_id":"auth0|other","details":{"a":"+4520123499","b":"+4520123498"}`))
		log := b.Log.Take()
		require.NotContains(t, log, "201234")
		require.NotContains(t, log, "auth0|")
	}, withVerify...)
}

// Ensure that an id which a database does not take is no reason to fail: Auth0 would send it again,
// and with it the whole batch.
func TestAuth0OddIDs(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		for n, odd := range []string{`oidc|\u0000`, strings.Repeat("\u00e6", 4000)} {
			request := strings.NewReplacer("auth0|5f7c", odd, "20123456", fmt.Sprint("2012340", n))
			r, _ := b.sends(t, request.Replace(otp), "")
			require.Equal(t, http.StatusOK, r.StatusCode, r.Body)
			require.Equal(t, map[string]int{"unmatched": 1},
				counts(t, b.action(t, "feedback", `{"factor":"mfa","user_id":"`+odd+`"}`)))
			is := `,"user_id":"` + odd + `"}}`
			require.Equal(t, map[string]int{"unmatched": 2, "other": 1}, counts(t, b.stream(t,
				`{"log_id":"`+odd+`","data":{"type":"gd_auth_succeed"`+is+
					fmt.Sprintf(`{"log_id":"%d","data":{"type":"gd_auth_succeed"`, n)+is+`{"log_id":"x"}`)))
		}
	}, auth0Settings...)
}

func TestAuth0StreamRefuses(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	one := logged("1", "fp", "")
	for body, status := range map[string]int{
		"": 400, "[]": 400, "x": 400, "[1]": 400, `"text"`: 400, one + "{": 400, "[" + one: 400,
		"null": 400, strings.Repeat(one, auth0.MaxStreamed+1): 400,
		`{"logs":[7]}`: 400, `{"logs":[` + strings.Repeat(one+",", auth0.MaxStreamed) + one + `]}`: 400,
		strings.Repeat("x", auth0.MaxStream+1): 413,
		one:                                    200,
	} {
		require.Equal(t, status, b.stream(t, body).StatusCode, "%.40s", body)
	}
	for _, header := range []string{
		"", "Bearer " + apiKey, apiKey, "Basic " + retiring, retiring + "x",
	} {
		require.Equal(t, 401, b.stream(t, one, "Authorization: "+header).StatusCode, header)
	}
	require.NoError(t, b.Store.Close())
	require.Equal(
		t,
		http.StatusServiceUnavailable,
		b.stream(t, logged("2", "gd_auth_succeed", `,"user_id":"u"`)).StatusCode,
		"to be repeated",
	)
}

// Ensure that nothing is taken of a batch that ended early, also where it ended behind a whole log:
// a 200 would have Auth0 forget the others.
func TestAuth0StreamThatEndsEarly(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	came := logged("1", "gd_auth_succeed", `,"user_id":"auth0|5f7c"`) + "\n"
	r := httptest.NewRequest(http.MethodPost, "/auth0/acme/stream",
		io.MultiReader(strings.NewReader(came), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.Header.Set("Authorization", retiring)
	w, before := httptest.NewRecorder(), b.Rows(t)
	b.Inbound.Handler().ServeHTTP(w, r)
	require.Equal(t, http.StatusBadRequest, w.Code, w.Body)
	require.Equal(t, before, b.Rows(t))
	require.Equal(t, map[string]int{"unmatched": 1}, counts(t, b.stream(t, came)), "as it comes again")
}
