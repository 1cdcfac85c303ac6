package linkclick

// laravel is Laravel, with its starter kits. Its verification link is signed, and it wants the
// session of the person who signed up: without one it leads to the sign-in page. So the person
// opens it. The reset link of an application with a front end of its own has another path.
//
// Sources: laravel/framework 11 to 13, src/Illuminate/Auth/Notifications/VerifyEmail.php (a SHA-1
// of the address) and ResetPassword.php, src/Illuminate/Auth/Passwords/DatabaseTokenRepository.php
// (a SHA-256) and src/Illuminate/Foundation/Auth/EmailVerificationRequest.php; laravel/ui 4,
// src/AuthRouteMethods.php and auth-backend/VerifiesEmails.php; laravel/fortify 1,
// routes/routes.php; laravel/breeze 2, stubs/default/routes/auth.php, stubs/api/routes/auth.php and
// stubs/api/app/Providers/AppServiceProvider.php; laravel/livewire-starter-kit 1, routes/auth.php;
// laravel/jetstream 5, src/Mail/TeamInvitation.php and routes/livewire.php.
var laravel = provider{
	name: "laravel",
	shapes: []shape{
		{path: "/email/verify/*/{hex}", query: "expires signature",
			kind: KindVerify, recipe: RecipeUser},
		{path: "/verify-email/*/{hex}", query: "expires signature",
			kind: KindVerify, recipe: RecipeUser},
		{path: "/password/reset/{hex}", query: "email", kind: KindReset, recipe: RecipeUser},
		{path: "/reset-password/{hex}", query: "email", kind: KindReset, recipe: RecipeUser},
		{path: "/password-reset/{hex}", query: "email", kind: KindReset, recipe: RecipeUser},
		{path: "/team-invitations/{num}", query: "signature",
			kind: KindInvite, recipe: RecipeUser},
	},
}
