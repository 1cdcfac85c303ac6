package mail_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/tenant"
	"smsbridge/phonemail"
)

// Ensure that a link is not passed on to where operators filter it: its code goes instead, and
// without one the mail is refused with the reason. A question that cannot be answered is refused.
func TestDecideByCountry(t *testing.T) {
	danish, err := phonemail.ParseNumber("+4512345678")
	require.NoError(t, err)
	filters := acme(t, "SMSBRIDGE_LINKS_WORK=", "SMSBRIDGE_LOGIN=relay")
	const why = "cannot be passed on: operators of DK filter texts with links that are not " +
		"registered (links_work)"
	for _, test := range []struct {
		finding mail.Finding
		do      tenant.Action
		refusal string
	}{
		{mail.Finding{Kind: "reset", Link: link}, tenant.Off, why},
		{mail.Finding{Kind: "login", Link: link}, tenant.Off, why},
		{mail.Finding{Kind: "verify", Link: link, NeedsPerson: true}, tenant.Off, why},
		{mail.Finding{Kind: "reset", Link: link, Code: "123456"}, tenant.Relay, ""},
		{mail.Finding{Kind: "login", Code: "123456"}, tenant.Relay, ""},
		{mail.Finding{Kind: "code", Code: "123456"}, tenant.Relay, ""},
		{mail.Finding{Kind: "verify", Link: link}, tenant.Ask, ""},
	} {
		d := mail.Decide(filters, danish, time.Time{}, test.finding)
		require.Equal(t, test.do, d.Do, "%+v", test)
		require.Equal(t, test.refusal, d.Refusal, "%+v", test)
	}
	named := acme(t, "TWILIO_LINKS_FROM=ACME", "SMSBRIDGE_COUNTRIES=DK,ES")
	spanish, err := phonemail.ParseNumber("+34612345678")
	require.NoError(t, err)
	d := mail.Decide(named, spanish, time.Time{}, mail.Finding{Kind: "code", Code: "123456"})
	require.Equal(t, "cannot be passed on: operators of ES take only registered names as senders "+
		"(names_work)", d.Refusal)
}

// Ensure that what is passed on comes from the sender of links and codes. A code stands in for a
// link that would be filtered.
func TestRelayByCountry(t *testing.T) {
	each(t, func(b bridge) {
		for _, test := range []struct {
			works, said string
			finding     mail.Finding
		}{
			{"DK", "choose a new password here within 10 min: https://bridge.acme.example/l/",
				mail.Finding{Kind: "reset", Link: link, Code: "123456"}},
			{"", "123456 is your ACME code", mail.Finding{Kind: "reset", Link: link, Code: "123456"}},
		} {
			asker := acme(b.T, "SMSBRIDGE_LINKS_WORK="+test.works, "TWILIO_LINKS_FROM=ACME",
				"SMSBRIDGE_CODE_DOMAIN=login.acme.example")
			m := b.received()
			b.Do(examine(asker, m, test.finding))
			ids := b.Strings("SELECT id FROM text WHERE phone = $1 AND sender = 'ACME'", m.Phone.E164())
			require.Len(b, ids, 1)
			_, body := b.text(ids[0])
			require.Contains(b, body, test.said)
			require.NotContains(b, body, "@login")
		}

		m := b.received()
		b.Do(examine(acme(b.T, "SMSBRIDGE_LINKS_WORK="), m, mail.Finding{Kind: "reset", Link: link}))
		require.Zero(b, b.Count("text WHERE phone = $1", m.Phone.E164()))
		require.Equal(b, 1, b.Count("mail WHERE id = $1 AND state = 'refused' AND reason LIKE "+
			"'cannot be passed on: operators of DK filter%'", m.ID))
	})
}
