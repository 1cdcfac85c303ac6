package azuredurable_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
)

// Ensure that an instance fails when a limit refuses its text: its start is taken as always, since
// an orchestration begins later than the request. A new one may be started once the limit ends.
func TestDurableLimitedText(t *testing.T) {
	eachDurable(t, func(t *testing.T, d durableClient) {
		require.Equal(t, 202, d.BeginAs("one").StatusCode)
		d.Pass(20 * time.Second)
		require.Equal(t, 202, d.BeginAs("two").StatusCode)
		d.Stands("two", 200, azuredurable.Failed, `"The activity function 'E4_SendSmsChallenge' `+
			`failed: the phone cannot be texted now."`)
		require.Equal(t, 1, d.Count(t, "text", "1=1"))
		d.Stands("one", 202, azuredurable.Running, "null")
		d.Pass(40 * time.Second)
		require.Equal(t, 202, d.BeginAs("two").StatusCode)
		d.Stands("two", 202, azuredurable.Running, "null")
	}, "SMSBRIDGE_LIMIT_WAIT=1m")
}
