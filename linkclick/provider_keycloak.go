package linkclick

import "net/url"

// keycloak is Keycloak. All its links have one path, and the key, a signed JWT, names the action.
// The link shows a page with "click here to proceed": the link again with another key, which must
// be opened with the cookie of the first page. The end is a page in the language of the realm, so
// the ids of its elements count beside its words.
//
// Sources: keycloak services, DefaultActionTokenKey and LoginActionsService; keycloak login
// theme, messages, info.ftl and error.ftl.
var keycloak = provider{
	name: "keycloak",
	shapes: []shape{
		{path: "/realms/{name}/login-actions/action-token", query: "key", recipe: RecipeProceed},
	},
	tell:    actionTokenKind,
	footers: []string{"keycloak"},
	menu:    []string{"kc_locale", "ui_locales"},
	marks: []mark{
		{id: "kc-error-message", outcome: OutcomeRefused},
		// The first page has this id too, and asks.
		{id: "kc-info-message", outcome: OutcomeConfirmed, proceeded: true},
	},
	phrases: map[Outcome][]string{
		OutcomeExpired: {"action expired", "old stale link"},
	},
}

// actionTokenKind returns the kind by the "typ" of the key; empty if the key does not tell.
func actionTokenKind(_ Kind, _ string, query url.Values) Kind {
	switch payloadOf(query.Get("key"))["typ"] {
	case nil, "":
		return ""
	case "verify-email":
		return KindVerify
	case "reset-credentials":
		return KindReset
	case "update-email", "idp-verify-account-via-email": // the latter links two accounts
		return KindChange
	}
	return KindInvite // execute-actions and the like: a person has to do something
}
