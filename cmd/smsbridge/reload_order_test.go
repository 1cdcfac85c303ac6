package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store/storetest"
)

// meanwhile is a log that does something with each line.
type meanwhile struct {
	slog.Handler
	do func()
}

func (m meanwhile) Handle(context.Context, slog.Record) error {
	m.do()
	return nil
}

func (meanwhile) Enabled(context.Context, slog.Level) bool { return true }

// Ensure that no mail comes in for a tenant that the workers do not know yet: they would refuse it
// for good. The log may hold a reload up for as long as nothing reads it.
func TestReloadBeginsWithTheWorkers(t *testing.T) {
	database := "SMSBRIDGE_DATABASE=" + storetest.EmptySQLite(t)
	b, err := openBridge(t.Context(), watchSettings(t, database), slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })
	f := front{stopping: make(chan struct{})}
	require.NoError(t, f.open(&b))
	before := f.current.Load()
	phone := mail.File{MIME: strings.Join([]string{
		"From: a@acme.com", "To: other+46700000000@sms.acme.com", "Message-ID: <1@acme.com>",
		"Date: Sun, 29 Nov 2026 00:00:00 +0000", "", "x", "",
	}, "\r\n")}
	_, err = b.worker.TryMail(t.Context(), phone)
	require.ErrorIs(t, err, mail.ErrNoAddress)
	looked := 0
	b.log = slog.New(meanwhile{slog.DiscardHandler, func() {
		if f.current.Load() != before {
			looked++
			_, err := b.worker.TryMail(t.Context(), phone)
			require.NotErrorIs(t, err, mail.ErrNoAddress)
		}
	}})
	next := watchSettings(t, database, "SMSBRIDGE_TENANT=other", "SMSBRIDGE_VALID_FOR=20m")
	b.reload(&f, reread{settings: next})
	require.Equal(t, len(next.Warnings)+1, looked)
	require.NotEmpty(t, next.Warnings)
}
