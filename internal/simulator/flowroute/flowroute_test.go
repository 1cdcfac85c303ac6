package flowroute_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/flowroute"
)

// newReceiver remembers what it is posted, and responds with the statuses in turn, then 200.
func newReceiver(t *testing.T, statuses ...int) (*httptest.Server, func() []string) {
	t.Helper()
	bodies := make(chan string, 100)
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		_ = r.Write(&body)
		bodies <- body.String()
		if len(statuses) > 0 {
			w.WriteHeader(statuses[0])
			statuses = statuses[1:]
		}
	}))
	t.Cleanup(server.Close)
	return server, func() []string {
		for {
			select {
			case body := <-bodies:
				seen = append(seen, body)
			default:
				return seen
			}
		}
	}
}

func TestSendsAndReports(t *testing.T) {
	hooks, seen := newReceiver(t)
	f, err := flowroute.Open(flowroute.Config{AccessKey: "access", SecretKey: "secret",
		Numbers: []string{"+12065550101"}, ResendAfter: []time.Duration{}})
	require.NoError(t, err)
	defer f.Close()
	f.Set(func(m *flowroute.Manners) { m.Reject = map[string]int{"+12065550177": 422} })
	for _, test := range []struct {
		path, body, key string
		status          int
	}{
		{"/v2.1/messages", `{"to":"12065550199","from":"12065550101","body":"Hi","dlr_callback":"` +
			hooks.URL + `/dlr"}`, "secret", 202},
		{"/v2.2/messages", `{"to":"+12065550199","from":"+12065550101","body":"Hi"}`, "secret", 202},
		{"/v2.1/messages", `{"to":"+12065550199","from":"+12065550101","body":"Hi"}`, "secret", 422},
		{"/v2.2/messages", `{"to":"12065550199","from":"12065550101","body":"Hi"}`, "secret", 422},
		{"/v2.1/messages", `{"to":"12065550199","from":"12065550102","body":"Hi"}`, "secret", 422},
		{"/v2.1/messages", `{"to":"12065550177","from":"12065550101","body":"Hi"}`, "secret", 422},
		{"/v2.1/messages", `{"to":"12065550199","from":"12065550101"}`, "secret", 422},
		{"/v2.1/messages", `{"to":12065550199}`, "secret", 400},
		{"/v2.1/messages", `{"to":"12065550199","from":"12065550101","body":"Hi"}`, "wrong", 401},
		{"/v3/messages", `{}`, "secret", 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL()+test.path,
			strings.NewReader(test.body))
		require.NoError(t, err)
		r.SetBasicAuth("access", test.key)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, test.status, res.StatusCode, test.body)
	}
	require.Len(t, f.Inbox("+12065550199"), 2)
	require.Eventually(t, func() bool { return len(f.Hooks()) == 3 }, time.Minute,
		5*time.Millisecond)
	for i, want := range []string{`"smsc submit"`, `"status_code":1003`, `"delivered"`} {
		require.Contains(t, seen()[i], want)
		require.Contains(t, seen()[i], `"delivery_receipt"`)
	}
}

func TestResendsReplies(t *testing.T) {
	hooks, seen := newReceiver(t, 503, 204)
	f, err := flowroute.Open(flowroute.Config{
		AccessKey: "access", SecretKey: "secret", Numbers: []string{"+12065550101"}, ReplyURL: hooks.URL +
			"/reply",
		ResendAfter: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond,
			time.Millisecond},
	})
	require.NoError(t, err)
	defer f.Close()
	hook, err := f.Reply(t.Context(), "+12065550199", "+12065550101", "YES")
	require.NoError(t, err)
	require.Equal(t, 200, hook.Status)
	require.Len(t, seen(), 3, "anything but 200 is posted again")
	require.Contains(t, seen()[2], `"direction":"inbound"`)
	f.Set(func(m *flowroute.Manners) { m.Legacy, m.DuplicateReplies = true, true })
	hook, err = f.Reply(t.Context(), "+12065550199", "+12065550101", "YES")
	require.NoError(t, err)
	require.JSONEq(t,
		`{"from":"12065550199","to":"12065550101","body":"YES","id":"`+f.Texts()[1].ID+`"}`, hook.Body)
	require.Len(t, seen(), 5)
	_, err = f.Reply(t.Context(), "+12065550199", "+12065550102", "YES")
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Reply(ctx, "+12065550199", "+12065550101", "YES")
	require.ErrorIs(t, err, context.Canceled)
}
