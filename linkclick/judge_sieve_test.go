package linkclick

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Ensure that the sieve of a text lets pass each phrase that the text holds, whatever is around it,
// and keeps back nearly all others.
func TestSieve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phrase, words := rapid.String().Draw(t, "phrase"), rapid.String()
		s, m := sieveOf(words.Draw(t, "before")+phrase+words.Draw(t, "after")), marksOf(phrase)
		require.True(t, s.mayHold(&m))
	})

	page := strings.Join(statements("Email verification. Your email was verified. "+
		"You can continue using the application."), "\n")
	s, all, passed := sieveOf(page), 0, 0
	for _, phrases := range known().phrases {
		for _, p := range phrases {
			all++
			if s.mayHold(&p.marks) {
				passed++
			}
		}
	}
	require.Less(t, 20*passed, all, "%d of %d", passed, all)
}
