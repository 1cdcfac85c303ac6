package linkclick

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goauthentik is a little authentik, which knows a browser by its session.
type goauthentik struct {
	// stages are what the executor says, one after another. "302" redirects to itself, or to what
	// follows the number.
	stages []string
	posted string // the body of the consent
	at     int
}

func (g *goauthentik) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/sso/if/flow/enroll/" {
		html200(w, `<script src="flow.js"></script>`)
		return
	}
	query, err := url.ParseQuery(r.FormValue("query"))
	if r.URL.Path != "/sso/api/v3/flows/executor/enroll/" || err != nil ||
		query.Get("flow_token") != "t+1" || r.Header.Get("Accept") != "application/json" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if _, err := r.Cookie("authentik_session"); err != nil && g.at > 0 {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if r.Method == http.MethodPost {
		raw, _ := io.ReadAll(r.Body)
		g.posted = string(raw) + r.Header.Get("X-Authentik-Csrf")
	}
	http.SetCookie(w, &http.Cookie{Name: "authentik_session", Value: "s", Path: "/"})
	http.SetCookie(w, &http.Cookie{Name: "authentik_csrf", Value: "-csrf", Path: "/"})
	stage := g.stages[min(g.at, len(g.stages)-1)]
	g.at++
	if to, ok := strings.CutPrefix(stage, "302"); ok {
		redirectTo(cmp.Or(to, r.URL.RequestURI()))(w, r)
		return
	}
	sendJSON(w, http.StatusOK, stage)
}

func TestAuthentik(t *testing.T) {
	const (
		consent = `{"component":"ak-stage-consent","token":"c1","header_text":"Continue to confirm ` +
			`this email address."}`
		done = `{"component":"xak-flow-redirect","to":"/"}`
	)
	for name, tt := range map[string]struct {
		stages []string
		want   Outcome
		posted bool
	}{
		"consent":           {[]string{consent, "302", done}, OutcomeConfirmed, true},
		"consent, no hop":   {[]string{consent, done}, OutcomeConfirmed, true},
		"older, no consent": {[]string{"302", done}, OutcomeConfirmed, false},
		"said in words": {[]string{consent, "302",
			`{"component":"ak-stage-prompt","messages":[{"message":"Successfully verified Email."}]}`},
			OutcomeConfirmed, true},
		"used": {[]string{`{"component":"ak-stage-access-denied","error_message":"Link ` +
			`was already used, please request a new link."}`}, OutcomeUsed, false},
		"denied": {[]string{consent,
			`{"component":"ak-stage-access-denied","error_message":"No."}`}, OutcomeRefused, true},
		"from the start": {[]string{`{"component":"ak-stage-prompt","fields":[{"field_key":"usernam` +
			`e"}]}`}, OutcomeNeedsUser, false},
		"then a sign-in": {[]string{consent, "302", `{"component":"ak-stage-password"}`},
			OutcomeNeedsUser, true},
		"sent another mail": {[]string{`{"component":"ak-stage-email"}`}, OutcomeUnknown, false},
		"consents again":    {[]string{consent, "302", consent}, OutcomeUnknown, true},
		"another flow": {[]string{`{"component":"xak-flow-redirect","to":"/if/flow/` +
			`default-authentication-flow/"}`}, OutcomeNeedsUser, false},
		// So it answers a spent link too, if its flow may not begin anew.
		"no stage passed": {[]string{done}, OutcomeUnknown, false},
		"circle":          {[]string{"302"}, OutcomeUnknown, false},
		"no JSON":         {[]string{"oops"}, OutcomeUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := &goauthentik{stages: tt.stages}
			p, c := serve(t, g.ServeHTTP)
			submitted := 0
			r := c.Click(t.Context(), p.URL+"/sso/if/flow/enroll/?flow_token=t%2B1",
				func() error { submitted++; return nil })
			require.Equal(t, tt.want, r.Outcome, r.Reason)
			require.LessOrEqual(t, len(r.Steps), 6)
			require.Equal(t, tt.posted, submitted == 1)
			if tt.posted {
				require.Equal(t, `{"component":"ak-stage-consent","token":"c1"}-csrf`, g.posted)
			}
		})
	}
}

// The executor may redirect to itself only, and asks for one consent.
func TestAuthentikStaysInItsFlow(t *testing.T) {
	const consent = `{"component":"ak-stage-consent","token":"c1"}`
	const executor = "/sso/api/v3/flows/executor/enroll/"
	for _, tt := range []struct {
		stages []string
		reason string
	}{
		{[]string{"302/sso/api/v3/flows/executor/other/"}, ReasonLeft},
		{[]string{"302https://evil.example" + executor}, ReasonLeft},
		{[]string{consent, "302", consent}, ReasonSecondQuestion},
	} {
		p, c := serve(t, (&goauthentik{stages: tt.stages}).ServeHTTP)
		r := open(t, c, p.URL+"/sso/if/flow/enroll/?flow_token=t%2B1")
		require.Equal(t, OutcomeUnknown, r.Outcome)
		require.Equal(t, tt.reason, r.Reason)
	}
}

func TestAuthentikWaitsForTheSubmitHook(t *testing.T) {
	g := &goauthentik{stages: []string{`{"component":"ak-stage-consent","token":"c1"}`}}
	p, c := serve(t, g.ServeHTTP)
	link := p.URL + "/sso/if/flow/enroll/?flow_token=t%2B1"
	r := c.Click(t.Context(), link, func() error { return errors.New("already tried") })
	require.Equal(t, ReasonSubmitRefused, r.Reason)
	require.Empty(t, g.posted)
}
