package inbound_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
)

// Ensure that the bridge confirms the STOP that Twilio does not know, and none that Twilio confirms
// itself: one of its own words alone, or one that it says is a STOP.
func TestTwilioConfirmsItsOwnKeywords(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		confirmed := func() string {
			return b.One(t, "SELECT COUNT(*) FROM text WHERE purpose = 'keyword'")
		}
		for i, body := range []string{"STOP", " stop ", "Cancel"} {
			inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(10+2*i, body)))
			require.Equal(t, 1, b.Rows(t)["opt_out"], body)
			require.Equal(t, "0", confirmed(), body)
			inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(11+2*i, "START")))
			require.Zero(t, b.Rows(t)["opt_out"], body)
		}
		inboundtest.Silent(t, b.Reply(t, inboundtest.ReplyForm(20, "opt out")))
		require.Equal(t, "1", confirmed())
	})
}
