package linkclick

// authgear is Authgear. It mails codes, or links if the operator wants so. One link is that of a
// sign-up, of a log-in and of a second factor alike, and its page has a button. So the shape tells
// no kind.
//
// Sources: authgear/authgear-server, resources/authgear/templates; pkg/lib/authn/otp/sender.go
// (setupTemplateContext) and pkg/lib/endpoints/endpoints.go.
var authgear = provider{
	name: "authgear",
	shapes: []shape{
		{path: "/authflow/v2/verify_login_link", query: "code", recipe: RecipeUser},
		{path: "/authflow/v2/reset_password", query: "code", kind: KindReset, recipe: RecipeUser},
	},
	senders: []string{"authgear.com"},
	footers: []string{"authgear"},
}
