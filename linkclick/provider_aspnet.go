package linkclick

import (
	"net/http"
	"net/url"
)

// aspnet is ASP.NET Core Identity. Its pages confirm on a GET and say so. The endpoints of its API
// have a path of their own and the same words. A link with another address in it changes the
// address of an account. Its mail has the words of a sign-up. A site may have all of its paths in
// small letters. The API mails no link for a password, but a code too long to be texted. It refuses
// a link with 401 and no word.
//
// Sources: dotnet/aspnetcore 8 and 9, src/Identity/UI/src/Areas/Identity/Pages/V5/Account,
// ConfirmEmail.cshtml.cs, ConfirmEmailChange.cshtml.cs and ForgotPassword.cshtml.cs;
// src/Identity/Core/src/IdentityApiEndpointRouteBuilderExtensions.cs;
// src/Http/Routing/src/UriBuildingContext.cs (LowercaseUrls).
var aspnet = provider{
	name: "aspnet",
	shapes: []shape{
		{path: "/Account/ConfirmEmail", query: "userId code",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/confirmEmail", query: "userId code", kind: KindVerify, recipe: RecipeGet},
		{path: "/confirmemail", query: "userId code", kind: KindVerify, recipe: RecipeGet},
		{path: "/Account/ConfirmEmailChange", query: "userId email code",
			kind: KindChange, recipe: RecipeUser},
		{path: "/account/confirmemailchange", query: "userId email code",
			kind: KindChange, recipe: RecipeUser},
		{path: "/Account/ResetPassword", query: "code", kind: KindReset, recipe: RecipeUser},
		{path: "/account/resetpassword", query: "code", kind: KindReset, recipe: RecipeUser},
	},
	tell:    changedEmailKind,
	refusal: http.StatusUnauthorized,
	phrases: map[Outcome][]string{
		OutcomeConfirmed: {"thank you for confirming your email"},
		OutcomeRefused:   {"error confirming your email"},
	},
}

// changedEmailKind returns change for a link that carries an address: without one the same path
// confirms the address of a new account.
func changedEmailKind(kind Kind, _ string, query url.Values) Kind {
	if kind == KindVerify && (query.Has("changedEmail") || query.Has("email")) {
		return KindChange
	}
	return kind
}
