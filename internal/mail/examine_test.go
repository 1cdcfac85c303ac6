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
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

const link = "https://login.acme.example/verify?ticket=very-secret"

func TestDecide(t *testing.T) {
	off, ask := acme(t, "SMSBRIDGE_RESET=off", "SMSBRIDGE_VERIFY=off", "SMSBRIDGE_CODE=off"), acme(t,
		"SMSBRIDGE_RESET=ask")
	relay := acme(t, "SMSBRIDGE_LOGIN=relay")
	const danish, swedish, premium = "+4520123456", "+46701234567", "+4590123456"
	tests := []struct {
		name    string
		tenant  *tenant.Tenant
		phone   string
		finding mail.Finding
		do      tenant.Action
		purpose challenge.Purpose
		refusal string
	}{
		{"a new account", ask, danish, mail.Finding{Kind: "verify", Link: link}, tenant.Ask,
			challenge.Registration, ""},
		{"a new account with a code beside the link", ask, danish,
			mail.Finding{Kind: "verify", Link: link, Code: "123456"}, tenant.Ask, challenge.Registration,
			""},
		{"a new account, switched off", off, danish, mail.Finding{Kind: "verify", Link: link}, tenant.Off,
			"", "off: verify"},
		{"a new password, asked about", ask, danish, mail.Finding{Kind: "reset", Link: link}, tenant.Ask,
			challenge.Password, ""},
		{"a new password, relayed", relay, danish, mail.Finding{Kind: "reset", Link: link}, tenant.Relay,
			"", ""},
		{"a code for a new password, relayed", relay, danish, mail.Finding{Kind: "reset", Code: "123456"},
			tenant.Relay, "", ""},
		{"a code for a new password, where it is asked about", ask, danish,
			mail.Finding{Kind: "reset", Code: "123456"}, tenant.Relay, "", ""},
		{"a new password, asked about, whose link leads to a page", ask, danish,
			mail.Finding{Kind: "reset", Link: link, NeedsPerson: true}, tenant.Relay, "", ""},
		{"a new password, asked about, with a code beside a page", ask, danish,
			mail.Finding{Kind: "reset", Link: link, Code: "123456", NeedsPerson: true}, tenant.Relay, "",
			""},
		{"a new password on a page, switched off", off, danish,
			mail.Finding{Kind: "reset", Link: link, NeedsPerson: true}, tenant.Off, "",
			"SMSBRIDGE_RESET turns"},
		{"a new account whose link needs the person", ask, danish,
			mail.Finding{Kind: "verify", Link: link, NeedsPerson: true}, tenant.Relay, "", ""},
		{"a code of a new account is none of a password", ask, danish,
			mail.Finding{Kind: "verify", Code: "123456"}, tenant.Off, "", "no link"},
		{"a code to sign in with, relayed", relay, danish, mail.Finding{Kind: "login", Code: "123456"},
			tenant.Relay, "", ""},
		{"a new password, switched off", off, danish, mail.Finding{Kind: "reset", Link: link}, tenant.Off,
			"", "off: reset"},
		{"a code", ask, danish, mail.Finding{Kind: "code", Code: "123456"}, tenant.Relay, "", ""},
		{"a code mail without a code", ask, danish, mail.Finding{Kind: "code", Reason: "two codes"},
			tenant.Off, "", "two codes"},
		{"a code mail without a code, although with a link", ask, danish,
			mail.Finding{Kind: "code", Link: link}, tenant.Off, "", "no code"},
		{"a code, switched off", off, danish, mail.Finding{Kind: "code", Code: "123456"}, tenant.Off, "",
			"off: code"},
		{"a sign-in link", ask, danish, mail.Finding{Kind: "login", Link: link}, tenant.Off, "",
			"off: login; login in the tenants file or SMSBRIDGE_LOGIN turns them on"},
		{"a sign-in link, relayed", relay, danish, mail.Finding{Kind: "login", Link: link}, tenant.Relay,
			"", ""},
		{"an invitation", relay, danish, mail.Finding{Kind: "invite", Link: link}, tenant.Off, "",
			"invite"},
		{"another mail", ask, danish, mail.Finding{Kind: "other", Link: link}, tenant.Off, "", "other"},
		{"a mail of no kind", ask, danish, mail.Finding{Link: link}, tenant.Off, "", "unknown"},
		{"a mail whose link is held", ask, danish,
			mail.Finding{Kind: "unknown", Reason: "held; add /a?t"},
			tenant.Off, "", "not a mail to act on: held; add /a?t"},
		{"a mail of unknown kind", ask, danish, mail.Finding{Kind: "unknown"}, tenant.Off, "", "unknown"},
		{"no link, with a reason", ask, danish, mail.Finding{Kind: "verify", Reason: "two links"},
			tenant.Off, "", "two links"},
		{"no link and no reason", ask, danish, mail.Finding{Kind: "verify"}, tenant.Off, "", "no link"},
		{"no link to a new password", ask, danish, mail.Finding{Kind: "reset"}, tenant.Off, "",
			"no link"},
		{"another country", ask, swedish, mail.Finding{Kind: "verify", Link: link}, tenant.Off, "",
			phonemail.ErrCountry.Error()},
		{"a number that costs extra", ask, premium, mail.Finding{Kind: "verify", Link: link}, tenant.Off,
			"", phonemail.ErrType.Error()},
		{"no phone", ask, "", mail.Finding{Kind: "verify", Link: link}, tenant.Off, "",
			phonemail.ErrNumber.Error()},
	}
	for _, test := range tests {
		phone, _ := phonemail.ParseNumber(test.phone)
		d := mail.Decide(test.tenant, phone, time.Time{}, test.finding)
		require.Equal(t, test.purpose, d.Purpose, test.name)
		require.Equal(t, test.do, d.Do, test.name)
		if test.refusal == "" {
			require.Empty(t, d.Refusal, test.name)
		} else {
			require.Contains(t, d.Refusal, test.refusal, test.name)
			require.NotContains(t, d.Refusal, "very-secret", test.name)
		}
	}
}

func examine(t *tenant.Tenant, m mail.Mail, f mail.Finding) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := mail.Examine(ctx, tx, t, m, f)
		return err
	}
}

// challenges are those that were opened about a mail.
func (b bridge) challenges(mailID string) (found []db.Challenge) {
	b.Helper()
	for _, id := range b.Strings("SELECT id FROM challenge WHERE mail_id = $1", mailID) {
		var c db.Challenge
		b.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			c, err = tx.GetChallenge(ctx, id)
			return err
		})
		found = append(found, c)
	}
	return found
}

func (b bridge) linkOf(c db.Challenge) (plain string) {
	b.Helper()
	b.Do(func(_ context.Context, tx *store.Tx) error {
		opened, err := tx.Open(store.Place{Table: "challenge", ID: c.ID, Column: "link",
			Tenant: c.Tenant}, c.Link)
		plain = string(opened)
		return err
	})
	return plain
}

// Ensure that an examination asks about the mail once, with the tenant's line and life, and that
// the body is gone with it.
func TestExamineAsks(t *testing.T) {
	each(t, func(b bridge) {
		asker := acme(b.T, "SMSBRIDGE_RESET=ask", "SMSBRIDGE_VALID_FOR=5m")
		for kind, purpose := range map[string]string{"verify": "registration", "reset": "password"} {
			m := b.received()
			for range 2 {
				b.Do(examine(asker, m, mail.Finding{Kind: kind, Link: link}))
			}
			row := b.row(m.ID)
			require.EqualValues(b, "examined", row.State)
			require.Equal(b, kind, row.Kind)
			require.Empty(b, row.Body)
			require.Equal(b, b.Now(), row.EndedAt.Time)
			_, waits := b.pending(m.ID)
			require.False(b, waits)

			asked := b.challenges(m.ID)
			require.Len(b, asked, 1)
			c := asked[0]
			require.Equal(b, []string{"open", purpose, "acme", asker.Sending.Twilio.AccountSID,
				asker.Sending.Twilio.From},
				[]string{string(c.State), string(c.Purpose), c.Tenant, c.Account, c.Sender})
			require.Equal(b, m.Phone, c.Phone)
			require.Equal(b, b.Now().Add(5*time.Minute), c.ExpiresAt.Time)
			require.Equal(b, link, b.linkOf(c))
			require.Equal(b, 1, b.Count("text WHERE challenge_id = $1 AND purpose = 'prompt'", c.ID))
		}
	})
}

// Ensure that a refusal keeps its reason, drops the body, opens no question, and is final.
func TestExamineRefuses(t *testing.T) {
	each(t, func(b bridge) {
		m := b.received()
		b.Do(examine(acme(b.T), m, mail.Finding{Kind: "verify", Reason: "two links"}))
		row := b.row(m.ID)
		require.Equal(b, []string{"refused", "verify", "two links", ""},
			[]string{string(row.State), row.Kind, row.Reason, row.Body})
		require.NotZero(b, row.EndedAt)

		b.Do(examine(acme(b.T), m, mail.Finding{Kind: "verify", Link: link}))
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			return mail.Refuse(ctx, tx, m, "another reason")
		})
		require.Equal(b, row, b.row(m.ID))
		require.Empty(b, b.challenges(m.ID))
	})
}

// Ensure that of two examinations of one mail one counts, whatever they find.
func TestExamineRace(t *testing.T) {
	each(t, func(b bridge) {
		one := acme(b.T)
		for _, other := range []mail.Finding{{Kind: "verify", Link: link},
			{Kind: "verify", Reason: "no link"}} {
			for range 10 {
				m := b.received()
				require.NoError(b, errors.Join(b.AtOnce(examine(one, m,
					mail.Finding{Kind: "verify", Link: link}), examine(one, m, other))...))
				examined := b.row(m.ID).State == "examined"
				require.Equal(b, examined, len(b.challenges(m.ID)) == 1)
				require.Equal(b, examined, b.Count("text WHERE phone = $1", m.Phone.E164()) == 1)
				require.Equal(b, 2, b.Count("event WHERE subject = $1 AND name LIKE 'mail.%'", m.ID),
					"received and one end")
			}
		}
	})
}

// Ensure that the link stays at Mailgun when the tenant wants it so.
func TestExamineKeepsLinkAtMailgun(t *testing.T) {
	each(t, func(b bridge) {
		m := b.received()
		b.Do(examine(acme(b.T, "SMSBRIDGE_KEEP=mailgun"), m, mail.Finding{Kind: "verify", Link: link}))
		asked := b.challenges(m.ID)
		require.Len(b, asked, 1)
		require.Empty(b, asked[0].Link)
	})
}

// Ensure that nothing is asked about a link that needs the person, even where such mails are asked
// about: the phone gets the link, sealed behind a short link. A password mail's code is texted.
func TestExamineRelaysWhatNeedsThePerson(t *testing.T) {
	each(t, func(b bridge) {
		asker := acme(b.T, "SMSBRIDGE_RESET=ask", "SMSBRIDGE_VALID_FOR=5m")
		for _, f := range []mail.Finding{
			{Kind: "verify", Link: link, NeedsPerson: true},
			{Kind: "reset", Link: link, NeedsPerson: true},
			{Kind: "reset", Code: "123456"},
		} {
			b.Exec("DELETE FROM short_link")
			m := b.received()
			b.Do(examine(asker, m, f))
			require.EqualValues(b, "examined", b.row(m.ID).State)
			require.Empty(b, b.challenges(m.ID))
			require.Equal(b, 1, b.Count("text WHERE purpose = 'relay' AND phone = $1", m.Phone.E164()))
			links := b.Count("short_link WHERE expires_at = $1", moment.Of(b.Now().Add(5*time.Minute)))
			require.Equal(b, f.Link != "", links == 1)
		}
	})
}
