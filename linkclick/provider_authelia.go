package linkclick

// authelia is Authelia. It knows its accounts from a directory, so no link of its mails verifies an
// address. A mail for a new password has a second link, which revokes the first. A person who
// changes a second factor gets a code of capital letters and digits, and a link that revokes it.
// A GET on such a link revokes nothing, but it must not be taken for that of the mail. The link
// beside a code has no shape: one of another kind would hide the code.
//
// Sources: authelia/authelia 4.39, internal/handlers/handler_reset_password.go
// (ResetPasswordIdentityStart) and handler_session_elevation.go, internal/model/one_time_code.go,
// internal/configuration/schema/identity_validation.go (8 characters), internal/random/const.go
// (CharSetUnambiguousUpper) and internal/templates/embed/notification.
var authelia = provider{
	name: "authelia",
	shapes: []shape{
		{path: "/reset-password/step2", query: "token", kind: KindReset, recipe: RecipeUser},
	},
	letters: 8,
	footers: []string{"authelia"},
}
