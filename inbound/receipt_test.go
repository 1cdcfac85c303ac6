package inbound_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// report posts Twilio's report on a text.
func (b *bridge) report(t *testing.T, textID, status, code string) {
	t.Helper()
	form := url.Values{
		"MessageSid": {"SM00000000000000000000000000000001"}, "MessageStatus": {status},
		"AccountSid": {accountSID},
	}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	path := "/twilio/acme/receipt?text=" + textID
	require.Equal(t, 200, b.Hook(t, path, form.Encode(),
		inboundtest.SignTwilio(authToken, publicURL+path, form)).StatusCode)
}

// Ensure that a phone is left alone when Twilio took a text, and says later that the phone had sent
// STOP. It does so for a Messaging Service. Other reports say nothing of that.
func TestReceiptOfAnOptOut(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		line := phonemail.Line{Account: accountSID, Sender: "+15005550006"}
		_, id := b.Ask(t, line)
		b.report(t, id, "sent", "")
		b.report(t, id, "sent", "21610")
		require.Equal(t, "0", b.One(t, "SELECT COUNT(*) FROM opt_out"))
		for range 2 {
			b.report(t, id, "failed", "21610")
			require.Equal(t, "failed", b.State(t, "text", id))
			require.Equal(t, "1", b.One(t, "SELECT COUNT(*) FROM opt_out"))
		}
		b.Do(t, func(ctx context.Context, tx *store.Tx) error {
			known, err := text.OptOutsOf(ctx, tx, inboundtest.Number(t, phone))
			require.Len(t, known, 1)
			require.Equal(t, text.Reach{Line: line}, known[0].Reach)
			require.Equal(t, text.ByProvider, known[0].Via)
			return err
		})
	})
}

// Ensure that only that one code keeps a phone from further texts.
func TestReceiptOfAFailure(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		_, id := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		b.report(t, id, "failed", "30001")
		require.Equal(t, "failed", b.State(t, "text", id))
		require.Equal(t, "0", b.One(t, "SELECT COUNT(*) FROM opt_out"))
	})
}
