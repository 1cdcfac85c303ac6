package inbound

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

const (
	apiKey    = "key-of-the-web-app-0123456789abcdef"
	retiring  = "key-of-the-web-app-fedcba9876543210"
	ownCode   = "482913"
	startBody = `{"phone":"` + phone + `","code":"` + ownCode + `"}`
)

var apiSettings = []string{"SMSBRIDGE_API_KEY=" + apiKey + "," + retiring, "SMSBRIDGE_CODE_DOMAIN=login.acme.example", "SMSBRIDGE_ORG_NAME=Acme Inc"}

// app is a tenant's app, which holds every answer to openapi.yaml.
type app struct {
	*bridge
	t    testing.TB
	d    description
	key  string
	seen map[string]bool // types of problems
}

func eachApp(t *testing.T, test func(t *testing.T, a app)) {
	each(t, func(t *testing.T, b *bridge) { test(t, app{b, t, readDescription(t), apiKey, map[string]bool{}}) }, apiSettings...)
}

// apiReply is an answer of the API, read as a verification and as a problem.
type apiReply struct {
	response
	shownVerification
	Problem problem
}

// call makes a request; headers are "Name: value".
func (a app) call(method, path, body string, headers ...string) (r apiReply) {
	a.t.Helper()
	request, err := http.NewRequest(method, a.URL+path, strings.NewReader(body))
	require.NoError(a.t, err)
	if a.key != "" {
		request.Header.Set("Authorization", "Bearer "+a.key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Content-Type" {
			request.Header.Del(name)
		}
		request.Header.Add(name, value)
	}
	r.response = a.send(a.t, request)
	a.d.described(a.t, method, path, r.response.status, r.response.header, []byte(r.body))
	var read any = &r.shownVerification
	if r.response.status >= 400 {
		read = &r.Problem
	}
	require.NoError(a.t, json.Unmarshal([]byte(r.body), read))
	if r.Problem.Type != "" {
		a.seen[strings.TrimPrefix(r.Problem.Type, problemNames)] = true
	}
	return r
}

func (a app) create() apiReply {
	a.t.Helper()
	r := a.call("POST", "/v1/verifications", startBody)
	require.Equal(a.t, http.StatusCreated, r.response.status, r.body)
	return r
}

func (a app) check(id, code string) apiReply {
	a.t.Helper()
	return a.call("POST", "/v1/verifications/"+id+"/check", `{"code":"`+code+`"}`)
}

func (r apiReply) kind() string { return strings.TrimPrefix(r.Problem.Type, problemNames) }

// bodies are the texts that would leave now.
func (a app) bodies() (bodies []string) {
	a.t.Helper()
	rows, err := a.db.Query("SELECT id FROM text WHERE state = 'due' ORDER BY created_at, id")
	require.NoError(a.t, err)
	var ids []string
	for rows.Next() {
		var id string
		require.NoError(a.t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(a.t, rows.Close())
	for _, id := range ids {
		require.NoError(a.t, a.store.Do(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			attempt, _, err := text.Begin(ctx, tx, id)
			bodies = append(bodies, attempt.Body)
			return err
		}))
	}
	return bodies
}

// recorded counts what a request of the API could leave behind.
func (a app) recorded() (counts [6]int) {
	a.t.Helper()
	for i, table := range []string{"verification", "text", "guess", "idempotency_key", "event", "river_job"} {
		require.NoError(a.t, a.db.QueryRow("SELECT COUNT(*) FROM "+table).Scan(&counts[i]))
	}
	return counts
}

func TestVerificationStory(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		v := a.create()
		require.Equal(t, "/v1/verifications/"+v.ID, v.header.Get("Location"))
		require.Equal(t, "no-store", v.header.Get("Cache-Control"))
		require.Equal(t, shownVerification{
			ID: v.ID, Status: "pending", Phone: phone, Door: "api", MaxAttempts: 5, Sends: 1, MaxSends: 3,
			CreatedAt: "2023-11-14T22:13:20.000Z", ExpiresAt: "2023-11-14T22:23:20.000Z", NextSendAt: "2023-11-14T22:14:20.000Z",
		}, v.shownVerification)
		require.Equal(t, []string{"482913 is your Acme Inc code. Do not share it.\n\n@login.acme.example #482913"}, a.bodies())

		wrong := a.check(v.ID, "482914")
		require.Equal(t, "wrong-code", wrong.kind())
		require.Equal(t, 1, wrong.Problem.Verification.Attempts)
		require.Equal(t, "pending", wrong.Problem.Verification.Status)

		a.now = a.now.Add(time.Minute)
		require.Equal(t, 2, a.call("POST", "/v1/verifications/"+v.ID+"/resend", "").Sends)
		require.Len(t, a.bodies(), 1)

		right := a.check(v.ID, "482 913")
		require.Equal(t, http.StatusOK, right.response.status)
		require.Equal(t, "approved", right.Status)
		require.NotContains(t, right.body, ownCode)
		again := a.check(v.ID, ownCode)
		require.Equal(t, "not-pending", again.kind())
		require.Equal(t, "approved", again.Problem.Verification.Status)
		require.Equal(t, right.shownVerification, a.call("GET", "/v1/verifications/"+v.ID, "").shownVerification)

		other := a.create()
		require.Equal(t, "canceled", a.call("POST", "/v1/verifications/"+other.ID+"/cancel", "{}").Status)
		require.Equal(t, "not-pending", a.call("POST", "/v1/verifications/"+other.ID+"/cancel", "").kind())
		require.Empty(t, a.one(t, "SELECT MAX(code) FROM verification"), "codes are erased at the end")
		a.lines(t)
	})
}

func TestVerificationLocale(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		a.call("POST", "/v1/verifications", `{"phone":"`+phone+`","code":"1234","locale":"da-DK"}`)
		require.Contains(t, a.bodies()[0], "1234 er din kode til Acme Inc.")
	})
}

// Ensure that every problem comes as described, with what goes with it, and leaves nothing behind.
func TestProblems(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		v := a.create()
		path := "/v1/verifications/" + v.ID
		a.call("POST", "/v1/verifications", startBody, "Idempotency-Key: k1")
		canceled := a.create()
		a.call("POST", "/v1/verifications/"+canceled.ID+"/cancel", "")
		before := a.recorded()
		create := func(body string) func() apiReply {
			return func() apiReply { return a.call("POST", "/v1/verifications", body) }
		}
		call := func(method, path, body string, headers ...string) func() apiReply {
			return func() apiReply { return a.call(method, path, body, headers...) }
		}
		stranger := a
		stranger.key = "key-of-somebody-else-0123456789"
		nobody := a
		nobody.key = ""
		for i, test := range []struct {
			do     func() apiReply
			kind   string
			status int
			field  string
		}{
			{create(`{"phone":"+4520"}`), "invalid-field", 422, "phone"},
			{create(`{}`), "invalid-field", 422, "phone"},
			{create(`{"phone":"20123456"}`), "invalid-field", 422, "phone"},
			{create(`{"phone":4520123456}`), "invalid-field", 422, "phone"},
			{create(`{"phone":"+46701234567"}`), "number-not-allowed", 422, "phone"},
			{create(`{"phone":"` + phone + `","code":"123"}`), "invalid-field", 422, "code"},
			{create(`{"phone":"` + phone + `","code":""}`), "invalid-field", 422, "code"},
			{create(`{"phone":"` + phone + `","locale":"tlh"}`), "invalid-field", 422, "locale"},
			{create(`{"phone":"` + phone + `","colour":"red"}`), "malformed", 400, ""},
			{create(`{"Phone":"` + phone + `"}`), "malformed", 400, ""},
			{create(`{"phone":"` + phone + `","phone":"` + phone + `"}`), "malformed", 400, ""},
			{create(startBody + "{}"), "malformed", 400, ""},
			{create(`["phone"]`), "malformed", 400, ""},
			{create(`{"phone"`), "malformed", 400, ""},
			{create(``), "unsupported-media-type", 415, ""},
			{call("POST", "/v1/verifications", startBody, "Content-Type: text/plain"), "unsupported-media-type", 415, ""},
			{create(`{"phone":"` + strings.Repeat("1", maxAPIBody) + `"}`), "too-large", 413, ""},
			{call("POST", "/v1/verifications", startBody, "Idempotency-Key: "), "malformed", 400, ""},
			{call("POST", "/v1/verifications", startBody, "Idempotency-Key: a", "Idempotency-Key: b"), "malformed", 400, ""},
			{call("POST", "/v1/verifications", startBody, "Idempotency-Key: "+strings.Repeat("k", 256)), "malformed", 400, ""},
			{call("POST", "/v1/verifications", `{"phone":"`+phone+`"}`, "Idempotency-Key: k1"), "idempotency-key-reused", 422, ""},
			{func() apiReply { return stranger.call("POST", "/v1/verifications", startBody) }, "unauthorized", 401, ""},
			{func() apiReply { return nobody.call("GET", path, "") }, "unauthorized", 401, ""},
			{call("GET", path, "", "Authorization: Bearer "+apiKey), "unauthorized", 401, ""},
			{call("GET", "/v1/verifications/none", ""), "not-found", 404, ""},
			{call("POST", "/v1/verifications/none/check", `{"code":"1234"}`), "not-found", 404, ""},
			{call("GET", "/v1/nothing", ""), "not-found", 404, ""},
			{call("GET", path+"/check?code="+ownCode, ""), "method-not-allowed", 405, ""},
			{call("DELETE", path, ""), "method-not-allowed", 405, ""},
			{call("POST", path+"/check", `{}`), "invalid-field", 422, "code"},
			{call("POST", path+"/check", `{"code":"12345678901"}`), "invalid-field", 422, "code"},
			{call("POST", path+"/cancel", `{"reason":"x"}`), "malformed", 400, ""},
			{call("POST", path+"/resend", ""), "too-soon", 429, ""},
			{call("POST", "/v1/verifications/"+canceled.ID+"/check", `{"code":"`+ownCode+`"}`), "not-pending", 409, ""},
			{call("GET", "/v1/verifications?limit=0", ""), "invalid-field", 422, "limit"},
			{call("GET", "/v1/verifications?limit=5&limit=6", ""), "invalid-field", 422, "limit"},
			{call("GET", "/v1/verifications?before=x", ""), "invalid-field", 422, "before"},
			{call("GET", "/v1/verifications?status=pending", ""), "malformed", 400, ""},
		} {
			r := test.do()
			require.Equal(t, test.kind, r.kind(), "%d: %s", i, r.body)
			require.Equal(t, test.status, r.response.status, i)
			require.Equal(t, test.field, r.Problem.Field, i)
			require.Equal(t, test.status == 429, r.header.Get("Retry-After") != "", i)
			require.Equal(t, test.status == 401, r.header.Get("WWW-Authenticate") != "", i)
			require.Equal(t, test.status == 405, r.header.Get("Allow") != "", i)
		}
		require.Equal(t, before, a.recorded())
		a.lines(t)
		a.problemsOfTheRule(t, v.ID)
		known := list(a.d.at(a.d.root, "components", "schemas", "Problem", "properties", "type", "enum"))
		a.seen[undecided.name] = true // by TestVerifysOwnCode
		require.Len(t, a.seen, len(known), "every described type was seen: %v", a.seen)
	})
}

// problemsOfTheRule brings about the problems that take some history.
func (a app) problemsOfTheRule(t *testing.T, id string) {
	for range 2 {
		a.now = a.now.Add(time.Minute)
		a.call("POST", "/v1/verifications/"+id+"/resend", "")
	}
	a.now = a.now.Add(time.Minute)
	require.Equal(t, "no-sends-left", a.call("POST", "/v1/verifications/"+id+"/resend", "").kind())
	second := a.create()
	for _, guessed := range []string{id, second.ID} {
		for n := range 5 {
			r := a.check(guessed, "0000")
			require.Equal(t, "wrong-code", r.kind())
			require.Equal(t, n == 4, r.Problem.Verification.Status == "max_attempts_reached")
		}
	}
	blocked := a.call("POST", "/v1/verifications", startBody)
	require.Equal(t, "too-many-wrong-codes", blocked.kind())
	require.Equal(t, "86400", blocked.header.Get("Retry-After"))

	n, err := phonemail.ParseNumber("+4520123457")
	require.NoError(t, err)
	require.NoError(t, a.store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return text.OptOut(ctx, tx, text.Line{Account: accountSID, Sender: "+15005550006"}, n)
	}))
	require.Equal(t, "opted-out", a.call("POST", "/v1/verifications", `{"phone":"+4520123457"}`).kind())

	for range a.inbound.Settings.Tenants.All()[0].API.Rate {
		if a.inbound.quota.take("acme/key-1", 600, a.now, http.Header{}) != nil {
			break
		}
	}
	limited := a.call("GET", "/v1/verifications", "")
	require.Equal(t, "rate-limited", limited.kind())
	require.Equal(t, "60", limited.header.Get("Retry-After"))
	require.Equal(t, `"key";r=0;t=60`, limited.header.Get("RateLimit"))
	a.key = retiring
	require.Equal(t, `"key";r=599;t=60`, a.call("GET", "/v1/verifications", "").header.Get("RateLimit"), "each key has its own quota")
	a.now = a.now.Add(time.Minute)
	a.key = apiKey
	require.Equal(t, `"key";r=599;t=60`, a.call("GET", "/v1/verifications", "").header.Get("RateLimit"))

	require.NoError(t, a.store.Close())
	closed := a.call("POST", "/v1/verifications", startBody)
	require.Equal(t, "unavailable", closed.kind())
	require.Equal(t, "5", closed.header.Get("Retry-After"))
}

// Ensure that a code which Twilio Verify compares approves when Verify says so, and that an app hears when Verify says nothing for long.
func TestVerifysOwnCode(t *testing.T) {
	t.Parallel()
	a := app{openBridge(t, storetest.SQLite(t), apiSettings...), t, readDescription(t), apiKey, map[string]bool{}}
	do := func(f func(ctx context.Context, tx *store.Tx) error) {
		require.NoError(t, a.store.Do(context.Background(), f))
	}
	prompt, slow := a.create(), a.create()
	for _, v := range []apiReply{prompt, slow} {
		do(func(ctx context.Context, tx *store.Tx) error {
			return verification.SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
		})
	}
	answered := make(chan error, 1)
	go func() { answered <- a.answerFirstCheck() }()
	require.Equal(t, "approved", a.check(prompt.ID, "135790").Status)
	require.NoError(t, <-answered)

	r := a.check(slow.ID, "135790")
	require.Equal(t, "undecided", r.kind())
	require.Equal(t, http.StatusServiceUnavailable, r.response.status)
	require.Equal(t, 1, r.Problem.Verification.Attempts)
}

// answerFirstCheck says right to the first code that Verify is asked about, as soon as it is asked.
func (a app) answerFirstCheck() error {
	for range 1000 {
		var id string
		if err := a.db.QueryRow("SELECT id FROM code_check").Scan(&id); errors.Is(err, sql.ErrNoRows) {
			time.Sleep(5 * time.Millisecond)
			continue
		} else if err != nil {
			return err
		}
		return a.store.Do(context.Background(), func(ctx context.Context, tx *store.Tx) error {
			q, _, err := verification.Unanswered(ctx, tx, id)
			if err != nil {
				return err
			}
			return verification.Answer(ctx, tx, q, verification.Right)
		})
	}
	return errors.New("nobody asked")
}

// Ensure that requests with one Idempotency-Key start one verification, however many come at once, and that the key is not kept.
func TestIdempotencyKey(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		var wait sync.WaitGroup
		ids := make(chan string, 16)
		for range 16 {
			wait.Go(func() {
				request, _ := http.NewRequest("POST", a.URL+"/v1/verifications", strings.NewReader(startBody))
				request.Header = http.Header{"Authorization": {"Bearer " + apiKey}, "Content-Type": {"application/json"}, "Idempotency-Key": {"order-66"}}
				res, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				var v shownVerification
				if err := json.NewDecoder(res.Body).Decode(&v); err != nil || res.StatusCode != http.StatusCreated {
					t.Error(res.StatusCode, err)
				}
				ids <- v.ID
			})
		}
		wait.Wait()
		close(ids)
		one := map[string]bool{}
		for id := range ids {
			one[id] = true
		}
		require.Len(t, one, 1)
		require.Equal(t, [6]int{1, 1, 0, 1, 2, 2}, a.recorded())
		require.Len(t, a.bodies(), 1)
		require.NotContains(t, a.one(t, "SELECT key || digest FROM idempotency_key"), "order-66")
		require.NotEqual(t, a.call("POST", "/v1/verifications", startBody).ID, a.call("POST", "/v1/verifications", startBody).ID)
	})
}

// Ensure that a tenant sees what is its own, page by page.
func TestListVerifications(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		var want []string
		for range 5 {
			want = append([]string{a.create().ID}, want...)
		}
		stranger, err := phonemail.ParseNumber(phone)
		require.NoError(t, err)
		acme := *a.inbound.Settings.Tenants.All()[0]
		acme.Slug = "beta"
		var foreign verification.Verification
		require.NoError(t, a.store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
			foreign, _, err = verification.Start(ctx, tx, verification.For(&acme, "api", stranger))
			return err
		}))
		require.Equal(t, "not-found", a.call("GET", "/v1/verifications/"+foreign.ID, "").kind())
		require.Equal(t, "not-found", a.check(foreign.ID, "000000").kind())
		require.Equal(t, "not-found", a.call("POST", "/v1/verifications/"+foreign.ID+"/cancel", "").kind())

		var got []string
		query := "?limit=2"
		for range 3 {
			var page struct {
				Verifications []shownVerification
				Next          string
			}
			require.NoError(t, json.Unmarshal([]byte(a.call("GET", "/v1/verifications"+query, "").body), &page))
			for _, v := range page.Verifications {
				got = append(got, v.ID)
			}
			query = "?limit=2&before=" + page.Next
		}
		require.Equal(t, want, got)
	})
}

// Ensure that the description is served as it is.
func TestDescriptionIsServed(t *testing.T) {
	b := openBridge(t, "sqlite:"+t.TempDir()+"/b.db")
	request, err := http.NewRequest("GET", b.URL+"/v1/openapi.yaml", nil)
	require.NoError(t, err)
	r := b.send(t, request)
	require.Equal(t, "application/yaml", r.header.Get("Content-Type"))
	require.Equal(t, string(openAPI), r.body)
}

// Ensure that whatever is sent as a body is read as said, or refused.
func FuzzParseFields(f *testing.F) {
	for _, seed := range []string{startBody, "{}", "", `{"phone":1}`, `{"phone":"a","phone":"b"}`, `{"phone":"a"}x`, `[]`, `{"phone":{"x":1}}`, `{"ph\u006fne":"a"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, p := parseFields(body, []string{"phone", "code"})
		if p != nil {
			require.Contains(t, []int{400, 422}, p.Status)
			return
		}
		var decoded map[string]string
		require.NoError(t, json.Unmarshal(body, &decoded), fmt.Sprintf("%q", body))
		require.Equal(t, decoded, fields)
	})
}
