// Package idp plays an identity provider: the sign-up of Auth0, and the mails, links and codes
// of each [Provider]. The demo and the tests of the bridge use it. Each provider has a file of
// its own, which cites the pages that say what the provider does.
//
// Its bad manners are a knob of [Manners]. Links are dead, slow, too old, or used up by a HEAD
// request. The server hangs up. Mails have further links, two verification links, tracked
// links, or no HTML.
package idp

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

// Config says which pretend identity provider [Open] opens. All fields but Addr and Now are
// required.
type Config struct {
	// Addr is the loopback host:port to listen on; empty means 127.0.0.1:0, a free port.
	Addr string
	// Name is what people know the application by, such as ACME.
	Name string
	// From is the sender of the mails, an address with or without a display name (else Name is
	// displayed).
	From string
	// Send hands a finished mail to the mail system: envelope sender and recipients, and the bytes
	// with CRLF.
	Send func(ctx context.Context, from string, to []string, mime []byte) error
	// Domain and Selector are d= and s= of the mails' DKIM signature (RFC 6376, section 3.5).
	Domain, Selector string
	// Now is the clock of mails and of the life of links; nil means time.Now.
	Now func() time.Time
}

// Manners are the ways in which the pretend identity provider behaves and misbehaves. [Open]
// starts with Auth0Classic and RedirectTo https://app.acme.example/welcome, everything else
// off.
type Manners struct {
	// Provider decides about mails written from now on; a link that is mailed keeps its kind.
	// Empty is Auth0Classic.
	Provider Provider
	// RedirectTo is where results are redirected to, perhaps with a query and a fragment of its
	// own. If it is empty Auth0 shows a result page, and providers that always redirect go to
	// https://app.acme.example/welcome.
	RedirectTo string
	// PasswordForm mails reset links that open a form for the new password, as today's do, instead
	// of links whose GET activates a password chosen before.
	PasswordForm bool
	// PasswordPage mails reset links of the older path that open such a form, as Auth0's do since it
	// gave up the links that activate.
	PasswordPage bool
	// Mute has Auth0 show a page that welcomes every visitor and does not say what came of the link.
	Mute bool
	// DeadLink responds to every link with 404; Down hangs up on it; Slow delays it; Expired
	// treats it as too old.
	DeadLink, Down bool
	Slow           time.Duration
	Expired        bool
	// RefuseHEAD responds to HEAD with 405, and yet uses the ticket up, as with mail scanners that
	// look at links. Otherwise a HEAD does nothing.
	RefuseHEAD bool
	// ExtraLinks adds links to support, to the maker and to unsubscribe; TwoVerifyLinks adds a
	// second verification link with a ticket of its own; TrackingLink wraps the link into that of
	// a click counter on a foreign host; TextOnly mails plain text alone.
	ExtraLinks, TwoVerifyLinks, TrackingLink, TextOnly bool
}

// Mail is one mail that the identity provider has written, sent or not.
type Mail struct {
	Provider Provider
	// Purpose is verify, code (to be typed, without a link), reset, login, invite, change (of
	// address) or notice.
	Purpose  string
	From, To string // envelope
	Subject  string
	Link     string // as it works, even if the mail wraps it; empty if there is none
	Code     string // to be typed in place of the link, or empty
	MIME     []byte
	Time     time.Time
}

// Request is one HTTP request the identity provider got. HEAD requests are recorded like any other.
type Request struct {
	Method string
	Path   string // the path, and the names of the query's parameters without their values, sorted
	Status int    // of the response, 0 if there was none
}

// Errors of [Server.SignUp], [Server.Resend], [Server.ChangePassword] and [Server.EnterCode].
var (
	ErrCode        = errors.New("simulator: the identity provider does not accept this code")
	ErrUserExists  = errors.New("simulator: the identity provider has this user already")
	ErrUserUnknown = errors.New("simulator: the identity provider does not know this user")
)

// Server is a pretend identity provider with the sign-up of Auth0 and the mails and links of each
// [Provider]. It knows nothing but e-mail. Everything is held in memory until Close. Safe for
// use by several goroutines.
type Server struct {
	config Config
	from   *mail.Address // of config.From, with a display name
	server *loopback.Server
	key    ed25519.PrivateKey // of the DKIM signatures

	providers []*profile
	service   string // bearer token of APIs that want one

	mu       sync.Mutex
	manners  Manners
	users    map[string]*account    // by address, lower case
	tickets  map[string]*ticket     // by secret
	flows    map[string]*kratosFlow // by id
	mails    []Mail
	requests []Request
}

type account struct{ verified, passwordChanged, signedIn bool }

// Open starts a pretend identity provider with a new DKIM key. The caller must Close it. It
// returns an error if a required field is missing or From is not an address. The address to
// listen on must be on loopback and free.
func Open(config Config) (*Server, error) {
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
	i := &Server{
		config: config, from: from, server: server, key: key,
		manners:   Manners{Provider: Auth0Classic, RedirectTo: "https://app.acme.example/welcome"},
		providers: append(profiles(), others()...), service: randomText(40),
		users:   make(map[string]*account),
		tickets: make(map[string]*ticket),
		flows:   make(map[string]*kratosFlow),
	}
	server.Serve(i.handler())
	return i, nil
}

// URL returns the base URL of the API and of the links, without a final slash.
func (i *Server) URL() string { return i.server.URL() }

// Host returns the host and port that links have.
func (i *Server) Host() string { return i.server.Host() }

// Close stops the server.
func (i *Server) Close() { i.server.Close() }

// Set changes the manners. The function runs under a lock: it must not call other methods of i,
// nor keep its argument.
func (i *Server) Set(change func(*Manners)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(&i.manners)
}

// PublicKey returns the value of the TXT record at Selector._domainkey.Domain (RFC 6376,
// section 3.6.1; Ed25519: RFC 8463).
func (i *Server) PublicKey() string {
	public := i.key.Public().(ed25519.PublicKey)
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
}

// SignUp creates a user and sends the mail of [Manners].Provider, by which most providers
// verify the address. It returns ErrUserExists, an error for something that is no mail address
// or for an unknown provider, or the error of Send; the user exists even if the mail could not
// be sent.
func (i *Server) SignUp(ctx context.Context, email string) error {
	address, err := parseAddress(email)
	if err != nil {
		return err
	}
	i.mu.Lock()
	provider := i.provider(i.manners.name())
	taken := i.users[address] != nil
	if provider != nil && !taken {
		i.users[address] = &account{}
	}
	i.mu.Unlock()
	switch {
	case provider == nil:
		return errors.New("simulator: no such identity provider")
	case taken:
		return ErrUserExists
	}
	return i.mail(ctx, provider, address)
}

// Resend mails a user's verification again, with a new ticket. The tickets mailed before stay as
// they are. It returns ErrUserUnknown, an error for something that is no mail address or for an
// unknown provider, or the error of Send.
func (i *Server) Resend(ctx context.Context, email string) error {
	address, err := parseAddress(email)
	if err != nil {
		return err
	}
	i.mu.Lock()
	provider, known := i.provider(i.manners.name()), i.users[address] != nil
	i.mu.Unlock()
	switch {
	case provider == nil:
		return errors.New("simulator: no such identity provider")
	case !known:
		return ErrUserUnknown
	}
	return i.mail(ctx, provider, address)
}

// ChangePassword mails the link that changes the user's password: that of GoTrue or of Better Auth
// if [Manners].Provider is one of them, else one of Auth0's. It returns ErrUserUnknown, an error
// for something that is no mail address, or the error of Send.
func (i *Server) ChangePassword(ctx context.Context, email string) error {
	i.mu.Lock()
	m := i.manners
	i.mu.Unlock()
	name := auth0Reset
	switch {
	case m.name() == GoTrue:
		name = goTrueReset
	case m.name() == BetterAuth:
		name = betterAuthReset
	case m.PasswordForm:
		name = auth0ResetForm
	case m.PasswordPage:
		name = auth0ResetChoice
	case m.name() == Auth0ClassicPage:
		name = auth0ResetPage
	}
	return i.mailUser(ctx, name, email)
}

// SignIn mails a link, or a code to be typed, that signs the user in. It returns the errors of
// ChangePassword.
func (i *Server) SignIn(ctx context.Context, email string, byCode bool) error {
	if byCode {
		return i.mailUser(ctx, signInCode, email)
	}
	return i.mailUser(ctx, GoTrueMagicLink, email)
}

// mailUser mails a user who is known.
func (i *Server) mailUser(ctx context.Context, name Provider, email string) error {
	address, err := parseAddress(email)
	if err != nil {
		return err
	}
	i.mu.Lock()
	user := i.users[address]
	i.mu.Unlock()
	if user == nil {
		return ErrUserUnknown
	}
	return i.mail(ctx, i.provider(name), address)
}

// parseAddress returns a bare mail address in lower case, as Auth0 keeps it.
func parseAddress(email string) (string, error) {
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email {
		return "", errors.New("simulator: not a mail address")
	}
	return strings.ToLower(email), nil
}

// Verified reports whether the user with this address has been verified.
func (i *Server) Verified(email string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	user := i.users[strings.ToLower(email)]
	return user != nil && user.verified
}

// PasswordChanged reports whether the user with this address has activated a new password.
func (i *Server) PasswordChanged(email string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	user := i.users[strings.ToLower(email)]
	return user != nil && user.passwordChanged
}

// SignedIn reports whether the user with this address has signed in by a mail.
func (i *Server) SignedIn(email string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	user := i.users[strings.ToLower(email)]
	return user != nil && user.signedIn
}

// Mails returns the mails written so far, oldest first.
func (i *Server) Mails() []Mail {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.mails)
}

// Requests returns the HTTP requests so far, in the order of their arrival.
func (i *Server) Requests() []Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.requests)
}

// maxBody bounds the body of a request, far above any that is genuine.
const maxBody = 64 << 10

// serveSignUp serves POST /dbconnections/signup (https://auth0.com/docs/api/authentication#signup).
func (i *Server) serveSignUp(w http.ResponseWriter, r *http.Request) {
	email, err := readEmail(w, r)
	if err == nil {
		err = i.SignUp(r.Context(), email)
	}
	if err != nil {
		respondJSON(w, http.StatusBadRequest, map[string]any{
			"name": "BadRequestError", "code": "invalid_signup", "description": "Invalid sign up",
			"statusCode": 400})
		return
	}
	respondJSON(w, http.StatusOK, map[string]any{"_id": randomText(24),
		"email": strings.ToLower(email), "email_verified": false})
}

// serveChangePassword serves POST /dbconnections/change_password. Like Auth0 it does not tell
// whether the user exists.
func (i *Server) serveChangePassword(w http.ResponseWriter, r *http.Request) {
	email, err := readEmail(w, r)
	if err == nil {
		err = i.ChangePassword(r.Context(), email)
	}
	if err != nil && !errors.Is(err, ErrUserUnknown) {
		respondJSON(w, http.StatusBadRequest, map[string]any{"error": "the mail could not be sent"})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "If there is such an account, a mail is on its way.")
}

// serveUser serves GET /users?email= with email_verified, or 404.
func (i *Server) serveUser(w http.ResponseWriter, r *http.Request) {
	email := strings.ToLower(r.URL.Query().Get("email"))
	i.mu.Lock()
	user := i.users[email]
	i.mu.Unlock()
	if user == nil {
		respondJSON(w, http.StatusNotFound, map[string]any{"error": "Not Found", "statusCode": 404})
		return
	}
	respondJSON(w, http.StatusOK, map[string]any{"email": email, "email_verified": i.Verified(email)})
}

func readEmail(w http.ResponseWriter, r *http.Request) (string, error) {
	var request struct {
		Email string `json:"email"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&request)
	return request.Email, err
}
