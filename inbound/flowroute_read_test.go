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

// Ensure that the words of Kannel are understood, of which two are in Flowroute's examples. No word
// with a negation tells of success.
func TestFlowrouteWordsOfKannel(t *testing.T) {
	for status, want := range map[string]text.State{
		"smsc submit": text.Sent, "message buffered": text.Sent, "smsc reject": text.Undelivered,
		"delivery success": text.Delivered, "Delivery Success": text.Delivered,
		"delivery failure": text.Undelivered, "Non-Delivered": text.Undelivered,
		"not delivered": text.Undelivered, "smsc intermediate": text.Sent, "": text.Sent,
	} {
		require.Equal(t, want, flowrouteState(status), status)
	}
}

// Ensure that a receipt counts whatever its code is. Flowroute documents a string and shows a
// number.
func TestFlowrouteCodeInEveryForm(t *testing.T) {
	for value, want := range map[string]string{
		`1003`: "1003", `"1003"`: "1003", `"\u0031003"`: "1003", `0`: "0", `"0"`: "0", `-1`: "-1",
		`null`: "", `""`: "", `" 1003"`: "", `1003.5`: "", `true`: "", `{"code":1}`: "", `[1]`: "",
		`"1\u0000"`: "", `"` + strings.Repeat("1", 15) + `"`: "",
	} {
		hook, err := readFlowroute(strings.NewReader(`{"data":{"type":"delivery_receipt",` +
			`"id":"mdr2-00000000000000000000000000000001",` +
			`"attributes":{"status_code":` + value + `,"status":"undelivered"}}}`))
		require.NoError(t, err, value)
		require.Equal(t, flowrouteHook{
			ID: "mdr2-00000000000000000000000000000001", Status: "undelivered", Code: want,
		}, hook, value)
	}
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
	f.Add(
		`{"data":{"type":"delivery_receipt","id":"mdr2-00000000000000000000000000000001",` +
			`"attributes":{"status":"failed",` +
			`"status_code":"1003"}}}`,
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
