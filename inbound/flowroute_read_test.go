package inbound

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/text"
)

func TestFlowrouteWebhookUndelivered(t *testing.T) {
	for _, status := range []string{
		"undelivered", "Undeliverable", "failed", "rejected", "expired", "deleted",
	} {
		require.Equal(t, text.Undelivered, flowrouteState(status))
	}
	require.Equal(t, text.Delivered, flowrouteState("Delivered"))
}

func FuzzReadFlowroute(f *testing.F) {
	f.Add(
		`{"data":{"type":"message","id":"mdr2-00000000000000000000000000000001",` +
			`"attributes":{"to":"12065550101",` +
			`"from":"4520123456","body":"YES","direction":"inbound"}}}`,
	)
	f.Add(
		`{"data":{"type":"delivery_receipt","id":"mdr2-00000000000000000000000000000001",` +
			`"attributes":{"status":"delivered",` +
			`"status_code":0}}}`,
	)
	f.Add(`{"to":"12065550101","from":"4520123456","body":"stop",` +
		`"id":"mdr1-00000000000000000000000000000002"}`)
	f.Add(`{"data":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		hook, err := readFlowroute(strings.NewReader(body))
		if err != nil {
			require.ErrorIs(t, err, errFlowrouteJSON)
			require.Zero(t, hook)
			return
		}
		require.Regexp(t, flowrouteID, hook.ID)
	})
}
