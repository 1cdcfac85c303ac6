//go:build !race

package settings

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that settings are shown with where they were written, and secrets of every kind are not.
func TestWritten(t *testing.T) {
	const secret = "s3cret-of-some-kind"
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(secret), 0o600))
	rows := []Row{
		{Key: "one", Variable: "ONE", Default: "1"}, {Key: "same", Variable: "SAME", Default: "x"},
		{Key: "list", Variable: "LIST", Kind: List}, {Key: "left", Default: "10m"}, {Key: "none"},
		{Key: "secret", Variable: "SECRET", Kind: SecretOne},
		{Key: "secrets", Variable: "SECRETS", Kind: Secrets},
		{Key: "named", Variable: "NAMED", Kind: NamedSecrets},
		{Key: "file", Variable: "FILE", Kind: SecretFile},
		{Key: "url", Variable: "URL", Kind: SecretURL},
		{Key: "plain", Variable: "PLAIN", Kind: SecretURL},
		{Key: "tls", Variable: "TLS", Kind: SecretURL},
	}
	given := NewLoader([]string{
		"ONE=2", "SAME=x", "LIST=a, b", "SECRET=" + secret, "SECRETS=" + secret + ",another" + secret,
		"NAMED=" + secret, "FILE=" + path, "URL=postgres://u:" + secret + "@h/d", "PLAIN=sqlite:/x.db",
		"TLS=postgres://u@h/d?sslkey=k&sslpassword=" + secret,
	}).Variables(rows)
	written := given.Written(rows)
	require.Equal(t, []Written{
		{Key: "one", Value: "2", Where: "ONE"},
		{Key: "same", Value: "x", Where: "SAME", Default: true},
		{Key: "list", Value: "a, b", Where: "LIST"},
		{Key: "left", Value: "10m", Default: true},
		{Key: "secret", Value: "set", Where: "SECRET"},
		{Key: "secrets", Value: "set, several", Where: "SECRETS"},
		{Key: "named", Value: "set: key-1", Where: "NAMED"},
		{Key: "file", Value: "set", Where: "FILE"},
		{Key: "url", Value: "set", Where: "URL"},
		{Key: "plain", Value: "sqlite:/x.db", Where: "PLAIN"},
		{Key: "tls", Value: "set", Where: "TLS"},
	}, written)
	shown, err := json.Marshal(written)
	require.NoError(t, err)
	require.NotContains(t, string(shown), secret)
}
