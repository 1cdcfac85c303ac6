package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// saveLink saves a mail with one link.
func saveLink(t *testing.T, subject, href string) string {
	t.Helper()
	return save(t, "From: ACME <no-reply@acme.example>\r\nSubject: "+subject+
		"\r\nContent-Type: text/html\r\n\r\n<a href=\""+href+"\">"+subject+"</a>\r\n")
}

const held = "https://login.acme.example/account/"

// A mail whose link is held shows what to paste where. The entry works as it is shown.
func TestLinkShowsWhatAllowsAHeldMail(t *testing.T) {
	file := saveLink(t, "Confirm your email", held+"17/confirm?t=Zk3vQ8mW1xT5")
	stdout, stderr, status := link(t, file, "--host", "login.acme.example")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "no link has a known shape or an allowed path")
	require.Contains(t, stdout, `
If such links may be used, add this to the entries that you have:
  variable  SMSBRIDGE_LINK_PATHS=/account/*/confirm?t
  in a file, below the tenant:
            links:
              paths: ["/account/*/confirm?t"]
`)
	stdout, _, status = link(t, file, "--host", "login.acme.example", "--path", "/account/*/confirm?t")
	require.Zero(t, status)
	require.Contains(t, stdout, "kind      verify\n")
	require.NotContains(t, stdout, "SMSBRIDGE_LINK_PATHS")
}

func TestLinkLearns(t *testing.T) {
	one := saveLink(t, "Confirm your email", held+"17/confirm?t=Zk3vQ8mW1xT5")
	two := saveLink(t, "Confirm your email", held+"18/confirm?t=aB7c9dE2fG4h")
	stdout, stderr, status := link(t, "--learn", one, two, "--host", "login.acme.example")
	require.Empty(t, stderr)
	require.Zero(t, status)
	require.Equal(t, `kind      verify
rule      verify:/account/*/confirm?t
host      login.acme.example

Add it to the entries that you have:
  variable  SMSBRIDGE_LINK_PATHS=verify:/account/*/confirm?t
  in a file, below the tenant:
            links:
              paths: ["verify:/account/*/confirm?t"]

It lets through every link of this form, whatever stands in the place of *, with any value of t, `+
		`on every host of idp_hosts (SMSBRIDGE_IDP_HOSTS).
For example, it would let this through: /account/delete/confirm?t
Such a link is opened when the phone says YES.
`, stdout)
	for _, file := range []string{one, two} {
		_, _, status = link(t, file, "--host", "login.acme.example", "--path",
			"verify:/account/*/confirm?t")
		require.Zero(t, status)
	}
	stdout, _, status = link(t, "--json", "--learn", one, two)
	require.Zero(t, status)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Equal(t, map[string]any{
		"kind": "verify", "rule": "verify:/account/*/confirm?t", "host": "login.acme.example",
		"sure": true, "example": "/account/delete/confirm?t", "kept": []any{},
		"lets": "every link of this form, whatever stands in the place of *, with any value of t",
	}, got)
}

// What the person must know before pasting is said.
func TestLinkLearnsAndWarns(t *testing.T) {
	silent := []string{saveLink(t, "Message", held+"a1b2c3d4e5f6/go?t=Zk3vQ8mW1xT5"),
		saveLink(t, "Message", held+"a1b2c3d4e5f6/go?t=aB7c9dE2fG4h")}
	stdout, _, status := link(t, "--learn", silent[0], silent[1])
	require.Zero(t, status)
	require.Contains(t, stdout, "No word in the mails says what the link does.")
	require.Contains(t, stdout, "a1b2c3d4e5f6 is the same in all mails")
	reset := []string{saveLink(t, "Reset your password", held+"pw?t=Zk3vQ8mW1xT5"),
		saveLink(t, "Reset your password", held+"pw?t=aB7c9dE2fG4h")}
	stdout, _, status = link(t, "--learn", reset[0], reset[1])
	require.Zero(t, status)
	require.Contains(t, stdout, "rule      reset:/account/pw?t\n")
	require.Contains(t, stdout, "Such a link is not opened, but sent on to the phone.")
	require.NotContains(t, stdout, "No word")
}

func TestLinkLearnRefuses(t *testing.T) {
	one := saveLink(t, "Confirm your email", held+"17/confirm?t=Zk3vQ8mW1xT5")
	for name, tt := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"one mail": {[]string{"--learn", one}, 1, "nothing can be learned: one mail"},
		"only wildcards": {[]string{"--learn", saveLink(t, "Confirm", "https://a.example/Zk3vQ8mW1xT5"),
			saveLink(t, "Confirm", "https://a.example/aB7c9dE2fG4h")}, 1, "would let every link through"},
		"no mail": {[]string{"--learn", one, save(t, "just words")}, 2, "hint: "},
		"two mails, not learned": {[]string{one, one}, 2,
			"hint: give one mail to explain, or add --learn"},
		"a path for everything": {[]string{one, "--path", "/*"}, 2, "hint: write it as --learn does"},
		"no path": {[]string{one, "--path", "account"}, 2,
			"hint: write it as --learn does"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := link(t, tt.args...)
			require.Equal(t, tt.status, status, stderr)
			require.Contains(t, stderr, tt.stderr)
			require.Empty(t, stdout)
			require.NotContains(t, stderr, "Zk3vQ8mW1xT5")
		})
	}
}

// With the demo's allowances the command explains the mail of an identity provider that runs beside
// the demo.
func TestLinkJudgesAsTheDemo(t *testing.T) {
	file := saveLink(t, "Confirm your email",
		"http://localhost:8081/auth/confirm-email/MQ:1vXyZ0:Zk3vQ8mW1xT5/")
	stdout, _, status := link(t, file)
	require.Equal(t, 1, status)
	require.NotContains(t, stdout, "kind      verify")
	for _, args := range [][]string{{"--demo"}, {"--demo", "--host", "localhost:8081"}} {
		stdout, _, status = link(t, append(args, file)...)
		require.Zero(t, status)
		require.Contains(t, stdout,
			"kind      verify\nprovider  allauth\nlink      http://localhost:8081/")
	}
	_, _, status = link(t, file, "--demo", "--host", "localhost:9999")
	require.Equal(t, 1, status)
}
