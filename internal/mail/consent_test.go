package mail_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/mail"
	"smsbridge/internal/store"
	"smsbridge/phonemail"
)

func (b bridge) found(found mail.Found) (news bool) {
	b.Helper()
	b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		news, err = mail.TakeFound(ctx, tx, acme(b.T, "SMSBRIDGE_KEEP=mailgun"), found)
		return err
	})
	return news
}

// fresh is a mail at Mailgun that the bridge has not heard of.
func (b bridge) fresh() mail.Found {
	d := b.delivery(1)
	return mail.Found{
		To: d.Recipients[0], MessageID: d.MessageID, MessageURL: d.MessageURL,
		StoredAt: b.Now().Add(-time.Minute),
	}
}

// Ensure that a mail which was found because its phone said yes is examined once, like any other.
// Nothing is asked or clicked before that.
func TestTakeFound(t *testing.T) {
	each(t, func(b bridge) {
		one := b.fresh()
		require.True(b, b.found(one))
		require.False(b, b.found(one), "it is known now")
		ids := b.ids(one.To.Phone)
		require.Len(b, ids, 1)
		m, waits := b.pending(ids[0])
		require.True(b, waits)
		require.Equal(b, mail.Mail{
			ID: ids[0], Tenant: "acme", Phone: one.To.Phone, Recipient: one.To.Address,
			MessageID: one.MessageID, MessageURL: one.MessageURL, PostedAt: one.StoredAt,
		}, m)
		require.Equal(b, 1, b.Jobs("examine_mail", ids[0]))
		require.Empty(b, b.challenges(ids[0]), "no yes was to this mail")
		require.Zero(b, b.Count("text WHERE phone = $1", one.To.Phone.E164()))

		later := b.delivery(1)
		later.Recipients, later.MessageID = []mail.Recipient{one.To}, one.MessageID
		require.Equal(b, mail.Duplicate, b.take(later), "the webhook that comes after all")

		b.Do(examine(acme(b.T, "SMSBRIDGE_KEEP=mailgun"), m, mail.Finding{Kind: "verify", Link: link}))
		asked := b.challenges(ids[0])
		require.Len(b, asked, 1)
		require.Equal(b, challenge.Open, asked[0].State)
		require.Zero(b, b.Jobs("click_link", asked[0].ID))
		require.Equal(b, 1, b.Count("text WHERE challenge_id = $1 AND purpose = 'prompt'", asked[0].ID))

		known := b.received()
		require.False(b, b.found(mail.Found{
			To: mail.To(known.Phone, known.Recipient), MessageID: known.MessageID,
		}), "a known mail")

		racing := b.fresh()
		var (
			news  [4]bool
			takes []func(context.Context, *store.Tx) error
		)
		for i := range news {
			takes = append(takes, func(ctx context.Context, tx *store.Tx) (err error) {
				news[i], err = mail.TakeFound(ctx, tx, acme(b.T), racing)
				return err
			})
		}
		require.NoError(b, errors.Join(b.AtOnce(takes...)...))
		require.ElementsMatch(b, []bool{true, false, false, false}, news)
		require.Len(b, b.ids(racing.To.Phone), 1)
	})
}

func parse(t *testing.T, e164 string) phonemail.Number {
	t.Helper()
	n, err := phonemail.ParseNumber(e164)
	require.NoError(t, err)
	return n
}

// Ensure that a mail is told from another by its Message-Id and by its recipient to the byte. Only
// capitals in the domain make no difference. A mail without a Message-Id is none that has one.
func TestIs(t *testing.T) {
	n := parse(t, "+4520123456")
	other := parse(t, "+4520123457")
	const address = "acme+4520123456@sms.acme.example"
	to := mail.To(n, "acme+4520123456@SMS.acme.Example")
	require.Equal(t, address, to.Address)
	m := mail.Mail{Phone: n, Recipient: address, MessageID: "1@idp"}
	require.True(t, m.Is("1@idp", []mail.Recipient{mail.To(other, "b@c.d"), to}))
	require.False(t, m.Is("2@idp", []mail.Recipient{to}))
	require.False(t, m.Is("", []mail.Recipient{to}))
	require.False(t, m.Is("1@idp", nil))
	require.False(t, m.Is("1@idp", []mail.Recipient{mail.To(n, "Acme+4520123456@sms.acme.example")}))
	require.False(t, m.Is("1@idp", []mail.Recipient{mail.To(other, address)}))
	old := mail.Mail{Phone: n, MessageID: "1@idp"}
	require.True(t, old.Is("1@idp", []mail.Recipient{to}), "the row does not say the address")
	require.False(t, old.Is("1@idp", []mail.Recipient{mail.To(other, "b@c.d")}))
	for _, id := range []string{"token:x", "stored:x"} {
		m.MessageID = id
		require.True(t, m.Is("", []mail.Recipient{to}))
		require.False(t, m.Is("1@idp", []mail.Recipient{to}))
		require.False(t, m.Is(id, []mail.Recipient{to}), "a mail that calls itself so")
	}
}

// Ensure that a later mail to the same address causes no text and no question, and that one to
// another spelling does. The question knows both the address and the proved sender.
func TestExamineResent(t *testing.T) {
	each(t, func(b bridge) {
		const idp = "no-reply@acme.example"
		asker, m := acme(b.T), b.received()
		finding := mail.Finding{Kind: "verify", Link: link, Sender: idp}
		b.Do(examine(asker, m, finding))
		c := b.challenges(m.ID)[0]
		require.Equal(b, []string{m.Recipient, idp}, []string{c.Recipient, c.Author})
		b.Exec("UPDATE challenge SET asked_at = 1 WHERE id = $1", c.ID)
		b.Exec("UPDATE text SET state = 'sent' WHERE challenge_id = $1", c.ID)

		next := func(address string, sender string) mail.Mail {
			d := b.delivery(1)
			d.Recipients = []mail.Recipient{mail.To(m.Phone, address)}
			require.Equal(b, mail.New, b.take(d))
			ids := b.ids(m.Phone)
			later, _ := b.pending(ids[len(ids)-1])
			b.Do(examine(asker, later, mail.Finding{Kind: "verify", Link: link + "2", Sender: sender}))
			require.EqualValues(b, "examined", b.row(later.ID).State)
			return later
		}
		for _, sender := range []string{"", "other@acme.example", idp} {
			later := next(m.Recipient, sender)
			require.Empty(b, b.challenges(later.ID))
			require.Equal(b, 1, b.Count("text WHERE phone = $1", m.Phone.E164()))
			require.Equal(b, link, b.linkOf(b.challenges(m.ID)[0]), "the asked link stays")
			held := b.Strings("SELECT held_mail_id FROM challenge WHERE id = $1", c.ID)[0]
			require.Equal(b, sender == idp, held == later.ID)
		}
		spelling := next("Acme"+m.Recipient[4:], idp)
		require.Len(b, b.challenges(spelling.ID), 1)
		require.EqualValues(b, 1, b.challenges(spelling.ID)[0].Coded)
	})
}

// Ensure that a mail about which a blocked phone would be asked for a code is refused with a
// reason.
func TestExamineBlockedPhone(t *testing.T) {
	each(t, func(b bridge) {
		asker, m, free := acme(b.T, "SMSBRIDGE_RESET=ask"), b.received(), b.received()
		for range challenge.MaxGuesses {
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				if _, err := challenge.MayGuess(ctx, tx, m.Phone); err != nil {
					return err
				}
				_, err := challenge.CountGuess(ctx, tx, m.Phone, 1)
				return err
			})
		}
		b.Do(examine(asker, m, mail.Finding{Kind: "reset", Link: link}))
		row := b.row(m.ID)
		require.EqualValues(b, "refused", row.State)
		require.Equal(b, "too many wrong reply codes from this phone in a day", row.Reason)
		require.Empty(b, b.challenges(m.ID))
		require.Zero(b, b.Count("text WHERE phone = $1", m.Phone.E164()))
		b.Do(examine(asker, free, mail.Finding{Kind: "reset", Link: link}))
		require.Len(b, b.challenges(free.ID), 1)
	})
}

// Ensure that a mail to a fourth spelling is refused while three questions of its phone are open,
// and that it changes none of them.
func TestExamineFourthQuestion(t *testing.T) {
	each(t, func(b bridge) {
		asker, m := acme(b.T), b.received()
		b.Do(examine(asker, m, mail.Finding{Kind: "verify", Link: link}))
		before := b.linkOf(b.challenges(m.ID)[0])
		for i, letters := range []string{"Acme", "aCme", "acMe", "acmE"} {
			d := b.delivery(1)
			d.Recipients = []mail.Recipient{mail.To(m.Phone, letters+m.Recipient[4:])}
			require.Equal(b, mail.New, b.take(d))
			ids := b.ids(m.Phone)
			later, _ := b.pending(ids[len(ids)-1])
			b.Do(examine(asker, later, mail.Finding{Kind: "verify", Link: link + letters}))
			row := b.row(later.ID)
			if i < 2 {
				require.EqualValues(b, "examined", row.State)
				continue
			}
			require.EqualValues(b, "refused", row.State)
			require.Contains(b, row.Reason, "too many open questions")
			require.Empty(b, b.challenges(later.ID))
		}
		require.Equal(b, 3, b.Count("challenge WHERE phone = $1 AND state = 'open'", m.Phone.E164()))
		require.Equal(b, before, b.linkOf(b.challenges(m.ID)[0]))
	})
}

// Ensure that questions about other spellings of an address, as many as there may be, do not hold
// up a sign-up at the address itself.
func TestOtherSpellingsHoldUpNoSignUp(t *testing.T) {
	each(t, func(b bridge) {
		asker, m := acme(b.T), b.received()
		require.Equal(b, asker.Address.Address(m.Phone), m.Recipient)
		for _, letters := range []string{"Acme", "aCme", "acMe"} {
			d := b.delivery(1)
			d.Recipients = []mail.Recipient{mail.To(m.Phone, letters+m.Recipient[4:])}
			require.Equal(b, mail.New, b.take(d))
			ids := b.ids(m.Phone)
			junk, _ := b.pending(ids[len(ids)-1])
			b.Do(examine(asker, junk, mail.Finding{Kind: "verify", Link: link + letters}))
			require.Len(b, b.challenges(junk.ID), 1)
		}
		b.Do(examine(asker, m, mail.Finding{Kind: "verify", Link: link}))
		require.Len(b, b.challenges(m.ID), 1)
	})
}
