package linkclick

// authjs is Auth.js, which was NextAuth.js. It mails one link, which signs a person in, and up, in
// the browser that opens it. The last segment of its path is the name of the provider that mails,
// such as "email" or "nodemailer".
//
// Sources: nextauthjs/next-auth, packages/core/src/lib/actions/signin/send-token.ts and
// lib/utils/email.ts; next-auth 4, src/core/lib/email/signin.ts.
var authjs = provider{
	name: "authjs",
	shapes: []shape{
		{path: "/auth/callback/{name}", query: "callbackUrl token email",
			kind: KindLogin, recipe: RecipeUser},
	},
}
