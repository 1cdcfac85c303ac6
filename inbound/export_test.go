package inbound

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What the tests from outside of the package compare with.
const (
	MaxRead       = maxRead
	MaxParsed     = maxParsed
	MaxRaw        = maxRaw
	MaxToken      = maxToken
	MaxRecipients = maxRecipients
	OldestPost    = oldestPost
	NewestPost    = newestPost
)

// ParsedFields reports whether a field of a parsed mail is read.
func ParsedFields(name string) bool { return parsedFields(name) }

// Held is how many bytes the bodies in flight hold now.
func (s *Server) Held() int64 { return s.bodies.Held() }

// Fill takes all memory of bodies but the last bytes, and returns what gives it back.
func (s *Server) Fill(t testing.TB, last int) (empty func()) {
	hold := s.bodies.Hold()
	require.NoError(t, hold.Take(64<<20-last-int(s.Held())))
	return hold.Close
}
