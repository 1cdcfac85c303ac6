package linkclick

// clerk is Clerk. Its link takes one GET and redirects with __clerk_status. A link that signs in
// looks the same as one that verifies, so the shape tells no kind.
//
// Source: clerk.com/docs, "Email links".
var clerk = provider{
	name: "clerk",
	shapes: []shape{
		{path: "/v1/verify", query: "_clerk_js_version token", recipe: RecipeGet},
	},
	footers: []string{"clerk"},
	// The name is Clerk's alone, so these count on every link.
	verdicts: []verdict{
		{turn: turnStatus, name: "__clerk_status", value: "expired", outcome: OutcomeExpired},
		{turn: turnStatus, name: "__clerk_status", value: "failed", outcome: OutcomeRefused},
		{turn: turnStatus, name: "__clerk_status", value: "client_mismatch",
			outcome: OutcomeNeedsUser},
		{turn: turnSuccess, name: "__clerk_status", value: "verified", outcome: OutcomeConfirmed},
	},
}
