//go:build !race

package sender_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/sender"
)

// Ensure that the costliest mails that a forger can write are refused quickly. The forger can sign
// nothing, and yet make the body's hash right, so that the header is hashed, too.
func TestCost(t *testing.T) {
	fields := strings.TrimSuffix(strings.Repeat("X-N: y\r\n", 180), "\r\n")
	names := func(s *signing) {
		s.key = edKey("evil.example")
		for range 90 {
			s.names = append(s.names, "X-N")
		}
	}
	lines := draft{genuine().fields, strings.Repeat("\r\n", 1<<18) + "x\r\n"}
	blanks := draft{genuine().fields, strings.Repeat(" ", 1<<19) + "x\r\n"}
	simple := func(s *signing) { s.canonical = "simple"; names(s) }
	three := func(d draft) string {
		one := acme()
		names(&one)
		return one.sign(one.sign(d.signed(names)))
	}
	for name, raw := range map[string]string{
		"many names and fields": top(genuine().signed(names), fields),
		"many line ends":        top(lines.signed(simple), fields),
		"many blanks":           top(blanks.signed(names), fields),
		"three signatures":      top(three(blanks), fields[:8*90-2]),
		"many folds": top(genuine().signed(names),
			"Subject: x"+strings.Repeat("\r\n x", 16_000)),
		"folds up to the bound": top(three(draft{genuine().fields, "x\r\n"}),
			"X-N: y"+strings.Repeat("\r\n "+strings.Repeat("x", 40), 900)),
		"many colons": top(genuine().raw(), "DKIM-Signature: h="+strings.Repeat(":", 60_000)),
		"many tags":   top(genuine().raw(), "DKIM-Signature: "+strings.Repeat(";", 60_000)),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			from, err := sender.DKIM(deliver(raw), domains(), world().look)
			took := time.Since(began)
			require.Error(t, err)
			require.Empty(t, from)
			t.Log(took)
			require.Less(t, took, 2*time.Second, "100 ms alone on a machine; many times less than unbounded")
		})
	}
}
