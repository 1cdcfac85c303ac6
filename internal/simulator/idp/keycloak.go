package idp

import (
	"net/http"
	"time"
)

// Keycloak. Sources: its services, VerifyEmailActionTokenHandler and
// ExecuteActionsActionTokenHandler.
const (
	// Keycloak takes a GET, and a GET of the page's "proceed" link with a cookie; then a page.
	Keycloak Provider = "keycloak"
	// KeycloakCode mails a code, and no link.
	KeycloakCode Provider = "keycloak-code"
	// KeycloakActions is an administrator's invitation: a form that wants a password.
	KeycloakActions Provider = "keycloak-actions"
)

// Keycloak's paths, and the cookie that binds the second step of its links to the first.
const (
	keycloakRealm  = "/realms/customers/"
	keycloakCookie = "AUTH_SESSION_ID"
)

var keycloakWords = sayings{"Your email address has been verified.",
	"Your email address has been verified already.", "Your email address has been verified already.",
	"The link you clicked is an old stale link and is no longer valid.", "The link is not valid."}

// keycloak returns Keycloak's rows.
func keycloak() []*profile {
	const link = keycloakRealm +
		"login-actions/action-token?key={secret}&client_id=account&tab_id={id}"
	actions := passwordForm()
	return []*profile{
		{name: Keycloak, purpose: purposeVerify, life: 5 * time.Minute, link: link,
			secret: jwt(`"typ":"verify-email"`),
			style: mailStyle{Subject: "Verify email", Anchor: "Link to e-mail address verification",
				Parts: bothParts},
			says: keycloakWords, get: keycloakProceed},
		codeMail(KeycloakCode, 5*time.Minute, 6, bothParts),
		{name: KeycloakActions, purpose: purposeInvite, life: 12 * time.Hour, link: link,
			secret: jwt(`"typ":"execute-actions"`),
			style: mailStyle{Subject: "Update your account", Anchor: "Link to account update",
				Parts:   bothParts,
				Heading: "Your administrator asks you to update your account",
				Intro:   "What is to be done: Update Password. Follow the link to begin."},
			says: passwordWords, get: actions.get, post: actions.post},
	}
}

// keycloakProceed serves a fresh session a page with a link to the same path, and only that
// link, with the session's cookie, verifies. A link works until it expires, so a second use is
// no error.
func keycloakProceed(i *Server, w http.ResponseWriter, r *http.Request, k *ticket) {
	cookie, err := r.Cookie(keycloakCookie)
	i.mu.Lock()
	o := i.outlook(k)
	session := ""
	switch {
	case o != verified:
	case err == nil && k.cookie != "" && cookie.Value == k.cookie:
		o = i.redeem(k)
	default:
		session = randomText(36)
		k.cookie = session
	}
	i.mu.Unlock()
	switch {
	case o == tooLate || o == unknown:
		showPage(w, http.StatusBadRequest, pageView{
			Title: "We are sorry", Message: k.provider.says[o], MessageID: "kc-error-message",
		})
	case session == "":
		showPage(w, http.StatusOK, pageView{
			Title: "Email verification", Message: k.provider.says[o], MessageID: "kc-info-message",
		})
	default:
		http.SetCookie(w, &http.Cookie{Name: keycloakCookie, Value: session, Path: keycloakRealm,
			HttpOnly: true})
		again := *k // in a tab of its own
		again.id = randomText(11)
		showPage(w, http.StatusOK, pageView{
			Title: "Confirm the address", Message: "You are about to confirm your email address.",
			MessageID: "kc-info-message", Proceed: i.URL() + k.provider.fill(&again, ""),
		})
	}
}
