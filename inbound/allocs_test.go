//go:build !race

package inbound_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a door allocates little for a webhook, whatever the machine. The race detector adds
// allocations of its own, so this runs without it.
func TestDoorsAllocateLittle(t *testing.T) {
	handler := readerOf(t)
	bounds := map[string]float64{
		"mail": 36, "mail in parts": 292, "mail with file": 306, "raw mail": 39, "reply": 82,
		"receipt": 67,
	}
	for name, p := range costs(t) {
		n := testing.AllocsPerRun(200, func() { p.serve(handler) })
		require.Equal(t, http.StatusOK, p.status, string(p.said))
		t.Logf("%-14s %3.0f allocations for %5d bytes", name, n, len(p.body))
		require.LessOrEqual(t, n, bounds[name], name)
	}
}
