package linkclick

import (
	"net/url"
	"strings"
)

// This file knows identity providers: by the shapes of their links, and by the
// names they leave in a mail. A new provider is a row in shapes, and one in
// verdicts (outcome.go) if it reports the end in a parameter of its own.

// shape is a link as one provider writes it.
type shape struct {
	provider string
	path     string // last segments of the path: "*" is any one, "{id}" one that may be a secret; a "#" joins the fragment
	query    string // parameters that must be there, as "name" or "name=value"
	kind     Kind   // empty if the link alone does not tell
	recipe   string
}

// shapes is read from the top; the first that fits is taken. Sources:
//
//	auth0        auth0.com/docs/customize/email/email-templates; "Passwordless with magic links"; "Invite members"
//	keycloak     keycloak services, DefaultActionTokenKey and LoginActionsService
//	gotrue       supabase/auth internal/mailer; supabase.com/docs, "Email templates"
//	hasura       nhost/hasura-auth email-templates
//	kratos       ory.sh/docs/kratos/self-service/flows/verify-email-account-activation
//	zitadel      zitadel internal/api/ui/login; apps/login
//	authentik    authentik/stages/email
//	fusionauth   fusionauth.io/docs/customize/email-and-messages/email-templates-replacement-variables
//	cognito      docs.aws.amazon.com/cognito, "Customizing email verification messages"
//	firebase     firebase.google.com/docs/auth/custom-email-handler
//	betterauth   better-auth.com/docs/concepts/email; plugins/magic-link
//	supertokens  supertokens.com/docs, email verification, passwordless
//	clerk        clerk.com/docs, email links
//	pocketbase   pocketbase.io/docs/authentication
//	okta         developer.okta.com/docs, customize email templates
//	rauthy       sebadob/rauthy templates/email
//	allauth      docs.allauth.org, account URLs
var shapes = []shape{
	{"auth0", "/u/email-verification", "ticket", KindVerify, RecipeForm},
	{"auth0", "/lo/verify_email", "ticket", KindVerify, RecipeGet},
	{"auth0", "/lo/verify_email", "bewit", KindVerify, RecipeGet},
	{"auth0", "/u/reset-verify", "ticket", KindReset, RecipeUser},
	{"auth0", "/lo/reset", "ticket", KindReset, RecipeUser},
	{"auth0", "/passwordless/verify_redirect", "verification_code", KindLogin, RecipeUser},
	{"auth0", "", "invitation organization", KindInvite, RecipeUser},
	{"keycloak", "/realms/*/login-actions/action-token", "key", "", RecipeProceed},
	{"gotrue", "/verify", "token type=signup", KindVerify, RecipeGet},
	{"gotrue", "/verify", "token type=recovery", KindReset, RecipeUser},
	{"gotrue", "/verify", "token type=magiclink", KindLogin, RecipeUser},
	{"gotrue", "/verify", "token type=invite", KindInvite, RecipeUser},
	{"gotrue", "/verify", "token type=email_change", KindChange, RecipeUser},
	{"gotrue", "/verify", "token type=email", "", RecipeGet}, // signing up and signing in alike
	{"gotrue", "/auth/confirm", "token_hash type=signup", KindVerify, RecipeSupabase},
	{"gotrue", "/auth/confirm", "token_hash type=email", "", RecipeSupabase},
	{"gotrue", "/auth/confirm", "token_hash type=recovery", KindReset, RecipeUser},
	{"gotrue", "/auth/confirm", "token_hash type=magiclink", KindLogin, RecipeUser},
	{"gotrue", "/auth/confirm", "token_hash type=invite", KindInvite, RecipeUser},
	{"gotrue", "/auth/confirm", "token_hash type=email_change", KindChange, RecipeUser},
	{"hasura", "/verify", "ticket type=emailVerify", KindVerify, RecipeGet},
	{"hasura", "/verify", "ticket type=passwordReset", KindReset, RecipeUser},
	{"hasura", "/verify", "ticket type=signinPasswordless", KindLogin, RecipeUser},
	{"hasura", "/verify", "ticket type=emailConfirmChange", KindChange, RecipeUser},
	{"kratos", "/self-service/verification", "flow token", KindVerify, RecipeKratos},
	{"kratos", "/self-service/verification", "flow code", KindVerify, RecipeKratos},
	{"kratos", "/self-service/recovery", "flow", KindReset, RecipeUser},
	{"zitadel", "/ui/login/mail/verification", "userID code", KindVerify, RecipeGet},
	{"zitadel", "/ui/login/password/init", "userID code", KindReset, RecipeUser},
	{"zitadel", "/ui/login/user/init", "userID code", KindInvite, RecipeUser},
	{"zitadel", "/ui/v2/login/verify", "userId code invite=true", KindInvite, RecipeUser},
	{"zitadel", "/ui/v2/login/verify", "userId code", KindVerify, RecipeZitadel},
	{"zitadel", "/ui/v2/login/password/set", "userId code", KindReset, RecipeUser},
	{"authentik", "/if/flow/*", "flow_token", "", RecipeAuthentik},
	{"okta", "/email/verify/{id}", "token", KindVerify, RecipeGet},
	{"okta", "/signin/reset-password/{id}", "", KindReset, RecipeUser},
	{"okta", "/welcome/{id}", "", KindInvite, RecipeUser},
	{"fusionauth", "/email/verify/{id}", "", KindVerify, RecipeForm},
	{"fusionauth", "/password/change/{id}", "", KindReset, RecipeUser},
	{"fusionauth", "/oauth2/passwordless/{id}", "", KindLogin, RecipeUser},
	{"cognito", "/confirmUser", "client_id user_name confirmation_code", KindVerify, RecipeGet},
	{"firebase", "", "mode=verifyEmail oobCode", KindVerify, RecipeFirebase},
	{"firebase", "", "mode=resetPassword oobCode", KindReset, RecipeUser},
	{"firebase", "", "mode=signIn oobCode", KindLogin, RecipeUser},
	{"firebase", "", "mode=recoverEmail oobCode", KindChange, RecipeUser},
	{"firebase", "", "mode=verifyAndChangeEmail oobCode", KindChange, RecipeUser},
	{"betterauth", "/verify-email", "token callbackURL", KindVerify, RecipeGet},
	{"betterauth", "/magic-link/verify", "token", KindLogin, RecipeUser},
	{"betterauth", "/reset-password/{id}", "callbackURL", KindReset, RecipeUser},
	{"supertokens", "/auth/verify-email", "token", KindVerify, RecipeSuperTokens},
	{"supertokens", "/auth/reset-password", "token", KindReset, RecipeUser},
	{"supertokens", "/auth/verify", "preAuthSessionId", KindLogin, RecipeUser},
	{"clerk", "/v1/verify", "_clerk_js_version token", "", RecipeGet}, // signing in looks the same
	{"pocketbase", "/#/auth/confirm-verification/{id}", "", KindVerify, RecipePocketBase},
	{"pocketbase", "/#/auth/confirm-password-reset/{id}", "", KindReset, RecipeUser},
	{"pocketbase", "/#/auth/confirm-email-change/{id}", "", KindChange, RecipeUser},
	{"rauthy", "/users/*/reset/{id}", "", KindReset, RecipeUser},
	{"rauthy", "/users/*/email_confirm/{id}", "", KindChange, RecipeUser},
	{"allauth", "/confirm-email/{id}", "", KindVerify, RecipeForm},
	{"allauth", "/password/reset/key/{id}", "", KindReset, RecipeUser},
}

// shapeOf returns the shape that u has, with its kind filled in as far as the
// link tells it; the zero shape if it has none.
func shapeOf(u *url.URL) shape {
	query := u.Query()
	for _, s := range shapes {
		if !s.fitsPath(u) || !s.fitsQuery(query) {
			continue
		}
		switch s.provider {
		case "keycloak":
			s.kind = actionTokenKind(query.Get("key"))
		case "authentik":
			s.kind = flowKind(u.Path)
		case "betterauth":
			if payloadOf(query.Get("token"))["updateTo"] != nil {
				s.kind, s.recipe = KindChange, RecipeUser
			}
		}
		return s
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
		h := have[len(have)-len(want)+i]
		switch {
		case w == "*" && h != "", w == "{id}" && len(h) >= minID, w == h:
		default:
			return false
		}
	}
	return true
}

// minID is the length from which a path segment may be a secret. The shortest
// that identity providers send have 15 characters or more.
const minID = 12

func (s shape) fitsQuery(query url.Values) bool {
	for p := range strings.FieldsSeq(s.query) {
		name, value, exact := strings.Cut(p, "=")
		if got := query.Get(name); got == "" || (exact && got != value) {
			return false
		}
	}
	return true
}

// actionTokenKind tells Keycloak's links apart, which all have one path: the
// key is a signed JWT whose "typ" names the action.
func actionTokenKind(key string) Kind {
	switch payloadOf(key)["typ"] {
	case nil, "":
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

// flowKind tells authentik's links apart by the flow's slug, which the
// operator may choose; the flows it comes with are called
// default-recovery-flow and default-enrollment-flow.
func flowKind(path string) Kind {
	switch {
	case strings.Contains(path, "recover") || strings.Contains(path, "password") || strings.Contains(path, "reset"):
		return KindReset
	case strings.Contains(path, "enrol") || strings.Contains(path, "verif"):
		return KindVerify
	}
	return ""
}

// senders are the domains from which hosted providers mail for tenants that
// have no mail server of their own.
var senders = map[string]string{
	"auth0user.net":         "auth0",
	"verificationemail.com": "cognito",
	"firebaseapp.com":       "firebase",
	"microsoftonline.com":   "entra",
	"okta.com":              "okta",
	"supabase.io":           "gotrue",
	"authgear.com":          "authgear",
}

// credited are providers whose name stands in the footer of their mails.
var credited = map[string]string{
	"authentik": "authentik", "authgear": "authgear", "casdoor": "casdoor", "clerk": "clerk", "fusionauth": "fusionauth",
	"hanko": "hanko", "keycloak": "keycloak", "logto": "logto", "nhost": "hasura", "ory": "kratos", "rauthy": "rauthy",
	"supertokens": "supertokens", "zitadel": "zitadel", "microsoft entra": "entra",
}

// credits are the words before such a name.
var credits = []string{"powered by ", "secured by ", "protected by ", "sent by "}

// signedBy names the provider of a mail whose links do not: by its sender or
// its footer. It explains a mail and decides nothing.
func signedBy(m Mail, text string) string {
	_, domain, _ := strings.Cut(strings.TrimRight(strings.ToLower(m.From), "> \t"), "@")
	for known, provider := range senders {
		if domain == known || strings.HasSuffix(domain, "."+known) {
			return provider
		}
	}
	text = strings.ToLower(text)
	for _, credit := range credits {
		for at := 0; ; {
			n := strings.Index(text[at:], credit)
			if n < 0 {
				break
			}
			at += n + len(credit)
			name := text[at : at+min(len(text)-at, len("microsoft entra"))]
			for known, provider := range credited {
				if rest, ok := strings.CutPrefix(name, known); ok && (rest == "" || !isLetter(rest[0])) {
					return provider
				}
			}
		}
	}
	return ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' }
