package outbound

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/challenge"
	"smsbridge/internal/simulator/twilio"
	"smsbridge/linkclick"
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

// Ensure that a text which a provider took is logged with its case and the provider's id of it.
// Its words are not.
func TestTextThatIsTakenIsLogged(t *testing.T) {
	t.Parallel()
	w := quick(t)
	id := w.make(phone, "Hello, your secret is mellon")
	w.log.Reset()
	require.NoError(t, w.sendText(t.Context(), id))
	require.Equal(t, `{"level":"INFO","msg":"text handed to the provider","tenant":"acme","case":"`+
		id+`","phone":"+45******56","text":"`+id+`","purpose":"outcome","provider":"twilio","sid":"`+
		w.inbox(1)[0].SID+`"}`+"\n", w.log.String())
}

// Ensure that a click is logged with its case and how it went. Its link is not.
func TestClicksAreLogged(t *testing.T) {
	t.Parallel()
	confirmed := redirect("success=true&message=Your+email+was+verified")
	already := redirect("success=false&message=This+account+is+already+verified")
	for outcome, tt := range map[string]struct {
		serve       http.HandlerFunc
		level, says string
		reason      string
	}{
		"confirmed": {confirmed, "INFO", "link clicked", linkclick.ReasonRedirect},
		"already":   {already, "INFO", "link clicked", linkclick.ReasonRedirect},
		"refused": {page(http.StatusNotFound, "<p>There is nothing here.</p>"), "WARN",
			"link clicked in vain", linkclick.ReasonStatus},
	} {
		w := quick(t)
		link, _ := w.provider(tt.serve)
		id := w.accepted(link, challenge.Registration)
		from := w.one("SELECT mail_id FROM challenge WHERE id = '" + id + "'")
		w.log.Reset()
		require.NoError(t, w.clickLink(t.Context(), id))
		require.Contains(t, w.log.String(), `{"level":"`+tt.level+`","msg":"`+tt.says+
			`","tenant":"acme","case":"`+from+`","phone":"+45******56","outcome":"`+outcome+
			`","reason":"`+tt.reason+`","steps":1}`)
		require.NotContains(t, w.log.String(), strings.TrimPrefix(link, "http://"))
	}
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
