package inbound_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/challenge"
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

// Ensure that an app's question ends when Twilio took its text, and says later that it sends none.
// A mail's question stays: it waits for the next mail.
func TestReceiptOfAQuestion(t *testing.T) {
	each(t, func(t *testing.T, b *bridge) {
		acme, known := b.Inbound.Settings.Tenants.Tenant("acme")
		require.True(t, known)
		asked := challenge.AppQuestion{
			ID: store.NewID(), Phone: inboundtest.Number(t, phone), Subject: "Deliver today at 17?",
			Life: 5 * time.Minute,
		}
		b.Do(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.AskApp(ctx, tx, acme, asked)
			return err
		})
		id := b.One(t, "SELECT id FROM text")
		b.Do(t, func(ctx context.Context, tx *store.Tx) error {
			_, _, err := text.Begin(ctx, tx, id)
			return err
		})
		b.report(t, id, "sent", "")
		require.Equal(t, "open", b.State(t, "challenge", asked.ID))
		b.report(t, id, "failed", "21211")
		require.Equal(t, "failed", b.State(t, "challenge", asked.ID))
		require.Equal(t, "not_sent", b.One(t, "SELECT outcome FROM challenge"))
	})
	each(t, func(t *testing.T, b *bridge) {
		asked, id := b.Ask(t, phonemail.Line{Account: accountSID, Sender: "+15005550006"})
		b.report(t, id, "failed", "21211")
		require.Equal(t, "open", b.State(t, "challenge", asked))
	})
}
