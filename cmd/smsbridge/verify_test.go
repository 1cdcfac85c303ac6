package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// verify starts a bridge, and smsbridge verify beside it.
func (th *theater) verify(
	t *testing.T,
) (ctx context.Context, command *exec.Cmd, keyboard io.Writer, screen io.Reader) {
	t.Helper()
	t.Cleanup(th.close)
	th.env["SMSBRIDGE_API_KEY"] = "0123456789abcdef0123456789abcdef"
	bridge := start(t, th)
	ctx, cancel := context.WithTimeout(t.Context(), storyPatience)
	t.Cleanup(func() {
		cancel()
		require.NoError(t, bridge.Process.Signal(syscall.SIGTERM))
		require.NoError(t, bridge.Wait())
	})
	command = exec.CommandContext(ctx, "smsbridge", "verify", "+4512345678")
	command.Env = []string{"SMSBRIDGE_PUBLIC_URL=" + th.public,
		"SMSBRIDGE_API_KEY=" + th.env["SMSBRIDGE_API_KEY"]}
	command.Stderr = new(bytes.Buffer)
	keyboard, err := command.StdinPipe()
	require.NoError(t, err)
	screen, err = command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	return ctx, command, keyboard, screen
}

// Ensure that a person at the keyboard verifies a phone with the code that it received. Before that
// the person types a wrong code and asks too soon for another text.
func TestVerifyAtTheKeyboard(t *testing.T) {
	t.Parallel()
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	ctx, command, keyboard, screen := th.verify(t)
	texts, err := th.twilio.Phone("+4512345678").Wait(ctx, 1)
	require.NoError(t, err)
	code := regexp.MustCompile(`[0-9]{6}`).FindString(texts[0].Body)
	require.NotEmpty(t, code, texts[0].Body)
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	_, err = io.WriteString(keyboard, wrong+"\n\n"+code[:3]+" "+code[3:]+"\n")
	require.NoError(t, err)
	var said strings.Builder
	for lines := bufio.NewScanner(screen); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
	}
	require.NoError(t, command.Wait(), said.String())
	require.Regexp(t, `(?s)A code is on its way to \+4512345678.*[Ww]rong.*\+4512345678 is verified\.`,
		said.String())
	require.Regexp(t, `It counts until [0-9:]{8} ([A-Z]+|[+-][0-9]+)\.`, said.String(), "a zone")
	require.Len(t, th.twilio.Phone("+4512345678").Inbox(), 1, "too soon for another")
}

// Ensure that the first signal ends the command while it waits for a code, and that the
// verification is canceled then.
func TestVerifyEndsAtTheFirstSignal(t *testing.T) {
	t.Parallel()
	th, err := openTheater(storetest.SQLite(t))
	require.NoError(t, err)
	ctx, command, _, screen := th.verify(t) // its standard input stays open
	prompt := bufio.NewReader(screen)
	_, err = prompt.ReadString(':') // the time
	require.NoError(t, err)
	for shown := ""; !strings.HasSuffix(shown, "Code:"); {
		shown, err = prompt.ReadString(':')
		require.NoError(t, err)
	}
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	require.Error(t, command.Wait())
	require.NoError(t, ctx.Err())
	require.Contains(t, command.Stderr.(*bytes.Buffer).String(),
		"no code was given; the verification is canceled")
}

// Ensure that a person who asks too early hears how long to wait, and of no header.
func TestVerifyNamesNoHeader(t *testing.T) {
	bridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "42")
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"title":"Too soon for another text",`+
			`"detail":"Wait for as long as Retry-After says."}`)
	}))
	t.Cleanup(bridge.Close)
	_, err := verifyAPI{base: bridge.URL, key: "key"}.post(t.Context(), "/x/resend", nil)
	require.EqualError(t, err, "Too soon for another text. Try again in 42s.")
}
