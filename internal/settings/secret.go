package settings

import (
	"fmt"
	"io"
	"log/slog"
	"unique"
)

// Secret is a key, token or password. However it is printed, logged or marshaled, it shows
// "[redacted]", and "" when it is empty. Secrets are compared with ==, which does not take constant
// time: compare digests where an attacker can measure.
type Secret struct {
	// A handle, because fmt reads unexported fields of other structs without calling our methods,
	// and prints a handle of a string as an address.
	text unique.Handle[string]
}

// NewSecret returns the secret with the given text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// Reveal returns the secret itself.
func (s Secret) Reveal() string {
	if s == (Secret{}) {
		return ""
	}
	return s.text.Value()
}

// String returns "[redacted]", or "" for no secret.
func (s Secret) String() string {
	if s == (Secret{}) {
		return ""
	}
	return "[redacted]"
}

// Format implements [fmt.Formatter]: every verb shows what String returns.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements [slog.LogValuer] with what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements [encoding.TextMarshaler], and with it JSON and YAML, with what String
// returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
