package linkclick

// odoo is Odoo. It invites people to choose a first password, and it resets passwords. A person who
// signs up by themselves gets no link. In a forum or course they may ask for one that validates
// their address. It leads on in the same way whether it did so or not. The page that follows tells
// of a success, in an element with an id, if the link names a page of the forum or course.
//
// Sources: odoo/odoo 17 and 18, addons/auth_signup/controllers/main.py, models/res_partner.py
// (_get_signup_url_for_action) and data/mail_template_data.xml; addons/website_profile 13 to 18,
// controllers/main.py (validate_email), models/res_users.py (_send_profile_validation_email) and
// views/website_profile.xml (email_validation_banner).
var odoo = provider{
	name: "odoo",
	shapes: []shape{
		{path: "/profile/validate_email", query: "token user_id email",
			kind: KindVerify, recipe: RecipeGet},
		{path: "/web/signup", query: "token", kind: KindInvite, recipe: RecipeUser},
		{path: "/web/reset_password", query: "token", kind: KindReset, recipe: RecipeUser},
	},
	marks: []mark{{id: "email_validated_message", outcome: OutcomeConfirmed}},
}
