package linkclick

// allauth is django-allauth. Its verification link shows a form with a hidden token, which must
// be posted with the cookie of the page.
//
// Source: docs.allauth.org, account URLs and ACCOUNT_CONFIRM_EMAIL_ON_GET.
var allauth = provider{
	name: "allauth",
	shapes: []shape{
		{path: "/confirm-email/{id}", kind: KindVerify, recipe: RecipeForm},
		{path: "/password/reset/key/{id}", kind: KindReset, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeConfirmed: {"you have confirmed"},
	},
}
