package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The button that confirms is pressed in whatever language its label is, and none that asks for
// another mail.
func TestAllauthFormIsPostedInEveryLanguage(t *testing.T) {
	const link = "/accounts/confirm-email/MTI:1rAbCd:k123456789abcdefghijklmnopqrstuvwxyzABCDEFG/"
	for label, posted := range map[string]bool{
		"Confirm": true, "Bestätigen": true, "Bevestigen": true, "Bekræft": true, "Confirmer": true,
		"確認": true, "Send igen": false, "Igen": false, "Bestätigung erneut senden": false,
		"Link zusenden": false, "Opnieuw bevestigen": false,
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				html200(w, "<p>You have confirmed kim@acme.example.</p>")
				return
			}
			html200(w, `<form method="post" action="`+link+`"><input type="hidden" name="a" value="b">`+
				`<button type="submit">`+label+`</button></form>`)
		})
		want := OutcomeNeedsUser
		if posted {
			want = OutcomeConfirmed
		}
		require.Equal(t, want, open(t, c, p.URL+link).Outcome, label)
	}
}
