package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/callback"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
	"smsbridge/outbound"
)

// receiver is an app that is told of events.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	status  int
	headers []http.Header
	bodies  []string
}

func openReceiver(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.headers, r.bodies = append(r.headers, q.Header), append(r.bodies, string(body))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// heard waits until the receiver has had as many requests, and returns the last one.
func (r *receiver) heard(t *testing.T, n int) (header http.Header, body string) {
	t.Helper()
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.bodies) >= n {
			header, body = r.headers[n-1], r.bodies[n-1]
		}
		return len(r.bodies) >= n
	}, storyPatience, 5*time.Millisecond)
	return header, body
}

const eventsSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// eachTheater runs a test with a bridge that is not started yet, on each database.
func eachTheater(t *testing.T, test func(t *testing.T, ctx context.Context, th *theater)) {
	t.Parallel()
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			th, err := openTheater(database(t))
			require.NoError(t, err)
			t.Cleanup(th.close)
			ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
			t.Cleanup(cancel)
			test(t, ctx, th)
		})
	}
}

// Ensure that an operator sees what an app did not take, and has it told once more: with the same
// webhook-id and body, a new time and a new signature.
//
//test:unwatched
func TestCallbacks(t *testing.T) {
	longtest.Skip(t)
	eachTheater(t, func(t *testing.T, ctx context.Context, th *theater) {
		app := openReceiver(t, http.StatusGone)
		th.env["SMSBRIDGE_EVENTS"] = "app=" + app.URL + "/hook?token=hidden question.asked"
		th.env["SMSBRIDGE_EVENTS_SECRET"] = eventsSecret
		start(t, th)
		callbacks := func(args ...string) string {
			said, err := th.command(ctx, append([]string{"callbacks"}, args...)...).Output()
			require.NoError(t, err)
			return string(said)
		}
		list := func(args ...string) (all []shownCallback) {
			said := callbacks(append([]string{"list", "--json"}, args...)...)
			require.NoError(t, json.Unmarshal([]byte(said), &all))
			return all
		}
		require.Contains(t, callbacks(), "no app was told of an event")
		require.NoError(t, th.idp.SignUp(ctx, address("+4520123456")))
		first, body := app.heard(t, 1)
		var failed []shownCallback
		require.Eventually(t, func() bool {
			failed = list("--failed")
			return len(failed) == 1
		}, storyPatience, time.Millisecond)
		gone := failed[0]
		require.Equal(t, []any{"acme", "app", "question.asked", "gone", 410, "answered 410", 1},
			[]any{gone.Tenant, gone.Endpoint, gone.Type, gone.State, gone.Status, gone.Reason,
				gone.Attempts})
		require.Equal(t, strings.TrimPrefix(app.URL, "http://"), gone.Host)
		require.NotNil(t, gone.Ended)
		require.Nil(t, gone.Next)
		require.Equal(t, []callback.Try{{
			At: gone.Tries[0].At, Host: gone.Host, Status: 410, Reason: "answered 410",
		}}, gone.Tries)
		require.Equal(t, first.Get("webhook-id"), gone.EventID)
		require.Regexp(t, gone.ID+` .* acme +app +question.asked +gone +1 +410`, callbacks("--failed"))
		for _, said := range []string{callbacks(), callbacks("--json")} {
			require.NotContains(t, said, "20123456")
			require.NotContains(t, said, "hidden")
		}
		require.Len(t, list("--tenant", "acme"), 1)

		app.answer(http.StatusOK)
		require.Contains(t, callbacks("replay", gone.ID), "due now")
		again, same := app.heard(t, 2)
		require.Equal(t, body, same)
		require.Equal(t, first.Get("webhook-id"), again.Get("webhook-id"))
		sent, err := strconv.ParseInt(again.Get("webhook-timestamp"), 10, 64)
		require.NoError(t, err)
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(eventsSecret, "whsec_"))
		require.NoError(t, err)
		want := http.Header{}
		outbound.Sign(want, [][]byte{key}, gone.EventID, time.Unix(sent, 0), []byte(body))
		require.Equal(t, want.Get("webhook-signature"), again.Get("webhook-signature"))

		require.Eventually(t, func() bool { return list()[0].State == "delivered" }, storyPatience,
			time.Millisecond)
		require.Empty(t, list("--failed"))
		require.Contains(t, callbacks("replay", "--since", "1h"), "due now: 0;")
		require.Contains(t, callbacks("replay", "--since", "1h", "--all"), "due now: 1;")
		app.heard(t, 3)
		for args, hint := range map[string]string{
			"replay none": "no callback has the id none", "replay": "either an id, or --since",
			"replay x --since 1h": "either an id, or --since", "list --tenant other": "write one of: acme",
			"list --most 0": "not a number from 1", "replay --since 700800h": "at most 366 days",
		} {
			said, err := th.command(ctx, append([]string{"callbacks"}, strings.Fields(args)...)...).
				CombinedOutput()
			require.Error(t, err, args)
			require.Contains(t, string(said), hint, args)
		}
	})
}

// Ensure that --tenant keeps a replay from the callback of another tenant that an id names.
func TestReplayOfAnotherTenant(t *testing.T) {
	i := openInsider(t)
	id := ""
	require.NoError(t, i.store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		told := &tenant.Tenant{Slug: "beta", Events: tenant.Events{
			To: []tenant.Endpoint{{Name: "app", URL: "https://app.beta.example/hook"}},
		}}
		e := store.Event{ID: store.NewID(), Tenant: "beta", Name: "text.delivered", At: tx.Now()}
		if _, err := callback.Record(ctx, tx, told, e); err != nil {
			return err
		}
		c, _, err := callback.Claim(ctx, tx, "beta", "app")
		if err != nil {
			return err
		}
		id = c.ID
		_, err = callback.Tried(ctx, tx, c, callback.Response{Status: 410, Reason: "answered 410"})
		return err
	}))
	status, said := i.says(t, "", "callbacks", "replay", id, "--tenant", "acme")
	require.Equal(t, exitMistake, status)
	require.Contains(t, said, "no callback of the tenant acme has the id "+id)
	_, said = i.says(t, "", "callbacks", "--json")
	require.Contains(t, said, `"state": "gone"`)
	status, said = i.says(t, "", "callbacks", "replay", id)
	require.Zero(t, status, said)
}

var signedWith = regexp.MustCompile(`whsec_([A-Za-z0-9+/=]+)`)

// Ensure that listen prints and forwards each event of the running bridge, also without any
// setting, and ends with the signal.
func TestListen(t *testing.T) {
	longtest.Skip(t)
	eachTheater(t, func(t *testing.T, ctx context.Context, th *theater) {
		start(t, th)
		require.NoError(t, th.idp.SignUp(ctx, address("+4520123457"))) // before it listens
		_, err := th.twilio.Phone("+4520123457").Wait(ctx, 1)
		require.NoError(t, err)
		require.NoError(t, th.settle(ctx, th.env["SMSBRIDGE_DATABASE"]))
		laptop := openReceiver(t, http.StatusAccepted)
		listen := th.command(ctx, "listen", "--forward-to", laptop.URL, "--events",
			"question.*,text.sent")
		out, err := listen.StdoutPipe()
		require.NoError(t, err)
		var complaints bytes.Buffer
		listen.Stderr = &complaints
		require.NoError(t, listen.Start())
		t.Cleanup(func() { _ = listen.Process.Kill() })
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		secret := signedWith.FindStringSubmatch(lines.Text())
		require.NotNil(t, secret, lines.Text())
		key, err := base64.StdEncoding.DecodeString(secret[1])
		require.NoError(t, err)

		require.NoError(t, th.idp.SignUp(ctx, address("+4520123456")))
		var printed []string
		for len(printed) < 2 && lines.Scan() {
			printed = append(printed, lines.Text())
		}
		slices.SortFunc(printed, func(a, b string) int { return strings.Compare(a[9:], b[9:]) })
		require.Len(t, printed, 2)
		require.Regexp(t, `^\d\d:\d\d:\d\dZ acme question.asked [0-9a-f-]+ 202 Accepted$`, printed[0])
		require.Regexp(t, `acme text.sent [0-9a-f-]+ 202 Accepted$`, printed[1])
		header, body := laptop.heard(t, 1)
		laptop.heard(t, 2)
		require.Contains(t, body, `"phone":"+4520123456"`)
		sent, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
		require.NoError(t, err)
		want := http.Header{}
		outbound.Sign(want, [][]byte{key}, header.Get("webhook-id"), time.Unix(sent, 0), []byte(body))
		require.Equal(t, want.Get("webhook-signature"), header.Get("webhook-signature"))

		require.NoError(t, listen.Process.Signal(os.Interrupt))
		for lines.Scan() {
			require.NotContains(t, lines.Text(), "asked", "each event is printed once")
		}
		require.NoError(t, listen.Wait(), complaints.String())
		require.Len(t, laptop.bodies, 2)
		for args, hint := range map[string]string{
			"--events text.read": "is no type of an event", "--forward-to ftp://x": "not a web address",
			"--forward-to http://a.example/": "plain http on another machine",
			"--tenant other":                 "write one of: acme",
		} {
			said, err := th.command(ctx, append([]string{"listen"}, strings.Fields(args)...)...).
				CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, args)
			require.Equal(t, exitMistake, exit.ExitCode(), args)
			require.Contains(t, string(said), hint, args)
		}
	})
}
