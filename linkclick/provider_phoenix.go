package linkclick

// phoenix is phx.gen.auth of the Phoenix framework. Up to version 1.7 its confirmation link shows
// a form with one button. From version 1.8 on a link that signs in confirms, too. Where the page
// is a live view, the form needs a script, and the person opens the link.
//
// Sources: phoenixframework/phoenix 1.6 to 1.8, priv/templates/phx.gen.auth, routes.ex,
// notifier.ex, confirmation_controller.ex and confirmation_edit.html.heex.
var phoenix = provider{
	name: "phoenix",
	shapes: []shape{
		{path: "/users/confirm/{b64}", kind: KindVerify, recipe: RecipeForm},
		{path: "/users/reset_password/{b64}", kind: KindReset, recipe: RecipeUser},
		{path: "/users/reset-password/{b64}", kind: KindReset, recipe: RecipeUser},
		{path: "/users/log-in/{b64}", kind: KindLogin, recipe: RecipeUser},
		{path: "/settings/confirm-email/{b64}", kind: KindChange, recipe: RecipeUser},
		{path: "/settings/confirm_email/{b64}", kind: KindChange, recipe: RecipeUser},
	},
}
