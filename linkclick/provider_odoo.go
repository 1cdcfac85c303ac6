package linkclick

// odoo is Odoo. It invites people to choose a first password, and it resets passwords. A person who
// signs up by themselves gets no link, so there is none that only verifies.
//
// Sources: odoo/odoo 17 and 18, addons/auth_signup/controllers/main.py, models/res_partner.py
// (_get_signup_url_for_action) and data/mail_template_data.xml.
var odoo = provider{
	name: "odoo",
	shapes: []shape{
		{path: "/web/signup", query: "token", kind: KindInvite, recipe: RecipeUser},
		{path: "/web/reset_password", query: "token", kind: KindReset, recipe: RecipeUser},
	},
}
