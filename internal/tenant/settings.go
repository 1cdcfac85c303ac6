package tenant

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Settings is what `smsbridge serve` needs to know.
type Settings struct {
	// Addr is where to listen, ":8080" by default: all interfaces, because the
	// TLS proxy in front is often another container or machine.
	Addr string
	// Drain is how long the bridge goes on serving after the signal to stop, while /readyz says no,
	// so that a load balancer sends no more requests before it closes. 0 to 1 minute.
	Drain time.Duration
	// PublicURL is the bridge's address as the providers reach it, without a
	// slash at the end. Twilio signs it, so it is never guessed from a request.
	PublicURL string
	// Database is "sqlite:PATH" or "postgres://…". The latter may contain a
	// password.
	Database Secret
	// Key seals secrets in the database: 32 bytes in hex or base64. None: a
	// SQLite database keeps its own beside the file; PostgreSQL always has one.
	Key Secret
	// Tenants holds at least one tenant.
	Tenants Set
	// Warnings are what an operator should know but may have wanted.
	Warnings []string
}

// FromEnv reads the settings of a bridge with one tenant from variables, given
// as [os.Environ] returns them. Unknown variables that start with SMSBRIDGE_ are
// refused, as they are misspelled, except those of Kubernetes, of tests and of
// the command line. Secrets may be given as file:PATH instead.
//
// The error is a [Mistakes].
func FromEnv(environ []string) (Settings, error) {
	l := newLoader(environ)
	l.refuseUnknownVariables()
	s := defaultSettings()
	place := variablePlace(processOptions())
	given := l.fromVariables(entries(processOptions()))
	fill(l, &s, processOptions(), given, place)
	l.checkKey(&s, given, place)

	given = l.fromVariables(entries(tenantOptions()))
	l.addTenant(&s, given, variablePlace(tenantOptions()))
	return l.result(s)
}

// FromFile reads the settings from a YAML file, whose keys are explained in
// deploy/smsbridge.yaml. Secrets are references there: env:NAME or file:PATH,
// relative to the file. The process's variables, such as SMSBRIDGE_ADDR, may
// fill in what the file leaves out; a tenant's variables must not be set unless
// the file refers to them.
//
// The error is a [Mistakes].
func FromFile(path string, environ []string) (Settings, error) {
	l := newLoader(environ)
	doc, ok := l.readFile(path)
	if !ok {
		return Settings{}, l.mistakes
	}
	l.refuseUnknownVariables()
	s := defaultSettings()
	place := doc.process.place(variablePlace(processOptions()))
	given := l.fromVariables(entries(processOptions()))
	for key, v := range doc.process.values {
		if other, twice := given[key]; twice {
			l.add(v.where, wrong("is also set by "+other.where, "keep one of the two"))
		}
		given[key] = v
	}
	fill(l, &s, processOptions(), given, place)
	l.checkKey(&s, given, place)

	for _, t := range doc.tenants {
		l.addTenant(&s, t.values, t.place(nil))
	}
	l.refuseTenantVariables()
	return l.result(s)
}

func defaultSettings() Settings {
	return Settings{Addr: ":8080", Drain: 3 * time.Second, Database: NewSecret("sqlite:smsbridge.db")}
}

func defaultTenant() *Tenant {
	return &Tenant{
		Keep:     KeepBridge,
		Verify:   Ask,
		Code:     Relay,
		Reset:    Relay,
		Login:    Off,
		Answer:   ByReply,
		Accept:   []string{"YES", "Y"},
		Deny:     []string{"NO", "N"},
		ValidFor: defaultLife,
		Mailgun:  Mailgun{APIBase: "https://api.mailgun.net"},
		Twilio:   Twilio{APIBase: "https://api.twilio.com"},

		VerifyService: VerifyService{APIBase: "https://verify.twilio.com"},
		Flowroute:     Flowroute{APIBase: "https://api.flowroute.com", Version: "v2.1"},
		Codes:         defaultCodes(),
		APIRate:       defaultRate,

		FlowrouteDoor: defaultFlowrouteDoor(),
		DurableDoor:   defaultDurableDoor(),
	}
}

// checkKey settles where the key comes from.
func (l *loader) checkKey(s *Settings, given map[string]value, place placer) {
	_, key := given["key"]
	_, file := given["key_file"]
	switch {
	case key && file:
		l.add(place("key_file"), wrong("is set beside "+place("key"), "keep one of the two"))
	case !key && !file && !strings.HasPrefix(s.Database.Reveal(), "sqlite:"):
		l.add(place("key"), wrong("is missing, and PostgreSQL needs it", "make one with: openssl rand -hex 32"))
	}
}

// result sorts the tenants, checks them against each other, and returns either
// the settings or the mistakes.
func (l *loader) result(s Settings) (Settings, error) {
	slices.SortFunc(s.Tenants.all, func(a, b *Tenant) int { return cmp.Compare(a.Slug, b.Slug) })
	l.checkTogether(s.Tenants)
	l.checkDoorsTogether(s)
	l.checkAuth0Together(s.Tenants)
	if len(l.mistakes) > 0 {
		return Settings{}, l.mistakes
	}
	for _, t := range s.Tenants.all {
		t.public = s.PublicURL
	}
	s.Warnings = l.warnings
	return s, nil
}

// checkTogether finds what two tenants must not have in common.
func (l *loader) checkTogether(set Set) {
	for i, t := range set.all {
		for _, other := range set.all[:i] {
			where := l.places[t]
			if t.Slug == other.Slug && t.Slug != "" {
				l.add(where("slug"), wrong(fmt.Sprintf("there are two tenants %q", t.Slug), "every tenant has a slug of its own"))
			}
			if t.Address == other.Address && t.Address.Domain != "" {
				l.add(where("prefix"), wrong("another tenant has the same prefix and mail domain", "change one: they tell whose mail it is"))
			}
			if sharesKey(t, other) {
				l.add(where("api_keys"), wrong("another tenant has the same key", "every tenant has keys of its own: they tell whose request it is"))
			}
			l.checkShared(t, other)
			if t.Twilio.From == "" || t.Twilio.From != other.Twilio.From || t.Twilio.AccountSID != other.Twilio.AccountSID {
				continue
			}
			if strings.EqualFold(t.Name, other.Name) {
				l.add(where("name"), wrong("another tenant with the same sender has the same name", "change one: the name tells people whom they answer"))
			}
			if word, ok := crossed(t, other); ok {
				l.add(where("accept"), wrong(fmt.Sprintf("goes against a tenant on the same sender, to which %q means the opposite", word), "change one: a reply to both must not mean yes to one and no to the other"))
			}
			l.warn("tenants %s and %s share a sender: a STOP to one stops both, and a reply to two open questions needs a code", other.Slug, t.Slug)
		}
	}
}

func sharesKey(a, b *Tenant) bool {
	return slices.ContainsFunc(a.APIKeys, func(key APIKey) bool {
		return slices.ContainsFunc(b.APIKeys, func(other APIKey) bool { return key.Digest == other.Digest })
	})
}

// crossed finds a word that means yes to one tenant and no to another.
func crossed(a, b *Tenant) (string, bool) {
	for _, pair := range [][2][]string{{a.Accept, b.Deny}, {b.Accept, a.Deny}} {
		for _, yes := range pair[0] {
			if slices.ContainsFunc(pair[1], func(no string) bool { return strings.EqualFold(yes, no) }) {
				return yes, true
			}
		}
	}
	return "", false
}

// MailURL is where Mailgun posts a tenant's mails, parsed into fields.
func (s Settings) MailURL(slug string) string { return s.PublicURL + "/mailgun/" + slug }

// MIMEURL is where Mailgun posts a tenant's mails as raw MIME: it does so for a
// URL that ends in "mime".
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store
func (s Settings) MIMEURL(slug string) string { return s.MailURL(slug) + "/mime" }

// ReplyURL is where Twilio posts the replies to a tenant's sender.
func (s Settings) ReplyURL(slug string) string { return s.PublicURL + "/twilio/" + slug + "/reply" }

// ReceiptURL is where Twilio posts the delivery receipts of one text.
func (s Settings) ReceiptURL(slug, textID string) string {
	return s.PublicURL + "/twilio/" + slug + "/receipt?text=" + url.QueryEscape(textID)
}
