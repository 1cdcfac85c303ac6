package linkclick

// laravel is Laravel, with its starter kits. Its verification link is signed, and it wants the
// session of the person who signed up: without one it leads to the sign-in page. So the person
// opens it.
//
// Sources: laravel/framework 11, src/Illuminate/Auth/Notifications/VerifyEmail.php and
// ResetPassword.php; laravel/breeze 2, stubs/default/routes/auth.php; laravel/fortify 1,
// routes/routes.php; laravel/jetstream 5, TeamInvitation.
var laravel = provider{
	name: "laravel",
	shapes: []shape{
		{path: "/email/verify/*/{hex}", query: "expires signature",
			kind: KindVerify, recipe: RecipeUser},
		{path: "/verify-email/*/{hex}", query: "expires signature",
			kind: KindVerify, recipe: RecipeUser},
		{path: "/password/reset/{hex}", query: "email", kind: KindReset, recipe: RecipeUser},
		{path: "/reset-password/{hex}", query: "email", kind: KindReset, recipe: RecipeUser},
		{path: "/team-invitations/{num}", query: "signature",
			kind: KindInvite, recipe: RecipeUser},
	},
}
