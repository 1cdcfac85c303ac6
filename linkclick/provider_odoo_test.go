package linkclick

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The link of a forum leads on in the same way whether it validated the address or not. Only a
// session that validated sees the element on the page that follows.
func TestOdoo(t *testing.T) {
	const (
		link  = "/profile/validate_email?token=" + longer + "&user_id=7&email=kim%40acme.example"
		forum = "&redirect_url=%2Fforum"
		done  = `<div role="status"><span id="email_validated_message">Félicitations !</span></div>`
	)
	for name, tt := range map[string]struct {
		link, shown string
		want        Outcome
	}{
		"validated":                 {link + forum, done, OutcomeConfirmed},
		"not validated":             {link + forum, `<h1>Forum</h1>`, OutcomeUnknown},
		"a place that never says":   {link, `<h1>Home</h1>`, OutcomeUnknown},
		"an element no reader sees": {link + forum, `<div hidden>` + done + `</div>`, OutcomeUnknown},
		"another provider's link":   {"/lo/verify_email?ticket=t", done, OutcomeUnknown},
	} {
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := r.Cookie("session_id")
			switch {
			case r.URL.Path != "/forum" && r.URL.Path != "/":
				http.SetCookie(w, &http.Cookie{Name: "session_id", Value: "s", Path: "/"})
				redirectTo(r.FormValue("redirect_url")+"/")(w, r)
			case err != nil:
				html200(w, "")
			default:
				html200(w, tt.shown)
			}
		})
		require.Equal(t, tt.want, open(t, c, p.URL+tt.link).Outcome, name)
	}
}
