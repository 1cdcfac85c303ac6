package linkclick

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var acme = Rule{Hosts: []string{"login.acme.example", "Auth.ACME.example"}}

const (
	auth0Verify = "https://login.acme.example/u/email-verification?ticket=Zk3vQ8mW1xT5nB7yR2cL9dH4"
	auth0Old    = "https://login.acme.example/lo/verify_email?ticket=Zk3vQ8mW1xT5nB7yR2cL9dH4"
	auth0Reset  = "https://login.acme.example/u/reset-verify?ticket=Pq8wE2rT6yU1iO5aS9dF3gH7"
)

// verifyMail has the structure of Auth0's mail: nested tables, a logo, one button, a support link
// and a footer.
func verifyMail(href string) string {
	return `<html><head><style>a{color:red}</style><title>Reset</title></head><body><table><tr><td>
<img src="https://cdn.acme.example/badge.png" alt="ACME"><table><tr><td><h1>Welcome to ACME!</h1>
<p>Thanks for joining. Please verify your account by following the link below.</p>
<p><a href="` + href + `">Confirm my account</a></p>
<p>Trouble? <a href="https://support.acme.example/">Contact us</a>.</p><p>Cheers,<br><b>ACME</b></p>
</td></tr></table><hr><p>You did not create this account? Just reply and let us know.</p>` +
		`</td></tr></table></body></html>`
}

// keycloakKey is an unsigned stand-in for an action token.
func keycloakKey(typ string) string {
	return encode64(`{"alg":"none"}`) + "." + encode64(`{"typ":"`+typ+`","exp":1}`) + "." +
		encode64("signature")
}

func encode64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func keycloakLink(typ string) string {
	return "https://auth.acme.example/realms/shop/login-actions/action-token?key=" + keycloakKey(typ) +
		"&client_id=web&tab_id=aB3"
}

// linkTo is an HTML link to a path of login.acme.example.
func linkTo(path, label string) string {
	return `<a href="https://login.acme.example` + path + `">` + label + `</a>`
}

// findCase is a mail and what must be found in it.
type findCase struct {
	mail     Mail
	kind     Kind
	provider string
	url      string
	recipe   string
	code     string
	reason   string
	allow    string
}

const (
	atLogin = "https://login.acme.example"
	atAuth  = "https://auth.acme.example"

	signupLink   = atLogin + "/auth/v1/verify?token=a1&type=signup"
	opaqueLink   = atAuth + "/realms/r/login-actions/action-token?key=Zk3vQ8mW1xT5nB7y"
	opaqueLine   = "/realms/r/login-actions/action-token?key"
	recoveryLink = atAuth + "/auth/v1/verify?token=a1&type=recovery&redirect_to=x"
	magicLink    = atAuth + "/auth/v1/verify?token=a1&type=magiclink"
	fragmentLink = atAuth + "/_/#/auth/confirm-verification/eyJ0eXAiOiJKV1QifQ"
)

var findShapes = map[string]findCase{
	"auth0": {mail: Mail{Subject: "Verify your email", HTML: verifyMail(auth0Verify + "#")},
		kind: KindVerify, provider: "auth0", url: auth0Verify, recipe: "form"},
	"auth0 classic": {mail: Mail{HTML: verifyMail(auth0Old + "#")},
		kind: KindVerify, provider: "auth0", url: auth0Old, recipe: "get"},
	"same link in both parts, differently escaped": {
		mail: Mail{HTML: verifyMail(strings.ReplaceAll(auth0Verify, "?", "?a=1&amp;")),
			Text: "Confirm: <" + strings.ReplaceAll(auth0Verify, "?", "?a=1&") + ">"},
		kind: KindVerify, provider: "auth0", url: strings.ReplaceAll(auth0Verify, "?", "?a=1&"),
		recipe: "form"},
	"same link in both parts, escaped by the text part only": {
		mail: Mail{HTML: verifyMail(signupLink + "&redirect_to=https://a.example/~x?y,z"),
			Text: "Confirm: " + signupLink + "&redirect_to=https%3a%2F%2Fa.example%2f%7Ex%3Fy%2Cz"},
		kind: KindVerify, provider: "gotrue",
		url: signupLink + "&redirect_to=https://a.example/~x?y,z", recipe: "get"},
	"two links that an escape makes different": {
		mail: Mail{HTML: verifyMail(signupLink + "&redirect_to=a%26b"),
			Text: "Confirm: " + signupLink + "&redirect_to=a&b"},
		kind: KindVerify, provider: "gotrue", reason: ReasonSeveralLinks},
	"entities in the text part": {
		mail: Mail{Text: "Verify " + strings.ReplaceAll(signupLink, "&", "&amp;")},
		kind: KindVerify, provider: "gotrue", url: signupLink, recipe: "get"},
	"reset": {mail: Mail{Subject: "Verify",
		HTML: `<p>Please verify: <a href="` + auth0Reset + `">Confirm my account</a></p>`},
		kind: KindReset, provider: "auth0", url: auth0Reset, recipe: "user"},
	"verify and reset": {mail: Mail{HTML: verifyMail(auth0Verify) + verifyMail(auth0Reset)},
		kind: KindUnknown, reason: ReasonSeveralKinds},
	"two verifications": {mail: Mail{HTML: verifyMail(auth0Verify) + verifyMail(auth0Verify+"x")},
		kind: KindVerify, provider: "auth0", reason: ReasonSeveralLinks},
	"a name with a link in it": {
		mail: Mail{HTML: "<p>Hello " + auth0Verify + "x</p>" + verifyMail(auth0Verify)},
		kind: KindVerify, provider: "auth0", reason: ReasonSeveralLinks},
	"other host": {
		mail: Mail{HTML: verifyMail(atLogin + ".evil.example/u/email-verification?ticket=1")},
		kind: KindUnknown, reason: ReasonNotAllowed},
	"http": {mail: Mail{HTML: verifyMail(strings.Replace(auth0Verify, "https", "http", 1))},
		kind: KindUnknown, reason: ReasonNotAllowed},
	"keycloak verify": {mail: Mail{HTML: verifyMail(keycloakLink("verify-email"))},
		kind: KindVerify, provider: "keycloak", url: keycloakLink("verify-email"),
		recipe: "proceed"},
	"keycloak reset": {
		mail: Mail{Subject: "Verify", HTML: verifyMail(keycloakLink("reset-credentials"))},
		kind: KindReset, provider: "keycloak", url: keycloakLink("reset-credentials"),
		recipe: "user"},
	"keycloak actions": {mail: Mail{HTML: verifyMail(keycloakLink("execute-actions"))},
		kind: KindInvite, provider: "keycloak", reason: ReasonOtherKind},
	"keycloak opaque key": {
		mail: Mail{Text: "Someone has created an account with this address. To verify it:\n\n" +
			opaqueLink + "\n\nThis link expires in 5 minutes."},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: opaqueLine},
	"keycloak opaque key, reset by words": {
		mail: Mail{Text: "Reset your password here:\n" + opaqueLink},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "reset:" + opaqueLine},
	"gotrue recovery": {mail: Mail{HTML: verifyMail(recoveryLink)},
		kind: KindReset, provider: "gotrue", url: recoveryLink, recipe: "user"},
	"gotrue magiclink": {mail: Mail{HTML: verifyMail(magicLink)},
		kind: KindLogin, provider: "gotrue", url: magicLink, recipe: "user"},
	"token in the fragment": {mail: Mail{HTML: verifyMail(fragmentLink)},
		kind: KindVerify, provider: "pocketbase", url: fragmentLink, recipe: "pocketbase"},
	"in a comment": {mail: Mail{HTML: `<!--[if mso]><a href="` + auth0Verify +
		`x">Verify</a><![endif]--><![if !mso]><a href="` + auth0Verify + `">Verify</a><![endif]>`},
		kind: KindVerify, provider: "auth0", url: auth0Verify, recipe: "form"},
	"unquoted": {mail: Mail{HTML: `<A HREF=` + auth0Verify + `>x</a>`},
		kind: KindVerify, provider: "auth0", url: auth0Verify, recipe: "form"},
	"plain in HTML": {mail: Mail{HTML: `<div>Go to ` + auth0Verify + `.</div>`},
		kind: KindVerify, provider: "auth0", url: auth0Verify, recipe: "form"},
	"code and link": {mail: Mail{Text: "Code: 482913\n\n" + auth0Verify},
		kind: KindVerify, provider: "auth0", url: auth0Verify, recipe: "form", code: "482913"},
}

const (
	aToken = "t=Zk3vQ8mW1xT5"
	bToken = "t=p0Lq7Rt2Xc9V"
)

// confirmMarkup is a script that marks up a link as one that confirms.
func confirmMarkup(name string) string {
	return `<script type="application/ld+json">{"@type":"ConfirmAction","name":"` + name +
		`","url":"` + atLogin + "/e?" + aToken + `"}</script>`
}

// Words open no link of an unknown shape, whatever they say. They tell which entry of the rule
// would allow it.
var findWords = map[string]findCase{
	"by its label": {
		mail: Mail{HTML: linkTo("/e/x?"+aToken, "Bekræft din e-mail") + " " +
			linkTo("/unsubscribe?"+aToken, "Afmeld")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e/x?t"},
	"words above the address": {
		mail: Mail{Text: "Please confirm your address:\n\n  " + atLogin + "/e?" + aToken + ".\n\nBye"},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e?t"},
	"by the subject": {
		mail: Mail{Subject: "=Confirm your e-mail", HTML: linkTo("/e?"+aToken, "Click here")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e?t"},
	"a common path at a site that is not SuperTokens": {
		mail: Mail{HTML: linkTo("/api/auth/verify-email?token=Zk3vQ8mW1xT5", "Verify your email")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/api/auth/verify-email?token"},
	"by nothing": {mail: Mail{Subject: "이메일", HTML: linkTo("/e?"+aToken, "여기")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e?t"},
	"subject and two links": {mail: Mail{Subject: "Confirm",
		HTML: linkTo("/e?"+aToken, "here") + " " + linkTo("/f?"+bToken, "there")},
		kind: KindUnknown, reason: ReasonUnknownShape},
	"a resend with another token": {mail: Mail{Subject: "Confirm",
		HTML: linkTo("/e?"+aToken, "here") + " " + linkTo("/e?"+bToken, "there")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e?t"},
	"verify label on a link that resets": {
		mail: Mail{HTML: linkTo("/account/reset?"+aToken, "Verify account")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "reset:/account/reset?t"},
	"verify label, line about deleting": {
		mail: Mail{HTML: "<p>To delete your account, " + linkTo("/e?"+aToken, "confirm here") + "</p>"},
		kind: KindUnknown, reason: ReasonUnknownShape},
	"by the markup, in no known word": {mail: Mail{HTML: confirmMarkup("이메일 확인") +
		linkTo("/f?"+bToken, "Verify")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e?t"},
	"by the markup and its words": {mail: Mail{HTML: confirmMarkup("Verify") +
		linkTo("/f?"+bToken, "Verify")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "/e?t"},
	"not me": {mail: Mail{Subject: "Verify your email",
		HTML: "<p>If this wasn't you, " + linkTo("/e?"+aToken, "click here")},
		kind: KindUnknown, reason: ReasonUnknownShape},
	"invitation": {mail: Mail{HTML: linkTo("/join?"+aToken, "Accept invitation")},
		kind: KindInvite, reason: ReasonOtherKind},
	"sign-in": {mail: Mail{HTML: linkTo("/m?"+aToken, "Sign in to ACME")},
		kind: KindUnknown, reason: ReasonUnknownShape, allow: "login:/m?t"},
	"new address": {mail: Mail{HTML: linkTo("/m?"+aToken, "Confirm your new email address")},
		kind: KindChange, reason: ReasonOtherKind},
	"no token": {
		mail: Mail{Subject: "Verify your email", HTML: linkTo("/?utm_source=mail", "Verify")},
		kind: KindUnknown, reason: ReasonNoSecret},
	"a home page": {
		mail: Mail{Subject: "Verify your email", HTML: linkTo("/", "Verify")},
		kind: KindNotice, reason: ReasonNoLink},
	"code only": {mail: Mail{Subject: "Your verification code",
		HTML: `<p>Your code is:</p><h2>123 456</h2><p>© 2026 ACME, tel. 555 0199</p>`},
		kind: KindCode, code: "123456", reason: ReasonCodeOnly},
	"two codes": {mail: Mail{Text: "Code: 482913 or code 111111"},
		kind: KindNotice, reason: ReasonNoLink},
	"nothing": {mail: Mail{Subject: "Welcome", Text: "Glad you are here."},
		kind: KindNotice, reason: ReasonNoLink},
}

func TestFind(t *testing.T) {
	for _, cases := range []map[string]findCase{findShapes, findWords} {
		for name, tt := range cases {
			t.Run(name, func(t *testing.T) {
				f := Find(tt.mail, acme)
				require.Equal(t, tt, findCase{tt.mail, f.Kind, f.Provider, f.URL, f.Recipe, f.Code,
					f.Reason, f.Allow}, "%+v", f.Candidates)
			})
		}
	}
}

// Where words forbid a link that a shape or the rule knows, the reason says so, and no entry is
// told that would not help.
func TestReasonOfAForbiddenLink(t *testing.T) {
	rule := Rule{Hosts: acme.Hosts, Paths: []string{"/e?t"}}
	other := linkTo("/news?"+bToken, "News")
	for name, m := range map[string]Mail{
		"an allowed path": {Subject: "Verify", HTML: linkTo("/e?"+aToken, "Confirm payment") + other},
		"a body about a password": {Subject: "ACME", HTML: "<p>Your password is safe.</p><p>Hi</p>" +
			linkTo("/e?"+aToken, "Activate") + other},
		"a shape": {Subject: "Change of email",
			HTML: linkTo("/users/confirmation?confirmation_token=Zk3vQ8mW1xT5", "Confirm")},
	} {
		f := Find(m, rule)
		require.Equal(t, ReasonForbidden, f.Reason, name)
		require.Equal(t, ReasonForbidden, f.Why(), name)
		require.Empty(t, f.URL, name)
	}
}

// In a path that the operator allowed, words choose between verifying, resetting and signing in,
// and everything that speaks against it forbids it.
func TestFindAtAllowedPaths(t *testing.T) {
	link := func(subject, label string) Mail {
		return Mail{Subject: subject, HTML: linkTo("/e?"+aToken, label)}
	}
	for name, tt := range map[string]struct {
		path string
		mail Mail
		want Kind // with a URL, or else empty
	}{
		"no known word":               {"/e", link("이메일", "여기"), KindVerify},
		"a verification":              {"/e?t", link("Verify", "Go on"), KindVerify},
		"a reset":                     {"/e", link("Hi", "Reset your password"), KindReset},
		"a sign-in":                   {"/e", link("Sign in", "Go on"), KindLogin},
		"a sign-in that verifies":     {"/e", link("Verify to sign in", "Confirm"), KindVerify},
		"a reset to confirm":          {"/e", link("Confirm your password reset", "Confirm"), KindReset},
		"verifications only, a reset": {"verify:/e", link("Hi", "Reset your password"), ""},
		"resets, in no known word":    {"reset:/e?t", link("비밀번호", "여기"), KindReset},
		"resets, called verification": {"reset:/e", link("Verify", "Verify"), KindReset},
		"sign-ins, in no known word":  {"login:/e", link("로그인", "여기"), KindLogin},
		"an act":                      {"/e", link("Approve the new device", "Verify"), ""},
		"an act, in the label":        {"/e", link("Verify", "Confirm payment"), ""},
		"an act, in the line above": {"/e",
			Mail{Subject: "Verify", Text: "Delete it?\n" + atLogin + "/e?" + aToken}, ""},
		"an act, in the line above a password": {"/e",
			Mail{Subject: "Hi", Text: "Delete your data?\nFor a new password: " + atLogin + "/e?" + aToken},
			""},
		"an act, in the body": {"/e",
			Mail{Text: "Close account?\n\nHi\n\nYes:\n" + atLogin + "/e?" + aToken}, ""},
		"a password, in the body": {"/e",
			Mail{Text: "Your password.\n\nHi\n\nYes:\n" + atLogin + "/e?" + aToken}, ""},
		"verifications only, a password in the body": {"verify:/e",
			Mail{Subject: "Welcome to ACME", Text: "Name: kim\nPassword: as you chose it\n\nHi\n\n" +
				"Go here:\n" + atLogin + "/e?" + aToken}, KindVerify},
		"an act for resets":              {"reset:/e", link("Approve", "Approve"), ""},
		"a new address":                  {"/e", link("Hi", "Confirm your new email address"), ""},
		"an invitation":                  {"/e", link("Hi", "Accept the invitation"), ""},
		"an invitation, said to reset":   {"reset:/e", link("Hi", "Accept the invitation"), ""},
		"an invitation, said to sign in": {"login:/e", link("Hi", "Accept the invitation"), ""},
		"not me": {"/e",
			Mail{Subject: "Verify", Text: "If it was not you: " + atLogin + "/e?" + aToken}, ""},
		"not me, in the next sentence": {"/e",
			Mail{Subject: "Verify", Text: "Here: " + atLogin + "/e?" + aToken +
				" . If you did not ask, ignore it."}, KindVerify},
		"a query that resets": {"/e",
			Mail{Subject: "Verify", HTML: linkTo("/e?action=reset_password&"+aToken, "Verify")}, ""},
		"a query that deletes": {"reset:/e",
			Mail{Subject: "Hi", HTML: linkTo("/e?do=delete&"+aToken, "여기")}, ""},
		"an act, in lines of the source": {"/e", Mail{Subject: "Verify",
			HTML: "<p>Please approve the payment\nof 300 kr\r\nto\tKim. " + linkTo("/e?"+aToken, "Verify") +
				"</p>"}, ""},
		"no secret": {"/e", Mail{Subject: "Verify", HTML: linkTo("/e?login_hint=kim77", "Verify")}, ""},
		"twice, once about a password": {"/e",
			Mail{Subject: "ACME", HTML: linkTo("/e?"+aToken, "Confirm"),
				Text: "Reset your password:\n" + atLogin + "/e?" + aToken}, ""},
		"two of them": {"/e", Mail{HTML: linkTo("/e?"+aToken, "x") + linkTo("/e?"+bToken, "y")}, ""},
		"two kinds": {"/e", Mail{HTML: linkTo("/e?"+aToken, "Verify") + linkTo("/e?"+bToken, "Log in")},
			""},
	} {
		t.Run(name, func(t *testing.T) {
			f := Find(tt.mail, Rule{Hosts: acme.Hosts, Paths: []string{tt.path}})
			if tt.want == "" {
				require.Empty(t, f.URL, "%s: %+v", f.Kind, f.Candidates)
				return
			}
			require.Equal(t, tt.want, f.Kind, "%+v", f.Candidates)
			require.NotEmpty(t, f.URL, f.Reason)
		})
	}
}

// A path that is allowed takes nothing from the known shapes.
func TestAllowedPathsAddToShapes(t *testing.T) {
	rule := Rule{Hosts: acme.Hosts, Paths: []string{"/account/confirm"}}
	f := Find(Mail{HTML: verifyMail(auth0Verify)}, rule)
	require.Equal(t, auth0Verify, f.URL)
}

func TestCandidatesExplain(t *testing.T) {
	f := Find(Mail{HTML: verifyMail(auth0Verify)}, acme)
	require.Len(t, f.Candidates, 1, "a home page is no candidate")
	require.Equal(t, Candidate{URL: auth0Verify, Score: 100, Reasons: []string{
		"has the shape of a link of auth0",
	}}, f.Candidates[0])
	f = Find(Mail{HTML: `<a href="https://support.acme.example/a">x</a>`}, acme)
	require.Equal(t, []Candidate{{URL: "https://support.acme.example/a", Score: -1,
		Reasons: []string{notInRule}}}, f.Candidates)
}

// A link that stands in several places is one candidate. The place that says most of it counts, in
// whatever order they stand, and two purposes speak against each other.
func TestOneLinkInSeveralPlaces(t *testing.T) {
	const hi, above, verify, reset = "Hi.", "Verify your email.", "Verify your email",
		"Reset your password"
	place := func(path, before, label string) string {
		return "<p>" + before + "</p><p>" + linkTo(path, label) + "</p>"
	}
	one, other := "/e?"+aToken, "/f?"+bToken
	for html, allow := range map[string]string{
		place(one, hi, "x") + place(one, hi, reset):    "reset:/e?t",
		place(one, hi, reset) + place(one, hi, "x"):    "reset:/e?t",
		place(one, hi, verify) + place(one, hi, reset): "",
		place(one, hi, reset) + place(one, hi, verify): "",
		// The label says more than the line above.
		place(one, above, "Go") + place(other, hi, verify):                            "/f?t",
		place(one, above, "Go") + place(one, hi, verify) + place(other, hi, verify):   "",
		place(one, hi, verify) + place(one, above, "Go") + place(other, above, "Go"):  "/e?t",
		place(one, hi, verify) + place(one, above, "Go") + place(other, hi, verify):   "",
		place(one, hi, verify) + place(one, hi, "Approve the payment"):                "",
		place(one, hi, "Approve the payment") + place(one, hi, verify):                "",
		place(other, hi, verify) + place(one, above, "Go") + place(one, above, "Go"):  "/f?t",
		place(one, above, "Go") + place(one, above, "Here") + place(one, hi, "Still"): "/e?t",
	} {
		require.Equal(t, allow, Find(Mail{Subject: "Hello", HTML: html}, acme).Allow, html)
	}
	f := Find(Mail{HTML: place(one, above, "Go") + place(one, hi, verify)}, acme)
	const held = "its shape is unknown, and words open nothing"
	require.Equal(t, []Candidate{{URL: atLogin + one, Score: scoreLabel, Reasons: []string{
		"the line above says verify", held, "the label says verify",
	}}}, f.Candidates)
}

func TestFindBounds(t *testing.T) {
	many := strings.Builder{}
	for i := range maxLinks {
		fmt.Fprintf(&many, `<a href="https://login.acme.example/%d">x</a>`, i)
	}
	f := Find(Mail{HTML: many.String() + verifyMail(auth0Verify)}, acme)
	require.Equal(t, ReasonTooMany, f.Reason)
	require.Empty(t, f.URL)
	require.Len(t, f.Candidates, maxLinks)

	f = Find(Mail{HTML: verifyMail(auth0Verify) + strings.Repeat("<b>", maxTokens)}, acme)
	require.Equal(t, ReasonTooMany, f.Reason)

	// What lies beyond the limit is not seen, and nothing is cut to a shorter link.
	f = Find(Mail{Text: strings.Repeat("x", maxBody-len(auth0Verify)) + " " + auth0Verify + "yz"},
		acme)
	require.Empty(t, f.Candidates)

	// It may contradict what was seen: another link, or words that forbid one.
	long := strings.Repeat("x ", maxBody/2)
	for _, m := range []Mail{
		{Text: auth0Verify + " " + long + auth0Verify + "2"}, {HTML: verifyMail(auth0Verify) + long},
		{Subject: "Your code", Text: "Your code: 583920\n" + long + "\nYour code: 111111"},
	} {
		f = Find(m, acme)
		require.Equal(t, ReasonTooMany, f.Reason)
		require.Empty(t, f.URL+f.Code)
	}
	for _, kind := range []string{"plain", "html"} {
		m, err := ReadMIME(strings.NewReader("Content-Type: text/" + kind + "\r\n\r\n" +
			verifyMail(auth0Verify) + " " + auth0Verify + " " + long))
		require.NoError(t, err)
		require.Equal(t, ReasonTooMany, Find(m, acme).Reason, kind)
	}
}

// As many links and as long a body as are allowed are read as a whole.
func TestFindUpToTheBounds(t *testing.T) {
	links := strings.Repeat(" https://login.acme.example/help", maxLinks)
	require.False(t, readText(links).full)
	require.Len(t, readText(links).spans, maxLinks)
	require.True(t, readText(links+" https://login.acme.example/help").full)
	html := strings.Repeat(`<a href="https://login.acme.example/help">x</a>`, maxLinks)
	require.False(t, readHTML(html).full)
	require.Len(t, readHTML(html).spans, maxLinks)

	f := Find(Mail{Text: strings.Repeat("x", maxBody-len(auth0Verify)-1) + " " + auth0Verify}, acme)
	require.Len(t, f.Candidates, 1)
}

func TestTextURLs(t *testing.T) {
	for text, want := range map[string]string{
		"see https://a.example/x.":                   "https://a.example/x",
		"(https://a.example/x(1)y)":                  "https://a.example/x(1)y",
		"<https://a.example/x.>":                     "https://a.example/x.",
		"HTTPS://A.example/x?y=1&amp;z=2, or":        "HTTPS://A.example/x?y=1&z=2",
		"https://a.example/x-_":                      "https://a.example/x-_",
		`"https://a.example/x"`:                      "https://a.example/x",
		"https://a.example/x。":                       "https://a.example/x",
		`https://a.example\@b.example/`:              `https://a.example\@b.example/`,
		"[https://a.example/x](https://a.example/x)": "https://a.example/xhttps://a.example/x",
		"[Confirm](https://a.example/x?y=1)!":        "https://a.example/x?y=1",
		"(see [https://a.example/x?a[b]=c])":         "https://a.example/x?a[b]=c",
		"https://a.example/x(y":                      "https://a.example/x(y",
		"https://a.example/x)https://a.example/y":    "https://a.example/xhttps://a.example/y",
		"ftp://a.example/x":                          "",
		"://":                                        "",
	} {
		got := ""
		for _, s := range readText(text).spans {
			got += s.href
		}
		require.Equal(t, want, got, text)
	}
}

// What the reader does not see is no link of the mail.
func TestHiddenParts(t *testing.T) {
	for name, shell := range map[string]string{
		"display":          `<div style="display:none">%s</div>`,
		"display, loud":    `<div style="Display : NONE !important; display:block">%s</div>`,
		"display, louder":  `<div style="display:block !important;display:none !important">%s</div>`,
		"visibility":       `<p style="visibility:hidden"><b>%s</b></p>`,
		"collapsed":        `<p style="visibility:collapse">%s</p>`,
		"a style inside":   `<div hidden><p style="color:red">%s</p></div>`,
		"a font outside":   `<td style="font-size:0"><div style="color:red">%s</div></td>`,
		"after a break":    `<p hidden>x<br>%s</p>`,
		"an end in a cell": `<div><table><tr><td hidden>x</div>%s</td></tr></table></div>`,
		"no font":          `<span style="font-size:0">%s</span>`,
		"no font, px":      `<td style="color:red;font-size: 0px ;">%s`,
		"half a pixel":     `<span style="font-size:0.5px">%s</span>`,
		"no font, em":      `<span style="font-size:0em">%s</span>`,
		"twice nothing":    `<td style="font-size:0"><div style="font-size:2em">%s</div></td>`,
		"half of nothing":  `<td style="font-size:0"><div style="font-size:50%">%s</div></td>`,
		"inherited":        `<td style="font-size:0"><div style="font-size:inherit">%s</div></td>`,
		"opacity":          `<div style="opacity:0.0">%s</div>`,
		"attribute":        `<div hidden>%s</div>`,
		"attribute, said":  `<div hidden="until-found">%s</div>`,
		"aria":             `<table><tr><td aria-hidden="true"><p>%s</table>`,
		"no height":        `<div style="max-height:0;overflow:hidden">%s</div>`,
		"no height, y":     `<div style="max-height:0;overflow-y:hidden">%s</div>`,
		"off the page":     `<div style="position:absolute;left:-9999px">%s</div>`,
		"just off it":      `<div style="margin-left:-500px">%s</div>`,
		"a div, closed":    `<div style="display:none"/>%s</div>`,
		"an end of none":   `<acme:box style="display:none"></x:y>%s</acme:box>`,
		"template":         `<template>%s</template>`,
		"a dialog":         `<dialog>%s</dialog>`,
		"an escape":        `<div style="dis\70 lay:none">%s</div>`,
		"a comment":        `<div style="dis/**/play:/*x*/none">%s</div>`,
		"a short escape":   `<div style="dis\play:\6eone">%s</div>`,
		"an upper escape":  `<div style="display:\4E ONE">%s</div>`,
		"a long escape":    `<div style="visibility:hi\000064den">%s</div>`,
		"a long style":     `<div style="` + strings.Repeat("color:red;", 500) + `">%s</div>`,
		"at the far edge":  `<div style="position:absolute;left:-500px">%s</div>`,
		"an unknown tag":   `<acme:box style="display:none">%s</acme:box>`,
		"another's end":    `<acme:box style="display:none"></acme:row>%s</acme:box>`,
		"in a comment":     `<!-- %s -->`,
		"a cell's end": `<table><tr><td style="display:none"><div>x</table-x></b></p>%s</td></tr>` +
			`</table>`,
		"nothing to see": `<a href="` + auth0Verify + `"> &nbsp;<b>&#8203;</b></a>`,
	} {
		for _, inner := range []string{linkTo("/u/email-verification?ticket=Zk3vQ8mW1xT5", "Confirm"),
			auth0Verify} {
			mail := Mail{Subject: "Verify", HTML: "<p>Hi</p>" + strings.ReplaceAll(shell, "%s", inner) +
				"<p>Bye</p>"}
			f := Find(mail, acme)
			require.Empty(t, f.URL, "%s: %s", name, mail.HTML)
			require.Empty(t, f.Candidates, name)
		}
	}
	for name, markup := range map[string]string{
		"after it":            `<div style="display:none">x</div>%s`,
		"after a cell":        `<table><tr><td hidden><div>x<td>%s</table>`,
		"after a paragraph":   `<p hidden>x<p>%s`,
		"after an item":       `<ul><li hidden>x<li>%s</ul>`,
		"after a term":        `<dl><dt hidden>x<dd>%s</dl>`,
		"after a description": `<dl><dd hidden>x<dt>%s</dl>`,
		"after a heading":     `<table><tr><th hidden>x<th>%s</table>`,
		"after a row":         `<table><tr hidden><td>x<tr><td>%s</table>`,
		"after rows":          `<table><tbody hidden><tr><td>x</tbody><tr><td>%s</table>`,
		"after a table":       `<table hidden><tr><td>x</table>%s`,
		"an open dialog":      `<dialog open>%s</dialog>`,
		"opaque":              `<div style="opacity:1">%s</div>`,
		"a font of its own":   `<td style="font-size:0px"><div style="font-size:13px">%s</div></td>`,
		"nearly off the page": `<div style="position:absolute;left:-499px">%s</div>`,
		"seen again": `<div style="visibility:hidden"><b style="visibility:visible">%s</b>` +
			`</div>`,
		"a font with a name":  `<td style="font-size:0px"><div style="font-size:medium">%s</div></td>`,
		"a pixel":             `<div style="font-size:1px">%s</div>`,
		"nearly an em":        `<div style="font-size:0.9em">%s</div>`,
		"nearly a rem":        `<div style="font-size:0.9rem">%s</div>`,
		"clipped":             `<div style="overflow:hidden">%s</div>`,
		"flowing over":        `<div style="height:0">%s</div>`,
		"moved a little":      `<div style="left:10px;text-indent:-499px">%s</div>`,
		"after an unknown":    `<acme:box hidden>x</acme:box>%s`,
		"after a closed one":  `<acme:box hidden/>%s`,
		"beside a void":       `<input hidden><br hidden>%s`,
		"an end too many":     `</div></td></table>%s`,
		"a style with no end": `<div style="display:block;/* display:none">%s</div>`,
	} {
		f := Find(Mail{HTML: strings.ReplaceAll(markup, "%s", verifyMail(auth0Verify))}, acme)
		require.Equal(t, auth0Verify, f.URL, name)
	}
	image := `<td style="font-size:0">` +
		linkTo("/u/email-verification?ticket=Zk3vQ8mW1xT5nB7yR2cL9dH4",
			`<img src="x" alt="Confirm">`) + `</td>`
	require.Equal(t, auth0Verify, Find(Mail{HTML: image}, acme).URL)
	for _, before := range []string{
		strings.Repeat("<b>", maxNesting+1),
		strings.Repeat("<b>", 200) + strings.Repeat("</i>", maxSteps/200+1),
	} {
		require.Equal(t, ReasonTooMany, Find(Mail{HTML: before + verifyMail(auth0Verify)}, acme).Reason)
	}
}

// An address is read as browsers do: without line breaks and tabs.
func TestBrokenAddresses(t *testing.T) {
	for _, broken := range []string{
		" \n" + auth0Verify + " ", strings.Replace(auth0Verify, "?", "\n?", 1),
		strings.Replace(auth0Verify, "?", "\r\n\t ?", 1), strings.Replace(auth0Verify, "?", "\t?", 1),
		strings.ReplaceAll(auth0Verify, "e", "e\n"),
	} {
		require.Equal(t, auth0Verify, Find(Mail{HTML: verifyMail(broken)}, acme).URL, broken)
	}
	f := Find(Mail{HTML: verifyMail(strings.Replace(auth0Verify, "?", " ?", 1))}, acme)
	require.Empty(t, f.URL)
}

// Whatever surrounds it, the link of a mail is the one that was put there, or none.
func TestFindProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		noise := rapid.StringOf(rapid.SampledFrom([]rune("ab <>/=\"'&;:\n!-ahrefp"))).Draw(t, "noise")
		f := Find(Mail{HTML: noise + verifyMail(auth0Verify) + noise, Text: noise}, acme)
		if f.URL != "" && f.URL != auth0Verify {
			t.Fatalf("found %q", f.URL)
		}
	})
}

func FuzzFind(f *testing.F) {
	f.Add("Verify", "Code: 123456 "+auth0Verify, verifyMail(auth0Verify))
	f.Add("", "<https://login.acme.example/a?b=c>", "<a href='"+keycloakLink("verify-email")+"'")
	for _, text := range attacks(100_000) {
		f.Add("", text, text)
	}
	f.Add("", "https://login.acme.example/(](https://a)) 1\n583920 583921",
		"<b><i></b><td></p><li hidden>")
	f.Add("", "", `<script type="application/ld+json">`+
		`{"@type":"ConfirmAction","url":"`+auth0Verify+`"}</script><div itemtype="ConfirmAction">`+
		`<a itemprop=url href=https://login.acme.example/?a=b>`)
	f.Fuzz(func(t *testing.T, subject, text, markup string) {
		var got Finding
		costsLittle(t, func() { got = Find(Mail{Subject: subject, Text: text, HTML: markup}, acme) })
		require.Equal(t, got.URL == "", got.Reason != "")
		require.True(t, got.Allow == "" || got.Reason == ReasonUnknownShape)
		if got.URL != "" {
			u, why := acme.judge(got.URL)
			require.Empty(t, why)
			require.Equal(t, got.URL, u.String())
			require.Contains(t, []Kind{KindVerify, KindReset, KindLogin}, got.Kind)
		}
	})
}
