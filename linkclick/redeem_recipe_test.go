package linkclick

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// api responds to one POST of JSON with a status and a body, and notes what came.
type api struct {
	path, query string
	header      http.Header
	body        map[string]string
	status      int
	response    string
}

func (p *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("Accept") != "application/json" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	p.path, p.query, p.header = r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone()
	_ = json.NewDecoder(r.Body).Decode(&p.body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	fmt.Fprint(w, p.response)
}

func sendJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// unsigned is a JWT with some claims.
func unsigned(claims string) string {
	return strings.Join([]string{"e30", encode64(claims), "sig"}, ".")
}

// apiCase is a link whose recipe is one call of an API.
type apiCase struct {
	link      string             // without its origin
	rule      func(*Rule)        // changes the rule; Rule.API is then a path of the origin
	path      string             // of the call, with its query
	body      map[string]string  // of the call
	responses map[string]Outcome // by "STATUS BODY"
}

// The API is called as the provider's script calls it, and its responses mean what the provider
// says.
func (tt apiCase) run(t *testing.T) {
	for given, want := range tt.responses {
		t.Run(given, func(t *testing.T) {
			status, response, _ := strings.Cut(given, " ")
			p := &api{response: response}
			_, err := fmt.Sscan(status, &p.status)
			require.NoError(t, err)
			s, c := serve(t, p.ServeHTTP)
			if tt.rule != nil {
				tt.rule(&c.Rule)
			}
			if c.Rule.API != "" {
				c.Rule.API = s.URL + c.Rule.API
			}
			submitted := 0
			r := c.Click(t.Context(), s.URL+tt.link, func() error { submitted++; return nil })
			require.Equal(t, want, r.Outcome, r.Reason)
			require.Equal(t, 1, submitted)
			require.Len(t, r.Steps, 1)
			require.Equal(t, tt.path, strings.TrimSuffix(p.path+"?"+p.query, "?"))
			require.Equal(t, tt.body, p.body)
			require.Empty(t, p.header.Get("Referer"))
			require.Equal(t, s.URL, p.header.Get("Origin"))
			require.NotContains(t, fmt.Sprint(r), "s3cret")
			if c.Rule.Token != "" {
				require.Equal(t, "Bearer "+c.Rule.Token, p.header.Get("Authorization"))
			}
		})
	}
}

func TestAPIWaitsForTheSubmitHook(t *testing.T) {
	p, c := serve(t, (&api{status: 200, response: `{"status":"OK"}`}).ServeHTTP)
	r := c.Click(t.Context(), p.URL+"/auth/verify-email?token=t1&tenantId=public",
		func() error { return errors.New("already tried") })
	require.Equal(t, Result{Outcome: OutcomeUnknown, Reason: ReasonSubmitRefused,
		GoOn: p.URL + "/auth/verify-email?token=t1&tenantId=public"}, r)
	require.Empty(t, p.requests())
}

// An API that answers otherwise than it should has said nothing.
func TestAPISaysNothing(t *testing.T) {
	for status, reason := range map[int]string{
		302: ReasonBadRedirect, 204: ReasonNothingClear, 500: ReasonServerError, 503: ReasonServerError,
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/login")
			w.WriteHeader(status)
		})
		r := open(t, c, p.URL+"/auth/verify-email?token=t1&tenantId=public")
		require.Equal(t, OutcomeUnknown, r.Outcome, status)
		require.Equal(t, reason, r.Reason, status)
		require.Len(t, p.requests(), 1, status)
	}
}

// An API on another host hears the origin of the link, as it does from the provider's page.
func TestOriginAtAnAPIElsewhere(t *testing.T) {
	elsewhere := &api{status: 200, response: `{"status":"OK"}`}
	other, _ := serve(t, elsewhere.ServeHTTP)
	p, c := serve(t, says("x"))
	c.Rule.Hosts = append(c.Rule.Hosts, other.Listener.Addr().String())
	c.Rule.API = other.URL + "/auth"
	c.UserAgent = "Bridge/1"
	r := open(t, c, p.URL+"/auth/verify-email?token=t1&tenantId=public")
	require.Equal(t, OutcomeConfirmed, r.Outcome, r.Reason)
	require.Equal(t, p.URL, elsewhere.header.Get("Origin"))
	require.Equal(t, "Bridge/1", elsewhere.header.Get("User-Agent"))
	require.Empty(t, p.requests())
}

// A link that lacks what its API needs, or an API outside the rule, costs no request.
func TestRecipesThatCannotStart(t *testing.T) {
	p, c := serve(t, says("Your email has been verified."))
	for link, rule := range map[string]Rule{
		"/_/#/auth/confirm-verification/" + unsigned(`{"id":"r1"}`):                     {},
		"/_/#/auth/confirm-verification/" + unsigned(`{"collectionId":"../../admins"}`): {},

		"/__/auth/action?mode=verifyEmail&oobCode=c1":          {},
		"/__/auth/action?mode=verifyEmail&oobCode=c1&apiKey=k": {API: "https://evil.example/v1"},

		"/auth/verify-email?token=t1&tenantId=public": {API: "https://evil.example/auth"},
		"/auth/confirm?token_hash=h1&type=signup":     {API: "http://169.254.169.254"},
		"/x?t=1": {Recipe: RecipeFirebase},
		"/x?t=2": {Recipe: RecipeSupabase, API: p.URL},
		"/ui/v2/login/verify?code=K7X2PQ&userId=1": {Recipe: RecipeZitadel},
		"/self-service/verification?code=1&flow=f": {API: "https://evil.example"},
		"/y/verification?code=1&flow=f":            {Recipe: RecipeKratos},
		"/self-service/verification?code=1":        {Recipe: RecipeKratos},
		"/if/flow/a/b/?flow_token=t1":              {Recipe: RecipeAuthentik},
		"/if/flow/default/?x=t1":                   {Recipe: RecipeAuthentik},
	} {
		rule.Hosts, rule.UnsafeAllow = c.Rule.Hosts, c.Rule.UnsafeAllow
		c := &Clicker{Rule: rule, testOnly: c.testOnly}
		r := open(t, c, p.URL+link)
		opened := strings.Contains(link, "self-service/verification?code=1&flow")
		if r.Outcome != OutcomeNeedsUser && !opened {
			t.Errorf("%s: %v", link, r)
		}
		require.NotEqual(t, OutcomeConfirmed, r.Outcome, link)
	}
	for _, r := range p.requests() {
		require.Equal(t, "GET /self-service/verification", r)
	}
}

// Links that only the person may open are not opened.
func TestLinksThatAreNeverOpened(t *testing.T) {
	p, c := serve(t, says("Your email has been verified."))
	for _, s := range allShapes() {
		if s.kind != KindLogin && s.kind != KindInvite && s.kind != KindChange {
			continue
		}
		link := strings.Replace(exampleLink(s), "https://login.acme.example", p.URL, 1)
		require.Equal(t, Result{Outcome: OutcomeNeedsUser, Reason: ReasonOtherKind}, open(t, c, link),
			link)
	}
	require.Empty(t, p.requests())
}

// A rule may force a recipe; get then does not submit a form.
func TestForcedRecipe(t *testing.T) {
	p, c := serve(t, universalForm)
	c.Rule.Recipe = RecipeGet
	require.Equal(t, OutcomeNeedsUser, open(t, c, p.URL+"/u/email-verification?ticket=t").Outcome)
	require.Equal(t, []string{"GET /u/email-verification"}, p.requests())

	p, c = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("step") == "2" {
			html200(w, "Your email has been verified.")
			return
		}
		html200(w, `<a href="/x?t=1&amp;step=2">Continue</a>`)
	})
	require.Equal(t, OutcomeUnknown, open(t, c, p.URL+"/x?t=1").Outcome)
	c.Rule.Recipe = RecipeProceed
	require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/x?t=1").Outcome)
}

// A page that works by its script is opened by no recipe that goes by pages, though a rule forces
// one. A recipe that speaks an API may be forced.
func TestForcedRecipeAndScript(t *testing.T) {
	p, c := serve(t, says("Your email has been verified."))
	c.Rule.Token = "service"
	for _, link := range []string{
		"/u/activate-account/7c1e5a90b3d24f68a1c9e07d52b84f36",
		"/account/verify-email/MQ:1vXyZ0:Zk3vQ8", "/do_verify_email?token=a1&email=b",
		"/#/verify-email/7c1e5a90b3d24f68a1c9e07d52b84f36",
	} {
		for _, forced := range []string{RecipeGet, RecipeForm, RecipeProceed} {
			c.Rule.Recipe = forced
			r := open(t, c, p.URL+link)
			require.Equal(t, OutcomeNeedsUser, r.Outcome, "%s, %s", link, forced)
			require.Equal(t, ReasonWantsBrowser, r.Reason, "%s, %s", link, forced)
			u, why := c.Rule.judge(p.URL + link)
			require.Empty(t, why)
			require.Equal(t, RecipeScript, c.Rule.recipe(shapeOf(u)))
		}
	}
	require.Empty(t, p.requests())
	scripted := shape{kind: KindVerify, recipe: RecipeScript}
	require.Equal(t, RecipeSupabase, Rule{Recipe: RecipeSupabase}.recipe(scripted))
	for _, tt := range []struct {
		rule Rule
		want string
	}{{Rule{Token: "service"}, RecipeGet}, {Rule{API: p.URL}, RecipeSupabase}} {
		require.Equal(t, tt.want, tt.rule.recipe(shape{kind: KindVerify, recipe: RecipeSupabase}))
	}
	withAPI := Rule{API: p.URL}
	require.Equal(t, RecipeScript, withAPI.recipe(shape{kind: KindVerify, recipe: RecipeZitadel}))
	withToken := Rule{Recipe: RecipeGet, Token: "service"}
	require.Equal(t, RecipeZitadel, withToken.recipe(shape{kind: KindVerify, recipe: RecipeZitadel}))
}

// A forced recipe is for verifications: a reset is opened as its shape says.
func TestForcedRecipeAndReset(t *testing.T) {
	p, c := serve(t, says("Your password has been changed."))
	c.Rule.Recipe, c.Kind = RecipeSuperTokens, KindReset
	require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/lo/reset?ticket=t").Outcome)
	require.Equal(t, []string{"GET /lo/reset"}, p.requests())
}

// redirectCase is a link that is answered by a redirect and the cookie that comes with it.
type redirectCase struct {
	link, location, cookie string
	want                   Outcome
}

// The parameters, the place and the cookies of the redirect tell the end, by their names.
func (tt redirectCase) run(t *testing.T) {
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tt.cookie != "" {
			http.SetCookie(w, &http.Cookie{Name: tt.cookie, Value: "s3cret"})
		}
		redirectTo(tt.location)(w, r)
	})
	r := open(t, c, p.URL+tt.link)
	require.Equal(t, tt.want, r.Outcome, "%s to %s", tt.link, tt.location)
	require.Len(t, p.requests(), 1)
}

// What proves success for one provider proves nothing on a link of unknown shape.
func TestRedirectOfUnknownShape(t *testing.T) {
	const location = "https://app.example/?access_token=x&refresh_token=y"
	redirectCase{"/x?t=1", location, "sb-abc-auth-token", OutcomeUnknown}.run(t)
}

// JSON in place of a page.
func TestJSONPages(t *testing.T) {
	for _, tt := range []struct {
		link   string
		status int
		body   string
		want   Outcome
	}{
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2F", 200, `{"status":true}`, OutcomeConfirmed},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2F", 401,
			`{"code":"TOKEN_EXPIRED","message":"Token expired"}`, OutcomeExpired},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2F", 401, `{"status":true}`, OutcomeUnknown},
		{"/x?t=1", 200, `{"status":true}`, OutcomeUnknown},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2F", 200, `{"status":false}`, OutcomeUnknown},
		{"/x?t=1", 200, `{"email_verified":true}`, OutcomeConfirmed},
		{"/x?t=1", 200, `{"emailVerified":true}`, OutcomeConfirmed},
		{"/x?t=1", 200, `{"emailVerified":true,"message":"An administrator must approve your account."}`,
			OutcomeUnapproved},
		{"/x?t=1", 200, `{"emailVerified":true,"message":"Your account is approved."}`, OutcomeConfirmed},
		{"/x?t=1", 200, `{"emailVerified":false,"message":"Your account awaits approval."}`,
			OutcomeUnknown},
		{"/x?t=1", 200, `{"error":{"message":"Link expired"}}`, OutcomeExpired},
		{"/x?t=1", 200, `{"hint":"Your email has been verified."}`, OutcomeUnknown},
		{"/x?t=1", 200, `{"data":[{"message":"Your email has been verified."}]}`, OutcomeConfirmed},
		{"/x?t=1", 400, `{"message":"Your email has been verified."}`, OutcomeRefused},
	} {
		p, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		})
		require.Equal(t, tt.want, open(t, c, p.URL+tt.link).Outcome, tt.body)
	}
}

// Members are read in the order of the response, so that one may deny what the one before it names.
// Go's maps have another order each time.
func TestWordsOfJSONHaveAnOrder(t *testing.T) {
	const body = `{"title":"Email verified","data":[{"text":"no"},"x"],"n":{"code":"a_b"},"error":"c"}`
	for range 100 {
		f := readFields(response{status: 200, isJSON: true, whole: true, body: body})
		require.Equal(t, "Email verified\nno\na b\nc", f.words())
		require.Equal(t, OutcomeUnknown, judgeWords(f.words(), true))
	}
}

func FuzzFields(f *testing.F) {
	f.Add(`{"message":"Your email has been ` +
		`verified.","ui":{"messages":[{"type":"error","id":4070006}]},"emailVerified":true}`)
	f.Fuzz(func(t *testing.T, body string) {
		a := response{status: 500, body: body, isJSON: true, whole: true}
		fields := readFields(a)
		if fields.confirms(&betterauth) || judgeWords(fields.words(), false) == OutcomeConfirmed {
			t.Fatal("success on an error")
		}
		_ = fields.text("ui", "action")
	})
}
