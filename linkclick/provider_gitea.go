package linkclick

// gitea is Gitea, and Forgejo, which was made of it. The page of its activation link asks for the
// password of the account. So the person opens it.
//
// Sources: go-gitea/gitea 1.22, templates/mail/user/auth/activate.tmpl, activate_email.tmpl and
// reset_passwd.tmpl, and routers/web/auth/auth.go (Activate); the same files of Forgejo.
var gitea = provider{
	name: "gitea",
	shapes: []shape{
		{path: "/user/activate", query: "code", kind: KindVerify, recipe: RecipeUser},
		{path: "/user/recover_account", query: "code", kind: KindReset, recipe: RecipeUser},
		{path: "/user/activate_email", query: "code email",
			kind: KindChange, recipe: RecipeUser},
		{path: "/-/org/invite/{alnum}", kind: KindInvite, recipe: RecipeUser},
	},
}
