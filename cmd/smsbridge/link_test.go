package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const signUpMail = "From: ACME <no-reply@acme.example>\r\n" +
	"Subject: Confirm your email\r\nContent-Type: text/html\r\n\r\n" +
	`<a href="https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5">Confirm</a> ` +
	`<a href="https://help.acme.example/help">Help</a>` + "\r\n"

// link runs the command and returns what it printed and its exit status.
func link(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), append([]string{"link"}, args...), world{stdout: &out, stderr: &errs})
	return out.String(), errs.String(), status
}

func save(t *testing.T, mail string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mail.eml")
	require.NoError(t, os.WriteFile(file, []byte(mail), 0o600))
	return file
}

func TestLinkExplains(t *testing.T) {
	stdout, stderr, status := link(t, save(t, signUpMail), "--host", "login.acme.example")
	require.Equal(t, `kind      verify
provider  auth0
link      https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5
recipe    form

score  candidate
  100  https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5
       has the shape of a link of auth0
   -1  https://help.acme.example/help
       host is not in the link rule
`, stdout)
	require.Empty(t, stderr)
	require.Zero(t, status)
}

func TestLinkJSON(t *testing.T) {
	stdout, stderr, status := link(t, "--json", save(t, signUpMail))
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Equal(t, map[string]any{
		"kind": "verify", "provider": "auth0", "recipe": "form", "code": "", "reason": "",
		"allow": "",
		"url":   "https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5",
		"candidates": []any{
			map[string]any{"url": "https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5",
				"score": 100.0, "reasons": []any{"has the shape of a link of auth0"}},
			map[string]any{"url": "https://help.acme.example/help", "score": 0.0,
				"reasons": []any{"unknown shape, and no secret in it"}},
		}}, got)
	require.Contains(t, stderr, "without --host")
	require.Zero(t, status)
}

func TestLinkExitStatus(t *testing.T) {
	code := save(t, "Subject: Your code\r\n\r\nYour code: 583920\r\n")
	for name, tt := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"a code": {[]string{code}, 0, "note: "},
		"a forbidden host": {
			[]string{save(t, signUpMail), "--host", "other.example", "--host", "another.example"},
			1, "error: there is nothing to use"},
		"nothing": {
			[]string{save(t, "Subject: Hi\r\n\r\nHello\r\n")}, 1, "error: there is nothing to use"},
		"no file": {[]string{filepath.Join(t.TempDir(), "none.eml")}, 2, "hint: "},
		"no mail": {[]string{save(t, "these are just words")}, 2, "hint: "},
		"too large": {
			[]string{save(t, "Subject: x\r\n\r\n"+strings.Repeat("x", 3<<20))}, 2, "hint: "},
		"a URL as host": {[]string{code, "--host", "https://login.acme.example/"}, 2, "hint: "},
		"no argument":   {nil, 2, "hint: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, status := link(t, tt.args...)
			require.Equal(t, tt.status, status, stderr)
			require.Contains(t, stderr, tt.stderr)
		})
	}
	stdout, _, _ := link(t, code, "--json")
	require.Contains(t, stdout, `"code":"583920"`)
	require.Contains(t, stdout, `"candidates":[]`)
}

func TestLinkReadsStandardInput(t *testing.T) {
	var out, errs bytes.Buffer
	status := run(t.Context(), []string{"link", "-"},
		world{stdin: strings.NewReader(signUpMail), stdout: &out, stderr: &errs})
	require.Zero(t, status, errs.String())
	require.Contains(t, out.String(), "kind      verify\n")
}

// A mail cannot control the terminal of the person who looks at it.
func TestLinkPrintsNoControlCharacters(t *testing.T) {
	stdout, _, _ := link(t, save(t, "Subject: x\r\nContent-Type: text/html\r\n\r\n"+
		"<a href=\"https://login.acme.example/\x1b[2J\">Confirm</a>\r\n"))
	require.Contains(t, stdout, "https://login.acme.example/")
	require.NotContains(t, stdout, "\x1b")
}
