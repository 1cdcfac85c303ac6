package outbound

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that a mail whose link has an unknown shape is held. What is recorded names the entry that
// would allow it, without the secret. With that entry the same mail is asked about.
func TestHeldMailIsRecordedWithWhatAllowsIt(t *testing.T) {
	t.Parallel()
	const entry, secret = "/account/*/confirm?t", "Zk3vQ8mW1xT5nB7y"
	body := mail.Body{Subject: "Please confirm your email", From: "no-reply@acme.example",
		Text: "Confirm: https://login.acme.example/account/17/confirm?t=" + secret}
	var acme tenant.Tenant
	acme.Links.IdPHosts = []string{"login.acme.example"}
	held, err := find(&acme, body)
	require.NoError(t, err)
	require.Empty(t, held.Link)
	require.Equal(t, "unknown", held.Kind)
	require.Contains(t, held.Reason, "(SMSBRIDGE_LINK_PATHS) allows it: "+entry)
	require.NotContains(t, held.Reason, secret)

	acme.Links.Paths = []string{entry}
	allowed, err := find(&acme, body)
	require.NoError(t, err)
	require.Equal(t, "verify", allowed.Kind)
	require.Contains(t, allowed.Link, secret)
	require.Empty(t, allowed.Reason)
}

// Ensure that a mail is refused, and the reason recorded, although its link has a parameter whose
// name no database takes.
func TestHeldMailWhoseLinkIsNoText(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, name := range []string{"a%00b", "t[%00]", "t[%ff]"} {
			d := mail.Delivery{
				Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)},
				Token: name, MessageID: name, PostedAt: w.clock(), KeepBody: true, Body: mail.Body{
					Subject: "Please confirm your email",
					Text:    "Confirm: " + w.idp.URL() + "/account/confirm?" + name + "=Zk3vQ8mW1xT5nB7y",
				},
			}
			w.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := mail.Take(ctx, tx, mail.Pack(w.Store, d))
				return err
			})
			id := w.one("SELECT id FROM mail WHERE message_id = '" + name + "'")
			require.NoError(w.t, w.examineMail(w.t.Context(), id), name)
			require.Equal(w.t, "refused", w.one("SELECT state FROM mail WHERE id = '"+id+"'"), name)
		}
	}, "SMSBRIDGE_SENDER_VERIFY=off", "SMSBRIDGE_SENDER_DOMAINS=")
}
