package linkclick

// appwrite is Appwrite. The application chooses the path of its links. Those that verify and those
// that reset have the same parameters, so only a path that Appwrite's own console uses tells them
// apart. The console is below /console or, by a newer setting, at the root. All other paths have no
// kind: they are held, unless the operator allows their path. The pages are scripts.
//
// Sources: appwrite/appwrite 1.6 to 1.9, app/controllers/api/account.php (createMagicURLToken,
// createRecovery, createEmailVerification; _APP_CONSOLE_URL_SCHEME) and
// src/Appwrite/Platform/Modules/Teams/Http/Memberships/Create.php; appwrite/console 7,
// src/routes/(public)/recover and src/routes/(console)/verify-email.
var appwrite = provider{
	name: "appwrite",
	shapes: []shape{
		{query: "userId secret membershipId teamId", kind: KindInvite, recipe: RecipeUser},
		{query: "userId secret expire project", kind: KindLogin, recipe: RecipeUser},
		{path: "/recover", query: "userId secret expire", kind: KindReset, recipe: RecipeUser},
		{path: "/verify-email", query: "userId secret expire",
			kind: KindVerify, recipe: RecipeScript},
		{query: "userId secret expire", recipe: RecipeScript},
	},
}
