package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/verification"
)

const limitedKey = "0f5c2f7e9d3b4a618c7d5e2f1a0b9c8d7e6f5a4b"

func request(t *testing.T, b *inboundtest.Bridge, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", b.URL+"/v1/verifications", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+limitedKey)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Ensure that a code which a limit refuses is a 429 with the time to wait, and leaves nothing: its
// Idempotency-Key counts for the next try.
func TestLimitedCode(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t), "SMSBRIDGE_API_KEY="+limitedKey,
		"SMSBRIDGE_LIMIT_WAIT=1m")
	create := func(key string) inboundtest.Response {
		r := request(t, b, `{"phone":"+4520123456"}`)
		r.Header.Set("Idempotency-Key", key)
		return b.Send(t, r)
	}
	require.Equal(t, 201, create("1").StatusCode)
	before := b.Recorded(t)
	b.Now = b.Now.Add(20 * time.Second)
	refused := create("2")
	require.Equal(t, 429, refused.StatusCode)
	require.Equal(t, "40", refused.Header.Get("Retry-After"))
	require.Contains(t, refused.Body, "urn:smsbridge:problem:too-soon")
	require.Equal(t, before, b.Recorded(t))
	b.Now = b.Now.Add(40 * time.Second)
	require.Equal(t, 201, create("2").StatusCode)
}

// Ensure that the app hears when another text may follow: by the gap of the code, or by what the
// limits of the phone say, whichever is later.
func TestNextSend(t *testing.T) {
	for wait, seconds := range map[string]int{"30s": 60, "5m": 300, "0s": 60} {
		b := inboundtest.Open(t, storetest.SQLite(t),
			append(inboundtest.APISettings(), "SMSBRIDGE_LIMIT_WAIT="+wait)...)
		app := inboundtest.NewApp(t, b)
		next := b.Now.Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339)
		v := app.Create()
		require.Equal(t, next, v.NextSendAt[:19]+"Z", wait)
		path := "/v1/verifications/" + v.ID
		require.Equal(t, v.NextSendAt, app.Call("GET", path, "").NextSendAt)
		require.Contains(t, app.Call("GET", "/v1/verifications", "").Body, v.NextSendAt)
		wrong := app.Check(v.ID, inboundtest.OtherCode(inboundtest.OwnCode))
		require.Equal(t, v.NextSendAt, wrong.Problem.Verification.NextSendAt)
		b.Now = b.Now.Add(time.Duration(seconds)*time.Second - 1)
		require.Equal(t, 429, app.Call("POST", path+"/resend", "").StatusCode)
		b.Now = b.Now.Add(1)
		again := app.Call("POST", path+"/resend", "")
		require.Equal(t, 200, again.StatusCode)
		if wait == "5m" {
			next = b.Now.Add(10 * time.Minute).UTC().Format(time.RFC3339)
			require.Equal(t, next, again.NextSendAt[:19]+"Z")
		}
	}
}

// Ensure that the app hears of no next text when none will follow: the last one has left, or the
// verification has ended.
func TestNoNextSend(t *testing.T) {
	b := inboundtest.Open(t, storetest.SQLite(t),
		append(inboundtest.APISettings(), "SMSBRIDGE_LIMIT_WAIT=0s")...)
	app := inboundtest.NewApp(t, b)
	canceled := app.Call("POST", "/v1/verifications/"+app.Create().ID+"/cancel", "")
	require.Equal(t, "canceled", canceled.Status)
	require.Empty(t, canceled.NextSendAt)
	v := app.Create()
	for _, sends := range []int{2, 3} {
		b.Now = b.Now.Add(time.Minute)
		again := app.Call("POST", "/v1/verifications/"+v.ID+"/resend", "")
		require.Equal(t, sends, again.Sends, again.Body)
		require.Equal(t, sends == again.MaxSends, again.NextSendAt == "")
	}
}

// Ensure that a key is not refused for longer than a minute because the clock was set back.
func TestQuotaOfAClockSetBack(t *testing.T) {
	a := openApp(t, inboundtest.Open(t, storetest.SQLite(t), inboundtest.APISettings()...))
	a.exhaust(t)
	list := func() inboundtest.APIResponse { return a.Call("GET", "/v1/verifications", "") }
	require.Equal(t, "rate-limited", list().Kind())
	a.Now = a.Now.Add(-time.Hour)
	require.Equal(t, `"key";r=599;t=60`, list().Header.Get("RateLimit"))
}

// unanswered lets ten minutes pass, after which no code that was texted counts any more.
func unanswered(t *testing.T, b *inboundtest.Bridge) {
	b.Now = b.Now.Add(10 * time.Minute)
	b.Do(t, func(ctx context.Context, tx *store.Tx) error {
		_, err := verification.ExpireOverdue(ctx, tx, 1000)
		return err
	})
}

// Ensure that the breaker of a country opens at codes that go unanswered, although the door refuses
// with an error. It stays open over the turn of the hour, and lets codes try again.
func TestBreakerOfCodes(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) {
		n := 0
		create := func() int {
			n++
			return b.Send(t, request(t, b, fmt.Sprintf(`{"phone":"+4520%06d"}`, n*97))).StatusCode
		}
		events := func() int { return b.Count(t, "event", "name = 'limit.breaker'") }
		b.Now = b.Now.Truncate(time.Hour).Add(time.Hour + 40*time.Minute)
		for range 20 {
			require.Equal(t, http.StatusCreated, create())
		}
		unanswered(t, b)
		require.Equal(t, http.StatusTooManyRequests, create())
		require.Equal(t, http.StatusTooManyRequests, create())
		require.Equal(t, 1, b.Count(t, "tally", "open_at <> 0"))
		require.Equal(t, 1, events(), "it is told once")
		b.Now = b.Now.Truncate(time.Hour).Add(time.Hour) // ten minutes later
		require.Equal(t, http.StatusTooManyRequests, create(), "a new hour")
		b.Now = b.Now.Add(20 * time.Minute)
		for range 5 {
			require.Equal(t, http.StatusCreated, create(), "one of five that try")
		}
		require.Equal(t, http.StatusTooManyRequests, create())
		unanswered(t, b)
		b.Now = b.Now.Add(20 * time.Minute)
		require.Equal(t, http.StatusTooManyRequests, create())
		require.Equal(t, 2, events(), "it opened again")
		b.Now = b.Now.Add(30 * time.Minute)
		require.Equal(t, http.StatusCreated, create(), "and the next may try")
	}, "SMSBRIDGE_API_KEY="+limitedKey, "SMSBRIDGE_LIMIT_BREAKER=20")
}
