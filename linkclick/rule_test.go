package linkclick

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRuleCheck(t *testing.T) {
	require.NoError(t, Rule{}.Check())
	require.NoError(t, Rule{Hosts: []string{"login.acme.example"},
		Wrappers: []string{"email.acme.example"}, Paths: []string{"/a/*/b", "reset:/p", "/c/*?",
			"/?token", "/#/c/*?"},
		Recipe: RecipeForm, API: "https://login.acme.example/auth/v1"}.Check())
	require.NoError(t, Rule{Hosts: []string{"a.example"}, Recipe: RecipeSupabase,
		API: "https://a.example/auth/v1"}.Check())
	require.NoError(t, Rule{Recipe: RecipeZitadel, Token: "t"}.Check())
	require.NoError(t, Rule{Recipe: RecipeFirebase}.Check(), "its API has a usual place")
	for _, r := range []Rule{
		{Hosts: []string{"https://login.acme.example"}}, {Hosts: []string{"login.acme.example/x"}},
		{Hosts: []string{""}},
		{Wrappers: []string{"a b"}}, {Paths: []string{"account"}}, {Paths: []string{"/"}},
		{Paths: []string{"/*"}}, {Paths: []string{"invite:/a"}}, {Paths: []string{"/*?"}},
		{Recipe: "magic"}, {Recipe: "GET"},
		{Recipe: RecipeSupabase}, {Recipe: RecipeSupabase, Token: "t"}, {Recipe: RecipeZitadel},
		{API: "https://evil.example"}, {Hosts: []string{"a.example"}, API: "http://a.example"},
		{Hosts: []string{"a.example"}, API: "https://a.example/?x=y"},
	} {
		require.Error(t, r.Check(), "%+v", r)
	}
}

func TestUnwrap(t *testing.T) {
	for link, want := range map[string]string{
		"c?url=https%3A%2F%2Flogin.acme.example%2Fe%3Ft%3D1&id=7": "https://login.acme.example/e?t=1",

		"c?a=https://login.acme.example/e&b=https://LOGIN.acme.example/e": "https://login.acme.example/e",
		"c?a=https://login.acme.example/e&b=https://login.acme.example/f": "",
		"c?url=https://evil.example/e":                                    "",
		"c?url=https://login.acme.example@evil.example/":                  "",
		"c?url=//login.acme.example/e":                                    "",
		"https://login.acme.example/e":                                    "",
	} {
		u, err := url.Parse("https://t.example/" + link)
		require.NoError(t, err)
		got := ""
		if target := acme.unwrap(u); target != nil {
			got = target.String()
		}
		require.Equal(t, want, got, link)
	}
}

// A click follows a tracking link only to a link that the mail itself could have had. The tracker
// does not decide how the click ends.
func TestTrackingLinks(t *testing.T) {
	idp, c := serve(t, universalLogin(t, says("Your email address was successfully verified.")))
	other, _ := serve(t, says("Your email has been verified."))
	tracker, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch to := r.FormValue("to"); to {
		case "":
			html200(w, `Your email has been verified.<form method="post"><input type="hidden" name="a" `+
				`value="b"></form>`)
		case "again":
			redirectTo("/next?to="+url.QueryEscape(idp.URL+"/u/email-verification?ticket=t"))(w, r)
		case "circle":
			redirectTo(r.URL.String())(w, r)
		default:
			redirectTo(to)(w, r)
		}
	})
	c.Rule.Wrappers = []string{tracker.Listener.Addr().String()}
	for to, want := range map[string]Result{
		idp.URL + "/u/email-verification?ticket=t": {Outcome: OutcomeConfirmed, Reason: ReasonPage},
		"again":                              {Outcome: OutcomeConfirmed, Reason: ReasonPage},
		"":                                   {Outcome: OutcomeUnknown, Reason: ReasonTracking},
		"circle":                             {Outcome: OutcomeUnknown, Reason: ReasonLoop},
		other.URL + "/x":                     {Outcome: OutcomeUnknown, Reason: ReasonLeft},
		"http://[bad":                        {Outcome: OutcomeUnknown, Reason: ReasonBadRedirect},
		`/\` + idp.Listener.Addr().String():  {Outcome: OutcomeUnknown, Reason: ReasonLeft},
		idp.URL + "/u/reset-verify?ticket=t": {Outcome: OutcomeUnknown, Reason: ReasonOtherKind},
		idp.URL + "/account/delete?t=1":      {Outcome: OutcomeUnknown, Reason: ReasonOtherKind},
		idp.URL + "/auth/v1/verify?token=t&type=magiclink": {Outcome: OutcomeNeedsUser,
			Reason: ReasonOtherKind},
	} {
		r := open(t, c, tracker.URL+"/c?to="+url.QueryEscape(to))
		require.Equal(t, want, Result{Outcome: r.Outcome, Reason: r.Reason}, to)
	}
	require.Empty(t, other.requests())
	require.Len(t, idp.requests(), 4, "two verifications")

	// Of the links that no provider writes, a click goes on to those at an allowed path.
	for path, paths := range map[string][]string{
		"/account/confirm?t=Zk3vQ8mW1xT5": nil, "/account/confirm?t=Zk3vQ8mW1xT6": {"/other"},
		"/account/confirm?action=reset_password&t=Zk3vQ8": {"/account/confirm"},
		"/account/reset?t=Zk3vQ8":                         {"/account"},
		"/account/confirm?t=Zk3vQ8":                       {"reset:/account/confirm"},
	} {
		c.Rule.Paths = paths
		require.Equal(t, ReasonOtherKind, open(t, c,
			tracker.URL+"/c?to="+url.QueryEscape(idp.URL+path)).Reason, path)
	}
	require.Len(t, idp.requests(), 4)
	c.Rule.Paths = []string{"/account/confirm"}
	open(t, c, tracker.URL+"/c?to="+url.QueryEscape(idp.URL+"/account/confirm?t=Zk3vQ8"))
	require.Greater(t, len(idp.requests()), 4)

	// Once the identity provider is reached, its redirects do not lead back to the tracker.
	back, c := serve(t, redirectTo(tracker.URL+"/c"))
	c.Rule.Wrappers = []string{tracker.Listener.Addr().String()}
	seen := len(tracker.requests())
	require.Equal(t, ReasonLeft, open(t, c, back.URL+"/x?t=1").Reason)
	require.Len(t, tracker.requests(), seen)
}
