package mail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
)

// Ensure that the question and what is relayed are in the mail's language, else in that of the
// number's country. The rows keep it.
func TestExamineKeepsTheLanguage(t *testing.T) {
	each(t, func(b bridge) {
		asker := acme(b.T, "SMSBRIDGE_LANGUAGE_PINNED=false", "SMSBRIDGE_LOGIN=relay")
		for tag, want := range map[string][3]string{
			"de-AT": {"de", "Haben Sie gerade", "Melden Sie sich"},
			"":      {"da", "har du lige oprettet", "log ind her"},
		} {
			m := b.received()
			b.Do(examine(asker, m, mail.Finding{Kind: "verify", Link: link, Language: tag}))
			found := b.challenges(m.ID)
			require.Len(b, found, 1)
			require.Equal(b, want[0], found[0].Language)
			ids := b.Strings("SELECT id FROM text WHERE phone = $1", m.Phone.E164())
			_, body := b.text(ids[0])
			require.Contains(b, body, want[1])

			m = b.received()
			b.Do(examine(asker, m, mail.Finding{Kind: "login", Link: link, Language: tag}))
			ids = b.Strings("SELECT id FROM text WHERE phone = $1", m.Phone.E164())
			_, body = b.text(ids[0])
			require.Contains(b, body, want[2])
			require.Equal(b, 1, b.Count("short_link WHERE challenge_id = '' AND language = $1", want[0]))
		}
	})
}
