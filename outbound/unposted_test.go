package outbound

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/simulator/mailgun"
	"smsbridge/internal/store"
)

// Ensure that mails are found that Mailgun stored and never posted. It has some minutes for that,
// and what is older than an hour is not compared.
func TestUnposted(t *testing.T) {
	t.Parallel()
	w := quick(t, keepMailgun)
	found := func() []int {
		kept, missing, err := w.Unposted(t.Context(), w.tenant())
		require.NoError(t, err)
		return []int{kept, missing}
	}
	require.Equal(t, []int{0, 0}, found())
	w.deliver(address, "came")
	w.exec("INSERT INTO mail (id, tenant, phone, message_id, message_url, body, state, kind, reason,"+
		" posted_at, received_at, ended_at) VALUES"+
		" ($1, 'acme', $2, 'came@acme.example', '', '', 'received', '', '', 0, 0, 0)",
		store.NewID(), phone)
	w.deliver(address, "lost")
	w.deliver("acme+4521000001@sms.acme.example", "came") // the row is another phone's
	w.deliver(address, "lost")                            // stored twice, and counted once
	w.deliver("kim@sms.acme.example", "of no phone")
	w.wait(unpostedGrace - time.Second)
	require.Equal(t, []int{0, 0}, found(), "it may still come")
	w.wait(time.Second)
	require.Equal(t, []int{3, 2}, found())
	w.gun.Set(func(m *mailgun.Manners) { m.FailNext, m.FailStatus = 1, 401 })
	_, _, err := w.Unposted(t.Context(), w.tenant())
	require.Error(t, err)
	w.wait(unpostedWithin)
	require.Equal(t, []int{0, 0}, found())
}

// Ensure that a stranger's mail whose Message-Id cannot be recorded counts neither as kept nor as
// missing. The door refuses it, and Mailgun stores it all the same.
func TestUnpostedBesideAMailThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, id := range []string{"a\x00b", strings.Repeat("a", 998), "lost"} {
			w.deliver(address, id)
		}
		w.wait(unpostedGrace)
		kept, missing, err := w.Unposted(w.t.Context(), w.tenant())
		require.NoError(w.t, err)
		require.Equal(w.t, []int{1, 1}, []int{kept, missing})
	}, keepMailgun)
}

// Ensure that a mail without a Message-Id counts neither as kept nor as missing, whether it came or
// not. One that came is refused with the reason: its sender cannot be proved.
func TestUnpostedBesideAMailWithoutMessageID(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		mime, err := w.idp.Sign([]byte("From: ACME <no-reply@acme.example>\r\nTo: <" + address +
			">\r\nSubject: Verify your email\r\nDate: " + w.clock().Format(time.RFC1123Z) +
			"\r\n\r\nConfirm your account: " + w.idp.URL() + "/lo/verify_email?ticket=0123456789abcdef\r\n"))
		require.NoError(w.t, err)
		for range 2 {
			require.NoError(w.t, w.gun.Deliver(w.t.Context(), "no-reply@acme.example",
				[]string{address}, mime))
		}
		w.deliver(address, "lost")
		came := mail.Pack(w.Store, mail.Delivery{
			Tenant: "acme", Recipients: []mail.Recipient{mail.To(w.phone(phone), address)},
			Token: "token", PostedAt: w.clock(), MessageURL: w.gun.Stored()[0].URL,
		})
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.Take(ctx, tx, came)
			return err
		})
		require.NoError(w.t, w.examineMail(w.t.Context(), w.one("SELECT id FROM mail")))
		require.Equal(w.t, "refused/the mail has 0 fields message-id, and not one",
			w.one("SELECT state || '/' || reason FROM mail"))
		w.wait(unpostedGrace)
		kept, missing, err := w.Unposted(w.t.Context(), w.tenant())
		require.NoError(w.t, err)
		require.Equal(w.t, []int{1, 1}, []int{kept, missing})
	}, keepMailgun)
}
