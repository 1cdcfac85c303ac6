package outbound

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
)

// letter writes the mail of a rehearsal, and played has it come.
func (w *world) letter() (l rehearsal.Letter) {
	w.t.Helper()
	w.do(func(_ context.Context, tx *store.Tx) (err error) {
		l, err = rehearsal.Write(tx, w.tenant(), w.phone(phone), w.Settings.PublicURL, w.clock())
		return err
	})
	return l
}

func (w *world) played(l rehearsal.Letter) (mailID string) {
	w.t.Helper()
	d := mail.Delivery{
		Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), l.To)}, Token: l.MessageID,
		PostedAt: w.clock(), MessageID: l.MessageID, Body: mail.Body{MIME: l.MIME}, KeepBody: true,
	}
	w.do(func(ctx context.Context, tx *store.Tx) error {
		_, err := mail.Take(ctx, tx, mail.Pack(w.Store, d))
		return err
	})
	return w.one("SELECT id FROM mail WHERE message_id = '" + d.MessageID + "'")
}

// Ensure that no one but this bridge begins a rehearsal: a mail that only says so is refused, also
// where a tenant asks for no proof. A genuine one asks the phone, whatever the tenant's senders.
func TestForgedRehearsal(t *testing.T) {
	for _, verify := range []string{"dkim", "mailgun", "off"} {
		w := quick(t, "SMSBRIDGE_SENDER_VERIFY="+verify)
		genuine := w.letter()
		_, plain, _ := strings.Cut(genuine.MIME, "From:")
		plain = "From:" + plain
		_, other, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		var signed bytes.Buffer
		require.NoError(t, dkim.Sign(&signed, strings.NewReader(plain), &dkim.SignOptions{
			Domain: "rehearsal.invalid", Selector: "bridge", Signer: other,
			HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"},
		}))
		for name, mime := range map[string]string{
			"unsigned": plain, "by another key": signed.String(),
			"by the identity provider": w.signed(plain),
			"with another link":        strings.Replace(genuine.MIME, w.Settings.PublicURL, w.idp.URL(), 1),
		} {
			forged := genuine
			forged.MIME = mime
			w.exec("DELETE FROM mail")
			w.exec("DELETE FROM seen")
			state, reason := w.judged(w.played(forged))
			require.Equal(t, "refused", state, verify+" "+name+": "+reason)
			w.costsNothing()
		}
		w.exec("DELETE FROM mail")
		w.exec("DELETE FROM seen")
		state, reason := w.judged(w.played(genuine))
		require.Equal(t, "examined", state, verify+": "+reason)
		require.Equal(t, "rehearsal@rehearsal.invalid", w.one("SELECT author FROM challenge"))
	}
}

// Ensure that a rehearsal beside a real sign-up of its phone is a question of its own: the sign-up
// keeps its link and its bare yes. The click of the rehearsal opens the bridge's own page alone.
func TestRehearsalBesideSignUp(t *testing.T) {
	w := quick(t)
	state, _ := w.judged(w.arrive("a", mail.Body{MIME: w.signed(w.plain(address, "a"))}, ""))
	require.Equal(t, "examined", state)
	first := w.one("SELECT id || link || digest || author || recipient FROM challenge")
	id := w.played(w.letter())
	state, _ = w.judged(id)
	require.Equal(t, "examined", state)
	require.Equal(t, []string{first}, w.all("SELECT id || link || digest || author || recipient "+
		"FROM challenge WHERE author <> 'rehearsal@rehearsal.invalid'"))
	require.Equal(t, "1", w.one("SELECT coded FROM challenge WHERE id = '"+id+"'"))

	w.exec("UPDATE challenge SET state = 'accepted', accepted_at = opened_at WHERE id = '" + id + "'")
	require.NoError(t, w.clickLink(t.Context(), id))
	require.Empty(t, w.idp.Requests())
	w.callbacks.mu.Lock()
	defer w.callbacks.mu.Unlock()
	require.Contains(t, strings.Join(w.callbacks.urls, "\n"), "\n/rehearsal?ticket=acme~")
}

// Ensure that no mail but a rehearsal's opens the page of rehearsals.
func TestOtherMailWithLinkOfRehearsal(t *testing.T) {
	w := quick(t)
	plain := strings.Replace(w.plain(address, "a"), w.idp.URL()+"/lo/verify_email",
		w.Settings.PublicURL+rehearsal.Path, 1)
	state, reason := w.judged(w.arrive("a", mail.Body{MIME: w.signed(plain)}, ""))
	require.Equal(t, "refused", state)
	require.Contains(t, reason, "not a mail to act on")
	w.costsNothing()
}
