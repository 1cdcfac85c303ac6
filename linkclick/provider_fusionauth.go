package linkclick

// fusionauth is FusionAuth. It verifies an address, or the registration of a person with one
// application, in one way: the link shows a form that a script submits, or, as older templates have
// it, takes one GET.
//
// Sources: fusionauth.io/docs/customize/email-and-messages/email-templates-replacement-variables;
// FusionAuth/fusionauth-localization, theme, "registration-verification-complete".
var fusionauth = provider{
	name:    "fusionauth",
	letters: 6,
	shapes: []shape{
		{path: "/email/verify/{id}", kind: KindVerify, recipe: RecipeForm},
		{path: "/registration/verify/{id}", query: "tenantId",
			kind: KindVerify, recipe: RecipeForm},
		{path: "/password/change/{id}", kind: KindReset, recipe: RecipeUser},
		{path: "/oauth2/passwordless/{id}", kind: KindLogin, recipe: RecipeUser},
	},
	footers: []string{"fusionauth"},
	phrases: map[Outcome][]string{OutcomeConfirmed: {"your registration has been verified"}},
}
