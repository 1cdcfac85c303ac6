package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkWith runs `smsbridge check`, and returns all that it says.
func checkWith(t *testing.T, args []string, environ ...string) (status int, said string) {
	t.Helper()
	var out bytes.Buffer
	w := world{stdout: &out, stderr: &out, environ: environ}
	status = run(t.Context(), append([]string{"check"}, args...), w)
	return status, out.String()
}

// Ensure that check finds what keeps serve from starting on this machine, and leaves all as it was.
func TestCheckLooksAtThePlace(t *testing.T) {
	for name, test := range map[string]struct {
		made   []string // files in the folder
		change []string // settings, with $F for the folder
		want   string
	}{
		"no folder": {change: []string{"SMSBRIDGE_DATABASE=sqlite:$F/none/b.db"},
			want: "/none of the database does not exist"},
		"a file as folder": {made: []string{"none"},
			change: []string{"SMSBRIDGE_DATABASE=sqlite:$F/none/b.db"}, want: "none is not a folder"},
		"no key":             {made: []string{"b.db"}, want: "but its key "},
		"a key that is none": {made: []string{"b.db.key"}, want: "b.db.key has no key"},
		"a restore that did not end": {made: []string{"b.db.part"},
			want: "a restore of the database did not end"},
		"no folder for the socket": {change: []string{"SMSBRIDGE_SOCKET=$F/none/b.sock"},
			want: "cannot make the socket "},
		"a file as socket": {made: []string{"b"}, change: []string{"SMSBRIDGE_SOCKET=$F/b"},
			want: "and it is no socket"},
		"an address of another machine": {change: []string{"SMSBRIDGE_ADDR=192.0.2.1:0"},
			want: "cannot listen on 192.0.2.1:0"},
		"one for the numbers": {change: []string{"SMSBRIDGE_METRICS_ADDR=192.0.2.1:0"},
			want: "cannot listen on 192.0.2.1:0"},
		"one for operators": {change: []string{"SMSBRIDGE_OPERATOR_ADDR=192.0.2.1:0",
			"SMSBRIDGE_OPERATOR_URL=https://operators.example.com", "SMSBRIDGE_OPERATOR_HEADER=X-User",
			"SMSBRIDGE_OPERATOR_PROXIES=127.0.0.1/32", "SMSBRIDGE_OPERATOR_PEOPLE=*:see"},
			want: "cannot listen on 192.0.2.1:0 for operators"},
		"one for Flowroute": {change: []string{"SMSBRIDGE_FLOWROUTE_ADDR=192.0.2.1:0",
			"SMSBRIDGE_FLOWROUTE_DOOR_KEY=5d2f9c0b7e4a1836d0c9b7f25e81a46c3f70d91b28e64ac5"},
			want: "cannot listen on 192.0.2.1:0 for tenant acme"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for _, file := range test.made {
				require.NoError(t, os.WriteFile(filepath.Join(folder, file), nil, 0o600))
			}
			environ := tenantEnviron("SMSBRIDGE_ADDR=127.0.0.1:0", "SMSBRIDGE_DATABASE=sqlite:$F/b.db")
			environ = append(environ, test.change...)
			for i, setting := range environ {
				environ[i] = strings.ReplaceAll(setting, "$F", folder)
			}
			status, said := checkWith(t, nil, environ...)
			require.Equal(t, exitMistake, status, said)
			require.Contains(t, said, test.want)
			require.Contains(t, said, "smsbridge: hint: ")
			require.NotContains(t, said, "the settings are right")
			left, err := os.ReadDir(folder)
			require.NoError(t, err)
			require.Len(t, left, len(test.made), "check makes nothing")

			status, lines := serveWith(t, nil, environ...)
			require.NotZero(t, status)
			require.Contains(t, lines[len(lines)-1]+lines[max(0, len(lines)-2)], test.want)
		})
	}
}

// Ensure that check tells all of it together, and programs, too.
func TestCheckTellsAllOfThePlace(t *testing.T) {
	status, said := checkWith(t, []string{"--json"}, tenantEnviron("SMSBRIDGE_ADDR=192.0.2.1:0",
		"SMSBRIDGE_DATABASE=sqlite:"+filepath.Join(t.TempDir(), "none", "b.db"))...)
	require.Equal(t, exitMistake, status)
	require.Contains(t, said, `"where": "SMSBRIDGE_DATABASE (database)"`)
	require.Contains(t, said, `"where": "SMSBRIDGE_ADDR (addr)"`)
}

// Ensure that what a running bridge uses is a warning: it is checked before it is restarted.
func TestCheckBesideABridge(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	path := filepath.Join(t.TempDir(), "b.db")
	commands, err := net.Listen("unix", path+".sock")
	require.NoError(t, err)
	defer commands.Close()
	status, said := checkWith(t, nil, tenantEnviron("SMSBRIDGE_DATABASE=sqlite:"+path,
		"SMSBRIDGE_ADDR="+taken.Addr().String())...)
	require.Zero(t, status, said)
	require.Contains(t, said, "warning: in use already, perhaps by the running bridge: "+
		taken.Addr().String()+", "+path+".sock; serve does not start beside it\n")
	require.Contains(t, said, "the settings are right: acme")
}
