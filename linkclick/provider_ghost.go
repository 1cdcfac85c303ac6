package linkclick

// ghost is Ghost, for the members of a site. Its links have one path and name their action, by
// which they are told apart exactly. A GET redeems, and leads to a page of the site with success in
// its query.
//
// Sources: TryGhost/Ghost 5 and 6, ghost/core/core/server/services/members,
// members-config-provider.js (getSigninURL), middleware.js (createSessionFromMagicLink) and
// emails/signup.js.
var ghost = provider{
	name: "ghost",
	back: "r",
	shapes: []shape{
		{path: "/members", query: "token action=signup", kind: KindVerify, recipe: RecipeGet},
		{path: "/members", query: "token action=subscribe",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/members", query: "token action=signin", kind: KindLogin, recipe: RecipeUser},
		{path: "/members", query: "token action=updateEmail",
			kind: KindChange, recipe: RecipeUser},
	},
	verdicts: []verdict{
		{turn: turnFailed, name: "success", value: "false", outcome: OutcomeRefused},
		{turn: turnSuccess, name: "success", value: "true", outcome: OutcomeConfirmed},
	},
}
