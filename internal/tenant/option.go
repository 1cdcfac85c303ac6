package tenant

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

type (
	row    = settings.Row
	option = settings.Option[Tenant]
)

// section is the settings of one matter.
type section struct {
	title, doc string
	options    []option
}

// tenantSections lists the settings of a tenant, in the order in which the documents show them.
func tenantSections() []section {
	return slices.Concat([]section{
		{"The tenant", "", identityOptions()},
		{"What becomes of each kind of mail", "What to do about each kind of mail. " +
			"Mails of all other kinds are recorded and nothing else.", mailOptions()},
		{"Questions", "", questionOptions()},
		countrySection(),
		{"Opt-outs", "People who want no more texts, or want to know who texts them.",
			optOutOptions()},
		{"Test numbers", "Numbers with which you try the whole loop in production. None is ever texted.",
			testOptions()},
		{"Mailgun", "", mailgunOptions()},
		{"Who may send the mails", "", mailSenderOptions()},
	}, senderSections(), []section{
		{"Links", "How links are found and redeemed where their shape does not say it. " +
			"Most identity providers that the bridge knows need none of these.", linkOptions()},
		{"The identity provider's API", "Access to the identity provider's own API. It is asked " +
			"whether the address is verified when the response to a click leaves that open. " +
			"Optional.", proofOptions()},
		{"Codes", "Codes that an app asks for at /v1/verifications, and that the bridge texts and " +
			"checks.", slices.Concat(codeOptions(), codeTextOptions())},
		{"Limits", "How many texts there may be, and to whom. A text that passes one of them is " +
			"recorded as suppressed, with the reason; an app hears 429. `smsbridge limits` shows " +
			"what is near its limit.", slices.Concat(limitOptions(), spendOptions())},
		{"The app's API", "", apiOptions()},
		{"Callbacks", "Where the app is told how verifications ended. Each request is signed as " +
			"standardwebhooks.com says.", callbackOptions()},
		{"Events", "Where the app is told what happens to questions, verifications, texts and limits, " +
			"for a day if need be. Each request is signed as standardwebhooks.com says. docs/EVENTS.md " +
			"has each event. `smsbridge callbacks` shows which were not taken, and replays them.",
			eventOptions()},
	}, doorSections(), []section{
		{"Auth0", "The hosted form that verifies a phone in the middle of a log-in, a phone " +
			"provider, and feedback to Twilio Verify. auth0/README.md, beside this file, goes " +
			"through it step by step. A door stays closed while its secret is missing.",
			auth0Options()},
		{"Languages", "In which language a phone is texted, and its pages are.", languageOptions()},
		{"Texts", "The wording, in {language}. What is left out is said in these words. A text may use " +
			"{{.Name}}, {{.Answer}} and {{.Denial}} (the first words of {accept} and {deny}). " +
			"The text for several questions may use {{.Choices}} and {{.Count}}, too, texts that ask " +
			"{{.Life}}, what an app asks {{.Subject}}, and the hint {{.About}}. No links. One segment: " +
			"160 characters, or 70 with " +
			"characters such as curly quotes; with {long_texts=true} two.",
			textOptions()},
	})
}

// tenantOptions lists the settings of a tenant. It is not changed: loading settings, which every
// command does, reads it five times.
var tenantOptions = sync.OnceValue(func() (all []option) {
	for _, s := range tenantSections() {
		all = append(all, s.options...)
	}
	return all
})

// Reference returns everything there is to know about the settings, for documents: those of the
// command line, which only variables and flags give, those of the process, and a tenant's.
func Reference() (command, process settings.Section, tenant []settings.Section) {
	command = settings.Section{Title: "The command line", Rows: commandRows()}
	process = settings.Section{Title: "The process", Rows: settings.Rows(processOptions())}
	for _, s := range tenantSections() {
		tenant = append(tenant, settings.Section{
			Title: s.title, Doc: s.doc, Rows: settings.Rows(s.options),
		})
	}
	return command, process, tenant
}

// identityOptions are about the tenant, the phones it may reach and the links it may open.
func identityOptions() []option {
	return []option{
		{Row: row{
			Key: "slug", Variable: "SMSBRIDGE_TENANT", Need: settings.Required, Example: "acme",
			Missing: "write a short name for URLs and phone addresses, such as acme",
			Doc: "A short name in small letters. It is the prefix of the phone addresses " +
				"(acme+4512345678@…) and part of the webhooks: /mailgun/acme for Mailgun's route, " +
				"/twilio/acme/reply for Twilio.",
			Prevents: "It tells tenants apart: two with one slug would get each other's mails.",
		}, Set: setSlug},
		{Row: row{
			Key: "name", Variable: "SMSBRIDGE_NAME", Need: settings.Required, Example: "ACME",
			Missing: "write the name that people know, such as ACME",
			Doc: "The name that people read in the texts. At most 40 characters, and nothing that " +
				"looks like a link. Write it as the identity provider's mails do.",
			Prevents: "People do not reply to a question from a name that they do not know. A name such " +
				"as TransferGo forbids the links of mails that write it otherwise.",
		}, Set: setName(func(t *Tenant) *string { return &t.Name })},
		{Row: row{
			Key: "mail_domain", Variable: "SMSBRIDGE_MAIL_DOMAIN", Need: settings.Required,
			Example: "sms.acme.example",
			Missing: "write the domain of the phone addresses, such as sms.acme.example",
			Doc: "The domain of the phone addresses, which are PREFIX+4512345678@MAIL_DOMAIN. " +
				"Its MX records point at Mailgun.",
			Prevents: "A mail to any other domain is refused: the bridge would text for a stranger.",
		}, Set: setDomain("is not a mail domain",
			"write what stands after the @, such as sms.acme.example",
			func(t *Tenant) *string { return &t.Address.Domain })},
		{Row: row{
			Key: "prefix", Example: "acme",
			Doc: "What stands before the + of the phone addresses. The slug when it is left out.",
			Prevents: "Two tenants with one mail domain need two prefixes: they tell whose mail " +
				"it is.",
		}, Set: setPrefix},
		{Row: row{
			Key: "countries", Variable: "SMSBRIDGE_COUNTRIES", Kind: settings.List,
			Need: settings.Required, Example: "DK,SE,NO",
			Missing: "list the countries whose phones may be texted, such as DK and SE, or * for all",
			Doc: "The countries whose phones may be texted, as ISO 3166-1 codes of two letters, " +
				"or * for all. Premium-rate, shared-cost, toll-free and satellite numbers are always " +
				"refused.",
			Prevents: "Sign-ups for costly foreign numbers are how strangers spend your money, " +
				"so there is no default.",
		}, Set: setCountries},
		{Row: row{
			Key: "valid_numbers", Default: "false",
			Doc: "Whether to refuse numbers from ranges that are not known to be assigned. " +
				"It is off because new ranges take months to be known.",
			Prevents: "Without it, a sign-up with an invented number may cost a text.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.Policy.Valid })},
		{Row: row{
			Key: "idp_hosts", Variable: "SMSBRIDGE_IDP_HOSTS", Kind: settings.List,
			Need: settings.Required, Example: "login.acme.example,acme.eu.auth0.com",
			Missing: "list the hosts of the identity provider's links, such as login.acme.example",
			Doc: "The hosts that the identity provider's verification links lead to, without scheme " +
				"or path. They are compared exactly.",
			Prevents: "No other link is ever opened: a forged mail cannot make the bridge open its own.",
		}, Set: judged(settings.Hosts(func(t *Tenant) *[]string { return &t.Links.IdPHosts }),
			func(t *Tenant) *settings.Mistake { return judgeHosts(t.Links.IdPHosts) })},
		{Row: row{
			Key: "unsafe_allow", Variable: "SMSBRIDGE_UNSAFE_ALLOW", Kind: settings.List, Off: true,
			Example: "127.0.0.0/8",
			Doc: "For trying things out alone: private networks that links may lead to, then also " +
				"over plain http, on any port and as IP addresses.",
			Prevents: "Never set it in production: a mail could make the bridge call your own network.",
		}, Set: judged(
			settings.Prefixes(func(t *Tenant) *[]netip.Prefix { return &t.Links.UnsafeAllow }),
			func(t *Tenant) *settings.Mistake { return judgeUnsafe(t.Links.UnsafeAllow) })},
	}
}

func setSlug(t *Tenant, v []string) *settings.Mistake {
	if !phonemail.ValidPrefix(v[0]) || strings.ToLower(v[0]) != v[0] {
		return settings.Wrong("is not a slug", "use up to 32 of a–z, 0–9, dot, hyphen and "+
			"underscore, and start with a letter or digit")
	}
	// Metrics, findings and the log have these words for all tenants and for none.
	if v[0] == "all" || v[0] == "unknown" {
		return settings.Wrong("does not tell a tenant from all or none", "choose another short name")
	}
	t.Slug = v[0]
	return nil
}

func setPrefix(t *Tenant, v []string) *settings.Mistake {
	if !phonemail.ValidPrefix(v[0]) {
		return settings.Wrong("cannot stand before the + of a phone address",
			"use up to 32 of a–z, 0–9, dot, hyphen and underscore")
	}
	t.Address.Prefix = strings.ToLower(v[0])
	return nil
}

// setName takes a name that texts show.
func setName(of func(*Tenant) *string) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		if m := mistake(wording.JudgeName(v[0])); m != nil {
			return m // and not into the texts, where it would be reported again
		}
		*of(t) = v[0]
		return nil
	}
}

// setDomain takes a domain and keeps it in small letters.
func setDomain(what, hint string, of func(*Tenant) *string) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		if !phonemail.ValidDomain(v[0]) {
			return settings.Wrong(what, hint)
		}
		*of(t) = strings.ToLower(v[0])
		return nil
	}
}

// mailOptions say what becomes of each kind of mail, and where its link waits.
func mailOptions() []option {
	return []option{
		{Row: row{
			Key: "verify", Variable: "SMSBRIDGE_VERIFY", Default: "ask",
			Doc: "A mail that confirms an address. ask: ask the phone, and open the link on YES. A link " +
				"on whose page the person must do something is texted as a short link. off: nothing.",
			Prevents: "With off, people who have only a phone cannot finish a sign-up.",
		}, Set: settings.Choice(func(t *Tenant) *Action { return &t.Mails.Verify }, Ask, Off)},
		{Row: row{
			Key: "code", Variable: "SMSBRIDGE_CODE", Default: "relay",
			Doc:      "A mail with a one-time code. relay: text the code. off: nothing.",
			Prevents: "With off, the person waits for a code that never comes.",
		}, Set: settings.Choice(func(t *Tenant) *Action { return &t.Mails.Code }, Relay, Off)},
		{Row: row{
			Key: "reset", Variable: "SMSBRIDGE_RESET", Default: "relay",
			Doc: "A password mail. relay: text a short link to the page where the password is chosen. " +
				"ask: for identity providers whose link by itself activates a password that was chosen " +
				"before. It opens the link when the reply repeats the code of the question (YES 4821). " +
				"A link that leads to a page is relayed all the same, and so is a code. off: nothing.",
			Prevents: "Without ask, a person whose password waits for the link must open it in a browser.",
		}, Set: settings.Choice(func(t *Tenant) *Action { return &t.Mails.Reset }, Relay, Ask, Off)},
		{Row: row{
			Key: "login", Variable: "SMSBRIDGE_LOGIN", Default: "off",
			Doc:      "A sign-in mail (\"magic link\"). relay: text a short link. off: nothing.",
			Prevents: "With relay, everyone who can ask for a sign-in mail can make you pay for a text.",
		}, Set: settings.Choice(func(t *Tenant) *Action { return &t.Mails.Login }, Relay, Off)},
		{Row: row{
			Key: "keep", Variable: "SMSBRIDGE_KEEP", Default: "bridge",
			Doc: "Where a link waits for the reply. bridge: sealed in the database. mailgun: at " +
				"Mailgun only, from where it is fetched again, for as long as Mailgun stores it. A link " +
				"that is texted as a short link is sealed in the database until that ends.",
			Prevents: "With mailgun, a link is lost when Mailgun drops the mail before the reply comes.",
		}, Set: settings.Choice(func(t *Tenant) *Keep { return &t.Mails.Keep }, KeepBridge, KeepMailgun)},
	}
}

// How long a question may be open. The default is what NIST SP 800-63B, 5.1.3.2 allows a code sent
// by text; longer is riskier, but people read texts late.
const (
	minLife     = time.Minute
	defaultLife = 10 * time.Minute
	maxLife     = 24 * time.Hour
)

// life takes how long a question or a code counts.
func life(of func(*Tenant) *time.Duration) settings.Setter[Tenant] {
	return settings.Duration(minLife, maxLife, "10m or 8h; 10m is recommended", of)
}

// questionOptions are about how a question is asked and answered.
func questionOptions() []option {
	return []option{
		{Row: row{
			Key: "answer", Variable: "SMSBRIDGE_ANSWER", Default: "reply",
			Doc: "How a question is answered. reply: by text. tap: on a page of the bridge that the " +
				"text links to, for senders that cannot receive texts. both: either.",
			Prevents: "People cannot reply to a name as sender, nor to a one-way number.",
		}, Set: settings.Choice(func(t *Tenant) *Answer { return &t.Question.Answer }, ByReply, ByTap,
			ByBoth)},
		{Row: row{
			Key: "accept", Variable: "SMSBRIDGE_ACCEPT", Kind: settings.List, Default: "YES,Y",
			Example: "YES,Y,JA,J",
			Doc: "The replies that mean yes, in any case; texts show the first (correct_sms_response in " +
				"the original webtask). YES also ends an opt-out at Twilio; JA or OK does not.",
			Prevents: "STOP, CANCEL, END, QUIT and the like are refused: Twilio keeps them for itself.",
		}, Set: setWords(func(t *Tenant) *[]string { return &t.Question.Accept })},
		{Row: row{
			Key: "deny", Kind: settings.List, Default: "NO,N", Example: "NO,N,NEJ",
			Doc:      "The replies that mean no, in any case; texts show the first.",
			Prevents: "Without a word of theirs, people say no in a way that the bridge does not read.",
		}, Set: setWords(func(t *Tenant) *[]string { return &t.Question.Deny })},
		{Row: row{
			Key: "valid_for", Variable: "SMSBRIDGE_VALID_FOR", Default: "10m",
			Doc: "How long a question can be answered, 1m to 24h (reset_valid_hours in the original, " +
				"in hours, and 8 by default: 8h).",
			Prevents: "More than 10m gives the thief of a phone more time; the start warns of it.",
		}, Set: life(func(t *Tenant) *time.Duration { return &t.Question.ValidFor })},
		{Row: row{
			Key: "unsafe_bare_yes", Variable: "SMSBRIDGE_UNSAFE_BARE_YES", Default: "false", Off: true,
			Doc:      "With {reset=ask}, take a bare YES, as the original did.",
			Prevents: "With true, a thief who fakes the sender of a text can take over accounts.",
		}, Set: settings.Switch(func(t *Tenant) *bool { return &t.Question.UnsafeBareYes })},
	}
}

func setWords(of func(*Tenant) *[]string) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		if m := mistake(wording.JudgeWords(v)); m != nil {
			return m
		}
		*of(t) = v
		return nil
	}
}

// mistake turns what is wrong with a wording into a mistake; nil stays nil.
func mistake(f *wording.Fault) *settings.Mistake {
	if f == nil {
		return nil
	}
	return settings.Wrong(f.What, f.Hint)
}
