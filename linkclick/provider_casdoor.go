package linkclick

// casdoor is Casdoor. It mails codes. A mail for a new password also has a link to the page where
// both are typed. That of an invitation leads to the page for signing up, without which its code
// is worth nothing to the reader.
//
// Sources: casdoor/casdoor 3, object/verification.go (SendVerificationCodeToEmail),
// object/invitation.go (GetInvitationLink) and web/src/Setting.js (getDefaultHtmlEmailContent).
var casdoor = provider{
	name: "casdoor",
	shapes: []shape{
		{path: "/forget/{name}", query: "code username dest", kind: KindReset, recipe: RecipeUser},
		{path: "/signup/{name}", query: "invitationCode", kind: KindInvite, recipe: RecipeUser},
	},
	footers: []string{"casdoor"},
}
