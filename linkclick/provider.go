package linkclick

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// This file knows identity providers by the shapes of their links. A new
// provider is a row in shapes, and one in verdicts (outcome.go) if it reports
// the end in a parameter of its own.

// Kind says what a mail wants to be done.
type Kind string

// The kinds of mail. Only verify and reset mails ever have a URL in their
// finding.
const (
	KindVerify  Kind = "verify"  // confirm that an address is the reader's
	KindReset   Kind = "reset"   // choose a new password, recover an account
	KindLogin   Kind = "login"   // sign in by link
	KindCode    Kind = "code"    // type a code somewhere
	KindInvite  Kind = "invite"  // join something, or set a first password
	KindChange  Kind = "change"  // change the address or undo a change
	KindNotice  Kind = "notice"  // nothing to do
	KindUnknown Kind = "unknown" // could not be told
)

// How a link is redeemed. Click goes by what it is shown; of the recipe it
// needs only proceed and script. The rest explains a finding to a person.
const (
	recipeGet     = "get"     // one GET
	recipeForm    = "form"    // GET, then a form of hidden fields
	recipeProceed = "proceed" // GET, then the same link again from the page
	recipeScript  = "script"  // a page that needs its script
	recipeUser    = "user"    // a page on which the person must do something
)

// shape is a link as one provider writes it.
type shape struct {
	provider string
	path     string // last segments of the path, "*" for any one; a "#" joins the fragment
	query    string // parameters that must be there, as "name" or "name=value"
	kind     Kind   // empty if the link does not tell
	recipe   string
}

// shapes is read from the top; the first that fits is taken. Sources:
//
//	auth0        auth0.com/docs/customize/email/email-templates
//	keycloak     keycloak services, DefaultActionTokenKey and LoginActionsService
//	gotrue       supabase/auth internal/mailer
//	hasura       nhost/hasura-auth email-templates
//	kratos       ory.sh/docs/kratos/self-service/flows/verify-email-account-activation
//	zitadel      zitadel internal/api/ui/login
//	authentik    authentik/stages/email
//	fusionauth   fusionauth.io/docs/customize/email-and-messages/email-templates-replacement-variables
//	cognito      docs.aws.amazon.com/cognito, "Customizing email verification messages"
//	firebase     firebase.google.com/docs/auth/custom-email-handler
//	betterauth   better-auth.com/docs/concepts/email
//	supertokens  supertokens.com/docs, email verification
//	clerk        clerk.com/docs, email links
//	pocketbase   pocketbase.io/docs/authentication
//	okta         developer.okta.com/docs, customize email templates
//	rauthy       sebadob/rauthy templates/email
//	allauth      docs.allauth.org, account URLs
var shapes = []shape{
	{"auth0", "/u/email-verification", "ticket", KindVerify, recipeForm},
	{"auth0", "/lo/verify_email", "ticket", KindVerify, recipeGet},
	{"auth0", "/lo/verify_email", "bewit", KindVerify, recipeGet},
	{"auth0", "/u/reset-verify", "ticket", KindReset, recipeUser},
	{"auth0", "/lo/reset", "ticket", KindReset, recipeUser},
	{"keycloak", "/realms/*/login-actions/action-token", "key", "", recipeProceed},
	{"gotrue", "/verify", "token type=signup", KindVerify, recipeGet},
	{"gotrue", "/verify", "token type=recovery", KindReset, recipeUser},
	{"gotrue", "/verify", "token type=magiclink", KindLogin, recipeGet},
	{"gotrue", "/verify", "token type=invite", KindInvite, recipeUser},
	{"gotrue", "/verify", "token type=email_change", KindChange, recipeGet},
	{"gotrue", "/auth/confirm", "token_hash type=signup", KindVerify, recipeGet},
	{"gotrue", "/auth/confirm", "token_hash type=email", KindVerify, recipeGet},
	{"gotrue", "/auth/confirm", "token_hash type=recovery", KindReset, recipeUser},
	{"gotrue", "/auth/confirm", "token_hash type=magiclink", KindLogin, recipeGet},
	{"gotrue", "/auth/confirm", "token_hash type=invite", KindInvite, recipeUser},
	{"gotrue", "/auth/confirm", "token_hash type=email_change", KindChange, recipeGet},
	{"hasura", "/verify", "ticket type=emailVerify", KindVerify, recipeGet},
	{"hasura", "/verify", "ticket type=passwordReset", KindReset, recipeUser},
	{"hasura", "/verify", "ticket type=signinPasswordless", KindLogin, recipeGet},
	{"hasura", "/verify", "ticket type=emailConfirmChange", KindChange, recipeGet},
	{"kratos", "/self-service/verification", "flow token", KindVerify, recipeGet},
	{"kratos", "/self-service/verification", "flow code", KindVerify, recipeScript},
	{"kratos", "/self-service/recovery", "flow", KindReset, recipeUser},
	{"zitadel", "/ui/login/mail/verification", "userID code", KindVerify, recipeGet},
	{"zitadel", "/ui/v2/login/verify", "userId code", KindVerify, recipeScript},
	{"authentik", "/if/flow/*", "flow_token", "", recipeScript},
	{"okta", "/email/verify/*", "token", KindVerify, recipeGet},
	{"fusionauth", "/email/verify/*", "", KindVerify, recipeForm},
	{"fusionauth", "/password/change/*", "", KindReset, recipeUser},
	{"cognito", "/confirmUser", "client_id user_name confirmation_code", KindVerify, recipeGet},
	{"firebase", "", "mode=verifyEmail oobCode", KindVerify, recipeScript},
	{"firebase", "", "mode=resetPassword oobCode", KindReset, recipeUser},
	{"firebase", "", "mode=signIn oobCode", KindLogin, recipeScript},
	{"firebase", "", "mode=recoverEmail oobCode", KindChange, recipeScript},
	{"firebase", "", "mode=verifyAndChangeEmail oobCode", KindChange, recipeScript},
	{"betterauth", "/verify-email", "token callbackURL", KindVerify, recipeGet},
	{"betterauth", "/reset-password/*", "callbackURL", KindReset, recipeUser},
	{"supertokens", "/auth/verify-email", "token", KindVerify, recipeScript},
	{"supertokens", "/auth/reset-password", "token", KindReset, recipeUser},
	{"clerk", "/v1/verify", "_clerk_js_version token", "", recipeGet}, // sign-in links look the same
	{"pocketbase", "/#/auth/confirm-verification/*", "", KindVerify, recipeScript},
	{"pocketbase", "/#/auth/confirm-password-reset/*", "", KindReset, recipeUser},
	{"pocketbase", "/#/auth/confirm-email-change/*", "", KindChange, recipeUser},
	{"okta", "/welcome/*", "", KindInvite, recipeUser},
	{"rauthy", "/users/*/reset/*", "", KindReset, recipeUser},
	{"rauthy", "/users/*/email_confirm/*", "", KindChange, recipeGet},
	{"allauth", "/accounts/confirm-email/*", "", KindVerify, recipeForm},
	{"allauth", "/accounts/password/reset/key/*", "", KindReset, recipeUser},
}

// shapeOf returns the shape that u has, with its kind filled in as far as the
// link tells it; the zero shape if it has none.
func shapeOf(u *url.URL) shape {
	query := u.Query()
	for _, s := range shapes {
		if s.fitsPath(u) && s.fitsQuery(query) {
			if s.provider == "keycloak" {
				s.kind = actionTokenKind(query.Get("key"))
			}
			return s
		}
	}
	return shape{}
}

func (s shape) fitsPath(u *url.URL) bool {
	if s.path == "" {
		return true
	}
	path := strings.TrimSuffix(u.Path, "/")
	if strings.Contains(s.path, "#") {
		path = u.Path + "#" + u.Fragment
	}
	want, have := strings.Split(s.path, "/")[1:], strings.Split(path, "/")
	if len(have) <= len(want) { // have begins with the empty segment before the first slash
		return false
	}
	for i, w := range want {
		if h := have[len(have)-len(want)+i]; h != w && (w != "*" || h == "") {
			return false
		}
	}
	return true
}

func (s shape) fitsQuery(query url.Values) bool {
	for _, p := range strings.Fields(s.query) {
		name, value, exact := strings.Cut(p, "=")
		if got := query.Get(name); got == "" || (exact && got != value) {
			return false
		}
	}
	return true
}

// actionTokenKind tells Keycloak's links apart, which all have one path: the
// key is a signed JWT (RFC 7519) whose "typ" names the action. It is read, not
// verified, because it only has to say what the link is for.
func actionTokenKind(key string) Kind {
	parts := strings.Split(key, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var token struct{ Typ string }
	if json.Unmarshal(payload, &token) != nil {
		return ""
	}
	switch token.Typ {
	case "":
		return ""
	case "verify-email":
		return KindVerify
	case "reset-credentials":
		return KindReset
	case "update-email", "idp-verify-account-via-email": // the latter links two accounts
		return KindChange
	}
	return KindInvite // execute-actions and the like: a person has to do something
}
