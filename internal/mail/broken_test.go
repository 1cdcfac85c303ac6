package mail_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

// Ensure that a database that fails at any statement is no decision about a mail: the failure comes
// back, nothing is committed, and the next try takes or ends the mail.
func TestFailingDatabase(t *testing.T) {
	each(t, func(b bridge) {
		d := b.delivery(2)
		var taken mail.Taken
		packed := mail.Pack(b.Store, d)
		take := func(ctx context.Context, tx *store.Tx) (err error) {
			taken, err = mail.Take(ctx, tx, packed)
			return err
		}
		b.FailEach(take)
		require.Equal(b, mail.New, taken)
		for _, to := range d.Recipients {
			ids := b.ids(to.Phone)
			require.Len(b, ids, 1)
			require.Equal(b, 1, b.Jobs("examine_mail", ids[0]))
		}
		b.FailEach(take)
		require.Equal(b, mail.Duplicate, taken)

		found := b.fresh()
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			_, err := mail.TakeFound(ctx, tx, acme(b.T), found)
			return err
		})
		require.Len(b, b.ids(found.To.Phone), 1)

		m := b.received()
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := mail.Get(ctx, tx, m.ID)
			return err
		}, mail.ErrUnknown)
		b.FailEach(func(ctx context.Context, tx *store.Tx) error {
			return mail.RecordDeletion(ctx, tx, m, mail.Deleted)
		})
	})
}

// Ensure the same of an examination, whatever it finds: no phone is texted twice, and no mail ends
// without what follows from it.
func TestFailingDatabaseWhileExamining(t *testing.T) {
	each(t, func(b bridge) {
		asker := acme(b.T, "SMSBRIDGE_LOGIN=relay", "SMSBRIDGE_RESET=ask")
		for _, f := range []mail.Finding{
			{Kind: "verify", Link: link}, {Kind: "reset", Link: link}, {Kind: "login", Link: link},
			{Kind: "code", Code: "123456"}, {Kind: "verify", Reason: "two links"},
		} {
			m := b.received()
			b.FailEach(examine(asker, m, f))
			require.NotEqualValues(b, "received", b.row(m.ID).State)
			texts := b.Count("text WHERE phone = $1", m.Phone.E164())
			require.Equal(b, f.Link != "" || f.Code != "", texts == 1, f.Kind)
			require.Equal(b, 2, b.Count("event WHERE subject = $1 AND name LIKE 'mail.%'", m.ID),
				"received and one end")
		}
	})
}

// Ensure that of two found mails without a Message-Id only the place at Mailgun says whether they
// are one.
func TestTakeFoundWithoutMessageID(t *testing.T) {
	each(t, func(b bridge) {
		one := b.fresh()
		one.MessageID = ""
		require.True(b, b.found(one))
		require.False(b, b.found(one))
		one.MessageURL += "2"
		require.True(b, b.found(one))
		ids := b.ids(one.To.Phone)
		require.Len(b, ids, 2)
		for _, id := range ids {
			m, _ := b.pending(id)
			require.True(b, m.Is("", []mail.Recipient{one.To}))
		}
	})
}

// Ensure that what is relayed says what it is for: nothing else tells a sign-in from a new
// password.
func TestRelayedWords(t *testing.T) {
	each(t, func(b bridge) {
		asker := acme(b.T, "SMSBRIDGE_LOGIN=relay", "SMSBRIDGE_RESET=relay")
		for words, f := range map[string]mail.Finding{
			"sign in here within 10 min: https://bridge.acme.example/": {Kind: "login", Link: link},
			"sign-up here within 10 min, if it is not done: https://bridge.": {Kind: "verify", Link: link,
				NeedsPerson: true},
			"choose a new password here within 10 min: https://bridge.": {Kind: "reset", Link: link},
			"123456 is your ACME code":                                  {Kind: "login", Code: "123456"},
			"654321 is your ACME code": {Kind: "code", Code: "654321",
				Link: link},
		} {
			m := b.received()
			b.Do(examine(asker, m, f))
			ids := b.Strings("SELECT id FROM text WHERE phone = $1", m.Phone.E164())
			require.Len(b, ids, 1)
			deadline, body := b.text(ids[0])
			require.Equal(b, b.Now().Add(asker.Question.ValidFor), deadline)
			require.Contains(b, body, words)
			require.NotContains(b, body, "very-secret", "the link itself stays here")
		}
	})
}

// text is a text's deadline, and what it says.
func (b bridge) text(id string) (deadline time.Time, body string) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.GetText(ctx, id)
		if err != nil {
			return err
		}
		plain, err := tx.Open(store.Place{
			Table: "text", ID: row.ID, Column: "body", Tenant: row.Tenant,
		}, row.Body)
		deadline, body = row.Deadline.Time, string(plain)
		return err
	})
	return deadline, body
}

// Ensure that the timeline says what a mail was, and why nothing was done about it.
func TestTimelineOfExamination(t *testing.T) {
	each(t, func(b bridge) {
		for want, f := range map[string]mail.Finding{
			"mail.examined verify":                       {Kind: "verify", Link: link},
			"mail.refused verify: two links":             {Kind: "verify", Reason: "two links"},
			"mail.refused not a mail to act on: unknown": {},
		} {
			m := b.received()
			b.Do(examine(acme(b.T), m, f))
			require.Equal(b, []string{"mail.received ", want}, b.Strings(
				"SELECT name || ' ' || detail FROM event WHERE subject = $1 AND name LIKE 'mail.%'"+
					" ORDER BY id", m.ID))
		}
	})
}

// Ensure that all of an address but its domain stays as it is, up to the last letter.
func TestExactAddress(t *testing.T) {
	for given, want := range map[string]string{
		"Acme+4520123456X@SMS.Example": "Acme+4520123456X@sms.example",
		"A@B@C.Example":                "A@B@c.example",
		"SMS.Example":                  "sms.example",
		"":                             "",
	} {
		require.Equal(t, want, mail.To(phonemail.Number{}, given).Address)
	}
}
