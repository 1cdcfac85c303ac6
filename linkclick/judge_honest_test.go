package linkclick

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// The attacks in this file try to have something told as done that is not.

// notSuccess wants a click that does not count as a success.
func notSuccess(t *testing.T, r Result, what string) {
	t.Helper()
	require.False(t, succeeds(r.Outcome), "%s: %s, %s", what, r.Outcome, r.Reason)
}

// A redirect that an attacker can shape tells of no success. It may come from another place of the
// host, from a link of another provider, from a parameter of the link, or after another redirect.
func TestShapedRedirectsProveNothing(t *testing.T) {
	const (
		evil    = "https://evil.example/?success=true&message="
		said    = "Your+email+was+verified"
		ticket  = "/lo/verify_email?ticket=t"
		gotrue  = "/auth/v1/verify?token=t1&type=signup"
		session = "https://evil.example/#access_token=a&refresh_token=b"
	)
	hidden := func(to string) string {
		return "&k=" + base64.RawURLEncoding.EncodeToString(
			[]byte(to))
	}
	named := func(name, to string) string { return "&" + name + "=" + url.QueryEscape(to) }
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hop" {
			redirectTo(evil+said)(w, r)
			return
		}
		if r.URL.Path == "/there" {
			http.SetCookie(w, &http.Cookie{Name: "there", Value: "1", Path: "/"})
			redirectTo(ticket+hidden("/there"))(w, r)
			return
		}
		if _, err := r.Cookie("there"); err == nil {
			redirectTo("https://app.example/?success=true&message="+said)(w, r)
			return
		}
		to, _ := base64.RawURLEncoding.DecodeString(r.FormValue("k"))
		for _, name := range []string{"redirect_to", "redirectTo", "returnTo", "next"} {
			if r.Form.Has(name) && len(to) == 0 {
				to = []byte(r.FormValue(name))
			}
		}
		redirectTo(string(to))(w, r)
	})
	for _, link := range []string{
		// An open redirect at the provider, which is no ticket.
		"/authorize?client_id=c" + hidden(evil+said),
		"/x?t=1" + hidden(evil+"verified"),
		"/x?t=1" + hidden(p.URL+"/?success=true&message="+said),
		// A ticket of a provider that does not speak so.
		gotrue + hidden(evil+said),
		gotrue + hidden("https://evil.example/?__clerk_status=verified"),
		"/verify?ticket=1&type=emailVerify" + hidden(session),
		ticket + hidden(session),
		// A ticket that is told where to lead, and what to say there.
		ticket + named("returnTo", evil+said),
		ticket + named("returnTo", "https%3A%2F%2Fevil.example%2F") + hidden(evil+said),
		ticket + named("next", "/?success=true&message="+said),
		// A foreign host without the sentence of the provider.
		ticket + hidden(evil+"verified"),
		ticket + hidden("https://evil.example/?success=true"),
		ticket + hidden("https://evil.example/?success=true&code=success"),
		// A host other than the one that the link names for it.
		gotrue + named("redirect_to", "https://app.example/") + hidden(session),
		// A parameter that the link brings along.
		gotrue + named("redirect_to", "https://app.example/?code=x"),
		"/verify?ticket=1&type=emailVerify" + named("redirectTo", "https://app.example/?refreshToken=x"),
		// The same in a value that is escaped more than once, or that ends in a broken escape.
		gotrue + named("redirect_to", "https://app.example/") + named("x", "https%3A%2F%2Fa%3Fcode%3Dx") +
			hidden("https://app.example/?code=x"),
		gotrue + named("redirect_to", "https://app.example/") + named("x", "code=x%zz") +
			hidden("https://app.example/?code=x"),
		// A place that cannot be read.
		gotrue + named("redirect_to", "http://[bad") + hidden(session),
		// Another place of the host first.
		ticket + hidden("/hop"),
		ticket + hidden("/there"),
		gotrue + hidden("/hop"),
	} {
		notSuccess(t, open(t, c, p.URL+link), link)
	}
	proven := gotrue + named("redirect_to", "https://app.example/") + named("x", "y%3Dz")
	for _, link := range []string{
		proven + hidden("https://app.example/?code=x"), proven + hidden(p.URL+"/?code=x"),
		gotrue + hidden("acme:/?code=x"), // an app on the person's phone
		ticket + hidden(p.URL+"/?success=true"),
	} {
		require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+link).Outcome, link)
	}
}

// What a reader does not see says nothing.
//
//test:unwatched
func TestHiddenWordsSayNothing(t *testing.T) {
	const words = "Your email has been verified."
	style := func(style string) string { return `<p style="` + style + `">` + words + `</p>` }
	hidden := []string{
		style("display:none"), style("DISPLAY : None !important"), style("visibility:hidden"),
		style("visibility: collapse"), style("opacity:0"), style("opacity: 0.0"), style("opacity:.01"),
		style("opacity:0.05"), style("left:-500px"), style("top:-99em"),
		style("font-size:0"), style("color:red;font-size: 0px"), style("font-size:1px"),
		style("position:absolute;left:-9999px"), style("position:fixed; top: -999em"),
		style("text-indent:-9999px"), style("margin-left:-2000px"), style("transform:scale(0)"),
		style("clip:rect(0,0,0,0)"), style("clip-path: inset(50%)"), style("color:transparent"),
		style("height:0;overflow:hidden"), style("max-height:1px; overflow: hidden"),
		style("content-visibility:hidden"), style("font-size:1pt"), style("height:0;overflow:clip"),
		`<p hidden>` + words + `</p>`, `<p aria-hidden="TRUE">` + words + `</p>`,
		`<div inert><p>` + words + `</p></div>`, `<dialog>` + words + `</dialog>`,
		`<p class="alert d-none">` + words + `</p>`, `<p class="sr-only">` + words + `</p>`,
		`<style>p{color:red} .done, b{color:red;visibility:hidden}</style><p class="x done">` + words,
		`<style>@media all{#done{display:none}}</style><div id="done"><p>` + words + `</p></div>`,
		`<div style="display:none"><div style="display:block">` + words + `</div></div>`,
		`<svg><text>` + words + `</text></svg>`, `<datalist><option>` + words + `</datalist>`,
		`<iframe>` + words + `</iframe>`, `<object>` + words + `</object>`,
		`<canvas>` + words + `</canvas>`, `<audio>` + words + `</audio>`,
		`<video>` + words + `</video>`, `<style>` + words + `</style>`,
		`<title>` + words + `</title>`, `<noembed>` + words + `</noembed>`,
		`<noframes>` + words + `</noframes>`,
	}
	for _, body := range hidden {
		p, c := serve(t, says(body))
		require.Equal(t, OutcomeUnknown, open(t, c, p.URL+"/lo/verify_email?ticket=t").Outcome, body)
	}
	p, c := serve(t, says(`<div hidden><p id="kc-info-message">OK</p></div><p hidden>`+
		`<a href="?key=2">Proceed</a></p>`))
	const link = "/realms/r/login-actions/action-token?key=1"
	notSuccess(t, open(t, c, p.URL+link), "a hidden mark")
	require.Len(t, p.requests(), 1, "a hidden anchor is not followed")
	p, c = serve(t, says(`<p hidden id="kc-error-message">?</p>`))
	require.Equal(t, OutcomeUnknown, open(t, c, p.URL+link).Outcome, "a hidden mark of a failure")

	for _, body := range []string{
		style("opacity:1; font-size:10px; left:-1px"), style("font-size:1em"), style("height:0"),
		style("transform:scale(0.98)"), style("margin-left:-20px"), style("font-size:0.9rem"),
		style("opacity:0.06"), style("left:-499px"), style("top:-98em"),
		`<pre>.c{display:none}</pre><p class="c">` + words + `</p>`,
		`<style>.a .b{display:none} .c{color:red}</style><p class="b c">` + words + `</p>`,
		`<dialog open>` + words + `</dialog>`, `<p aria-hidden="false">` + words + `</p>`,
		`<p class="not-hidden">` + words + `</p>`,
	} {
		p, c := serve(t, says(body))
		require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/lo/verify_email?ticket=t").Outcome, body)
	}
}

// A form of hidden fields that leads elsewhere is not submitted. For a link of unknown shape none
// is, whatever recipe the rule asks for.
//
//test:unwatched
func TestFormsThatAreNotExpected(t *testing.T) {
	form := func(action string) string {
		return `<form method="post" action="` + action + `"><input type="hidden" name="a" value="b">` +
			`<button>Continue</button></form>`
	}
	const signed = "/MQ:1vXyZ0:Zk3vQ8"
	for link, body := range map[string]string{
		"/x?t=1":                                       form("/hit/delete"),
		"/x?t=2":                                       form(""),
		"/x?t=3":                                       form("/x?t=3"),
		"/u/email-verification?ticket=t":               form("/hit/delete"),
		"/u/email-verification?ticket=u":               form("/"),
		"/u/email-verification?ticket=v":               form("/u"),
		"/lo/verify_email?ticket=t":                    form(""),
		"/email/verify/a1b2c3d4e5f6":                   form("/"),
		"/email/verify/a1b2c3d4e5f7":                   form("/account/delete"),
		"/accounts/confirm-email" + signed + "/":       form("/accounts/delete/"),
		"/users/confirm-email" + signed:                form("/users/"),
		"/u/email-verification?ticket=w":               form("http://[bad"),
		"/auth/v1/verify?type=signup&token=1":          form(""),
		"/realms/r/login-actions/action-token?key=1":   form(""),
		"/verify-email?token=1&callbackURL=%2Faccount": form("/account/delete"),
	} {
		for _, recipe := range []string{"", RecipeForm, RecipeProceed, RecipeGet} {
			if recipe == RecipeForm && body == form("") && link[1] != 'x' {
				continue // the operator says that this link of a known shape has a form
			}
			p, c := serve(t, says(body))
			c.Rule.Recipe = recipe
			r := c.Click(t.Context(), p.URL+link, func() error {
				t.Errorf("%s: a form was about to be submitted", link)
				return nil
			})
			require.Equal(t, OutcomeNeedsUser, r.Outcome, link)
			require.Len(t, p.requests(), 1, link)
		}
	}
	// FusionAuth's form leads to the link without its secret.
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			html200(w, "Your email has been verified.")
			return
		}
		html200(w, form("/email/verify"))
	})
	require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/email/verify/a1b2c3d4e5f6").Outcome)
}

// One reset link by itself activates a password. It is the only one that a click opens.
func TestResetLinkThatIsOpened(t *testing.T) {
	for _, s := range allShapes() {
		activates := s.provider == &auth0 && s.path == "/lo/reset"
		require.Equal(t, activates, s.activatesPassword(), "%s %s", s.provider.name, s.path)
	}
}

// A link that needs the person is not opened, whatever the rule and the mail say.
func TestLinksThatNeedThePersonAreNotOpened(t *testing.T) {
	p, c := serve(t, says("Your email has been verified. Your password has been changed."))
	for _, s := range allShapes() {
		link := p.URL + exampleLink(s)[len("https://login.acme.example"):]
		u, err := url.Parse(link)
		require.NoError(t, err)
		s := shapeOf(u)
		for _, r := range known().recipes {
			for _, kind := range []Kind{"", KindVerify, KindReset} {
				scripted := s.recipe == RecipeScript || s.recipe == RecipeZitadel
				opens := s.recipe != RecipeUser && (!scripted || r.redeemer != nil) &&
					(s.kind == KindVerify || s.kind == "")
				if kind == KindReset {
					opens = s.activatesPassword()
				}
				if opens {
					continue
				}
				c.Kind, c.Rule.Recipe = kind, r.name
				require.Equal(t, OutcomeNeedsUser, open(t, c, link).Outcome, "%s, %s", link, r.name)
			}
		}
	}
	c.Kind = ""
	for _, recipe := range []string{RecipeUser, RecipeScript} { // the operator says so
		c.Rule.Recipe = recipe
		require.Equal(t, OutcomeNeedsUser, open(t, c, p.URL+"/x?t=1").Outcome, recipe)
	}
	c.Rule.Recipe = "" // ZITADEL's page is a script, and without a token there is no API
	link := p.URL + "/ui/v2/login/verify?code=K7X2PQ&userId=1"
	require.Equal(t, OutcomeNeedsUser, open(t, c, link).Outcome)
	require.Empty(t, p.requests())
}

// NeedsPerson says before a click what the click would say without a request.
func TestNeedsPerson(t *testing.T) {
	rule := acme
	for _, s := range allShapes() {
		link := exampleLink(s)
		u, err := url.Parse(link)
		require.NoError(t, err)
		s := shapeOf(u)
		for kind, needs := range map[Kind]bool{
			KindVerify: s.recipe == RecipeUser || s.recipe == RecipeZitadel || s.recipe == RecipeScript,
			KindReset:  !s.activatesPassword(),
			KindLogin:  true,
		} {
			require.Equal(t, needs, rule.NeedsPerson(Finding{Kind: kind, URL: link}), "%s %s", kind, link)
		}
	}
	rule.Token = "service"
	const zitadel = "https://login.acme.example/ui/v2/login/verify?code=K7X2PQ&userId=1"
	require.False(t, rule.NeedsPerson(Finding{Kind: KindVerify, URL: zitadel}))
	const unknown = "https://login.acme.example/x?t=1"
	require.False(t, rule.NeedsPerson(Finding{Kind: KindVerify, URL: unknown}))
	require.False(t, rule.NeedsPerson(Finding{Kind: KindReset, URL: unknown}))
	require.False(t, rule.NeedsPerson(Finding{Kind: KindReset}))
	rule.Recipe, rule.Wrappers = RecipeUser, []string{"track.acme.example"}
	require.True(t, rule.NeedsPerson(Finding{Kind: KindVerify, URL: unknown}))
	const tracked = "https://track.acme.example/x?t=1" // only the click knows what is behind it
	require.False(t, rule.NeedsPerson(Finding{Kind: KindVerify, URL: tracked}))
	// A recipe of the operator's opens no link that needs the person.
	verify := shape{kind: KindVerify, recipe: RecipeUser}
	require.Equal(t, RecipeUser, Rule{Recipe: RecipeGet}.recipe(verify))
}

// A page of another host, a page that repeats its address, an error page and a page that denies it
// tell of no success.
func TestPagesThatProveNothing(t *testing.T) {
	const words = "Your email has been verified."
	other, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/json":
			sendJSON(w, http.StatusOK, `{"email_verified":true}`)
		case "/expired":
			html200(w, "This link has expired.")
		default:
			html200(w, words)
		}
	})
	p, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away", "/lo/verify_email":
			redirectTo(other.URL+"/welcome")(w, r)
		case "/away/json", "/away/expired":
			redirectTo(other.URL+r.URL.Path[len("/away"):])(w, r)
		case "/keeps":
			http.SetCookie(w, &http.Cookie{Name: "m", Value: url.QueryEscape(r.FormValue("m"))})
			redirectTo("/kept")(w, r)
		case "/kept":
			m, err := r.Cookie("m")
			require.NoError(t, err)
			said, err := url.QueryUnescape(m.Value)
			require.NoError(t, err)
			html200(w, said)
		case "/not-yet":
			html200(w, "O seu e-mail ainda não foi verificado.")
		case "/shown":
			html200(w, r.FormValue("m"))
		case "/led":
			redirectTo("/shown?m=Your+email+has+been+verified.")(w, r)
		case "/json":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte(`{"message":"` + r.FormValue("m") + `"}`))
		case "/gone", "/users/confirmation":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("Your email is already verified."))
		default:
			html200(w, words)
		}
	})
	c.Rule.Hosts = append(c.Rule.Hosts, other.Listener.Addr().String())
	for _, link := range []string{
		"/away?t=1", "/lo/verify_email?ticket=t", "/led?t=1", "/gone?t=1", "/not-yet?t=1",
		"/away/json?t=1", "/keeps?t=1&m=" + url.QueryEscape(words),
		"/shown?t=1&m=" + url.QueryEscape(words), "/json?t=1&m=" + url.QueryEscape(words),
		"/plain/" + url.PathEscape(words) + "?t=1", "/plain?t=1#m=" + url.QueryEscape(words),
	} {
		notSuccess(t, open(t, c, p.URL+link), link)
	}
	require.Equal(t, OutcomeConfirmed, open(t, c, p.URL+"/plain?t=1&email=acme+45@x").Outcome,
		"its own page")
	require.Equal(t, OutcomeExpired, open(t, c, p.URL+"/away/expired?t=1").Outcome,
		"a failure may be told by another host")
	require.Equal(t, OutcomeAlready,
		open(t, c, p.URL+"/users/confirmation?confirmation_token=a1b2c3d4e5").Outcome,
		"a known provider tells with an error that it was done before")
}

// Nothing that proves an address proves a new password: not the words, not a session, not the
// place that a redirect leads to, and not success=true without the sentence.
func TestResetIsConfirmedByItsOwnWordsOnly(t *testing.T) {
	const link = "/lo/reset?ticket=t"
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want Outcome
	}{
		"old style": {redirectTo("https://app.example/?success=true&message=" +
			"You+can+now+login+to+the+application+with+the+new+password."), OutcomeConfirmed},
		"old style, page": {says("You can now login to the application with the new password."),
			OutcomeConfirmed},
		"changed":           {says("Your password has been changed."), OutcomeConfirmed},
		"about the address": {says("Your email has been verified."), OutcomeUnknown},
		"verified before":   {says("Your email is already verified."), OutcomeUnknown},
		"no sentence":       {redirectTo("https://app.example/?success=true"), OutcomeUnknown},
		"the other's sentence": {redirectTo("/?success=true&message=Your+email+was+verified"),
			OutcomeUnknown},
		"no error": {redirectTo("https://app.example/"), OutcomeUnknown},
		"a form": {says(`<p>Change your password</p><form method="post">` +
			`<input type="password" name="p"></form>`), OutcomeNeedsUser},
		"an API": {func(w http.ResponseWriter, _ *http.Request) {
			sendJSON(w, http.StatusOK, `{"email_verified":true}`)
		}, OutcomeUnknown},
		"expired": {says("This link has expired."), OutcomeExpired},
		"used": {redirectTo("https://app.example/?success=false&message=" +
			"This+URL+can+be+used+only+once"), OutcomeUsed},
	} {
		p, c := serve(t, tt.h)
		c.Kind = KindReset
		require.Equal(t, tt.want, open(t, c, p.URL+link).Outcome, name)
	}
	// A link of unknown shape, which the operator allowed, is opened and judged by the same words.
	p, c := serve(t, says("Your email has been verified."))
	c.Kind = KindReset
	require.Equal(t, OutcomeUnknown, open(t, c, p.URL+"/activate?t=1").Outcome)
	require.Len(t, p.requests(), 1)

	// Where a redirect proves an address, it proves no password.
	verify, err := url.Parse("https://login.acme.example/verify-email?token=1&callbackURL=%2Fhome")
	require.NoError(t, err)
	home, err := verify.Parse("/home")
	require.NoError(t, err)
	for kind, proves := range map[Kind]bool{KindVerify: true, KindReset: false} {
		k := &click{Clicker: &Clicker{Kind: kind}, link: verify, shape: shapeOf(verify)}
		require.Equal(t, proves, k.provesSuccess(response{request: request{to: verify}}, home), kind)
	}
}
