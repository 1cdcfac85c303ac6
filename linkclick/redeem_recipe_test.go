package linkclick

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// api answers one POST of JSON with a status and a body, and notes what came.
type api struct {
	path, query string
	header      http.Header
	body        map[string]string
	status      int
	answer      string
}

func (p *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Accept") != "application/json" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	p.path, p.query, p.header = r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone()
	_ = json.NewDecoder(r.Body).Decode(&p.body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	fmt.Fprint(w, p.answer)
}

// unsigned is a JWT with some claims.
func unsigned(claims string) string {
	return strings.Join([]string{"e30", encode64(claims), "sig"}, ".")
}

// Each API is called as its provider's script calls it, and its answers mean
// what the provider says.
func TestAPIs(t *testing.T) {
	token := unsigned(`{"collectionId":"_pb_users_auth_"}`)
	for _, tt := range []struct {
		name, link string
		rule       func(*Rule, string) // given the origin
		path       string
		body       map[string]string
		answers    map[string]Outcome // by "status body"
	}{
		{"firebase", "/__/auth/action?mode=verifyEmail&oobCode=c%2B1&apiKey=k%261&lang=da",
			func(r *Rule, origin string) { r.API = origin + "/v1" }, "/v1/accounts:update?key=k%261", map[string]string{"oobCode": "c+1"},
			map[string]Outcome{
				`200 {"email":"a@b.example","emailVerified":true}`:                    OutcomeConfirmed,
				`200 {"email":"a@b.example"}`:                                         OutcomeUnknown,
				`200 {"emailVerified":"true"}`:                                        OutcomeUnknown,
				`400 {"error":{"code":400,"message":"EXPIRED_OOB_CODE"}}`:             OutcomeExpired,
				`400 {"error":{"code":400,"message":"INVALID_OOB_CODE : malformed"}}`: OutcomeRefused,
				`400 {"error":{"message":"API key not valid."}}`:                      OutcomeUnknown,
				`400 {"emailVerified":true}`:                                          OutcomeUnknown,
				`503 {}`:                                                              OutcomeUnknown,
			}},
		{"supertokens", "/auth/verify-email?token=t1&tenantId=public", nil, "/auth/user/email/verify", map[string]string{"method": "token", "token": "t1"},
			map[string]Outcome{
				`200 {"status":"OK"}`: OutcomeConfirmed,
				`200 {"status":"EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}`: OutcomeRefused,
				`200 {"status":"GENERAL_ERROR"}`:                          OutcomeUnknown,
				`404 {"status":"OK"}`:                                     OutcomeUnknown,
				`200 not JSON`:                                            OutcomeUnknown,
			}},
		{"supertokens, a tenant of its own", "/auth/verify-email?token=t1&tenantId=a%2Fb", nil, "/auth/a%2Fb/user/email/verify",
			map[string]string{"method": "token", "token": "t1"}, map[string]Outcome{`200 {"status":"OK"}`: OutcomeConfirmed}},
		{"pocketbase", "/pb/_/#/auth/confirm-verification/" + token, nil, "/pb/api/collections/_pb_users_auth_/confirm-verification",
			map[string]string{"token": token}, map[string]Outcome{
				`204 `:                      OutcomeConfirmed,
				`200 {}`:                    OutcomeUnknown,
				`400 {"message":"Failed."}`: OutcomeRefused,
				`500 {}`:                    OutcomeUnknown,
			}},
		{"supabase", "/auth/confirm?token_hash=h1&type=signup&next=/", func(r *Rule, origin string) { r.API = origin + "/auth/v1" }, "/auth/v1/verify",
			map[string]string{"type": "signup", "token_hash": "h1"}, map[string]Outcome{
				`200 {"access_token":"s3cret","user":{}}`:          OutcomeConfirmed,
				`200 {"msg":"ok"}`:                                 OutcomeUnknown,
				`403 {"error_code":"otp_expired","msg":"expired"}`: OutcomeExpired,
				`400 {"error_code":"validation_failed"}`:           OutcomeRefused,
				`429 {}`:                                           OutcomeUnknown,
			}},
		{"zitadel", "/ui/v2/login/verify?code=K7X2PQ&userId=31%2F7", func(r *Rule, _ string) { r.Token = "service" }, "/v2/users/31%2F7/email/verify",
			map[string]string{"verificationCode": "K7X2PQ"}, map[string]Outcome{
				`200 {"details":{"sequence":"2"}}`:           OutcomeConfirmed,
				`400 {"code":3,"message":"Code is expired"}`: OutcomeExpired,
				`400 {"code":3,"message":"Code is wrong"}`:   OutcomeRefused,
				`401 {"code":16}`:                            OutcomeUnknown,
			}},
	} {
		for given, want := range tt.answers {
			t.Run(tt.name+" "+given, func(t *testing.T) {
				status, answer, _ := strings.Cut(given, " ")
				p := &api{answer: answer}
				_, err := fmt.Sscan(status, &p.status)
				require.NoError(t, err)
				s, c := serve(t, p.ServeHTTP)
				if tt.rule != nil {
					tt.rule(&c.Rule, s.URL)
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
					require.Equal(t, "Bearer service", p.header.Get("Authorization"))
				}
			})
		}
	}
}

func TestAPIWaitsForTheSubmitHook(t *testing.T) {
	p, c := serve(t, (&api{status: 200, answer: `{"status":"OK"}`}).ServeHTTP)
	r := c.Click(t.Context(), p.URL+"/auth/verify-email?token=t1", func() error { return errors.New("already tried") })
	require.Equal(t, Result{Outcome: OutcomeUnknown, Reason: ReasonSubmitRefused}, r)
	require.Empty(t, p.requests())
}

// A link that lacks what its API needs, or an API outside the rule, costs no
// request.
func TestRecipesThatCannotStart(t *testing.T) {
	p, c := serve(t, says("Your email has been verified."))
	for link, rule := range map[string]Rule{
		"/_/#/auth/confirm-verification/" + unsigned(`{"id":"r1"}`):                     {},
		"/_/#/auth/confirm-verification/" + unsigned(`{"collectionId":"../../admins"}`): {},
		"/__/auth/action?mode=verifyEmail&oobCode=c1":                                   {},
		"/__/auth/action?mode=verifyEmail&oobCode=c1&apiKey=k":                          {API: "https://evil.example/v1"},
		"/auth/verify-email?token=t1":                                                   {API: "https://evil.example/auth"},
		"/auth/confirm?token_hash=h1&type=signup":                                       {API: "http://169.254.169.254"},
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
		if r.Outcome != OutcomeNeedsUser && !strings.Contains(link, "self-service/verification?code=1&flow") {
			t.Errorf("%s: %v", link, r)
		}
		require.NotEqual(t, OutcomeConfirmed, r.Outcome, link)
	}
	for _, r := range p.requests() {
		require.Equal(t, "GET /self-service/verification", r)
	}
}

// Google's host needs no entry in the rule, but nothing else may be behind it.
func TestFirebaseAtGoogle(t *testing.T) {
	c := &Clicker{Rule: Rule{Hosts: []string{"login.acme.example"}}}
	k := &click{Clicker: c, jars: jars{}}
	link, err := url.Parse("https://login.acme.example/__/auth/action?mode=verifyEmail&oobCode=c1&apiKey=k1&tenantId=t1")
	require.NoError(t, err)
	first := k.begin(link)
	require.Equal(t, "https://identitytoolkit.googleapis.com/v1/accounts:update?key=k1", first.to.String())
	require.JSONEq(t, `{"oobCode":"c1","tenantId":"t1"}`, string(first.json))
}

// Links that only the person may open are not opened, whoever asks.
func TestLinksThatAreNeverOpened(t *testing.T) {
	p, c := serve(t, says("Your email has been verified."))
	for _, s := range allShapes() {
		if s.kind != KindLogin && s.kind != KindInvite && s.kind != KindChange {
			continue
		}
		link := strings.Replace(exampleLink(s), "https://login.acme.example", p.URL, 1)
		require.Equal(t, Result{Outcome: OutcomeNeedsUser, Reason: ReasonOtherKind}, open(t, c, link), link)
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

// A forced recipe is for verifications: a reset is opened as its shape says.
func TestForcedRecipeAndReset(t *testing.T) {
	p, c := serve(t, says("Your password has been changed."))
	c.Rule.Recipe = RecipeSuperTokens
	require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/lo/reset?ticket=t").Outcome)
	require.Equal(t, []string{"GET /lo/reset"}, p.requests())
}

// The ends of providers that redirect: what the parameters, the place and the
// cookies of the redirect say, by their names.
func TestRedirectingProviders(t *testing.T) {
	for _, tt := range []struct {
		link, location, cookie string
		want                   Outcome
	}{
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome", "/home", "better-auth.session_token", OutcomeConfirmed},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=https%3A%2F%2Fapp.example%2Fhome", "https://app.example/home/", "", OutcomeConfirmed},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome", "/home?error=TOKEN_EXPIRED", "", OutcomeExpired},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome", "/home?error=invalid_token", "", OutcomeRefused},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2Fhome", "https://wall.example/login", "", OutcomeUnknown},
		{"/auth/confirm?token_hash=h1&type=signup", "https://app.example/", "sb-abc-auth-token", OutcomeConfirmed},
		{"/auth/confirm?token_hash=h1&type=signup", "https://app.example/", "sb-abc-auth-token.0", OutcomeConfirmed},
		{"/auth/confirm?token_hash=h1&type=signup", "https://app.example/", "sb-abc-auth-token-code-verifier", OutcomeUnknown},
		{"/auth/confirm?token_hash=h1&type=signup", "https://app.example/", "session", OutcomeUnknown},
		{"/auth/v1/verify?token=t1&type=signup", "https://app.example/?code=x", "", OutcomeConfirmed},
		{"/auth/v1/verify?token=t1&type=signup", "https://app.example/#error=access_denied&error_code=403", "", OutcomeRefused},
		{"/v1/verify?ticket=verifyEmail:1&type=emailVerify", "https://app.example/?refreshToken=x&type=emailVerify", "", OutcomeConfirmed},
		{"/v1/verify?ticket=verifyEmail:1&type=emailVerify", "https://app.example/?error=invalid-ticket&errorDescription=Invalid+or+expired+ticket", "", OutcomeExpired},
		{"/v1/verify?_clerk_js_version=5&token=a", "https://app.example/?__clerk_status=client_mismatch", "", OutcomeNeedsUser},
		{"/x?t=1", "https://app.example/?access_token=x&refresh_token=y", "sb-abc-auth-token", OutcomeUnknown},
	} {
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
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2F", 401, `{"code":"TOKEN_EXPIRED","message":"Token expired"}`, OutcomeExpired},
		{"/api/auth/verify-email?token=a.b.c&callbackURL=%2F", 401, `{"status":true}`, OutcomeUnknown},
		{"/x?t=1", 200, `{"status":true}`, OutcomeUnknown},
		{"/x?t=1", 200, `{"email_verified":true}`, OutcomeConfirmed},
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

func FuzzFields(f *testing.F) {
	f.Add(`{"message":"Your email has been verified.","ui":{"messages":[{"type":"error","id":4070006}]},"emailVerified":true}`)
	f.Fuzz(func(t *testing.T, body string) {
		a := answer{status: 500, body: body, isJSON: true, whole: true}
		fields := readFields(a)
		if fields.confirms(&betterauth) || judgeWords(fields.words(), false) == OutcomeConfirmed {
			t.Fatal("success on an error")
		}
		_ = fields.text("ui", "action")
	})
}
