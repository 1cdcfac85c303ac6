package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
)

// question is a question as the API shows it.
type question struct {
	ID, Status, Phone, Reference, Reason string
	ExpiresAt                            string `json:"expires_at"`
	EndedAt                              string `json:"ended_at"`
}

const askBody = `{"phone":"` + inboundtest.Phone + `","subject":"Deliver today at 17?",` +
	`"expires_in":"5m","reference":"order 66"}`

func readQuestion(t *testing.T, r inboundtest.APIResponse) (q question) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(r.Body), &q))
	return q
}

// Ensure that an app asks a phone in its own words, sees the question until it ends, and calls it
// off. What it asked for is not shown.
func TestQuestion(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) {
		app := inboundtest.NewApp(t, b)
		asked := app.Call("POST", "/v1/questions", askBody)
		require.Equal(t, http.StatusCreated, asked.StatusCode)
		q := readQuestion(t, asked)
		require.Equal(t, "/v1/questions/"+q.ID, asked.Header.Get("Location"))
		require.Equal(t, question{
			ID: q.ID, Status: "open", Phone: inboundtest.Phone, Reference: "order 66",
			ExpiresAt: b.Now.Add(5 * time.Minute).UTC().Format("2006-01-02T15:04:05.000Z"),
		}, q)
		require.NotContains(t, asked.Body, "Deliver")
		bodies := b.Bodies(t)
		require.Len(t, bodies, 1)
		require.Contains(t, bodies[0], ": Deliver today at 17? Svar JA eller NEJ inden for 5 min.")

		show := func() question { return readQuestion(t, app.Call("GET", "/v1/questions/"+q.ID, "")) }
		require.Equal(t, q, show())
		b.Do(t, func(ctx context.Context, tx *store.Tx) error {
			c, err := challenge.Get(ctx, tx, q.ID)
			if err != nil {
				return err
			}
			return challenge.Accept(ctx, tx, c)
		})
		require.Equal(t, "confirmed", show().Status)
		require.NotEmpty(t, show().EndedAt)
		gone := app.Call("POST", "/v1/questions/"+q.ID+"/cancel", "")
		require.Equal(t, "not-open", gone.Kind())

		second := readQuestion(t, app.Call("POST", "/v1/questions", askBody))
		canceled := readQuestion(t, app.Call("POST", "/v1/questions/"+second.ID+"/cancel", ""))
		require.Equal(t, []string{"canceled", "app"}, []string{canceled.Status, canceled.Reason})
		third := readQuestion(t, app.Call("POST", "/v1/questions", askBody))
		b.Now = b.Now.Add(5 * time.Minute)
		require.Equal(t, "expired",
			readQuestion(t, app.Call("GET", "/v1/questions/"+third.ID, "")).Status)
		require.Equal(t, "not-open", app.Call("POST", "/v1/questions/"+third.ID+"/cancel", "").Kind())
		require.Equal(t, "not-found", app.Call("GET", "/v1/questions/none", "").Kind())
		require.NotContains(t, b.Log.Take(), "Deliver")
	}, append(inboundtest.APISettings(), "SMSBRIDGE_LIMIT_WAIT=0s")...)
}

// Ensure that each line of the log about a question names it and its masked phone, also when it is
// refused. A line about no question of the app names neither.
func TestQuestionsInTheLog(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t), inboundtest.APISettings()...)
	app := inboundtest.NewApp(t, b)
	line := func(method, path, body string) (map[string]any, inboundtest.APIResponse) {
		t.Helper()
		r := app.Call(method, path, body)
		lines := b.Lines(t)
		require.Len(t, lines, 1)
		return lines[0], r
	}
	asked, r := line("POST", "/v1/questions", askBody)
	one := "/v1/questions/" + r.ID
	shown, _ := line("GET", one, "")
	canceled, _ := line("POST", one+"/cancel", "")
	late, r := line("POST", one+"/cancel", "")
	require.Equal(t, "not-open", r.Kind())
	for _, line := range []map[string]any{asked, shown, canceled, late} {
		require.Equal(t, strings.TrimPrefix(one, "/v1/questions/"), line["case"], line)
		require.Equal(t, "+45******56", line["phone"], line)
	}
	refused, r := line("POST", "/v1/questions", strings.Replace(askBody, "Deliver", "\\u0007", 1))
	require.Equal(t, "invalid-field", r.Kind())
	require.Equal(t, "+45******56", refused["phone"], refused)
	require.NotContains(t, refused, "case")
	unknown, _ := line("GET", "/v1/questions/none", "")
	require.NotContains(t, unknown, "case")
	require.NotContains(t, unknown, "phone")
}

// Ensure that a retry with its key asks nothing, and that a key belongs to one request.
func TestQuestionOnce(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) {
		app := inboundtest.NewApp(t, b)
		const key = "Idempotency-Key: 7f1c"
		first := readQuestion(t, app.Call("POST", "/v1/questions", askBody, key))
		require.Equal(t, first, readQuestion(t, app.Call("POST", "/v1/questions", askBody, key)))
		require.Equal(t, 1, b.Count(t, "challenge", "purpose = 'app'"))
		other := strings.Replace(askBody, "17", "18", 1)
		require.Equal(t, "idempotency-key-reused",
			app.Call("POST", "/v1/questions", other, key).Kind())
		require.Equal(t, "idempotency-key-reused",
			app.Call("POST", "/v1/verifications", inboundtest.StartBody, key).Kind())
	}, inboundtest.APISettings()...)
}

// Ensure that what cannot be asked is a problem that says why, and leaves nothing.
func TestQuestionProblems(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t),
		append(inboundtest.APISettings(), "SMSBRIDGE_LIMIT_WAIT=1m")...)
	app := inboundtest.NewApp(t, b)
	ask := func(members string) inboundtest.APIResponse {
		return app.Call("POST", "/v1/questions", `{"phone":"`+inboundtest.Phone+`"`+members+`}`)
	}
	before := b.Recorded(t)
	for members, want := range map[string][3]string{
		``:                                      {"invalid-field", "subject", "It is empty"},
		`,"subject":"see https://acme.example"`: {"invalid-field", "subject", "show as a link"},
		`,"subject":"a\u200bb?"`:                {"invalid-field", "subject", "invisible"},
		`,"subject":"OK?","expires_in":"59.9s"`: {"invalid-field", "expires_in", "1m to 24h"},
		`,"subject":"OK?","expires_in":"24h1s"`: {"invalid-field", "expires_in", "1m to 24h"},
		`,"subject":"OK?","expires_in":"soon"`:  {"invalid-field", "expires_in", "1m to 24h"},
		`,"subject":"OK?","locale":"not a tag"`: {"invalid-field", "locale", "BCP 47"},
		`,"subject":"OK?","other":"x"`:          {"malformed", "", "not known"},
		`,"subject":"` + strings.Repeat("long ", 30) + `"`: {"invalid-field", "subject",
			"makes the text take 2 segments; it may take 1"},
		`,"subject":"OK?","reference":"` + strings.Repeat("x", 256) + `"`: {"invalid-field",
			"reference", "255"},
	} {
		r := ask(members)
		require.Equal(t, want[:2], []string{r.Kind(), r.Problem.Field}, members)
		require.Contains(t, r.Problem.Detail, want[2], members)
	}
	for phone, why := range map[string]string{
		"+8613800138000": "Its country is not on the tenant's list.",
		"+46701234567":   "Its country is not on the tenant's list.",
		"+4590123456":    "Numbers of its kind are not texted.",
	} {
		r := app.Call("POST", "/v1/questions", `{"phone":"`+phone+`","subject":"OK?"}`)
		require.Equal(t, []string{"number-not-allowed", why}, []string{r.Kind(), r.Problem.Detail})
	}
	require.Equal(t, before, b.Recorded(t))

	require.Equal(t, http.StatusCreated, ask(`,"subject":"OK?"`).StatusCode)
	b.Now = b.Now.Add(20 * time.Second)
	limited := ask(`,"subject":"OK?"`)
	require.Equal(t, "too-soon", limited.Kind())
	require.Contains(t, limited.Problem.Detail, "A limit of texts")
	require.Equal(t, "40", limited.Header.Get("Retry-After"))
	for range 2 {
		b.Now = b.Now.Add(2 * time.Minute)
		require.Equal(t, http.StatusCreated, ask(`,"subject":"OK?","expires_in":"1h"`).StatusCode)
	}
	b.Now = b.Now.Add(10 * time.Minute)
	ask(`,"subject":"OK?","expires_in":"1h"`)
	busy := ask(`,"subject":"OK?"`)
	require.Equal(t, "phone-busy", busy.Kind())
	require.Contains(t, busy.Problem.Detail, "too many open questions")

	b.Do(t, func(ctx context.Context, tx *store.Tx) error {
		acme, _ := b.Inbound.Settings.Tenants.Tenant("acme")
		phone := inboundtest.Number(t, inboundtest.Phone)
		return text.OptOut(ctx, tx, acme.Line(phone), phone)
	})
	require.Equal(t, "opted-out", ask(`,"subject":"OK?"`).Kind())
}

// Ensure that the shortest and the longest life that openapi.yaml names are taken.
func TestQuestionLives(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t),
		append(inboundtest.APISettings(), "SMSBRIDGE_LIMIT_WAIT=0s")...)
	app := inboundtest.NewApp(t, b)
	for given, life := range map[string]time.Duration{"1m": time.Minute, "24h": 24 * time.Hour} {
		r := app.Call("POST", "/v1/questions", strings.Replace(askBody, "5m", given, 1))
		require.Equal(t, http.StatusCreated, r.StatusCode, r.Body)
		want := b.Now.Add(life).UTC().Format("2006-01-02T15:04:05.000Z")
		require.Equal(t, want, readQuestion(t, r).ExpiresAt)
	}
}

// Ensure that a question about a mail is not an app's.
func TestQuestionOfAMail(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t), inboundtest.APISettings()...)
	app := inboundtest.NewApp(t, b)
	acme, _ := b.Inbound.Settings.Tenants.Tenant("acme")
	id, _ := b.Ask(t, acme.Line(inboundtest.Number(t, inboundtest.Phone)))
	require.Equal(t, "not-found", app.Call("GET", "/v1/questions/"+id, "").Kind())
	require.Equal(t, "not-found", app.Call("POST", "/v1/questions/"+id+"/cancel", "").Kind())
	require.Equal(t, "open", b.State(t, "challenge", id))
}

// Ensure that what no database takes is refused in the same way on both: an id or a reference with
// a NUL, or an id that is no text.
func TestBytesThatAreNoText(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) {
		app := inboundtest.NewApp(t, b)
		for _, path := range []string{
			"GET /v1/verifications/%00", "GET /v1/questions/%00", "GET /v1/questions/%ff",
			"POST /v1/questions/%00/cancel", "POST /v1/verifications/%ff/cancel",
		} {
			method, path, _ := strings.Cut(path, " ")
			require.Equal(t, http.StatusNotFound, app.Call(method, path, "").StatusCode, path)
		}
		for _, reference := range []string{`a\u0000b`, `a\nb`} {
			r := app.Call("POST", "/v1/questions", `{"phone":"`+inboundtest.Phone+
				`","subject":"Deliver today?","reference":"`+reference+`"}`)
			require.Equal(t, http.StatusUnprocessableEntity, r.StatusCode, r.Body)
		}
	}, inboundtest.APISettings()...)
}

// Ensure that an app may write an id in capitals or without hyphens, as its type for UUIDs does.
func TestIDsInAnySpelling(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t), inboundtest.APISettings()...)
	app := inboundtest.NewApp(t, b)
	verification := app.Call("POST", "/v1/verifications", inboundtest.StartBody).ID
	question := readQuestion(t, app.Call("POST", "/v1/questions", askBody)).ID
	for _, spelled := range []func(string) string{
		strings.ToUpper, func(id string) string { return strings.ReplaceAll(id, "-", "") },
	} {
		shown := app.Call("GET", "/v1/verifications/"+spelled(verification), "")
		require.Equal(t, verification, shown.ID, shown.Body)
		shown = app.Call("GET", "/v1/questions/"+spelled(question), "")
		require.Equal(t, question, readQuestion(t, shown).ID)
	}
	upper := "/v1/verifications/" + strings.ToUpper(verification) + "/check"
	right := app.Call("POST", upper, `{"code":"`+inboundtest.OwnCode+`"}`)
	require.Equal(t, http.StatusOK, right.StatusCode, right.Body)
}

// Ensure that lengths count characters, as openapi.yaml and the clients that are made of it do.
func TestLengthsAreOfCharacters(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) {
		app := inboundtest.NewApp(t, b)
		long := strings.Repeat("å", 254) + "\U0001f33b"
		for path, members := range map[string]string{
			"/v1/verifications": `,"subject":"`,
			"/v1/questions":     `,"subject":"Deliver today?","reference":"`,
		} {
			body := `{"phone":"` + inboundtest.Phone + `"` + members
			taken := app.Call("POST", path, body+long+`"}`)
			require.Equal(t, http.StatusCreated, taken.StatusCode, taken.Body)
			refused := app.Call("POST", path, body+long+`x"}`)
			require.Equal(t, "invalid-field", refused.Kind())
		}
		require.Equal(t, long, b.One(t, "SELECT reference FROM challenge"))
	}, inboundtest.APISettings()...)
}
