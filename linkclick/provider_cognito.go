package linkclick

// cognito is Amazon Cognito. Its link takes one GET and ends on a page; it never redirects.
//
// Source: docs.aws.amazon.com/cognito, "Customizing email verification messages".
var cognito = provider{
	name: "cognito",
	shapes: []shape{
		{path: "/confirmUser", query: "client_id user_name confirmation_code",
			kind: KindVerify, recipe: RecipeGet},
	},
	senders: []string{"verificationemail.com"},
	phrases: map[Outcome][]string{
		OutcomeAlready:   {"current status is confirmed"},
		OutcomeConfirmed: {"registration has been confirmed"},
	},
}
