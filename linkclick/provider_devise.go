package linkclick

// devise is Devise, which signs people in to Ruby on Rails applications. Its links name the token's
// purpose in path and parameter. A GET confirms, and leads to the sign-in page, which shows the
// outcome to a browser that brings the cookie. A link that unlocks an account is never opened:
// the lock is there to stop a guesser.
//
// The first segment is the model that is confirmed. An application may let an order or a payment be
// confirmed by the same code. So a confirmation is known only for the models that are people.
//
// Devise mails the same link when the address of an account changes. In both cases the link proves
// that the address is the reader's, and nothing else. What an outsider could gain by changing to
// the reader's address is what they could gain by signing up with it.
//
// Sources: heartcombo/devise 4.9, lib/devise/rails/routes.rb,
// app/controllers/devise/confirmations_controller.rb, app/views/devise/mailer and
// config/locales/en.yml; scambra/devise_invitable 2.0, app/views/devise/mailer.
var devise = provider{
	name: "devise",
	shapes: []shape{
		{path: "/{scope}/confirmation", query: "confirmation_token",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/*/password/edit", query: "reset_password_token",
			kind: KindReset, recipe: RecipeUser},
		{path: "/*/unlock", query: "unlock_token", kind: KindChange, recipe: RecipeUser},
		{path: "/*/invitation/accept", query: "invitation_token",
			kind: KindInvite, recipe: RecipeUser},
	},
	phrases: map[Outcome][]string{
		OutcomeExpired: {"needs to be confirmed within"},
	},
}
