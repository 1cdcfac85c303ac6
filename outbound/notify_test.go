package outbound

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"smsbridge/internal/settings"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/verification"
)

// Ensure that the signature is the one of Svix's documentation
// (https://docs.svix.com/receiving/verifying-payloads/how-manual), which Standard Webhooks took
// over.
func TestSign(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	header := http.Header{}
	Sign(
		header, [][]byte{key, key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(
			`{"test": 2432232314}`,
		),
	)
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	require.Equal(t, want+" "+want, header.Get("webhook-signature"))
	require.Equal(t, "msg_p5jXN8AQM9LWM0D4loKWxJek", header.Get("webhook-id"))
	require.Equal(t, "1614265330", header.Get("webhook-timestamp"))
}

// callbackApp is a tenant's app that keeps what it is told and responds with a status.
type callbackApp struct {
	*httptest.Server
	mu      sync.Mutex
	status  int
	bodies  []string
	headers []http.Header
}

func (l *callbackApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	l.bodies, l.headers = append(l.bodies, string(body)), append(l.headers, r.Header)
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(l.status)
}

func (l *callbackApp) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func listen(t *testing.T, w *world) *callbackApp {
	l := &callbackApp{status: http.StatusNoContent}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	w.tenant().API.Callback = tenant.Callback{
		URL:     l.URL,
		Secrets: []settings.Secret{settings.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
	}
	return l
}

// verified starts a verification of the tenant's and ends it with the right code.
func (w *world) verified() (v verification.Verification) {
	w.t.Helper()
	request := verification.For(w.tenant(), "api", w.phone(phone))
	request.Code, request.ExternalID = "482913", "order 66"
	w.do(func(ctx context.Context, tx *store.Tx) error {
		started, _, err := verification.Start(ctx, tx, request)
		if err != nil {
			return err
		}
		checked, err := verification.Check(ctx, tx, started.Tenant, started.ID,
			verification.Presented{Door: "api", Code: "482913"})
		v = checked.Verification
		return err
	})
	return v
}

// Ensure that the app is told until it takes the notice, with one id and the time of each
// attempt. No code is in it.
func TestNotify(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		app := listen(w.t, w)
		v := w.verified()
		require.Equal(w.t, "1", w.jobs("notify"))
		for _, status := range []int{500, 302, 410, 404} {
			app.answer(status)
			w.snoozed(w.notify(w.t.Context(), v.ID))
			w.wait(time.Minute)
		}
		app.answer(200)
		require.NoError(w.t, w.notify(w.t.Context(), v.ID))
		require.Len(w.t, app.bodies, 5, "a redirect is not followed")
		stamps := map[string]bool{}
		for i, header := range app.headers {
			require.Equal(w.t, v.ID, header.Get("webhook-id"))
			require.Equal(w.t, "application/json", header.Get("Content-Type"))
			want := http.Header{}
			sent := w.clock().Add(time.Duration(i-4) * time.Minute)
			Sign(want, w.tenant().API.Callback.Keys(), v.ID, sent, []byte(app.bodies[i]))
			require.Equal(w.t, want.Get("webhook-signature"), header.Get("webhook-signature"))
			stamps[header.Get("webhook-timestamp")] = true
			require.Equal(w.t, app.bodies[0], app.bodies[i])
		}
		require.Len(w.t, stamps, 5)
		require.NotContains(w.t, app.bodies[0], "482913")
		var n notice
		require.NoError(w.t, json.Unmarshal([]byte(app.bodies[0]), &n))
		require.Equal(w.t, notice{
			Type: "verification.approved", Timestamp: v.Ended.Format(time.RFC3339Nano),
			Data: noticeData{v.ID, "api", "order 66", phone, "approved", 1, 1, "", false},
		}, n)
	})
}

// Ensure that a notice has the members that the description of the API promises.
func TestNoticeIsDescribed(t *testing.T) {
	t.Parallel()
	type schema struct {
		Properties map[string]schema `yaml:"properties"`
		Required   []string          `yaml:"required"`
	}
	var d struct {
		Components struct{ Schemas map[string]schema }
	}
	raw, err := os.ReadFile("../inbound/api/openapi.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(raw, &d))
	body, err := json.Marshal(
		notice{Type: "t", Timestamp: "t", Data: noticeData{"i", "d", "e", "p", "s", 1, 1, "r", true}},
	)
	require.NoError(t, err)
	var n map[string]any
	require.NoError(t, json.Unmarshal(body, &n))
	members := func(m any) []string { return slices.Collect(maps.Keys(m.(map[string]any))) }
	described := d.Components.Schemas["Notice"]
	require.ElementsMatch(t, slices.Collect(maps.Keys(described.Properties)), members(n))
	require.ElementsMatch(t, described.Required, members(n))
	require.ElementsMatch(
		t, slices.Collect(maps.Keys(described.Properties["data"].Properties)), members(n["data"]),
	)
}

// Ensure that an app that never takes the news is given up after a day, and that a tenant without
// one is told nothing.
func TestNotifyGivesUp(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := listen(t, w)
	app.answer(503)
	v := w.verified()
	w.wait(notifyPatience)
	w.snoozed(w.notify(t.Context(), v.ID))
	w.wait(time.Second)
	require.NoError(t, w.notify(t.Context(), v.ID))
	require.Equal(
		t, "verification.not_notified", w.one("SELECT name FROM event ORDER BY id DESC LIMIT 1"),
	)
	w.tenant().API.Callback = tenant.Callback{}
	require.NoError(t, w.notify(t.Context(), v.ID))
	require.NoError(t, w.notify(t.Context(), "no such row"))
	require.Len(t, app.bodies, 2)
}

// Ensure that no private address is connected to, unless the tenant allows it, and that a name
// that leads to one makes no difference.
func TestNotifyIsGuarded(t *testing.T) {
	t.Parallel()
	w := quick(t)
	app := listen(t, w)
	v := w.verified()
	w.tenant().Links.UnsafeAllow = nil
	for _, target := range []string{
		app.URL, strings.Replace(app.URL, "127.0.0.1", "localhost", 1),
		strings.Replace(app.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "https://169.254.169.254/",
		"https://10.0.0.1/", "https://[::1]/", "https://1.1.1.1:8443/",
	} {
		w.tenant().API.Callback.URL = target
		_, err := w.postNotice(t.Context(), w.tenant(), v, w.clock())
		require.ErrorIs(t, err, errAddress, target)
	}
	w.tenant().API.Callback.URL = app.URL
	w.tenant().Links.UnsafeAllow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	_, err := w.postNotice(t.Context(), w.tenant(), v, w.clock())
	require.ErrorIs(t, err, errAddress)
	require.Empty(t, app.bodies)
}

// Ensure that a proxy of the environment gets calls to providers, and no post to an address that
// must be judged as it is dialed.
func TestWhatGoesThroughAProxy(t *testing.T) {
	t.Parallel()
	w := quick(t)
	require.NotNil(t, w.http.(*http.Transport).Proxy)
	require.Nil(t, noticeTransport(nil).Proxy)
}
