package simulator

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"smsbridge/internal/simulator/loopback"
)

// IdPConfig says which pretend identity provider [OpenIdP] opens. All fields but Addr and Now are required.
type IdPConfig struct {
	// Addr is the loopback host:port to listen on; empty means 127.0.0.1:0, a free port.
	Addr string
	// Name is what people know the application by, such as ACME.
	Name string
	// From is the sender of the mails, an address with or without a display name (else Name is displayed).
	From string
	// Send hands a finished mail to the mail system: envelope sender and recipients, and the bytes with CRLF.
	Send func(ctx context.Context, from string, to []string, mime []byte) error
	// Domain and Selector are d= and s= of the mails' DKIM signature (RFC 6376, section 3.5).
	Domain, Selector string
	// Now is the clock of mails and of the life of links; nil means time.Now.
	Now func() time.Time
}

// IdPManners are the ways in which the pretend identity provider behaves and misbehaves. [OpenIdP] starts with
// IdPAuth0Classic and RedirectTo https://app.acme.example/welcome, everything else off.
type IdPManners struct {
	// Provider decides about mails written from now on; a link that is mailed keeps its kind. Empty is IdPAuth0Classic.
	Provider IdPProvider
	// RedirectTo is where results are redirected to, perhaps with a query and a fragment of its own. If it is empty Auth0
	// shows a result page, and providers that always redirect go to https://app.acme.example/welcome.
	RedirectTo string
	// PasswordForm mails reset links that open a form for the new password, as today's do, instead of links whose GET
	// activates a password chosen before.
	PasswordForm bool
	// DeadLink answers every link 404; Down hangs up on it; Slow delays it; Expired treats it as too old.
	DeadLink, Down bool
	Slow           time.Duration
	Expired        bool
	// RefuseHEAD answers HEAD 405, and yet the ticket is used up, as by mail scanners that look at links. Otherwise a
	// HEAD does nothing.
	RefuseHEAD bool
	// ExtraLinks adds links to support, to the maker and to unsubscribe; TwoVerifyLinks adds a second verification
	// link with a ticket of its own; TrackingLink wraps the link into that of a click counter on a foreign host;
	// TextOnly mails plain text alone.
	ExtraLinks, TwoVerifyLinks, TrackingLink, TextOnly bool
}

// IdPMail is one mail that the identity provider has written, sent or not.
type IdPMail struct {
	Provider IdPProvider
	// Purpose is verify, code (to be typed, without a link), reset, login, invite, change (of address) or notice.
	Purpose  string
	From, To string // envelope
	Subject  string
	Link     string // as it works, even if the mail wraps it; empty if there is none
	Code     string // to be typed in place of the link, or empty
	MIME     []byte
	Time     time.Time
}

// IdPRequest is one HTTP request the identity provider got. HEAD requests are recorded like any other.
type IdPRequest struct {
	Method string
	Path   string // the path, and the names of the query's parameters without their values, sorted
	Status int    // of the answer, 0 if there was none
}

// Errors of [IdP.SignUp], [IdP.ChangePassword] and [IdP.EnterCode].
var (
	ErrIdPCode        = errors.New("simulator: the identity provider does not accept this code")
	ErrIdPUserExists  = errors.New("simulator: the identity provider has this user already")
	ErrIdPUserUnknown = errors.New("simulator: the identity provider does not know this user")
)

// IdP is a pretend identity provider with the sign-up of Auth0 and the mails and links of each [IdPProvider]. It knows
// nothing but e-mail. Everything is held in memory until Close. Safe for use by several goroutines.
type IdP struct {
	config IdPConfig
	from   *mail.Address // of config.From, with a display name
	server *loopback.Server
	key    ed25519.PrivateKey // of the DKIM signatures

	providers []*idpProvider
	service   string // bearer token of APIs that want one

	mu       sync.Mutex
	manners  IdPManners
	users    map[string]*idpUser   // by address, lower case
	tickets  map[string]*idpTicket // by secret
	flows    map[string]*idpFlow   // by id
	mails    []IdPMail
	requests []IdPRequest
}

type idpUser struct{ verified, passwordChanged bool }

// OpenIdP starts a pretend identity provider with a new DKIM key. The caller must Close it. It returns an error if a
// required field is missing, From is not an address, or the address to listen on is not on loopback or not free.
func OpenIdP(config IdPConfig) (*IdP, error) {
	from, err := mail.ParseAddress(config.From)
	if err != nil {
		return nil, errors.New("simulator: the identity provider's From is not a mail address")
	}
	if config.Name == "" || config.Send == nil || config.Domain == "" || config.Selector == "" {
		return nil, errors.New("simulator: the identity provider needs Name, Send, Domain and Selector")
	}
	if from.Name == "" {
		from.Name = config.Name
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("simulator: DKIM key: %w", err)
	}
	server, err := loopback.Open(config.Addr)
	if err != nil {
		return nil, err
	}
	i := &IdP{
		config: config, from: from, server: server, key: key,
		manners:   IdPManners{Provider: IdPAuth0Classic, RedirectTo: "https://app.acme.example/welcome"},
		providers: append(idpProviders(), idpResets()...), service: idpRandom(40),
		users:   make(map[string]*idpUser),
		tickets: make(map[string]*idpTicket),
		flows:   make(map[string]*idpFlow),
	}
	server.Serve(i.handler())
	return i, nil
}

// URL returns the base URL of the API and of the links, without a final slash.
func (i *IdP) URL() string { return i.server.URL() }

// Host returns the host and port that links have.
func (i *IdP) Host() string { return i.server.Host() }

// Close stops the server.
func (i *IdP) Close() { i.server.Close() }

// Set changes the manners. The function runs under a lock: it must not call other methods of i, nor keep its argument.
func (i *IdP) Set(change func(*IdPManners)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(&i.manners)
}

// PublicKey returns the value of the TXT record at Selector._domainkey.Domain (RFC 6376, section 3.6.1; Ed25519: RFC
// 8463).
func (i *IdP) PublicKey() string {
	public := i.key.Public().(ed25519.PublicKey)
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

// SignUp creates a user and sends the mail of [IdPManners].Provider, by which most providers verify the address. It
// returns ErrIdPUserExists, an error for something that is no mail address or for an unknown provider, or the error of
// Send; the user exists even if the mail could not be sent.
func (i *IdP) SignUp(ctx context.Context, email string) error {
	address, err := idpAddress(email)
	if err != nil {
		return err
	}
	i.mu.Lock()
	provider := i.provider(i.manners.name())
	taken := i.users[address] != nil
	if provider != nil && !taken {
		i.users[address] = &idpUser{}
	}
	i.mu.Unlock()
	switch {
	case provider == nil:
		return errors.New("simulator: no such identity provider")
	case taken:
		return ErrIdPUserExists
	}
	return i.mail(ctx, provider, address)
}

// ChangePassword mails the link that changes the user's password, one of Auth0's. It returns ErrIdPUserUnknown, an error for something
// that is no mail address, or the error of Send.
func (i *IdP) ChangePassword(ctx context.Context, email string) error {
	address, err := idpAddress(email)
	if err != nil {
		return err
	}
	i.mu.Lock()
	user, m := i.users[address], i.manners
	i.mu.Unlock()
	if user == nil {
		return ErrIdPUserUnknown
	}
	name := idpResetRedirect
	switch {
	case m.PasswordForm:
		name = idpResetForm
	case m.name() == IdPAuth0ClassicPage:
		name = idpResetPage
	}
	return i.mail(ctx, i.provider(name), address)
}

// idpAddress returns a bare mail address in lower case, as Auth0 keeps it.
func idpAddress(email string) (string, error) {
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email {
		return "", errors.New("simulator: not a mail address")
	}
	return strings.ToLower(email), nil
}

// Verified reports whether the user with this address has been verified.
func (i *IdP) Verified(email string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	user := i.users[strings.ToLower(email)]
	return user != nil && user.verified
}

// PasswordChanged reports whether the user with this address has activated a new password.
func (i *IdP) PasswordChanged(email string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	user := i.users[strings.ToLower(email)]
	return user != nil && user.passwordChanged
}

// Mails returns the mails written so far, oldest first.
func (i *IdP) Mails() []IdPMail {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.mails)
}

// Requests returns the HTTP requests so far, in the order of their arrival.
func (i *IdP) Requests() []IdPRequest {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.requests)
}

// idpMaxBody bounds the body of a request, far above any that is genuine.
const idpMaxBody = 64 << 10

// serveSignUp answers POST /dbconnections/signup (https://auth0.com/docs/api/authentication#signup).
func (i *IdP) serveSignUp(w http.ResponseWriter, r *http.Request) {
	email, err := idpReadEmail(w, r)
	if err == nil {
		err = i.SignUp(r.Context(), email)
	}
	if err != nil {
		idpJSON(w, http.StatusBadRequest, map[string]any{
			"name": "BadRequestError", "code": "invalid_signup", "description": "Invalid sign up", "statusCode": 400})
		return
	}
	idpJSON(w, http.StatusOK, map[string]any{"_id": idpRandom(24), "email": strings.ToLower(email), "email_verified": false})
}

// serveChangePassword answers POST /dbconnections/change_password. Like Auth0 it does not tell whether the user exists.
func (i *IdP) serveChangePassword(w http.ResponseWriter, r *http.Request) {
	email, err := idpReadEmail(w, r)
	if err == nil {
		err = i.ChangePassword(r.Context(), email)
	}
	if err != nil && !errors.Is(err, ErrIdPUserUnknown) {
		idpJSON(w, http.StatusBadRequest, map[string]any{"error": "the mail could not be sent"})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "If there is such an account, a mail is on its way.")
}

// serveUser answers GET /users?email= with email_verified, or 404.
func (i *IdP) serveUser(w http.ResponseWriter, r *http.Request) {
	email := strings.ToLower(r.URL.Query().Get("email"))
	i.mu.Lock()
	user := i.users[email]
	i.mu.Unlock()
	if user == nil {
		idpJSON(w, http.StatusNotFound, map[string]any{"error": "Not Found", "statusCode": 404})
		return
	}
	idpJSON(w, http.StatusOK, map[string]any{"email": email, "email_verified": i.Verified(email)})
}

func idpReadEmail(w http.ResponseWriter, r *http.Request) (string, error) {
	var request struct {
		Email string `json:"email"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, idpMaxBody)).Decode(&request)
	return request.Email, err
}

func idpJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a caller that has gone away is no fault of ours
}
