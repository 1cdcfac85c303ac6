package outbound

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/simulator/flowroute"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/internal/simulator/twilioverify"
	"smsbridge/internal/text"
)

// Ensure that a text whose response was lost is found at its provider, and not sent again, when the
// bridge's clock is five minutes wrong. The same goes for a clock that is set right before the text
// is looked for.
func TestLookUpForgivesClocks(t *testing.T) {
	t.Parallel()
	const wrong = 5 * time.Minute
	for name, clock := range map[string]struct{ sending, finding time.Duration }{
		"fast":          {wrong, wrong},
		"slow":          {-wrong, -wrong},
		"fast, mended":  {wrong, 0},
		"slow, mended":  {-wrong, 0},
		"right, broken": {0, -wrong},
	} {
		for _, providers := range []string{"twilio", "flowroute", "verify,twilio"} {
			provider, _, _ := strings.Cut(providers, ",")
			t.Run(name+" "+provider, func(t *testing.T) {
				t.Parallel()
				w := quick(t)
				o := w.openOthers(providers)
				w.twilio.Set(func(m *twilio.Manners) { m.LoseResponse = 1 })
				o.flowroute.Set(func(m *flowroute.Manners) { m.LoseResponse = 1 })
				o.verify.Set(func(m *twilioverify.Manners) { m.LoseResponse = 1 })
				w.setAhead(clock.sending)
				_, id := w.verify(phone)
				require.NoError(t, w.sendText(t.Context(), id))
				w.carriedBy(id, provider, "unclear", "")
				w.wait(text.Quarantine)
				w.setAhead(clock.finding)
				require.NoError(t, w.findText(t.Context(), id))
				w.carriedBy(id, provider, "sent", "")
			})
		}
	}
}
