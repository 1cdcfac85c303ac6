// Package tenant holds the settings of the bridge and of its customers, for everyone who runs it.
// It reads them from one file or from environment variables and refuses what it does not
// understand. It reports all mistakes together, each with its place and a hint.
//
// What it returns is complete and consistent. A caller that holds a [Tenant] need not check it
// again, and every text that a tenant can send has been filled once. Nothing that came with a mail
// ever gets into a text: the wording is the tenant's, and so are the values in it.
//
// Each setting is written once, as a row of processOptions or tenantSections: its name in the file,
// its variable, its default, what it is and the failure it prevents. From the rows `go generate`
// writes deploy/env.example, deploy/smsbridge.yaml and docs/SETTINGS.md; a test compares them.
// internal/settings reads the rows, internal/wording has the texts.
package tenant

//go:generate go run ./reference

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// Keep says where a mail's link waits for the reply.
type Keep string

const (
	// KeepBridge keeps the link, sealed, in the bridge's database.
	KeepBridge Keep = "bridge"
	// KeepMailgun keeps the mail at Mailgun only, and fetches it again.
	KeepMailgun Keep = "mailgun"
)

// Action says what to do about a kind of mail.
type Action string

const (
	// Off does nothing.
	Off Action = "off"
	// Ask asks the phone, and opens the link on yes.
	Ask Action = "ask"
	// Relay texts what the mail carries: its code, or a short link to its link.
	Relay Action = "relay"
)

// Answer says how a question can be answered.
type Answer string

const (
	// ByReply takes a text back.
	ByReply Answer = "reply"
	// ByTap takes a tap on the page of a short link, for senders that cannot receive texts.
	ByTap Answer = "tap"
	// ByBoth takes either.
	ByBoth Answer = "both"
)

// Tenant is one customer of the bridge. It is not changed after loading and may be shared.
type Tenant struct {
	// Slug names the tenant in URLs and logs: what phonemail.ValidPrefix accepts, in small letters.
	Slug    string
	Name    string           // what people read in texts, such as "ACME"
	Address phonemail.Scheme // how its phone addresses are formed
	Policy  phonemail.Policy // which numbers it may text
	Works   Works            // what works in which countries, beyond what the bridge knows

	Mails    Mails
	Question Question
	OptOut   OptOut
	Links    Links
	Proof    Proof
	Sending  Sending
	Codes    Codes
	Limits   Limits
	Tests    []TestNumber // never texted
	API      API
	Events   Events
	Doors    Doors
	Auth0    Auth0

	Language       string // of those who read no other, one of wording.Languages, "" for English
	LanguagePinned bool   // every phone is texted in it
	LongTexts      bool   // texts may take a second segment

	texts   wording.Texts            // in the tenant's language
	textsBy map[string]wording.Texts // in others
	public  string                   // the bridge's public URL
}

// Mails says where a tenant's mails come from and what becomes of each kind.
type Mails struct {
	Mailgun Mailgun
	Sender  Sender // who may send them
	Keep    Keep
	// What to do about each kind of mail. Kinds that are not named here are recorded and nothing
	// else.
	Verify, Code, Reset, Login Action
}

// Question says how a question is answered.
type Question struct {
	Answer   Answer
	Accept   []string      // replies that mean yes, as configured; the first is shown
	Deny     []string      // replies that mean no, as configured; the first is shown
	ValidFor time.Duration // life of a question, 1 minute to 24 hours
	// UnsafeBareYes lets a bare yes answer a question about a password, where otherwise the reply
	// must repeat the code of the question. A thief who fakes the sender of a text can then take the
	// account over.
	UnsafeBareYes bool
}

// Sending says who sends a tenant's texts, and its accounts there.
type Sending struct {
	Providers     []Provider // who is asked to send a text, in this order; at least one
	Twilio        Twilio
	Senders       map[string]string // senders at Twilio by country (ISO 3166-1), else Twilio.From
	LinksSenders  map[string]string // the same for links and codes, else Twilio.LinksFrom
	VerifyService VerifyService
	Flowroute     Flowroute
	Webhook       Webhook
}

// API is about a tenant's apps: who may ask for codes, how often, and where they hear how it ended.
type API struct {
	Keys     []APIKey
	Rate     int // requests a minute that one API key may make
	Callback Callback
}

// Doors are what other services' clients find familiar.
type Doors struct {
	Flowroute FlowrouteDoor
	Durable   DurableDoor
}

// Mailgun holds a tenant's account at Mailgun.
type Mailgun struct {
	APIKey       settings.Secret
	SigningKeys  []settings.Secret // HTTP webhook signing keys; several during a rotation
	APIBase      string            // without version and slash at the end: "https://api.mailgun.net"
	StorageHosts []string          // hosts of stored mails beyond those that StorageURL knows
}

// Links says which links of a tenant's mails may be opened, and how they are found and redeemed
// where their shape does not say it. For every known provider IdPHosts is enough.
type Links struct {
	// IdPHosts lists the hosts that verification links may have, such as "login.acme.example", in
	// small letters. A port or an IP address is only there when UnsafeAllow is not empty.
	IdPHosts []string
	// UnsafeAllow lists networks that links may lead to although they are private, then also over
	// http and on any port. For tests and demos.
	UnsafeAllow []netip.Prefix

	Paths    []string        // where verification links begin, such as "/account/confirm"
	Wrappers []string        // hosts of the mail provider's link tracking
	Recipe   string          // how links are redeemed whatever their shape
	API      string          // base address of the provider's API, for recipes that speak one
	Token    settings.Secret // bearer token for it
}

// Proof is access to the identity provider's own API. A worker asks that API whether an address is
// verified when the response to a click left that open. The zero value asks no API.
type Proof struct {
	Kind ProofKind
	// URL is, for Auth0, https://acme.eu.auth0.com; for Keycloak,
	// https://id.acme.example/realms/acme; for GoTrue, the API's address.
	URL      string
	ClientID string          // Auth0 and Keycloak
	Secret   settings.Secret // the client's secret, or GoTrue's service key
}

// ProofKind names the API.
type ProofKind string

// The APIs that can be asked.
const (
	ProofAuth0    ProofKind = "auth0"
	ProofKeycloak ProofKind = "keycloak"
	ProofGoTrue   ProofKind = "gotrue"
)

// ShortURL returns the address of the short link with the token.
func (t *Tenant) ShortURL(token string) string { return t.public + "/l/" + token }

// StorageURL reports whether the API key may be sent to u to fetch a stored mail. The address of a
// stored mail arrives in a part of the webhook that is not signed. So it must lead to the API
// itself, to one of the StorageHosts or to a host below Mailgun's API domains. Its path must be one
// of the messages API. It is https unless the API's own address is plain http.
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store
func (m Mailgun) StorageURL(u *url.URL) bool {
	base, err := url.Parse(m.APIBase)
	if err != nil || u.User != nil || !strings.HasPrefix(u.Path, "/v3/domains/") ||
		strings.Contains(u.Path, "/..") {
		return false
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == base.Scheme && host == strings.ToLower(base.Host) {
		return true
	}
	if slices.Contains(m.StorageHosts, host) {
		return u.Scheme == "https" || u.Scheme == base.Scheme
	}
	return u.Scheme == "https" && (strings.HasSuffix(host, ".api.mailgun.net") ||
		strings.HasSuffix(host, ".api.eu.mailgun.net"))
}

// Set is the tenants of one bridge. The zero value has none.
type Set struct {
	all []*Tenant
}

// Tenant returns the tenant with the slug.
func (s Set) Tenant(slug string) (*Tenant, bool) {
	for _, t := range s.all {
		if t.Slug == slug {
			return t, true
		}
	}
	return nil, false
}

// All returns the tenants in the order of their slugs.
func (s Set) All() []*Tenant { return slices.Clone(s.all) }

// ByLine returns the tenants that text from a line, in the order of their slugs; see [Tenant.Line].
// A reply that comes to that line may be meant for any of them.
func (s Set) ByLine(line phonemail.Line) []*Tenant {
	var found []*Tenant
	for _, t := range s.all {
		if t.textsFrom(line) {
			found = append(found, t)
		}
	}
	return found
}
