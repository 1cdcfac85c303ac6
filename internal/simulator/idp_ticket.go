package simulator

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Paths of links. Which one a mail has says what its link does.
const (
	idpPathVerify     = "/lo/verify_email"
	idpPathVerifyForm = "/u/email-verification"
	idpPathReset      = "/lo/reset"
	idpPathResetForm  = "/u/reset-verify"
	idpPathRealm      = "/realms/customers/"
	idpPathProceed    = idpPathRealm + "login-actions/action-token"
)

// Lives of links: Auth0's default of five days, Keycloak's of five minutes.
const (
	idpTicketLife  = 432000 * time.Second
	idpProceedLife = 5 * time.Minute
)

// idpTicket is the secret of one link.
type idpTicket struct {
	secret, purpose, email string
	answer                 IdPAnswer
	path                   string
	expires                time.Time
	used                   bool
	state, cookie          string // what the latest page shown expects back, or empty
}

// idpOutcome is how redeeming a ticket ended, in the words of each kind of provider.
type idpOutcome struct {
	success            bool
	classic, universal string // Auth0 Classic, Auth0 Universal Login
	keycloak           string
}

// The outcomes. The texts are what providers show by default and what their clients must recognize
// (https://auth0.com/docs/customize/login-pages/universal-login/customize-text-elements for Universal Login); only the
// universal text of idpChanged is ours.
var (
	idpVerified = idpOutcome{true, "Your email was verified. You can continue using the application.",
		"Your email address was successfully verified.", "Your email address has been verified."}
	idpChanged = idpOutcome{true, "You can now login to the application with the new password.",
		"Your password has been changed successfully.", ""}
	idpAlready = idpOutcome{false, "This account is already verified", "This account is already verified.",
		"Your email address has been verified already."}
	idpUsed = idpOutcome{false, "This URL can be used only once", "This ticket was already used.",
		"Your email address has been verified already."}
	idpTooLate = idpOutcome{false, "Access expired", "This ticket was expired.",
		"The link you clicked is an old stale link and is no longer valid."}
	idpUnknown = idpOutcome{false, "User account does not exist or verification code is invalid.",
		"User account does not exist or the verification code is invalid.", "The link is not valid."}
)

// ticket makes a ticket and returns its link. The caller holds mu.
func (i *IdP) ticket(purpose, email string, now time.Time) string {
	ticket := &idpTicket{
		secret: idpRandom(32), purpose: purpose, email: email, answer: i.manners.Answer, path: idpPathVerify,
		expires: now.Add(idpTicketLife),
	}
	switch {
	case purpose == idpReset && i.manners.PasswordForm:
		ticket.path, ticket.answer = idpPathResetForm, IdPForm
	case purpose == idpReset:
		ticket.path = idpPathReset
		if ticket.answer != IdPPage {
			ticket.answer = IdPRedirect
		}
	case ticket.answer == IdPForm:
		ticket.path = idpPathVerifyForm
	case ticket.answer == IdPProceed:
		ticket.path, ticket.secret, ticket.expires = idpPathProceed, idpJWT(now), now.Add(idpProceedLife)
	}
	i.tickets[ticket.secret] = ticket
	return i.URL() + ticket.target()
}

// target returns the path and query of the link, and the empty fragment that Auth0's links end in.
func (k *idpTicket) target() string {
	if k.answer == IdPProceed {
		return k.path + "?key=" + k.secret + "&client_id=account&tab_id=" + idpRandom(11)
	}
	return k.path + "?ticket=" + k.secret + "#"
}

// idpRandom returns n random letters and digits.
func idpRandom(n int) string {
	var random strings.Builder
	for random.Len() < n {
		random.WriteString(rand.Text())
	}
	return random.String()[:n]
}

// idpJWT returns something of the shape of Keycloak's action tokens; only its being known makes it valid.
func idpJWT(now time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"exp":%d,"iat":%d,"jti":"%s"}`, now.Add(idpProceedLife).Unix(), now.Unix(), idpRandom(26))
	return encode([]byte(`{"alg":"HS512","typ":"JWT"}`)) + "." + encode([]byte(claims)) + "." + idpRandom(86)
}

// refusal returns why the ticket cannot be redeemed now, or nil. The caller holds mu.
func (i *IdP) refusal(ticket *idpTicket) *idpOutcome {
	switch {
	case ticket.secret == "":
		return &idpUnknown
	case i.manners.Expired || !i.config.Now().Before(ticket.expires):
		return &idpTooLate
	case ticket.used:
		return &idpUsed
	case ticket.purpose == idpVerify && i.users[ticket.email].verified:
		return &idpAlready
	}
	return nil
}

// redeem uses the ticket up, if it can be, and does what it is for. The caller holds mu.
func (i *IdP) redeem(ticket *idpTicket) idpOutcome {
	if refusal := i.refusal(ticket); refusal != nil {
		return *refusal
	}
	ticket.used = true
	user := i.users[ticket.email]
	if ticket.purpose == idpReset {
		user.passwordChanged = true
		return idpChanged
	}
	user.verified = true
	return idpVerified
}

// handler serves the API and the links, and keeps the history.
func (i *IdP) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /dbconnections/signup", i.serveSignUp)
	mux.HandleFunc("POST /dbconnections/change_password", i.serveChangePassword)
	mux.HandleFunc("GET /users", i.serveUser)
	for _, path := range []string{idpPathVerify, idpPathVerifyForm, idpPathReset, idpPathResetForm, idpPathProceed} {
		mux.HandleFunc(path, i.serveLink)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.requests = append(i.requests, IdPRequest{Method: r.Method, Path: idpShape(r.URL)})
		number := len(i.requests) - 1
		i.mu.Unlock()
		mux.ServeHTTP(&idpRecorder{w, i, number}, r)
	})
}

// idpRecorder notes the status of an answer in the history before the client can have it.
type idpRecorder struct {
	http.ResponseWriter
	idp    *IdP
	number int
}

func (r *idpRecorder) WriteHeader(status int) {
	r.idp.mu.Lock()
	r.idp.requests[r.number].Status = status
	r.idp.mu.Unlock()
	r.ResponseWriter.WriteHeader(status)
}

// idpShape returns the path and the names of the query's parameters, without the secrets.
func idpShape(u *url.URL) string {
	if u.RawQuery == "" {
		return u.Path
	}
	var names []string
	for name := range u.Query() {
		names = append(names, name)
	}
	slices.Sort(names)
	return u.Path + "?" + strings.Join(names, "&")
}

// serveLink answers everything that can be done with a link.
func (i *IdP) serveLink(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	m := i.manners
	query := r.URL.Query()
	ticket := i.tickets[query.Get("ticket")+query.Get("key")]
	if ticket == nil || ticket.path != r.URL.Path {
		ticket = &idpTicket{path: r.URL.Path, answer: m.Answer}
	}
	if r.Method == http.MethodHead && m.RefuseHEAD {
		i.redeem(ticket)
	}
	i.mu.Unlock()
	select {
	case <-time.After(m.Slow):
	case <-r.Context().Done():
		return
	case <-i.ctx.Done():
		return
	}
	get, post := r.Method == http.MethodGet, r.Method == http.MethodPost
	switch {
	case m.Down:
		panic(http.ErrAbortHandler)
	case m.DeadLink:
		idpShow(w, http.StatusNotFound, idpView{Title: "Not found", Message: "There is nothing here."})
	case r.Method == http.MethodHead && !m.RefuseHEAD:
		w.WriteHeader(http.StatusOK)
	case ticket.path == idpPathProceed && get:
		i.serveProceed(w, r, ticket)
	case (ticket.path == idpPathVerifyForm || ticket.path == idpPathResetForm) && (get || post):
		i.serveForm(w, r, ticket)
	case get && ticket.path != idpPathProceed:
		i.mu.Lock()
		outcome := i.redeem(ticket)
		i.mu.Unlock()
		i.finish(w, r, ticket, outcome)
	default:
		idpShow(w, http.StatusMethodNotAllowed, idpView{Title: "Not allowed", Message: "This link takes another method."})
	}
}
