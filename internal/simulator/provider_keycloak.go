package simulator

import (
	"net/http"
	"time"
)

// Keycloak's paths, and the cookie that binds the second step of its links to the first.
const (
	idpRealm       = "/realms/customers/"
	idpRealmCookie = "AUTH_SESSION_ID"
)

var idpKeycloakWords = idpWords{"Your email address has been verified.", "Your email address has been verified already.",
	"Your email address has been verified already.", "The link you clicked is an old stale link and is no longer valid.",
	"The link is not valid."}

// idpKeycloak returns Keycloak's rows.
func idpKeycloak() []*idpProvider {
	const link = idpRealm + "login-actions/action-token?key={secret}&client_id=account&tab_id={id}"
	actions := idpPasswordForm()
	return []*idpProvider{
		{name: IdPKeycloak, purpose: idpVerify, life: 5 * time.Minute, link: link, secret: idpJWT(`"typ":"verify-email"`),
			letter: idpLetter{Subject: "Verify email", Anchor: "Link to e-mail address verification", Parts: idpBothParts},
			says:   idpKeycloakWords, get: idpProceed},
		idpCodeMail(IdPKeycloakCode, 5*time.Minute, 6, idpBothParts),
		{name: IdPKeycloakActions, purpose: idpInvite, life: 12 * time.Hour, link: link, secret: idpJWT(`"typ":"execute-actions"`),
			letter: idpLetter{Subject: "Update your account", Heading: "Your administrator asks you to update your account",
				Intro: "What is to be done: Update Password. Follow the link to begin.", Anchor: "Link to account update", Parts: idpBothParts},
			says: idpPasswordWords, get: actions.get, post: actions.post},
	}
}

// idpProceed serves a fresh session a page with a link to the same path, and only that link, with the session's
// cookie, verifies. A link works until it expires, so a second use is no error.
func idpProceed(i *IdP, w http.ResponseWriter, r *http.Request, k *idpTicket) {
	cookie, err := r.Cookie(idpRealmCookie)
	i.mu.Lock()
	outcome := i.outlook(k)
	session := ""
	switch {
	case outcome != idpVerified:
	case err == nil && k.cookie != "" && cookie.Value == k.cookie:
		outcome = i.redeem(k)
	default:
		session = idpRandom(36)
		k.cookie = session
	}
	i.mu.Unlock()
	switch {
	case outcome == idpTooLate || outcome == idpUnknown:
		idpShow(w, http.StatusBadRequest, idpView{
			Title: "We are sorry", Message: k.provider.says[outcome], MessageID: "kc-error-message",
		})
	case session == "":
		idpShow(w, http.StatusOK, idpView{
			Title: "Email verification", Message: k.provider.says[outcome], MessageID: "kc-info-message",
		})
	default:
		http.SetCookie(w, &http.Cookie{Name: idpRealmCookie, Value: session, Path: idpRealm, HttpOnly: true})
		again := *k // in a tab of its own
		again.id = idpRandom(11)
		idpShow(w, http.StatusOK, idpView{
			Title: "Confirm the address", Message: "You are about to confirm your email address.",
			MessageID: "kc-info-message", Proceed: i.URL() + k.provider.fill(&again, ""),
		})
	}
}
