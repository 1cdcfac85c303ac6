//go:build !race

package tenant

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a SQLite database has a socket beside it, unless the operator wants it elsewhere or
// nowhere.
func TestCommandSocket(t *testing.T) {
	const postgres = "SMSBRIDGE_DATABASE=postgres://smsbridge@db.example/smsbridge"
	for _, test := range []struct {
		changes []string
		path    string
		chosen  bool
	}{
		{nil, "smsbridge.db.sock", false},
		{[]string{"SMSBRIDGE_DATABASE=sqlite:/srv/b.db"}, "/srv/b.db.sock", false},
		{[]string{"SMSBRIDGE_SOCKET=/run/b.sock"}, "/run/b.sock", true},
		{[]string{"SMSBRIDGE_SOCKET=off"}, "", true},
		{[]string{postgres, "SMSBRIDGE_KEY=" + testKey}, "", false},
		{[]string{postgres, "SMSBRIDGE_KEY=" + testKey, "SMSBRIDGE_SOCKET=/run/b.sock"}, "/run/b.sock",
			true},
	} {
		s, err := FromEnv(oneTenant(test.changes...))
		require.NoError(t, err)
		path, chosen := s.CommandSocket()
		require.Equal(t, []any{test.path, test.chosen}, []any{path, chosen}, test.changes)
	}
	_, err := FromEnv(oneTenant("SMSBRIDGE_SOCKET=b.sock"))
	require.ErrorContains(t, err, "SMSBRIDGE_SOCKET: is not a whole path")
}
