//go:build !race

package outbound

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
)

// Ensure that no step of a flow allocates much, whatever the machine. SQLite's driver allocates for
// each statement, and so do the look-ups of the test itself. The race detector adds allocations of
// its own, so this runs without it.
func TestFlowAllocatesLittle(t *testing.T) {
	w := quick(t)
	const rounds = 20
	flows := make([]*flow, rounds+1) // AllocsPerRun does one more, first
	for i := range flows {
		flows[i] = w.newFlow(i)
	}
	// What else the process does meanwhile is counted, too: some fifteen allocations.
	bounds := map[string]float64{
		"mail": 225, "examined, prompt begun": 2400, "prompt sent": 165, "yes": 560,
		"click begun": 245, "click ended, outcome begun": 700, "outcome sent": 165,
	}
	for i, s := range flows[0].steps() {
		next := 0
		n := testing.AllocsPerRun(rounds, func() {
			f := flows[next]
			next++
			step := f.steps()[i]
			w.do(func(ctx context.Context, tx *store.Tx) error { return f.take(ctx, tx, step) })
		})
		t.Logf("%5.0f allocations for: %s", n, s.name)
		require.LessOrEqual(t, n, bounds[s.name], s.name)
	}
}
