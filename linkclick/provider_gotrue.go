package linkclick

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// gotrue is GoTrue, the identity provider of Supabase. Its own link takes one GET and redirects
// to the site with a session or an error. The link of a site that keeps its session on the server
// holds a token_hash. The site redeems it, or we do at the API of [Rule]. The type "email" is that
// of a sign-up and of a log-in alike, so it tells no kind.
//
// Sources: supabase/auth internal/mailer and openapi.yaml; supabase.com/docs, "Email templates";
// github.com/supabase/ssr for the cookie.
var gotrue = provider{
	name: "gotrue",
	shapes: []shape{
		{path: "/verify", query: "token type=signup", kind: KindVerify, recipe: RecipeGet},
		{path: "/verify", query: "token type=recovery", kind: KindReset, recipe: RecipeUser},
		{path: "/verify", query: "token type=magiclink", kind: KindLogin, recipe: RecipeUser},
		{path: "/verify", query: "token type=invite", kind: KindInvite, recipe: RecipeUser},
		{path: "/verify", query: "token type=email_change", kind: KindChange, recipe: RecipeUser},
		{path: "/verify", query: "token type=email", recipe: RecipeGet},
		{path: "/auth/confirm", query: "token_hash type=signup",
			kind: KindVerify, recipe: RecipeSupabase},
		{path: "/auth/confirm", query: "token_hash type=email", recipe: RecipeSupabase},
		{path: "/auth/confirm", query: "token_hash type=recovery",
			kind: KindReset, recipe: RecipeUser},
		{path: "/auth/confirm", query: "token_hash type=magiclink",
			kind: KindLogin, recipe: RecipeUser},
		{path: "/auth/confirm", query: "token_hash type=invite",
			kind: KindInvite, recipe: RecipeUser},
		{path: "/auth/confirm", query: "token_hash type=email_change",
			kind: KindChange, recipe: RecipeUser},
	},
	senders: []string{"supabase.io"},
	recipe: recipe{
		name: RecipeSupabase, redeemer: supabase{}, needs: needsAPI, instead: RecipeGet,
	},
	back: "redirect_to",
	verdicts: []verdict{
		{turn: turnWhy, name: "error_code", value: "otp_expired", outcome: OutcomeExpired},
		{turn: turnError, name: "error", value: "*", outcome: OutcomeRefused, own: true},
		{turn: turnSuccess, name: "access_token", value: "*", outcome: OutcomeConfirmed, own: true},
		{turn: turnSuccess, name: "code", value: "*", outcome: OutcomeConfirmed, own: true},
	},
	proves: setsSupabaseSession,
}

// setsSupabaseSession reports whether a server-side site has begun a session. Its cookie is
// sb-PROJECT-auth-token, or several with ".0", ".1" at the end if the session is long.
func setsSupabaseSession(_ *url.URL, a response, _ *url.URL) bool {
	return slices.ContainsFunc(a.cookies, func(name string) bool {
		name, _, _ = strings.Cut(name, ".")
		return strings.HasPrefix(name, "sb-") && strings.HasSuffix(name, "-auth-token")
	})
}

// RecipeSupabase is a POST of verify with the token_hash; it needs [Rule].API.
const RecipeSupabase = "supabase"

// supabase calls GoTrue's POST /verify.
type supabase struct{}

func (supabase) start(k *click) (request, bool) {
	query := k.link.Query()
	hash := query.Get("token_hash")
	body := map[string]string{"type": cmp.Or(query.Get("type"), "email"), "token_hash": hash}
	k.take = func(a response) request { return k.said(a, supabaseOutcome(a)) }
	return k.call(k.Rule, k.Rule.API+"/verify", body, hash)
}

// supabaseOutcome reads the response: a session, of which nothing is kept, or an error.
func supabaseOutcome(a response) Outcome {
	f := readFields(a)
	switch {
	case f.good && (f.text("access_token") != "" || f.at("user") != nil):
		return OutcomeConfirmed
	case f.text("error_code") == "otp_expired": // used, too old or wrong: it does not tell
		return OutcomeExpired
	case a.status == http.StatusBadRequest, a.status == http.StatusForbidden,
		a.status == http.StatusUnprocessableEntity:
		return OutcomeRefused
	}
	return OutcomeUnknown
}
