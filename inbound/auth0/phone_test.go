package auth0_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/auth0"
	"smsbridge/inbound/inboundtest"
	"smsbridge/inbound/web"
	rule "smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

const otp = `{"recipient":"` + phone + `","message_type":"otp_verify","code":"482913",` +
	`"text":"482913 is your verification code for ACME","language":"en","from":null,` +
	`"user_id":"auth0|5f7c"}`

// action posts as an Action does.
func (b *bridge) action(t *testing.T, path, body string, headers ...string) inboundtest.Response {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.URL+"/auth0/acme/"+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+apiKey)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	return b.Send(t, r)
}

// provider plays the worker and its provider for the next due text: it has it, or refuses with a
// reason.
func (b *bridge) provider(t *testing.T, refusal string) (body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for id := ""; id == ""; {
		require.NoError(t, ctx.Err(), "no text was made due")
		_ = b.DB.QueryRow("SELECT id FROM text WHERE state = 'due'").Scan(&id)
		if id == "" {
			continue
		}
		require.NoError(t, b.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) error {
			attempt, _, err := text.Begin(ctx, tx, id)
			body = attempt.Body
			if err != nil {
				return err
			}
			if refusal != "" {
				return text.Refuse(ctx, tx, id, refusal)
			}
			return text.Accept(ctx, tx, id, "SM"+id)
		}))
	}
	return body
}

// sends makes a request of which a provider hears.
func (b *bridge) sends(
	t *testing.T,
	request, refusal string,
) (r inboundtest.Response, body string) {
	t.Helper()
	done := make(chan inboundtest.Response, 1)
	go func() { done <- b.action(t, "phone", request) }()
	body = b.provider(t, refusal)
	return <-done, body
}

// Ensure that a code of Auth0's is texted in Auth0's words: not again for a retry, and once more
// when a person asks for it. Only the last one is pending.
func TestAuth0Phone(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		r, body := b.sends(t, otp, "")
		require.Equal(t, http.StatusOK, r.StatusCode, r.Body)
		require.Contains(t, r.Body, `"status":"sent"`)
		require.Equal(t, "482913 is your verification code for ACME", body)
		require.Equal(t, r.Body, b.action(t, "phone", otp).Body, "a retry gets the same response")
		require.Equal(t, 1, b.Count(t, "text", "1=1"))

		b.Now = b.Now.Add(31 * time.Second)
		r, _ = b.sends(t, otp, "")
		require.Equal(t, http.StatusOK, r.StatusCode)
		require.Equal(t, 1, b.Count(t, "verification", "state = 'pending'"))
		require.Equal(t, 1, b.Count(t, "verification", "state = 'canceled'"))
		r, _ = b.sends(t, strings.Replace(otp, `"code":"482913"`, `"code":"111111"`, 1), "60410")
		require.Equal(t, http.StatusUnprocessableEntity, r.StatusCode)
		require.Contains(t, r.Body, web.ProblemNames+"not-sent")
		require.Contains(t, r.Body, "60410")
		require.Equal(t, 3, b.Count(t, "auth0_notification", "user_id = 'auth0|5f7c'"))
		require.Zero(t, b.Count(t, "auth0_notification", "digest LIKE '%482913%'"))
		log := b.Log.Take()
		for _, secret := range []string{"482913", "20123456", apiKey, "auth0|"} {
			require.NotContains(t, log, secret)
		}
	}, auth0Settings...)
}

// Ensure that a text without a code goes out as it is, and that the bridge's words are used where
// Auth0 sent none.
func TestAuth0PhoneTexts(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	r, body := b.sends(
		t,
		`{"recipient":"`+phone+`","message_type":"blocked_account","text":"Your ACME account is `+
			`blocked."}`,
		"",
	)
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, "Your ACME account is blocked.", body)
	require.Zero(t, b.Count(t, "verification", "1=1"))
	_, body = b.sends(t, `{"recipient":"`+phone+`","code":"482913","language":"da-DK"}`, "")
	require.Equal(t, "482913 er din kode til ACME. Del den ikke med nogen.", body)

	// Wrong codes at the bridge's own doors do not keep people from Auth0's.
	b.Now = b.Now.Add(time.Minute)
	v := b.visitor(t, withPhone)
	v.load()
	code := b.Bodies(t)[0][:6]
	for range 2 {
		for range 5 {
			v.press("check", "code", wrongCode6(code))
		}
		b.Bodies(t)
		v.press("again")
	}
	require.Contains(t, v.press("again").Body, "too many wrong codes for this phone")
	r, _ = b.sends(t, otp, "")
	require.Equal(t, http.StatusOK, r.StatusCode)
}

// Ensure that what can never be sent is refused for good, and what may be later is not.
func TestAuth0PhoneRefuses(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	change := func(old, new string) string { return strings.Replace(otp, old, new, 1) }
	for name, tt := range map[string]struct {
		body    string
		headers string
		status  int
		kind    string
	}{
		"no key":               {otp, "Authorization: ", 401, "unauthorized"},
		"the stream's token":   {otp, "Authorization: Bearer " + retiring, 401, "unauthorized"},
		"the key without word": {otp, "Authorization: " + apiKey, 401, "unauthorized"},
		"not JSON":             {otp, "Content-Type: text/plain", 415, "unsupported-media-type"},
		"no object":            {`[]`, "X: y", 400, "malformed"},
		"cut":                  {otp[:50], "X: y", 400, "malformed"},
		"empty":                {"", "X: y", 400, "malformed"},
		"two objects":          {otp + otp, "X: y", 400, "malformed"},
		"a number for a text":  {change(`"482913"`, "482913"), "X: y", 400, "malformed"},
		"too large": {
			`{"text":"` + strings.Repeat("x", auth0.MaxNotification) + `"}`, "X: y", 413, "too-large",
		},
		"no recipient":    {`{"text":"x"}`, "X: y", 422, "invalid-field"},
		"no E.164":        {change(phone, "20123456"), "X: y", 422, "invalid-field"},
		"another country": {change(phone, "+46701234567"), "X: y", 422, "number-not-allowed"},
		"a voice call": {
			change(`"from":null`, `"delivery_method":"voice"`), "X: y", 422, "not-carried",
		},
		"letters for a code": {change(`"482913"`, `"48x913"`), "X: y", 422, "invalid-field"},
		"nothing to say":     {`{"recipient":"` + phone + `"}`, "X: y", 422, "invalid-field"},
		"too much to say": {
			`{"recipient":"` + phone + `","text":"` + strings.Repeat("x", 1000) + `"}`, "X: y", 422,
			"invalid-field",
		},
	} {
		r := b.action(t, "phone", tt.body, tt.headers)
		require.Equal(t, tt.status, r.StatusCode, name)
		require.Contains(t, r.Body, web.ProblemNames+tt.kind, name)
		require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"), name)
	}
	require.Empty(t, b.Rows(t))

	account, sender := inboundtest.AccountSID, "+15005550006"
	require.NoError(t, b.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return text.OptOut(
			ctx,
			tx,
			phonemail.Line{Account: account, Sender: sender},
			inboundtest.Number(t, phone),
		)
	}))
	require.Equal(t, http.StatusConflict, b.action(t, "phone", otp).StatusCode)
	r := b.action(t, "phone", `{"recipient":"`+phone+`","text":"Your account is blocked."}`)
	require.Equal(t, http.StatusUnprocessableEntity, r.StatusCode)
	require.Contains(t, r.Body, "opted out")

	closed := openBridge(t, storetest.SQLite(t), "AUTH0_DOMAIN=acme.eu.auth0.com")
	for _, door := range []string{"phone", "feedback", "stream"} {
		require.Equal(
			t,
			http.StatusNotFound,
			closed.action(t, door, otp).StatusCode,
			"without its secret",
		)
	}
	require.NoError(t, b.Store.Close())
	require.Equal(t, http.StatusServiceUnavailable, b.action(t, "phone", otp).StatusCode)
}

// Ensure that the request waits for a provider no longer than its caller waits.
func TestAuth0PhoneStopsWaiting(t *testing.T) {
	b := openBridge(t, storetest.SQLite(t), auth0Settings...)
	var id string
	require.NoError(t, b.Store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		acme, _ := b.Inbound.Settings.Tenants.Tenant("acme")
		n := rule.Notification{Phone: inboundtest.Number(t, phone), Code: "482913"}
		id, err = rule.Notify(ctx, tx, acme, n, "key")
		return err
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 3*auth0.NotificationLook)
	defer cancel()
	state, err := auth0.AwaitText(ctx, web.Edge{Store: b.Store}, id)
	require.NoError(t, err)
	require.Equal(t, text.Due, state)
}

// Ensure that requests that come at once text a phone once for a code, and leave one code open.
func TestAuth0PhoneRace(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		acme, _ := b.Inbound.Settings.Tenants.Tenant("acme")
		var racers sync.WaitGroup
		for i := range 16 {
			racers.Go(func() {
				n := rule.Notification{
					Phone: inboundtest.Number(t, phone), Code: []string{"482913", "739201"}[i%2],
				}
				err := b.Store.Do(context.Background(), func(ctx context.Context, tx *store.Tx) error {
					_, err := rule.Notify(ctx, tx, acme, n, "key")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		require.Equal(t, 1, b.Count(t, "verification", "state = 'pending'"))
		require.Equal(t, 2, b.Count(t, "text", "1=1"), "one for each code")
		require.Equal(t, 1, b.Count(t, "text", "state = 'due'"))
	}, auth0Settings...)
}
