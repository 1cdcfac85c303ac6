package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
	"smsbridge/internal/tenant"
)

// Ensure that a tenant's Flowroute door is opened and shut with the bridge, and that a port
// which is taken stops the start.
func TestFlowrouteDoor(t *testing.T) {
	addr, err := freeAddr()
	require.NoError(t, err)
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
		"TWILIO_FROM=+15005550006", "TWILIO_API_BASE=http://127.0.0.1:1", "SMSBRIDGE_DRAIN=0s",
		"SMSBRIDGE_FLOWROUTE_ADDR=" + addr,
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log bytes.Buffer
	served := make(chan error, 1)
	listen := func() net.Listener {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return listener
	}
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	b, err := openBridge(ctx, settings, logger, nil)
	require.NoError(t, err)
	go func() { served <- b.serve(ctx, listen()) }()
	require.Eventually(t, func() bool {
		res, err := http.Get("http://" + addr + "/?auth_id=a&code=1234")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return err == nil && strings.Contains(string(body), "UnknownAuthId")
	}, storyPatience, 20*time.Millisecond)
	stop()
	require.NoError(t, <-served)
	require.Contains(t, log.String(), `"msg":"flowroute door","tenant":"acme","addr":"`+addr+`"`)
	_, err = net.Dial("tcp", addr)
	require.Error(t, err)

	taken, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	defer taken.Close()
	main := listen()
	b, err = openBridge(t.Context(), settings, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	err = b.serve(t.Context(), main)
	require.ErrorContains(t, err, "cannot listen on "+addr+" for tenant acme")
	_, err = main.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}
