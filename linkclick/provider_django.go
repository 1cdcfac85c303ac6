package linkclick

// django is the user management that comes with Django itself. It can reset passwords, and it
// mails nothing else. The path of its link is short, so the form of its token is part of the shape.
//
// Source: django/django 5, django/contrib/auth/urls.py, tokens.py and
// django/contrib/admin/templates/registration/password_reset_email.html.
var django = provider{
	name: "django",
	shapes: []shape{
		{path: "/reset/*/{stamped}", kind: KindReset, recipe: RecipeUser},
	},
}
