package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/settings"
	"smsbridge/internal/store"
)

// tenantEnviron is a whole set of settings by variables, with more of them.
func tenantEnviron(more ...string) []string {
	return append([]string{
		"SMSBRIDGE_PUBLIC_URL=https://bridge.example.com", "SMSBRIDGE_TENANT=acme",
		"SMSBRIDGE_NAME=ACME", "SMSBRIDGE_COUNTRIES=DK", "SMSBRIDGE_MAIL_DOMAIN=sms.acme.example",
		"SMSBRIDGE_SENDER_DOMAINS=acme.example",
		"SMSBRIDGE_IDP_HOSTS=login.acme.example", "MAILGUN_API_KEY=key-7d2f61c09be84a53f1e6c8b20d94a7e3",
		"MAILGUN_WEBHOOK_SIGNING_KEY=9c4be1f072a8d6350e7b1fc2a95d8e46",
		"TWILIO_AUTH_TOKEN=fedcba9876543210fedcba9876543210", "TWILIO_FROM=+15005550006",
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
	}, more...)
}

// serveWith runs `smsbridge serve` with settings that cannot be served, and returns what it says.
func serveWith(t *testing.T, args []string, environ ...string) (status int, lines []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	w := world{stdout: &stdout, stderr: &stderr, environ: environ}
	status = run(t.Context(), append([]string{"serve"}, args...), w)
	require.Empty(t, stdout.String())
	return status, strings.Split(strings.TrimSpace(stderr.String()), "\n")
}

// The level is accepted in any case. A wrong one is told together with all other mistakes, as the
// variable or the flag that it is.
func TestLogLevel(t *testing.T) {
	for word, want := range map[string]slog.Level{
		"info": slog.LevelInfo, "INFO": slog.LevelInfo, "Debug": slog.LevelDebug,
		"WARN": slog.LevelWarn, "error": slog.LevelError, "": slog.LevelInfo,
		"warn\r": slog.LevelWarn, " \r": slog.LevelInfo,
	} {
		_, level, err := serveCommand{LogLevel: word}.settings(t.Context(),
			world{environ: tenantEnviron()})
		require.NoError(t, err, word)
		require.Equal(t, want, level, word)
	}

	t.Setenv("SMSBRIDGE_LOG_LEVEL", "loud")
	status, lines := serveWith(t, nil,
		tenantEnviron("SMSBRIDGE_LOG_LEVEL=loud", "SMSBRIDGE_KEEP=x")...)
	require.Equal(t, exitMistake, status)
	require.Equal(t, []string{
		`smsbridge: error: SMSBRIDGE_KEEP: "x" is not bridge or mailgun`,
		"smsbridge: hint: write one of these words, in small letters",
		`smsbridge: error: SMSBRIDGE_LOG_LEVEL: "loud" is not debug, info, warn or error`,
		"smsbridge: hint: write one of these words, or leave it out for info",
	}, lines)
	status, lines = serveWith(t, []string{"--log-level", "INFO+2"}, tenantEnviron()...)
	require.Equal(t, exitMistake, status)
	require.Equal(t, `smsbridge: error: --log-level: "INFO+2" is not debug, info, warn or error`,
		lines[0])
	_, lines = serveWith(t, []string{"--config", filepath.Join(t.TempDir(), "none.yaml")})
	require.Len(t, lines, 4, "the file cannot be read, and the level is wrong")
}

// Ensure that check and doctor tell programs, too, that the settings of links do not fit together.
func TestLinkMistakesAsJSON(t *testing.T) {
	for command, want := range map[string]string{
		"check":  `{"ok": false, "mistakes": [{"what": %q, "hint": %q}]}`,
		"doctor": `[{"level": "error", "code": "SB-SETTINGS", "what": %q, "remedy": %q}]`,
	} {
		var stdout, stderr bytes.Buffer
		w := world{stdout: &stdout, stderr: &stderr,
			environ: tenantEnviron("SMSBRIDGE_LINK_API=https://elsewhere.example/x")}
		require.Equal(t, exitMistake, run(t.Context(), []string{command, "--json"}, w))
		said := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		require.Len(t, said, 2)
		what, hint := strings.TrimPrefix(said[0], "smsbridge: error: "),
			strings.TrimPrefix(said[1], "smsbridge: hint: ")
		require.Contains(t, what, "the link settings cannot work")
		require.JSONEq(t, fmt.Sprintf(want, what, hint), stdout.String())
	}
}

// What the system says about an address has a remedy of its own.
func TestListenHint(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for addr, want := range map[string]string{
		taken.Addr().String(): "another program uses the port",
		"192.0.2.1:0":         "no interface of this machine has the address",
	} {
		status, lines := serveWith(t, nil, tenantEnviron("SMSBRIDGE_ADDR="+addr)...)
		require.Equal(t, exitMistake, status)
		require.Contains(t, lines[len(lines)-2], "smsbridge: error: cannot listen on "+addr+": ")
		require.Contains(t, lines[len(lines)-1], "smsbridge: hint: "+want)
		require.Contains(t, lines[len(lines)-1], "SMSBRIDGE_ADDR")
	}
	denied := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	require.Contains(t, listenHint(denied, "X"), "ports below 1024 need a privilege; set X")
	unknown := &net.OpError{Op: "listen", Err: &net.DNSError{Name: "bridge.invalid"}}
	require.Contains(t, listenHint(unknown, "X"), "does not know the host")
	require.Contains(t, listenHint(errors.New("anything else"), "X"), "set X to an address")
}

// A PostgreSQL that is down is no mistake of the settings, but there is something to do about it.
func TestPostgresDown(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := closed.Addr().String()
	require.NoError(t, closed.Close())
	status, lines := serveWith(t, nil, tenantEnviron("SMSBRIDGE_ADDR=127.0.0.1:0",
		"SMSBRIDGE_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"SMSBRIDGE_DATABASE=postgres://bridge:hunter2@"+addr+"/bridge")...)
	require.Equal(t, exitFailure, status)
	said := strings.Join(lines, "\n")
	require.Contains(t, said, "smsbridge: error: store: ")
	require.Contains(t, lines[len(lines)-1], "smsbridge: hint: is PostgreSQL running")
	require.Contains(t, lines[len(lines)-2], "smsbridge: error: store: ", "the error is one line")
	require.Contains(t, lines[len(lines)-2], "connection refused")
	require.NotContains(t, said, "hunter2")

	for code, want := range map[string]string{
		noSuchDatabase: "create the database", wrongPassword: "the password",
		notAuthorized: "pg_hba.conf", notAllowed: "GRANT CREATE", noConnections: "max_connections",
		noSchema: "search_path",
	} {
		var f failure
		err := explainDatabase(errors.Join(errors.New("store"), &pgconn.PgError{Code: code}))
		require.ErrorAs(t, err, &f)
		require.Contains(t, f.hint, want)
	}
	for cause, want := range map[error]string{
		store.ErrPooler:              "pool_mode = session",
		store.ErrEncoding:            "ENCODING 'UTF8'",
		store.ErrEmpty:               "to that of the bridge",
		&store.URLError{Part: "x"}:   "lists the parameters",
		&pgconn.ConnectError{}:       "the port and sslmode",
		pgconn.ErrReadOnlyConnection: "the primary server",
	} {
		var f failure
		require.ErrorAs(t, explainDatabase(fmt.Errorf("store: %w", cause)), &f)
		require.Contains(t, f.hint, want)
	}
	other := errors.New("disk full")
	require.Equal(t, other, explainDatabase(other))
}

// Ensure that check and serve name the part of a database URL that cannot be used, and no value.
func TestDatabaseURLThatCannotBeUsed(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"serve"}} {
		var said bytes.Buffer
		status := run(t.Context(), args, world{stdout: &said, stderr: &said,
			environ: tenantEnviron("SMSBRIDGE_DATABASE=postgres://bridge:hunter2@h/db?sslmode=hunter2",
				"SMSBRIDGE_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")})
		require.Equal(t, exitMistake, status, args)
		require.Contains(t, said.String(), `cannot be used, for its parameter "sslmode"`, args)
		require.NotContains(t, said.String(), "hunter2", args)
	}
}

// Ensure that an operator learns what to do after a restore that a crash ended.
func TestRestoreThatDidNotEnd(t *testing.T) {
	var f failure
	require.ErrorAs(t, explainDatabase(store.ErrRestoring), &f)
	require.Contains(t, f.hint, "smsbridge restore again")
}

// Ensure that a command says what to do where the database of the bridge is not.
func TestMissingDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	require.NoError(t, os.WriteFile(path+".old", nil, 0o600))
	for _, args := range [][]string{
		{"jobs"}, {"show", "+4512345678"}, {"keys"}, {"keys", "--forget", "ce496b46"},
		{"backup", path + ".copy"}, {"restore", path + ".old"},
	} {
		var said bytes.Buffer
		status := run(t.Context(), args, world{stdout: &said, stderr: &said,
			environ: tenantEnviron("SMSBRIDGE_DATABASE=sqlite:" + path)})
		require.Equal(t, exitFailure, status, args)
		require.Contains(t, said.String(), "no such file", args)
		want := "hint: set SMSBRIDGE_DATABASE (database) to that of the bridge"
		if args[0] == "restore" {
			want = "hint: put the key there, or set SMSBRIDGE_KEY_FILE (key_file)"
		}
		require.Contains(t, said.String(), want, args)
	}
}

// Ensure that restore complains of the file that it was given before it complains of the key.
func TestRestoreOfNoFile(t *testing.T) {
	var said bytes.Buffer
	path := filepath.Join(t.TempDir(), "none.db")
	status := run(t.Context(), []string{"restore", path + ".copy"}, world{stdout: &said, stderr: &said,
		environ: tenantEnviron("SMSBRIDGE_DATABASE=sqlite:" + path)})
	require.Equal(t, exitMistake, status)
	require.Equal(t, "smsbridge: error: there is no file "+path+".copy\n"+
		"smsbridge: hint: name one that smsbridge backup wrote\n", said.String())
}

// Ensure that a PostgreSQL without TLS has a remedy which names the value.
func TestPostgresWithoutTLS(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			// The response to SSLRequest (https://www.postgresql.org/docs/current/protocol-flow.html).
			_, _ = io.ReadFull(conn, make([]byte, 8))
			_, _ = conn.Write([]byte("N"))
			_ = conn.Close()
		}
	}()
	status, lines := serveWith(t, nil, tenantEnviron("SMSBRIDGE_ADDR=127.0.0.1:0",
		"SMSBRIDGE_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		"SMSBRIDGE_DATABASE=postgres://bridge@"+server.Addr().String()+"/bridge?sslmode=require")...)
	require.Equal(t, exitFailure, status)
	require.Contains(t, lines[len(lines)-1], "?sslmode=disable behind the URL")
}

// Ensure that the line end of Windows, which a file of variables may have, is no part of a path.
func TestConfigOfWindows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	require.NoError(t, os.WriteFile(path, []byte("public_url: \"https://b.example\nx: y\n"), 0o600))
	var said bytes.Buffer
	w := world{stdout: &said, stderr: &said}
	require.Equal(t, exitMistake, run(t.Context(), []string{"check", "--config", path + "\r"}, w))
	require.Contains(t, said.String(), path+":1: public_url")
}

// What a file has wrong is told with its line.
func TestMistakesOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	require.NoError(t, os.WriteFile(path, []byte("public_url: \"https://b.example\nx: y\n"), 0o600))
	_, _, err := serveCommand{Config: path}.settings(t.Context(), world{})
	var mistakes settings.Mistakes
	require.ErrorAs(t, err, &mistakes)
	require.Equal(t, path+":1: public_url", mistakes[0].Where)
	require.Contains(t, mistakes[0].What, "a quote that is not closed")
}

// Ensure that an error is one line, whatever it is made of.
func TestErrorsAreOneLine(t *testing.T) {
	for want, err := range map[string]error{
		"disk full": errors.New("disk full\n"),
		"serving: disk full; closing: disk full": errors.Join(
			errors.New("serving: disk full"), errors.New("closing: disk full")),
		"failed to connect: 10.0.0.1:5432: refused; 10.0.0.2:5432: refused": errors.New(
			"failed to connect:\n\t10.0.0.1:5432: refused\n\t10.0.0.2:5432: refused"),
	} {
		var stderr bytes.Buffer
		require.Equal(t, exitFailure, report(world{stderr: &stderr}, err))
		require.Equal(t, "smsbridge: error: "+want+"\n", stderr.String())
	}
}
