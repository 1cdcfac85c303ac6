package tenant

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"smsbridge/internal/price"
	"smsbridge/internal/settings"
)

// Settings is what `smsbridge serve` needs to know.
type Settings struct {
	// Addr is where to listen.
	Addr string
	// MetricsAddr is where operators are told how the bridge is, "" for nowhere.
	MetricsAddr string
	// Traces says where it is told what the bridge does for each case.
	Traces Traces
	// DiskLeast is how many MB must be free on the disk of a SQLite database.
	DiskLeast int
	// Drain is how long the bridge goes on serving after the signal to stop. Meanwhile /readyz says
	// no, so that a load balancer sends no more requests before the bridge closes. 0 to 1 minute.
	Drain time.Duration
	// PublicURL is the bridge's address as the providers reach it, without a slash at the end.
	// Twilio signs it, so it is never guessed from a request.
	PublicURL string
	// LogFormat is how the log is written.
	LogFormat LogFormat
	// Retention is how long rows have the number of their phone: 48 hours to a year.
	Retention time.Duration
	// DNS is the name server for the keys of DKIM signatures; the zero value is the system's.
	DNS netip.AddrPort
	// Database is "sqlite:PATH" or "postgres://…". The latter may contain a password.
	Database settings.Secret
	// Key seals secrets in the database: 32 bytes in hex or base64. None: a SQLite database keeps
	// its own beside the file; PostgreSQL always has one.
	Key settings.Secret
	// Tenants holds at least one tenant.
	Tenants Set
	// Operator is about the pages for operators.
	Operator Operator
	socket   string      // see CommandSocket
	day      Budget      // what all tenants together may cost
	prices   price.Table // empty for the shipped ones
	// Warnings are what an operator should know but may have wanted.
	Warnings []string
	// Written is all of it as it may be shown: of the process first, then of each tenant.
	Written []WrittenBy
	// Fingerprint is the same for two processes whose settings are the same, secrets included and
	// the addresses at which each is reached left out. It tells nothing else of them: 12 hex digits.
	Fingerprint string
	// digests of what a running bridge cannot change, by tenant and key
	fixed map[string][sha256.Size]byte
}

// Fixed returns the settings that differ and that a running bridge cannot change, such as addr, or
// "acme: flowroute_door.addr".
func (s Settings) Fixed(next Settings) (changed []string) {
	for key, value := range s.fixed {
		if next.fixed[key] != value {
			changed = append(changed, key)
		}
	}
	for key := range next.fixed {
		if _, had := s.fixed[key]; !had {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	return changed
}

// LogFormat is how a log is written.
type LogFormat string

// The formats of a log. Auto is text on a terminal, and JSON elsewhere.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
	LogAuto LogFormat = "auto"
)

// WrittenBy are settings as they may be shown.
type WrittenBy struct {
	Tenant   string             `json:"tenant,omitempty"` // "" for those of the process
	Settings []settings.Written `json:"settings"`
}

// families are the variables in which misspelled ones are found. What is set for Kubernetes and for
// our tests is none of them.
func families() []settings.Family {
	tests := strings.Fields("CANARIES CHROMIUM KILLS LONG POSTGRES PROMTOOL STRICT")
	return []settings.Family{
		{Prefix: "SMSBRIDGE_", Own: true, Allowed: func(rest string) bool {
			name, test := strings.CutPrefix(rest, "TEST_")
			return test && slices.Contains(tests, name) || settings.Kubernetes(rest)
		}},
		{Prefix: "MAILGUN_"}, {Prefix: "TWILIO_"}, {Prefix: "FLOWROUTE_"}, {Prefix: "AUTH0_"},
	}
}

// allRows lists the rows of all settings.
func allRows() []settings.Row {
	return slices.Concat(commandRows(), settings.Rows(processOptions()),
		settings.Rows(tenantOptions()))
}

// FromEnv reads the settings of a bridge with one tenant from variables, given as [os.Environ]
// returns them. Unknown variables that start with SMSBRIDGE_ are refused, as they are misspelled,
// except those of Kubernetes, of tests and of the command line. Of MAILGUN_, TWILIO_, FLOWROUTE_
// and AUTH0_ variables, which other programs use, too, likely misspellings are refused. Secrets may
// be given as file:PATH instead.
//
// The error is a [settings.Mistakes].
func FromEnv(environ []string) (Settings, error) {
	l := newLoader(environ)
	l.RefuseUnknown(families(), allRows())
	var s Settings
	given := l.Variables(settings.Rows(processOptions()))
	settings.Fill(l.Loader, &s, processOptions(), given)
	l.checkKey(&s, given)
	l.process = given
	l.addTenant(&s, l.Variables(settings.Rows(tenantOptions())))
	return l.result(s)
}

// FromFile reads the settings from a YAML file, whose keys are explained in deploy/smsbridge.yaml.
// Secrets are references there: env:NAME or file:PATH, relative to the file. The process's
// variables, such as SMSBRIDGE_ADDR, may fill in what the file leaves out. A tenant's variables
// must not be set unless the file refers to them.
//
// The error is a [settings.Mistakes].
func FromFile(path string, environ []string) (Settings, error) {
	l := newLoader(environ)
	file, ok := l.ReadFile(path, form())
	if !ok {
		return Settings{}, l.Mistakes()
	}
	// The providers' variables have any names that the file refers to.
	l.RefuseUnknown(families()[:1], allRows())
	return l.fromFile(file)
}

func (l *loader) fromFile(file settings.File) (Settings, error) {
	var s Settings
	given := l.Join(file.Top, l.Variables(settings.Rows(processOptions())))
	settings.Fill(l.Loader, &s, processOptions(), given)
	l.checkKey(&s, given)
	l.process = given
	for _, tenant := range file.Items {
		l.addTenant(&s, tenant)
	}
	l.RefuseBeside(settings.Rows(tenantOptions()))
	return l.result(s)
}

// form is how the file of several tenants is laid out.
func form() settings.Form {
	return settings.Form{
		Top: settings.Rows(processOptions()), List: "tenants", Noun: "tenant",
		Item: settings.Rows(tenantOptions()), Sample: "deploy/smsbridge.yaml",
	}
}

// checkKey settles where the key comes from.
func (l *loader) checkKey(s *Settings, given settings.Given) {
	key, file := given.Has("key"), given.Has("key_file")
	switch {
	case key && file:
		l.Add(given.Place("key_file"),
			settings.Wrong("is set beside "+given.Place("key"), "keep one of the two"))
	case !key && !file && !strings.HasPrefix(s.Database.Reveal(), "sqlite:"):
		l.Add(given.Place("key"), settings.Wrong("is missing, and PostgreSQL needs it",
			"make one with: openssl rand -hex 32"))
	}
}

// result sorts the tenants, checks them against each other, and returns either the settings or the
// mistakes.
func (l *loader) result(s Settings) (Settings, error) {
	bySlug := func(a, b *Tenant) int { return cmp.Compare(a.Slug, b.Slug) }
	slices.SortFunc(s.Tenants.all, bySlug)
	for i, t := range s.Tenants.all {
		for _, other := range s.Tenants.all[:i] {
			l.checkTogether(t, other)
		}
	}
	l.checkDoorsTogether(s)
	l.checkAuth0Together(s.Tenants)
	l.checkOwnHosts(s)
	l.checkOperator(s)
	l.checkWatched(&s, l.process)
	l.checkTraces(&s, l.process)
	l.checkSecrets(s)
	if len(l.Mistakes()) > 0 {
		return Settings{}, l.Mistakes()
	}
	for _, t := range s.Tenants.all {
		t.public = s.PublicURL
	}
	shareBudget(s)
	l.warnOfProxy()
	s.Warnings = l.Warnings()
	l.show(&s)
	return s, nil
}

// warnOfProxy says what a proxy of the environment is used for. Where it is the only way out, texts
// would leave, and every link would be unreachable. The variables are those of
// https://pkg.go.dev/net/http#ProxyFromEnvironment.
func (l *loader) warnOfProxy() {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		if l.IsSet(name) {
			l.Warn("%s is set: calls to providers go through that proxy; links and callbacks do not, "+
				"since their addresses are judged as they are dialed: let the bridge reach port 443", name)
			return
		}
	}
}

// show keeps what was written, without secrets, and the fingerprint of all of it.
func (l *loader) show(s *Settings) {
	digest := sha256.New()
	add := func(written string) { digest.Write([]byte(written + "\x01")) }
	process, each := settings.Rows(processOptions()), settings.Rows(tenantOptions())
	s.Written = []WrittenBy{{"", l.process.Written(process)}}
	l.process.Fingerprint(common(process), add)
	for _, t := range s.Tenants.all {
		s.Written = append(s.Written, WrittenBy{t.Slug, l.given[t].Written(each)})
		l.given[t].Fingerprint(common(each), add)
	}
	s.Fingerprint = hex.EncodeToString(digest.Sum(nil))[:12]
	s.fixed = map[string][sha256.Size]byte{}
	l.process.Fingerprint(restarting(process), func(written string) { s.fix("", written) })
	for _, t := range s.Tenants.all {
		l.given[t].Fingerprint(restarting(each), func(written string) { s.fix(t.Slug+": ", written) })
	}
}

func (s *Settings) fix(whose, written string) {
	key, _, _ := strings.Cut(written, "=")
	s.fixed[whose+key] = sha256.Sum256([]byte(written))
}

// common are the rows in which replicas must not differ.
func common(rows []settings.Row) []settings.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r settings.Row) bool { return r.Local })
}

// restarting are the rows whose change needs a restart.
func restarting(rows []settings.Row) []settings.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r settings.Row) bool { return !r.Restart })
}

// checkTogether finds what two tenants must not have in common.
func (l *loader) checkTogether(t, other *Tenant) {
	add := func(key, what, hint string) { l.Add(l.given[t].Place(key), settings.Wrong(what, hint)) }
	if t.Slug == other.Slug && t.Slug != "" {
		add("slug", fmt.Sprintf("there are two tenants %q", t.Slug),
			"every tenant has a slug of its own")
	}
	if t.Address == other.Address && t.Address.Domain != "" {
		add("prefix", "another tenant has the same prefix and mail domain",
			"change one: they tell whose mail it is")
	}
	if sharesKey(t, other) {
		add("api_keys", "another tenant has the same key",
			"every tenant has keys of its own: they tell whose request it is")
	}
	l.checkShared(t, other)
	if !t.sharesSender(other) {
		return
	}
	if strings.EqualFold(t.Name, other.Name) {
		add("name", "another tenant with the same sender has the same name",
			"change one: the name tells people whom they answer")
	}
	if word, ok := crossed(t, other); ok {
		add("accept", fmt.Sprintf("goes against a tenant on the same sender, to which %q means "+
			"the opposite", word),
			"change one: a reply to both must not mean yes to one and no to the other")
	}
	l.Warn("tenants %s and %s share a sender: a STOP to one stops both, and a reply to two open "+
		"questions needs a code", other.Slug, t.Slug)
}

func sharesKey(a, b *Tenant) bool {
	return slices.ContainsFunc(a.API.Keys, func(key APIKey) bool {
		same := func(other APIKey) bool { return key.Digest == other.Digest }
		return slices.ContainsFunc(b.API.Keys, same)
	})
}

// crossed finds a word that means yes to one tenant and no to another.
func crossed(a, b *Tenant) (string, bool) {
	for _, pair := range [][2][]string{{a.Question.Accept, b.Question.Deny},
		{b.Question.Accept, a.Question.Deny}} {
		for _, yes := range pair[0] {
			opposite := func(no string) bool { return strings.EqualFold(yes, no) }
			if slices.ContainsFunc(pair[1], opposite) {
				return yes, true
			}
		}
	}
	return "", false
}

// MailURL is where Mailgun posts a tenant's mails, parsed into fields.
func (s Settings) MailURL(slug string) string { return s.PublicURL + "/mailgun/" + slug }

// MIMEURL is where Mailgun posts a tenant's mails as raw MIME: it does so for a URL that ends in
// "mime".
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store
func (s Settings) MIMEURL(slug string) string { return s.MailURL(slug) + "/mime" }

// ReplyURL is where Twilio posts the replies to a tenant's sender.
func (s Settings) ReplyURL(slug string) string { return s.PublicURL + "/twilio/" + slug + "/reply" }

// ReceiptURL is where Twilio posts the delivery receipts of one text. It names the case, too, for
// the person who looks at Twilio's log.
func (s Settings) ReceiptURL(slug, textID, caseID string) string {
	return s.PublicURL + "/twilio/" + slug + "/receipt?text=" + url.QueryEscape(textID) +
		"&case=" + url.QueryEscape(caseID)
}
