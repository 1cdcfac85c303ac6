package main

import (
	"bytes"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/tenant"
)

// Ensure that a log is text for a person and JSON for a program, whatever the values are.
func TestLogFormat(t *testing.T) {
	said := func(format tenant.LogFormat) string {
		var out bytes.Buffer
		log := logger(&out, format, slog.LevelWarn)
		log.Info("too little")
		log.Warn("mail refused", "tenant", "acme", "reason", "a b\nlevel=ERROR")
		return out.String()
	}
	for _, format := range []tenant.LogFormat{tenant.LogJSON, tenant.LogAuto} {
		require.Regexp(t, `^\{"time":"[^"]+","level":"WARN","msg":"mail refused","tenant":"acme",`+
			`"reason":"a b\\nlevel=ERROR"\}\n$`, said(format))
	}
	require.Regexp(t, `^[0-9-]{10} [0-9:]{8}\.[0-9]{3} WRN mail refused tenant=acme `+
		`reason="a b\\nlevel=ERROR"\n$`, said(tenant.LogText), "one line, without colors")
}

// Ensure that a terminal gets text by itself, and a file does not.
func TestLogOnATerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	require.False(t, isTerminal(file))
	require.NoError(t, file.Close())
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals")
	}
	require.True(t, isTerminal(terminal))
	_, text := logger(terminal, tenant.LogAuto, slog.LevelInfo).Handler().(*slog.JSONHandler)
	require.False(t, text)
	require.NoError(t, terminal.Close())
}
