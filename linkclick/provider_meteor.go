package linkclick

// meteor is Meteor's accounts. Its links name their purpose and their token in the fragment, and
// only a script of the application can redeem them. Rocket.Chat is made of it, and has a path for
// the link that resets.
//
// Sources: meteor/meteor 2 and 3, packages/accounts-base/accounts_server.js (this.urls) and
// packages/accounts-password/email_templates.js; RocketChat/Rocket.Chat 6 and 7,
// apps/meteor/app/authentication/server/startup/index.js (Accounts.urls).
var meteor = provider{
	name: "meteor",
	shapes: []shape{
		{path: "/#/verify-email/{b64}", kind: KindVerify, recipe: RecipeScript},
		{path: "/#/reset-password/{b64}", kind: KindReset, recipe: RecipeUser},
		{path: "/reset-password/{b64}", kind: KindReset, recipe: RecipeUser},
		{path: "/#/enroll-account/{b64}", kind: KindInvite, recipe: RecipeUser},
		{query: "loginToken selector", kind: KindLogin, recipe: RecipeUser},
	},
}
