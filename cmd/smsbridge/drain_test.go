package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// balancer is a load balancer with two replicas behind it. One is a bridge, which it asks over
// and over whether it is ready. Once the bridge says no, the other one takes all requests and
// responds with 200. It never sends a request a second time.
type balancer struct {
	*httptest.Server
	bridge  string
	away    atomic.Bool   // the bridge gets no more requests
	refused chan struct{} // closed when the bridge has said that it is not ready
	flying  sync.WaitGroup
	mu      sync.RWMutex // held for reading while a request chooses its replica
	served  atomic.Int64 // by the bridge
	failed  atomic.Int64
}

func openBalancer(t *testing.T, bridge string) *balancer {
	b := &balancer{bridge: bridge, refused: make(chan struct{})}
	to, err := url.Parse(bridge)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	proxy.ModifyResponse = func(r *http.Response) error {
		b.served.Add(1)
		if r.StatusCode >= 500 {
			b.failed.Add(1)
		}
		return nil
	}
	proxy.ErrorHandler = func(rw http.ResponseWriter, _ *http.Request, _ error) {
		b.failed.Add(1)
		rw.WriteHeader(http.StatusBadGateway)
	}
	b.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if b.choose() {
			defer b.flying.Done()
			proxy.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

// choose reports whether the bridge gets a request, which then is in flight.
func (b *balancer) choose() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.away.Load() {
		return false
	}
	b.flying.Add(1)
	return true
}

// poll asks the bridge whether it is ready until it says no.
func (b *balancer) poll(ctx context.Context) {
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.bridge+"/readyz", nil)
		if err != nil {
			return
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			continue // it is asked again, as it is by any balancer
		}
		res.Body.Close()
		if res.StatusCode == http.StatusServiceUnavailable {
			b.mu.Lock()
			b.away.Store(true)
			b.mu.Unlock()
			close(b.refused)
			return
		}
	}
}

// drainSettings are the settings of a bridge that may be stopped.
func drainSettings(t *testing.T) tenant.Settings {
	settings, err := tenant.FromEnv([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.example.com",
		"SMSBRIDGE_DATABASE=" + storetest.EmptySQLite(t),
		"SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_LANGUAGE_PINNED=true", "SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_MAIL_DOMAIN=sms.acme.example", "SMSBRIDGE_IDP_HOSTS=login.acme.example",
		"MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210",
		"TWILIO_FROM=+15005550006", "TWILIO_API_BASE=http://127.0.0.1:1", "SMSBRIDGE_DRAIN=7s",
	})
	require.NoError(t, err)
	return settings
}

// Ensure that no request fails that a load balancer sends while a bridge stops: the bridge says
// that it is not ready, goes on serving for as long as it is told to, and only then closes.
func TestStopsBehindABalancer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := "http://" + listener.Addr().String()
	b, err := openBridge(t.Context(), drainSettings(t), slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	front := openBalancer(t, at)
	var paused []time.Duration
	b.pause = func(d time.Duration) {
		paused = append(paused, d)
		select {
		case <-front.refused:
		case <-time.After(storyPatience):
			t.Error("the balancer was not told")
		}
		front.flying.Wait()
		res, err := http.Get(at + "/healthz")
		require.NoError(t, err, "requests that still come are served")
		res.Body.Close()
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- b.serve(ctx, listener) }()
	var load sync.WaitGroup
	polls, end := context.WithCancel(t.Context())
	load.Go(func() { front.poll(polls) })
	for range 4 {
		load.Go(func() {
			for polls.Err() == nil {
				res, err := http.Post(front.URL+"/mailgun/acme", "application/x-www-form-urlencoded", nil)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	require.Eventually(t, func() bool {
		return front.served.Load() > 100
	}, time.Minute, time.Millisecond)
	stop()
	require.NoError(t, <-served)
	end()
	load.Wait()
	require.Zero(t, front.failed.Load(), "failed requests")
	require.True(t, front.away.Load(), "the balancer was told")
	require.Equal(t, []time.Duration{7 * time.Second}, paused)
}

// Ensure that the last line of the log says that the bridge has stopped, how long that took, and
// that nothing was cut off.
func TestStopIsLogged(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var log bytes.Buffer
	b, err := openBridge(t.Context(), drainSettings(t), slog.New(slog.NewJSONHandler(&log, nil)), nil)
	require.NoError(t, err)
	b.pause = func(time.Duration) {}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	require.NoError(t, b.serve(ctx, listener))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Contains(t, lines[len(lines)-1], `"level":"INFO","msg":"stopped","took":"`)
	require.Contains(t, lines[len(lines)-1], `"whole":true`)
}

// Ensure that a second signal ends a bridge that is draining.
func TestSecondSignalStopsAtOnce(t *testing.T) {
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(th.close)
	th.env["SMSBRIDGE_DRAIN"] = "1m"
	bridge := start(t, th)
	ended := make(chan error, 1)
	go func() { ended <- bridge.Wait() }()
	require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		res, err := http.Get(th.public + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusServiceUnavailable
	}, time.Minute, time.Millisecond, "it drains")
	require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-ended:
		require.ErrorContains(t, err, "signal: terminated")
	case <-time.After(storyPatience):
		t.Fatal("it goes on draining")
	}
}
