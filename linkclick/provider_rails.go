package linkclick

// rails is the authentication that Ruby on Rails generates. It mails one link, which resets a
// password. Its token is a message that Rails has signed.
//
// Sources: rails/rails 8, railties/lib/rails/generators/rails/authentication, passwords_mailer;
// activesupport/lib/active_support/message_verifier.rb.
var rails = provider{
	name: "rails",
	shapes: []shape{
		{path: "/passwords/{message}/edit", kind: KindReset, recipe: RecipeUser},
	},
}
