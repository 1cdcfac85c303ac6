package api_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound"
	"smsbridge/inbound/api"
	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/phonemail"
)

const (
	phone     = inboundtest.Phone
	apiKey    = inboundtest.APIKey
	ownCode   = inboundtest.OwnCode
	startBody = inboundtest.StartBody
)

// app is a tenant's app at a bridge of its own.
type app struct{ inboundtest.App }

func openApp(t *testing.T, b *inboundtest.Bridge) app { return app{inboundtest.NewApp(t, b)} }

// eachApp opens a bridge on each database.
func eachApp(t *testing.T, test func(t *testing.T, a app)) {
	inboundtest.Each(
		t,
		func(t *testing.T, b *inboundtest.Bridge) { test(t, openApp(t, b)) },
		inboundtest.APISettings()...)
}

func TestVerificationStory(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		v := a.Create()
		require.Equal(t, "/v1/verifications/"+v.ID, v.Header.Get("Location"))
		require.Equal(t, "no-store", v.Header.Get("Cache-Control"))
		require.Equal(t, inboundtest.Verification{
			ID: v.ID, Status: "pending", Phone: phone, Door: "api", MaxAttempts: 5, Sends: 1, MaxSends: 3,
			CreatedAt: "2023-11-14T22:13:20.000Z", ExpiresAt: "2023-11-14T22:23:20.000Z",
			NextSendAt: "2023-11-14T22:14:20.000Z",
		}, v.Verification)
		require.Equal(
			t,
			[]string{"482913 is your Acme Inc code. Do not share it.\n\n@login.acme.example #482913"},
			a.Bodies(t),
		)

		wrong := a.Check(v.ID, "482914")
		require.Equal(t, "wrong-code", wrong.Kind())
		require.Equal(t, 1, wrong.Problem.Verification.Attempts)
		require.Equal(t, "pending", wrong.Problem.Verification.Status)

		a.Now = a.Now.Add(time.Minute)
		require.Equal(t, 2, a.Call("POST", "/v1/verifications/"+v.ID+"/resend", "").Sends)
		require.Len(t, a.Bodies(t), 1)

		right := a.Check(v.ID, "482 913")
		require.Equal(t, http.StatusOK, right.StatusCode)
		require.Equal(t, "approved", right.Status)
		require.NotContains(t, right.Body, ownCode)
		again := a.Check(v.ID, ownCode)
		require.Equal(t, "not-pending", again.Kind())
		require.Equal(t, "approved", again.Problem.Verification.Status)
		shown := a.Call("GET", "/v1/verifications/"+v.ID, "").Verification
		require.Equal(t, "pending", shown.Delivery.State, "a worker has it")
		shown.Delivery = right.Delivery // which only the GET shows
		require.Equal(t, right.Verification, shown)

		other := a.Create()
		require.Equal(t, "canceled", a.Call("POST", "/v1/verifications/"+other.ID+"/cancel", "{}").Status)
		require.Equal(
			t,
			"not-pending",
			a.Call("POST", "/v1/verifications/"+other.ID+"/cancel", "").Kind(),
		)
		require.Empty(t, a.One(t, "SELECT MAX(code) FROM verification"), "codes are erased at the end")
		for _, line := range a.Lines(t) {
			require.Contains(t, []any{v.ID, other.ID}, line["case"], line)
			require.Equal(t, "+45******56", line["phone"], line)
		}
	})
}

// Ensure that a code is texted in the language asked for. One that there is not refuses no code.
func TestVerificationLocale(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		a.Call("POST", "/v1/verifications", `{"phone":"`+phone+`","code":"1234","locale":"da-DK"}`)
		a.Call("POST", "/v1/verifications", `{"phone":"`+phone+`","code":"5678","locale":"hu"}`)
		bodies := strings.Join(a.Bodies(t), "\n")
		require.Contains(t, bodies, "1234 er din kode til Acme Inc.")
		require.Contains(t, bodies, "5678 is your Acme Inc code.")
	})
}

// Ensure that every problem comes as described, with what goes with it, and leaves nothing behind.
func TestProblems(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		v := a.Create()
		path := "/v1/verifications/" + v.ID
		a.Call("POST", "/v1/verifications", startBody, "Idempotency-Key: k1")
		canceled := a.Create()
		a.Call("POST", "/v1/verifications/"+canceled.ID+"/cancel", "")
		before := a.Recorded(t)
		create := func(body string) func() inboundtest.APIResponse {
			return func() inboundtest.APIResponse { return a.Call("POST", "/v1/verifications", body) }
		}
		call := func(method, path, body string, headers ...string) func() inboundtest.APIResponse {
			return func() inboundtest.APIResponse { return a.Call(method, path, body, headers...) }
		}
		stranger := a
		stranger.Key = "key-of-somebody-else-0123456789"
		nobody := a
		nobody.Key = ""
		for i, test := range []struct {
			do     func() inboundtest.APIResponse
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
			{create(`{"phone":"` + phone + `","locale":"da_DK!"}`), "invalid-field", 422, "locale"},
			{create(`{"phone":"` + phone + `","colour":"red"}`), "malformed", 400, ""},
			{create(`{"Phone":"` + phone + `"}`), "malformed", 400, ""},
			{create(`{"phone":"` + phone + `","phone":"` + phone + `"}`), "malformed", 400, ""},
			{create(startBody + "{}"), "malformed", 400, ""},
			{create(`["phone"]`), "malformed", 400, ""},
			{create(`{"phone"`), "malformed", 400, ""},
			{create(``), "unsupported-media-type", 415, ""},
			{
				call("POST", "/v1/verifications", startBody, "Content-Type: text/plain"),
				"unsupported-media-type", 415, "",
			},
			{create(`{"phone":"` + strings.Repeat("1", api.MaxBody) + `"}`), "too-large", 413, ""},
			{call("POST", "/v1/verifications", startBody, "Idempotency-Key: "), "malformed", 400, ""},
			{
				call("POST", "/v1/verifications", startBody, "Idempotency-Key: a", "Idempotency-Key: b"),
				"malformed", 400, "",
			},
			{
				call("POST", "/v1/verifications", startBody, "Idempotency-Key: "+strings.Repeat("k", 256)),
				"malformed", 400, "",
			},
			{
				call("POST", "/v1/verifications", `{"phone":"`+phone+`"}`, "Idempotency-Key: k1"),
				"idempotency-key-reused", 422, "",
			},
			{
				func() inboundtest.APIResponse { return stranger.Call("POST", "/v1/verifications", startBody) },
				"unauthorized", 401, "",
			},
			{
				func() inboundtest.APIResponse { return nobody.Call("GET", path, "") }, "unauthorized", 401,
				"",
			},
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
			{
				call("POST", "/v1/verifications/"+canceled.ID+"/check", `{"code":"`+ownCode+`"}`),
				"not-pending", 409, "",
			},
			{call("GET", "/v1/verifications?limit=0", ""), "invalid-field", 422, "limit"},
			{call("GET", "/v1/verifications?limit=5&limit=6", ""), "invalid-field", 422, "limit"},
			{call("GET", "/v1/verifications?before=x", ""), "invalid-field", 422, "before"},
			{call("GET", "/v1/verifications?status=pending", ""), "malformed", 400, ""},
		} {
			r := test.do()
			require.Equal(t, test.kind, r.Kind(), "%d: %s", i, r.Body)
			require.Equal(t, test.status, r.StatusCode, i)
			require.Equal(t, test.field, r.Problem.Field, i)
			require.Equal(t, test.status == 429, r.Header.Get("Retry-After") != "", i)
			require.Equal(t, test.status == 401, r.Header.Get("WWW-Authenticate") != "", i)
			require.Equal(t, test.status == 405, r.Header.Get("Allow") != "", i)
		}
		require.Equal(t, before, a.Recorded(t))
		a.Lines(t)
		a.problemsOfTheRule(t, v.ID)
		known := inboundtest.List(
			a.Spec.At(a.Spec.Root, "components", "schemas", "Problem", "properties", "type", "enum"),
		)
		a.Seen["undecided"] = true                            // by TestVerifysOwnCode
		a.Seen["not-open"], a.Seen["phone-busy"] = true, true // by TestQuestion, TestQuestionProblems
		require.Len(t, a.Seen, len(known), "every described type was seen: %v", a.Seen)
	})
}

// problemsOfTheRule brings about the problems that take some history.
func (a app) problemsOfTheRule(t *testing.T, id string) {
	for range 2 {
		a.Now = a.Now.Add(time.Minute)
		a.Call("POST", "/v1/verifications/"+id+"/resend", "")
	}
	a.Now = a.Now.Add(time.Minute)
	require.Equal(t, "no-sends-left", a.Call("POST", "/v1/verifications/"+id+"/resend", "").Kind())
	second := a.Create()
	for _, guessed := range []string{id, second.ID} {
		for n := range 5 {
			r := a.Check(guessed, "0000")
			require.Equal(t, "wrong-code", r.Kind())
			require.Equal(t, n == 4, r.Problem.Verification.Status == "max_attempts_reached")
		}
	}
	blocked := a.Call("POST", "/v1/verifications", startBody)
	require.Equal(t, "too-many-wrong-codes", blocked.Kind())
	require.Equal(t, "86400", blocked.Header.Get("Retry-After"))

	n, err := phonemail.ParseNumber("+4520123457")
	require.NoError(t, err)
	require.NoError(t, a.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return text.OptOut(ctx, tx, phonemail.Line{Account: inboundtest.AccountSID,
			Sender: "+15005550006"}, n)
	}))
	require.Equal(
		t,
		"opted-out",
		a.Call("POST", "/v1/verifications", `{"phone":"+4520123457"}`).Kind(),
	)

	a.exhaust(t)
	limited := a.Call("GET", "/v1/verifications", "")
	require.Equal(t, "rate-limited", limited.Kind())
	require.Equal(t, "60", limited.Header.Get("Retry-After"))
	require.Equal(t, `"key";r=0;t=60`, limited.Header.Get("RateLimit"))
	a.Key = inboundtest.Retiring
	require.Equal(
		t,
		`"key";r=599;t=60`,
		a.Call("GET", "/v1/verifications", "").Header.Get("RateLimit"),
		"each key has its own quota",
	)
	a.Now = a.Now.Add(time.Minute)
	a.Key = apiKey
	require.Equal(
		t,
		`"key";r=599;t=60`,
		a.Call("GET", "/v1/verifications", "").Header.Get("RateLimit"),
	)

	require.NoError(t, a.Store.Close())
	closed := a.Call("POST", "/v1/verifications", startBody)
	require.Equal(t, "unavailable", closed.Kind())
	require.Equal(t, "5", closed.Header.Get("Retry-After"))
}

// exhaust makes requests until the key has none left. The method is wrong, so they touch no
// database.
func (a app) exhaust(t *testing.T) {
	t.Helper()
	for range a.Inbound.Settings.Tenants.All()[0].API.Rate {
		request, err := http.NewRequest(http.MethodPut, a.URL+"/v1/verifications", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+a.Key)
		if a.Send(t, request).StatusCode == http.StatusTooManyRequests {
			return
		}
	}
}

// Ensure that a code which Twilio Verify compares approves when Verify says so, and that an app
// hears when Verify says nothing for long.
func TestVerifysOwnCode(t *testing.T) {
	t.Parallel()
	a := openApp(t, inboundtest.Open(t, storetest.SQLite(t), inboundtest.APISettings()...))
	prompt, slow := a.Create(), a.Create()
	for _, v := range []inboundtest.APIResponse{prompt, slow} {
		a.Do(t, func(ctx context.Context, tx *store.Tx) error {
			return verification.SentByVerify(ctx, tx, v.ID, "VE"+v.ID, true)
		})
	}
	answered := make(chan error, 1)
	go func() { answered <- a.answerFirstCheck(t.Context()) }()
	require.Equal(t, "approved", a.Check(prompt.ID, "135790").Status)
	require.NoError(t, <-answered)

	a.Change(func(s *inbound.Server) { s.Patience = time.Nanosecond })
	r := a.Check(slow.ID, "135790")
	require.Equal(t, "undecided", r.Kind())
	require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
	require.Equal(t, 1, r.Problem.Verification.Attempts)

	for r.Problem.Verification.Attempts < r.Problem.Verification.MaxAttempts {
		r = a.Check(slow.ID, "135790")
		require.Equal(t, "undecided", r.Kind())
	}
	r = a.Check(slow.ID, "135790")
	require.Equal(t, "undecided", r.Kind(), "it has not ended: Verify has all its attempts")
	require.Equal(t, "pending", r.Problem.Verification.Status)
}

// answerFirstCheck says right to the first code that Verify is asked about, as soon as it is asked.
func (a app) answerFirstCheck(ctx context.Context) error {
	for ctx.Err() == nil {
		var id string
		err := a.DB.QueryRowContext(ctx, "SELECT id FROM code_check").Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue // the request is still on its way
		case err != nil:
			return err
		}
		return a.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			q, _, err := verification.Unanswered(ctx, tx, id)
			if err != nil {
				return err
			}
			return verification.Answer(ctx, tx, q, verification.Right)
		})
	}
	return ctx.Err()
}

// Ensure that requests with one Idempotency-Key start one verification, however many come at
// once, and that the key is not kept.
func TestIdempotencyKey(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		var wait sync.WaitGroup
		ids := make(chan string, 16)
		for range 16 {
			wait.Go(func() {
				request, _ := http.NewRequest("POST", a.URL+"/v1/verifications", strings.NewReader(startBody))
				request.Header = http.Header{
					"Authorization":   {"Bearer " + apiKey},
					"Content-Type":    {"application/json"},
					"Idempotency-Key": {"order-66"},
				}
				res, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				var v inboundtest.Verification
				if err := json.NewDecoder(res.Body).Decode(&v); err != nil ||
					res.StatusCode != http.StatusCreated {
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
		require.Equal(t, [6]int{1, 1, 0, 1, 2, 1}, a.Recorded(t))
		require.Len(t, a.Bodies(t), 1)
		require.NotContains(t, a.One(t, "SELECT key || digest FROM idempotency_key"), "order-66")
		other := a
		other.Key = inboundtest.Retiring
		again := other.Call("POST", "/v1/verifications", startBody, "Idempotency-Key: order-66")
		require.True(t, one[again.ID], "it is the tenant's, whichever API key it comes with")
		require.NotEqual(
			t,
			a.Call("POST", "/v1/verifications", startBody).ID,
			a.Call("POST", "/v1/verifications", startBody).ID,
		)
	})
}

// Ensure that a tenant sees what is its own, page by page.
func TestListVerifications(t *testing.T) {
	eachApp(t, func(t *testing.T, a app) {
		var want []string
		for range 5 {
			want = append([]string{a.Create().ID}, want...)
		}
		stranger, err := phonemail.ParseNumber(phone)
		require.NoError(t, err)
		acme := *a.Inbound.Settings.Tenants.All()[0]
		acme.Slug = "beta"
		var foreign verification.Verification
		require.NoError(t, a.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
			foreign, _, err = verification.Start(ctx, tx, verification.For(&acme, "api", stranger))
			return err
		}))
		require.Equal(t, "not-found", a.Call("GET", "/v1/verifications/"+foreign.ID, "").Kind())
		require.Equal(t, "not-found", a.Check(foreign.ID, "000000").Kind())
		require.Equal(
			t,
			"not-found",
			a.Call("POST", "/v1/verifications/"+foreign.ID+"/cancel", "").Kind(),
		)

		var got []string
		query := "?limit=2"
		for range 3 {
			var page struct {
				Verifications []inboundtest.Verification
				Next          string
			}
			require.NoError(
				t,
				json.Unmarshal([]byte(a.Call("GET", "/v1/verifications"+query, "").Body), &page),
			)
			for _, v := range page.Verifications {
				got = append(got, v.ID)
			}
			query = "?limit=2&before=" + page.Next
		}
		require.Equal(t, want, got)
		for _, enough := range []string{"5", "100"} {
			all := a.Call("GET", "/v1/verifications?limit="+enough, "").Body
			require.Equal(t, 5, strings.Count(all, `"id"`))
			require.NotContains(t, all, `"next"`)
		}
		require.Equal(t, "invalid-field", a.Call("GET", "/v1/verifications?limit=101", "").Kind())
		for _, spelling := range []string{
			strings.ToUpper(want[2]), strings.ReplaceAll(want[2], "-", ""), "urn:uuid:" + want[2],
		} {
			var page struct{ Verifications []inboundtest.Verification }
			r := a.Call("GET", "/v1/verifications?before="+spelling, "")
			require.NoError(t, json.Unmarshal([]byte(r.Body), &page))
			require.Len(t, page.Verifications, 2, spelling)
			require.Equal(t, want[3], page.Verifications[0].ID, spelling)
		}
	})
}

// Ensure that an app reads in good English why it was refused, and which name is not known.
func TestDetails(t *testing.T) {
	a := openApp(t, inboundtest.Open(t, storetest.SQLite(t), inboundtest.APISettings()...))
	long := strings.Repeat("x", 50)
	const path = "/v1/verifications"
	for body, want := range map[string]string{
		`{"phone":"+46701234567"}`: "Its country is not on the tenant's list.",
		`{"phone":"+4590123456"}`:  "Numbers of its kind are not texted.",
		`{"colour":"red"}`:         "The body has a member that is not known here: colour.",
		`{"` + long + `":"red"}`: "The body has a member that is not known here: " +
			long[:40] + "….",
		`{"` + long[:40] + `":"red"}`: "The body has a member that is not known here: " +
			long[:40] + ".",
		`{"a\u0007b\u202ec":"x"}`:    "The body has a member that is not known here: abc.",
		`{"\u0000":"x"}`:             "The body has a member that is not known here.",
		`{"code":"1","code":"1234"}`: "The body has a member twice: code.",
	} {
		require.Equal(t, want, a.Call("POST", path, body).Problem.Detail, body)
	}
	r := a.Call("GET", path+"?pages=2", "")
	require.Equal(t, "The query has a parameter that is not known here: pages.", r.Problem.Detail)
	require.NotContains(t, a.Log.Take(), "colour", "the log repeats no name")
}

// Ensure that an app is not told "opted out" when the database fails, and that the failure is
// logged once.
func TestResendWithBrokenDatabase(t *testing.T) {
	url := storetest.SQLite(t)
	a := openApp(t, inboundtest.Open(t, url, inboundtest.APISettings()...))
	v := a.Create()
	a.Now = a.Now.Add(time.Minute)
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	_, err = db.Exec("ALTER TABLE opt_out RENAME TO opted_out")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	a.Log.Take()
	r := a.Call("POST", "/v1/verifications/"+v.ID+"/resend", "")
	require.Equal(t, "unavailable", r.Kind())
	require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
	require.Equal(t, 1, strings.Count(a.Log.Take(), `"level":"ERROR"`))
}

// Ensure that the description is served as it is.
func TestDescriptionIsServed(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t))
	request, err := http.NewRequest("GET", b.URL+"/v1/openapi.yaml", nil)
	require.NoError(t, err)
	r := b.Send(t, request)
	require.Equal(t, "application/yaml", r.Header.Get("Content-Type"))
	require.Equal(t, api.OpenAPI(), r.Body)
}
