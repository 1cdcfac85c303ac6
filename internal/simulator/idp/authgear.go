package idp

import "time"

// Authgear mails a login link: a form with a cookie, to be approved; then a page. Source:
// resources/authgear/templates.
const Authgear Provider = "authgear"

// authgear returns Authgear's row.
func authgear() []*profile {
	approve := formLink{field: "gorilla.csrf.Token", cookie: "csrf_token", finish: showOutcome,
		view: pageView{Title: "Approve the login?", Button: "Approve"}}
	return []*profile{{
		name: Authgear, purpose: purposeLogin, life: 20 * time.Minute,
		link: "/flows/verify_login_link?code={secret}",
		style: mailStyle{Subject: "Your login link", Heading: "Log in to {name}", Anchor: "Log in",
			Parts: bothParts,
			Intro: "Approve the login on this page:"},
		says: sayings{"The login is approved.", "This link has been used.", "This link has been used.",
			"This link has expired.", "This link is invalid."},
		get: approve.get, post: approve.post,
	}}
}
