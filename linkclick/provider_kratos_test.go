package linkclick

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ory is a little Ory Kratos: a link that sets a cookie and leads to a page elsewhere, the flow
// for who has the cookie, and its form.
type ory struct {
	origin string
	before string // the flow as JSON, "ACTION" for where its form goes
	post   func(w http.ResponseWriter, r *http.Request)
	after  string // the flow once the form was posted
	posted bool
}

func (o *ory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie("csrf_token_x")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/o/self-service/verification":
		http.SetCookie(w, &http.Cookie{Name: "csrf_token_x", Value: "c", Path: "/"})
		redirectTo("https://ui.example/verification?flow=f2")(w, r)
	case err != nil || cookie.Value != "c":
		sendJSON(w, http.StatusForbidden, `{"error":{"id":"security_csrf_violation"}}`)
	case r.Method == http.MethodGet && r.URL.Path == "/o/self-service/verification/flows" &&
		r.FormValue("id") == "f2":
		if o.posted {
			sendJSON(w, http.StatusOK, o.after)
			return
		}
		sendJSON(w, http.StatusOK, strings.ReplaceAll(o.before, "ACTION",
			o.origin+"/o/self-service/verification?flow=f2"))
	case r.Method == http.MethodPost && r.URL.Path == "/o/self-service/verification":
		o.posted = true
		if r.PostFormValue("csrf_token") != "t" || r.PostFormValue("code") != "583920" ||
			r.PostFormValue("method") != "code" || r.PostForm.Has("email") {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		o.post(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

const (
	orySent = `{"state":"sent_email","ui":{"action":"ACTION",` +
		`"messages":[{"id":1080001,"type":"info","text":"An email has been sent"}],"nodes":[` +
		`{"attributes":{"name":"csrf_token","value":"t"}},` +
		`{"attributes":{"name":"code","value":"583920"}},` +
		`{"attributes":{"name":"email","type":"submit","value":"a@b.example"}}]}}`
	oryPassed = `{"state":"passed_challenge","ui":{"messages":[{"id":1080002,"type":"success",` +
		`"text":"You successfully verified your email address."}]}}`
	oryRefused = `{"state":"%s","ui":{"messages":[{"id":%d,"type":"error","text":"%s"}]}}`
)

func TestKratos(t *testing.T) {
	refused := func(state string, id int, text string) string {
		return fmt.Sprintf(oryRefused, state, id, text)
	}
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, http.StatusOK, body) }
	}
	const code, token = "code=583920&flow=f1", "flow=f1&token=t1"
	for name, tt := range map[string]struct {
		query         string
		before, after string
		post          http.HandlerFunc
		want          Outcome
		steps         int
	}{
		"code": {code, orySent, "", answer(oryPassed), OutcomeConfirmed, 3},
		"code, redirected": {code, orySent, oryPassed,
			redirectTo("https://ui.example/verification?flow=f2"), OutcomeConfirmed, 4},
		"code, done before": {code, oryPassed, "", nil, OutcomeAlready, 2},
		"code, used": {code, refused("choose_method", 4070006, "Code ist falsch"), "", nil,
			OutcomeUsed, 2},
		"code, expired": {code, refused("choose_method", 4070005,
			"The verification flow expired 2 minutes ago."), "", nil, OutcomeExpired, 2},
		"code, wrong": {code, orySent, "", answer(refused("sent_email", 4070006, "x")),
			OutcomeUsed, 3},
		"code, still asked for": {code, orySent, "", answer(orySent), OutcomeUnknown, 3},
		"code, form elsewhere": {code, strings.ReplaceAll(orySent, "ACTION", "https://evil.example/"),
			"", nil, OutcomeUnknown, 2},
		"code, gone": {code, orySent, "", func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, http.StatusGone, `{"error":{"id":"self_service_flow_expired"}}`)
		}, OutcomeExpired, 3},
		"link":          {token, oryPassed, "", nil, OutcomeConfirmed, 2},
		"link, used":    {token, refused("choose_method", 4070001, "x"), "", nil, OutcomeUsed, 2},
		"link, refused": {token, refused("passed_challenge", 4070003, "x"), "", nil, OutcomeRefused, 2},
		"link, unclear": {token, orySent, "", nil, OutcomeUnknown, 2},
	} {
		t.Run(name, func(t *testing.T) {
			o := &ory{before: tt.before, post: tt.post, after: tt.after}
			p, c := serve(t, o.ServeHTTP)
			o.origin = p.URL
			submitted := 0
			r := c.Click(t.Context(), p.URL+"/o/self-service/verification?"+tt.query,
				func() error { submitted++; return nil })
			require.Equal(t, tt.want, r.Outcome, r.Reason)
			require.Len(t, r.Steps, tt.steps)
			require.Equal(t, o.posted, submitted == 1)
		})
	}
}

// The code goes to Kratos only, not to another host of the rule.
func TestKratosFormStaysWhereItIs(t *testing.T) {
	second, _ := serve(t, says("Your email has been verified."))
	o := &ory{before: strings.ReplaceAll(orySent, "ACTION", second.URL)}
	p, c := serve(t, o.ServeHTTP)
	c.Rule.Hosts = append(c.Rule.Hosts, second.Listener.Addr().String())
	link := p.URL + "/o/self-service/verification?code=583920&flow=f1"
	require.Equal(t, OutcomeUnknown, open(t, c, link).Outcome)
	require.Empty(t, second.requests())

	// An address with a user is none that may be asked, and it is of the same origin.
	o.before = strings.ReplaceAll(orySent, "ACTION", strings.Replace(p.URL, "://", "://kim@", 1))
	require.Equal(t, OutcomeUnknown, open(t, c, link).Outcome)
	require.False(t, o.posted)
}

func TestKratosWaitsForTheSubmitHook(t *testing.T) {
	o := &ory{before: orySent}
	p, c := serve(t, o.ServeHTTP)
	o.origin = p.URL
	link := p.URL + "/o/self-service/verification?code=583920&flow=f1"
	r := c.Click(t.Context(), link, func() error { return errors.New("already tried") })
	require.Equal(t, ReasonSubmitRefused, r.Reason)
	require.False(t, o.posted)
}
