package flowroutedoor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
)

// Ensure that a client hears 429 and how long to wait when a limit refuses the text. Nothing is
// left of the request, and it may ask again then.
func TestFlowrouteLimitedText(t *testing.T) {
	eachFlowroute(t, func(t *testing.T, f inboundtest.FlowrouteClient) {
		require.Equal(t, 200, f.Create(t, `"one"`, `"`+phone+`"`).StatusCode)
		before := f.Recorded(t)
		f.Now = f.Now.Add(20 * time.Second)
		r := f.Create(t, `"two"`, `"`+phone+`"`)
		require.Equal(t, 429, r.StatusCode)
		require.Equal(t, "40", r.Header.Get("Retry-After"))
		require.JSONEq(t, `{"message":"Too many texts; try again later","reason":"TooManyRequests",`+
			`"attempts_left":0}`, r.Body)
		require.Equal(t, before, f.Recorded(t))
		f.Now = f.Now.Add(40 * time.Second)
		require.Equal(t, 200, f.Create(t, `"two"`, `"`+phone+`"`).StatusCode)
	}, "SMSBRIDGE_LIMIT_WAIT=1m")
}
