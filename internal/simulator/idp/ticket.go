package idp

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ticket is the secret of one link or code, or of both.
type ticket struct {
	provider      *profile
	secret, email string
	code          string // what the mail shows to be typed, or empty
	id            string // what else the link has, not secret
	target        string // path, query and fragment of the link, or empty
	expires       time.Time
	used          bool
	state, cookie string // what the latest page or API response expects back, or empty
}

// outcome is how redeeming a ticket ended.
type outcome int

const (
	verified        outcome = iota // or whatever else the ticket was for
	alreadyVerified                // the address was verified by another ticket
	alreadyUsed
	tooLate
	unknown
)

// sayings is what a provider says about each outcome.
type sayings [unknown + 1]string

// sameWords returns the same words for every failure.
func sameWords(success, failure string) sayings {
	return sayings{success, failure, failure, failure, failure}
}

// ticket makes a ticket. The caller holds mu.
func (i *Server) ticket(provider *profile, email string, now time.Time) *ticket {
	k := &ticket{provider: provider, email: email, id: randomText(11), expires: now.Add(provider.life)}
	if provider.code != nil {
		k.code = provider.code()
	}
	k.secret = randomText(32)
	if provider.secret != nil {
		k.secret = provider.secret(k, now)
	}
	k.target = provider.fill(k, i.app())
	i.tickets[k.secret] = k
	return k
}

// app returns the address of the application, which providers redirect to. The caller holds mu.
func (i *Server) app() string {
	return cmp.Or(i.manners.RedirectTo, "https://app.acme.example/welcome")
}

// randomText returns n random letters and digits.
func randomText(n int) string {
	var random strings.Builder
	for random.Len() < n {
		random.WriteString(rand.Text())
	}
	return random.String()[:n]
}

// newUUID returns a random number in the form of a UUID.
func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// jwt returns a function that makes secrets in the shape of a JWT (RFC 7519). The claims are
// JSON members, in which {email} stands for the address. A secret is valid because the server
// knows it, not by its signature.
func jwt(claims string) func(*ticket, time.Time) string {
	return func(k *ticket, now time.Time) string {
		encode := base64.RawURLEncoding.EncodeToString
		header := `{"alg":"HS512","typ":"JWT"}`
		payload := fmt.Sprintf(`{"exp":%d,"iat":%d,"jti":"%s",%s}`, k.expires.Unix(), now.Unix(),
			randomText(26), strings.ReplaceAll(claims, "{email}", k.email))
		return encode([]byte(header)) + "." + encode([]byte(payload)) + "." + randomText(86)
	}
}

// outlook returns what would come of redeeming the ticket now: verified if it can be redeemed.
// The caller holds mu.
func (i *Server) outlook(k *ticket) outcome {
	switch {
	case k.secret == "":
		return unknown
	case i.manners.Expired || !i.config.Now().Before(k.expires):
		return tooLate
	case k.used:
		return alreadyUsed
	case k.provider.verifies() && i.users[k.email].verified:
		return alreadyVerified
	}
	return verified
}

// redeem uses the ticket up, if it can be, and does what it is for. The caller holds mu.
func (i *Server) redeem(k *ticket) outcome {
	o := i.outlook(k)
	if o != verified {
		return o
	}
	k.used, k.state, k.cookie = true, "", ""
	user := i.users[k.email]
	user.verified = user.verified || k.provider.verifies() || k.provider.proves
	user.passwordChanged = user.passwordChanged || k.provider.purpose == purposeReset ||
		k.provider.purpose == purposeInvite
	user.signedIn = user.signedIn || k.provider.purpose == purposeLogin
	return verified
}

// use is redeem for callers that do not hold mu.
func (i *Server) use(k *ticket) outcome {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.redeem(k)
}

// handler serves the API and the links, and keeps the history.
func (i *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /dbconnections/signup", i.serveSignUp)
	mux.HandleFunc("POST /dbconnections/change_password", i.serveChangePassword)
	mux.HandleFunc("GET /users", i.serveUser)
	links := make(map[string][]*profile)
	for _, p := range i.providers {
		if p.link != "" {
			links[p.pattern()] = append(links[p.pattern()], p)
		}
	}
	for pattern, providers := range links {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			i.serveLink(w, r, providers)
		})
	}
	for pattern, serve := range i.pagesAndAPIs() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if i.behave(w, r) {
				serve(w, r)
			}
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.requests = append(i.requests, Request{Method: r.Method, Path: withoutValues(r.URL)})
		number := len(i.requests) - 1
		i.mu.Unlock()
		mux.ServeHTTP(&recorder{w, i, number}, r)
		i.mu.Lock()
		defer i.mu.Unlock()
		if status := &i.requests[number].Status; *status == 0 && r.Context().Err() == nil {
			*status = http.StatusOK // what net/http makes of a handler that says none
		}
	})
}

// recorder notes the status of a response in the history before the client can have it.
type recorder struct {
	http.ResponseWriter
	idp    *Server
	number int
}

func (r *recorder) WriteHeader(status int) {
	r.idp.mu.Lock()
	r.idp.requests[r.number].Status = status
	r.idp.mu.Unlock()
	r.ResponseWriter.WriteHeader(status)
}

// withoutValues returns the path and the names of the query's parameters, without the secrets.
func withoutValues(u *url.URL) string {
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

// serveLink serves everything that can be done with a link, which is of one of the providers
// whose path it has.
func (i *Server) serveLink(w http.ResponseWriter, r *http.Request, providers []*profile) {
	k := i.find(r, providers)
	i.mu.Lock()
	refuse := r.Method == http.MethodHead && i.manners.RefuseHEAD
	if refuse {
		i.redeem(k)
	}
	i.mu.Unlock()
	switch {
	case !i.behave(w, r):
	case r.Method == http.MethodGet:
		k.provider.get(i, w, r, k)
	case r.Method == http.MethodPost && k.provider.post != nil:
		k.provider.post(i, w, r, k)
	default:
		showPage(w, http.StatusMethodNotAllowed, pageView{Title: "Not allowed",
			Message: "This link takes another method."})
	}
}

// find returns the ticket of a link, or an empty one of the provider whose link it may be. A
// GET must have every parameter the mailed link has, but for the tab's identifier, which
// Keycloak renews.
func (i *Server) find(r *http.Request, providers []*profile) *ticket {
	i.mu.Lock()
	defer i.mu.Unlock()
	empty := &ticket{provider: providers[0]}
	for _, p := range providers {
		if p.name == i.manners.name() {
			empty.provider = p
		}
		k := i.tickets[p.secretOf(r)]
		if k == nil || k.provider != p {
			continue
		}
		if r.Method == http.MethodPost || k.fits(r.URL) {
			return k
		}
		empty.provider = p
		break
	}
	return empty
}

// fits reports whether a URL has the path and parameters of the mailed link.
func (k *ticket) fits(u *url.URL) bool {
	link, err := url.Parse(k.target)
	if err != nil || u.Path != link.Path {
		return false
	}
	query := u.Query()
	for name, values := range link.Query() {
		if name != "tab_id" && !slices.Equal(values, query[name]) {
			return false
		}
	}
	return true
}

// behave does what the manners ask for before a link, page or API of a provider is served, and
// reports whether to go on. HEAD is served here, so that it never does what GET does.
func (i *Server) behave(w http.ResponseWriter, r *http.Request) bool {
	i.mu.Lock()
	m := i.manners
	i.mu.Unlock()
	if !i.server.Pause(r.Context(), m.Slow) {
		return false
	}
	head := r.Method == http.MethodHead
	switch {
	case m.Down:
		panic(http.ErrAbortHandler)
	case m.DeadLink:
		showPage(w, http.StatusNotFound, pageView{Title: "Not found", Message: "There is nothing here."})
	case head && m.RefuseHEAD:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case head:
		w.WriteHeader(http.StatusOK)
	default:
		return true
	}
	return false
}
