package outbound

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/simulator/idp"
	"smsbridge/internal/store"
	"smsbridge/internal/wording"
)

// examined has the newest mail of the identity provider examined, with the sender that a signature
// proved, "" for none.
func (w *world) examined(sender string) {
	w.t.Helper()
	stored := w.gun.Stored()
	newest := stored[len(stored)-1]
	id := w.take(newest, newest.URL)
	var m mail.Mail
	w.do(func(ctx context.Context, tx *store.Tx) (err error) {
		m, _, err = mail.Get(ctx, tx, id)
		return err
	})
	body := m.Body
	if !m.HasBody {
		var err error
		body, err = w.fetchMail(w.t.Context(), w.tenant(), m, w.clock())
		require.NoError(w.t, err)
	}
	finding, err := find(w.tenant(), body)
	require.NoError(w.t, err)
	finding.Sender = sender
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := mail.Examine(ctx, tx, w.tenant(), m, finding)
		return err
	})
}

// Ensure that a resent link is clicked when the asked one has expired, kept here or at Mailgun. One
// sender of both mails must be proved. Either way one text asked.
func TestResentLinkIsClicked(t *testing.T) {
	t.Parallel()
	const author = "no-reply@acme.example"
	for name, change := range map[string][]string{"here": nil, "at Mailgun": {keepMailgun}} {
		for sender, proved := range map[string]bool{author: true, "": false} {
			t.Run(name+" "+sender, func(t *testing.T) {
				w := quick(t, change...)
				w.signUp(address)
				w.examined(sender)
				id := w.one("SELECT id FROM challenge")
				require.NoError(t, w.sendText(t.Context(), w.one("SELECT id FROM text")))
				require.NoError(t, w.idp.Resend(t.Context(), address))
				w.examined(sender)
				require.Equal(t, "1", w.one("SELECT COUNT(*) FROM text"))

				w.yes()
				w.idp.Set(func(m *idp.Manners) { m.Expired = true })
				require.NoError(t, w.clickLink(t.Context(), id))
				w.idp.Set(func(m *idp.Manners) { m.Expired = false })
				if !proved {
					w.ended(id, "failed", "expired", wording.LinkExpired)
					require.False(t, w.idp.Verified(address))
					return
				}
				require.EqualValues(t, "accepted", w.challenge(id).State)
				require.Equal(t, "2", w.jobs("click_link"))
				require.NoError(t, w.clickLink(t.Context(), id))
				require.True(t, w.idp.Verified(address))
				require.EqualValues(t, "confirmed", w.challenge(id).State)
				require.Equal(t, w.tenant().Say("", wording.ConfirmedRegistration, wording.Fill{}), w.told(id))
				require.Equal(t, "2", w.jobs("delete_mail"), "of both mails")
			})
		}
	}
}
