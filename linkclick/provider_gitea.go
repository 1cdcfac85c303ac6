package linkclick

import (
	"net/url"
	"strings"
)

// gitea is Gitea, and Forgejo, which was made of it. The page of its activation link asks for the
// password of the account. So the person opens it. An invitation leads to the page where one signs
// up or in, and names the place of the invitation as that to go on to.
//
// Sources: go-gitea/gitea 1.22, templates/mail/user/auth/activate.tmpl, activate_email.tmpl and
// reset_passwd.tmpl, routers/web/auth/auth.go (Activate) and services/mailer/mail_team_invite.go;
// the same files of Forgejo.
var gitea = provider{
	name: "gitea",
	shapes: []shape{
		{path: "/user/activate", query: "code", kind: KindVerify, recipe: RecipeUser},
		{path: "/user/recover_account", query: "code", kind: KindReset, recipe: RecipeUser},
		{path: "/user/activate_email", query: "code email",
			kind: KindChange, recipe: RecipeUser},
		{path: "/user/sign_up", query: "redirect_to", recipe: RecipeUser},
		{path: "/user/login", query: "redirect_to", recipe: RecipeUser},
	},
	tell: invitationKind,
}

// invitationKind returns invite for a link that goes on to an invitation, and the kind of the shape
// for any other.
func invitationKind(kind Kind, _ string, query url.Values) Kind {
	if kind == "" && strings.Contains(query.Get("redirect_to"), "/org/invite/") {
		return KindInvite
	}
	return kind
}
