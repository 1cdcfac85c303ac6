package linkclick

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What Koa writes beside a redirect: up to version 2.15, and since then.
const (
	koaAnchor = `Redirecting to <a href="%">%</a>.`
	koaText   = "Redirecting to %."
)

// A redirect is Strapi's by its status, by where it leads and by what it says.
func TestStrapi(t *testing.T) {
	const (
		link  = "/api/auth/email-confirmation?confirmation=c1"
		app   = "https://app.example/welcome"
		nginx = "<html>\r\n<head><title>302 Found</title></head>\r\n<body>\r\n" +
			"<center><h1>302 Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
		found = http.StatusFound
	)
	for name, tt := range map[string]struct {
		status   int
		to, body string
		want     Outcome
	}{
		"to the app":          {found, app, koaText, OutcomeConfirmed},
		"as older Koa says":   {found, app, koaAnchor, OutcomeConfirmed},
		"to a quoted address": {found, "https://app.example/it's", koaText, OutcomeConfirmed},
		"to no set address":   {found, "/", koaText, OutcomeConfirmed},
		"to an error":         {found, "https://app.example/?error=x", koaText, OutcomeRefused},

		// A wall in front of the API redirects too.
		"nginx's wall":         {found, "https://wall.example/login", nginx, OutcomeUnknown},
		"a wall of Express":    {found, app, "Found. Redirecting to %", OutcomeUnknown},
		"a wall of Go":         {found, app, "<a href=\"%\">Found</a>.\n\n", OutcomeUnknown},
		"a silent wall":        {found, "https://wall.example/", "", OutcomeUnknown},
		"a wall by a path":     {found, "/maintenance", koaText, OutcomeUnknown},
		"a wall with way back": {found, app + "?rd=https%3A%2F%2Fx", koaText, OutcomeUnknown},
		"a wall with fragment": {found, "https://wall.example/login#back", koaText, OutcomeUnknown},
		"about another place":  {found, app, "Redirecting to https://other.example.", OutcomeUnknown},
		"with more words":      {found, app, koaText + " Sign in first.", OutcomeUnknown},
		"another status":       {http.StatusMovedPermanently, app, koaText, OutcomeUnknown},
		"that, staying here":   {http.StatusMovedPermanently, "/", koaText, OutcomeUnknown},
	} {
		said := strings.ReplaceAll(tt.body, "%", html.EscapeString(tt.to))
		p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/auth/email-confirmation" {
				html200(w, "Welcome")
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Location", tt.to)
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(said))
		})
		require.Equal(t, tt.want, open(t, c, p.URL+link).Outcome, name)
		if tt.want != OutcomeUnknown {
			require.Len(t, p.requests(), 1, name)
		}
	}
	p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, http.StatusBadRequest, `{"error":{"status":400,"message":"Invalid token"}}`)
	})
	require.Equal(t, OutcomeRefused, open(t, c, p.URL+link).Outcome)
}

// The body of a redirect is read for what Strapi's looks like, and for nothing else. One that is
// cut off is none.
func TestStrapiRedirectBody(t *testing.T) {
	const link = "/api/auth/email-confirmation?confirmation=c1"
	for name, tt := range map[string]struct {
		body, length string
	}{
		"words of success": {"Your email has been verified.", ""},
		"cut off":          {"Redirecting to https://app.example/.", "900"},
		"compressed":       {"Redirecting to https://app.example/.", "gzip"},
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Location", "https://app.example/")
			switch tt.length {
			case "gzip":
				w.Header().Set("Content-Encoding", "gzip")
			case "900":
				w.Header().Set("Content-Length", "900")
			}
			w.WriteHeader(http.StatusFound)
			_, _ = w.Write([]byte(tt.body))
		})
		r := open(t, c, p.URL+link)
		require.Equal(t, OutcomeUnknown, r.Outcome, name)
		require.Equal(t, ReasonLeft, r.Reason, name)
	}
}
