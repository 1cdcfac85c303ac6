package outbound

import (
	"smsbridge/internal/simulator/twilio"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that a dead job's line says of whom it is, and that it is logged too when the database
// does not answer.
func TestDeadJobNamesItsCase(t *testing.T) {
	t.Parallel()
	w := quick(t)
	id := w.make(phone, "Hello")
	w.exec("UPDATE text SET case_id = 'the-case' WHERE id = $1", id)
	w.log.Reset()
	w.tooOften("send_text", id)
	require.Contains(t, w.log.String(), `"msg":"a job is dead","tenant":"acme","case":"the-case",`+
		`"phone":"+45******56","kind":"send_text"`)

	require.Empty(t, w.describe(t.Context(), ""), "a job about no row")
	require.Empty(t, w.describe(t.Context(), "no-such-row"))
	require.Equal(t, []any{"tenant", "acme", "case", "the-case", "phone", w.phone(phone)},
		w.describe(t.Context(), id))
}

// Ensure that a mail which a setting refuses is a warning, and one without a signature is none.
// Neither line looks like that of a mail which is acted on.
func TestRefusedMailsAreLogged(t *testing.T) {
	t.Parallel()
	refused := func(w *world) string {
		id := w.take(w.signUp(address), "")
		w.log.Reset()
		require.NoError(t, w.examineMail(t.Context(), id))
		require.Equal(t, 1, strings.Count(w.log.String(), "\n"), "one line")
		require.Contains(t, w.log.String(), `"msg":"mail refused","tenant":"acme","case":"`+id+
			`","phone":"+45******56",`)
		return w.log.String()
	}
	log := refused(quick(t, "SMSBRIDGE_VERIFY=off"))
	require.Contains(t, log, `"level":"WARN"`)
	require.Contains(t, log, `"kind":"verify","reason":"mails of this kind are off: verify;`)

	w := quick(t)
	require.NoError(t, w.dns.SetTXT(w.idp.KeyName()))
	require.Contains(t, refused(w), `"level":"INFO"`)
}

// Ensure that a text which a provider refuses says in words why.
func TestRefusedTextIsExplained(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.twilio.Set(func(m *twilio.Manners) { m.Reject = map[string]int{phone: 21610} })
	id := w.make(phone, "Hello")
	w.log.Reset()
	require.NoError(t, w.sendText(t.Context(), id))
	require.Contains(t, w.log.String(), `{"level":"WARN","msg":"the provider does not take the text",`+
		`"tenant":"acme","case":"`+id+`","phone":"+45******56","text":"`+id+`"`)
	require.Contains(t, w.log.String(),
		`"code":"21610","meaning":"Twilio says that the phone has sent STOP to this sender"`)
}
