package linkclick

// appwrite is Appwrite. The application chooses the path of its links. Those that verify and those
// that reset have the same parameters, so only a path that Appwrite's own console uses tells them
// apart. All others have no kind: they are held, unless the operator allows their path. The pages
// are scripts.
//
// Sources: appwrite/appwrite 1.6, app/controllers/api/account.php (createMagicURLToken,
// createRecovery, createVerification) and app/controllers/api/teams.php (createMembership);
// appwrite/console, src/routes/(public).
var appwrite = provider{
	name: "appwrite",
	shapes: []shape{
		{query: "userId secret membershipId teamId", kind: KindInvite, recipe: RecipeUser},
		{query: "userId secret expire project", kind: KindLogin, recipe: RecipeUser},
		{path: "/console/recover", query: "userId secret expire",
			kind: KindReset, recipe: RecipeUser},
		{query: "userId secret expire", recipe: RecipeScript},
	},
}
