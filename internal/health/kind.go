// Package health knows what may be wrong with a running bridge, and says what is, with a code that
// stays the same over versions.
//
// It is for the edges, which tell it what went well and what did not, and for cmd, which shows the
// findings. It promises that a finding does not flap: it is raised after the same went wrong
// several times with nothing going well in between, and is over after a quiet time. What follows
// from another finding is hidden behind that one. Each finding that comes or goes is one line of
// the log.
package health

import (
	"slices"
	"time"
)

// Code names a kind of finding.
type Code string

// The codes.
const (
	Database       Code = "SB-DATABASE"
	DiskFull       Code = "SB-DISK-FULL"
	MailgunSigning Code = "SB-MAILGUN-SIGNING"
	MailgunKey     Code = "SB-MAILGUN-KEY"
	MailgunDown    Code = "SB-MAILGUN-DOWN"
	DNS            Code = "SB-DNS"
	Route          Code = "SB-ROUTE"
	NoTenant       Code = "SB-NO-TENANT"
	TwilioAuth     Code = "SB-TWILIO-AUTH"
	TwilioSigning  Code = "SB-TWILIO-SIGNING"
	VerifyAuth     Code = "SB-VERIFY-AUTH"
	FlowrouteAuth  Code = "SB-FLOWROUTE-AUTH"
	FlowrouteURL   Code = "SB-FLOWROUTE-URL"
	WebhookAuth    Code = "SB-WEBHOOK-AUTH"
	ProviderSlow   Code = "SB-PROVIDER-SLOW"
	Undelivered    Code = "SB-UNDELIVERED"
	IdPDown        Code = "SB-IDP-DOWN"
	Callback       Code = "SB-CALLBACK"
	JobDead        Code = "SB-JOB-DEAD"
	QueueLate      Code = "SB-QUEUE-LATE"
	Budget         Code = "SB-BUDGET"
	BudgetUsed     Code = "SB-BUDGET-USED"
	Breaker        Code = "SB-BREAKER"
	Held           Code = "SB-HELD"
	Collector      Code = "SB-COLLECTOR"
	Clock          Code = "SB-CLOCK"
	ConfigDiffers  Code = "SB-CONFIG-DIFFERS"
	KeyDiffers     Code = "SB-KEY-DIFFERS"
	VersionDiffers Code = "SB-VERSION-DIFFERS"
)

// Severity says how soon a person must do something.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // people wait in vain
	Warning Severity = "warning" // it will become an error, or is meant so
)

// Kind is one kind of finding.
type Kind struct {
	Code     Code
	Severity Severity
	Of       string // what each finding of this kind is about: a tenant, a provider, …
	What     string // what is wrong, in one sentence
	Remedy   string // what to do, in one sentence that names the setting

	// It is raised after it went wrong so many times, and for so long, with nothing well between.
	Times int
	For   time.Duration
	// It is over when it went well and has not gone wrong for a quiet time. It is also over when
	// nothing was heard of it for longer.
	Quiet, Forget time.Duration
	// Behind are the findings that explain it: while one of them is there, it is hidden. The database
	// explains all but a full disk.
	Behind []Code
}

const (
	soon   = 20 * time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour

	// What strangers can cause must go on for longer than a scan takes. One request that is right
	// ends it, and it is over soon after the last one that is wrong.
	lasting  = 10 * time.Minute
	stranger = 3 * time.Hour
	// orStranger follows the remedies of such.
	orStranger = " If all is right, a stranger tries: it ends by itself, three hours after the last."
)

// raiseBudget is the remedy where a budget is used, be it of a tenant or of all.
const raiseBudget = "smsbridge limits says what used it. For all, raise SMSBRIDGE_DAILY_SEGMENTS " +
	"(daily_segments) or SMSBRIDGE_DAILY_MONEY (daily_money); for a tenant, its " +
	"limits.daily_segments or limits.daily_money."

// Kinds returns all kinds of findings.
func Kinds() []Kind {
	return slices.Concat(own(), mails(), providers(), watchers(), replicas())
}

// own are the findings about the bridge and its limits.
func own() []Kind {
	return []Kind{
		{Database, Error, "", "The database does not respond.",
			"Start it, or correct SMSBRIDGE_DATABASE (database); the bridge goes on by itself.",
			2, 0, soon, hour, nil},
		{DiskFull, Error, "", "The disk of the database is nearly full.",
			"Make room, or move the file that SMSBRIDGE_DATABASE (database) names; " +
				"SMSBRIDGE_DISK_LEAST (disk_least) sets how much must be free.",
			1, 0, minute, hour, nil},
		{JobDead, Warning, "", "A job was given up within the last hour.",
			"smsbridge jobs says which one and why; smsbridge jobs retry ID tries it again.",
			1, 0, 0, hour, []Code{DiskFull, TwilioAuth, MailgunKey, MailgunDown, IdPDown}},
		{QueueLate, Error, "", "A job has been due for a minute, and no worker takes it.",
			"Look in the log for what the workers wait for, or start another replica.",
			2, soon, minute, hour, []Code{DiskFull}},
		{Budget, Warning, "tenant, or all", "Four fifths of a budget of the day are used.",
			raiseBudget,
			1, 0, 0, hour, []Code{BudgetUsed}},
		{BudgetUsed, Error, "tenant, or all",
			"A budget of the day is used up: no question or code is texted.",
			raiseBudget,
			1, 0, 0, hour, nil},
		{Breaker, Warning, "route", "Too many questions in a country go unanswered: few are texted.",
			"Is it a fraud? smsbridge limits shows whether a few ranges of numbers get most texts, and " +
				"smsbridge hold --country ends it. SMSBRIDGE_LIMIT_BREAKER (limits.breaker) sets how " +
				"many are too many.",
			1, 0, 0, hour, nil},
		{Held, Warning, "what is held", "An operator holds texts.",
			"smsbridge release, with the same --tenant and --country as the hold, lets them go again.",
			1, 0, 0, hour, nil},
	}
}

// mails are the findings about how mails come, and what their examination needs.
func mails() []Kind {
	return []Kind{
		{MailgunSigning, Error, "tenant",
			"Webhooks about mails have a wrong signature, and none has the right one.",
			"Compare MAILGUN_WEBHOOK_SIGNING_KEY (mailgun.signing_key) with the HTTP webhook " +
				"signing key of the account." + orStranger,
			5, lasting, 0, stranger, nil},
		{MailgunKey, Error, "tenant", "Mailgun refuses the API key: stored mails cannot be read.",
			"Compare MAILGUN_API_KEY (mailgun.api_key) with the account, and MAILGUN_API_BASE " +
				"(mailgun.api_base) with its region.",
			1, 0, minute, day, nil},
		{MailgunDown, Warning, "tenant", "Mailgun's API does not respond.",
			"Look at Mailgun's status page, and whether MAILGUN_API_BASE (mailgun.api_base) is right; " +
				"the bridge tries again by itself.",
			3, 0, minute, hour, nil},
		{DNS, Error, "tenant", "The DNS does not say which keys sign mails: the mails wait.",
			"Does the name server respond that SMSBRIDGE_DNS (dns) names, or the system's without it? " +
				"If it does, the name servers of the domains in SMSBRIDGE_SENDER_DOMAINS (sender.domains) " +
				"do not.",
			3, 0, minute, hour, nil},
		{Route, Error, "tenant", "Mails come, and none of them is for a phone address of a tenant.",
			"Compare the route at Mailgun with deploy/PROVIDERS.md: its URL ends with the tenant's slug " +
				"(SMSBRIDGE_TENANT), and its addresses are at SMSBRIDGE_MAIL_DOMAIN (mail_domain).",
			3, lasting, 0, stranger, nil},
		{NoTenant, Warning, "",
			"Requests come to a door for mails that no tenant has, and no mail comes.",
			"Compare the URL of the route at Mailgun with deploy/PROVIDERS.md: it ends with the " +
				"tenant's slug (SMSBRIDGE_TENANT)." + orStranger,
			3, lasting, 0, stranger, nil},
	}
}

// providers are the findings about those who take texts, clicks and callbacks.
func providers() []Kind {
	return []Kind{
		{TwilioAuth, Error, "tenant", "Twilio refuses the credentials: no text leaves through it.",
			"Compare TWILIO_ACCOUNT_SID (twilio.account_sid) and TWILIO_AUTH_TOKEN " +
				"(twilio.auth_token) with the account that owns the sender. Twilio's console says whether " +
				"that is suspended or has no funds.",
			1, 0, 0, day, nil},
		{TwilioSigning, Error, "tenant",
			"Twilio's webhooks have a wrong signature, and none has the right one: replies are lost.",
			"Compare SMSBRIDGE_PUBLIC_URL (public_url) with the URL at Twilio, and TWILIO_AUTH_TOKEN " +
				"(twilio.auth_token) with the account's primary token." + orStranger,
			5, lasting, 0, stranger, []Code{TwilioAuth}},
		{VerifyAuth, Error, "tenant", "Twilio Verify refuses the credentials or the service.",
			"Compare TWILIO_VERIFY_SERVICE_SID (twilio_verify.service_sid), TWILIO_ACCOUNT_SID " +
				"(twilio.account_sid) and TWILIO_AUTH_TOKEN (twilio.auth_token) with the account. Twilio's " +
				"console says whether that is suspended or has no funds.",
			1, 0, 0, day, []Code{TwilioAuth}},
		{FlowrouteAuth, Error, "tenant",
			"Flowroute refuses the credentials: no text leaves through it.",
			"Compare FLOWROUTE_ACCESS_KEY (flowroute.access_key) and FLOWROUTE_SECRET_KEY " +
				"(flowroute.secret_key) with the account.",
			1, 0, 0, day, nil},
		{FlowrouteURL, Error, "tenant",
			"Flowroute's webhooks have a wrong key, and none has the right one: replies are lost.",
			"Enter the URL at Flowroute again: its key follows from FLOWROUTE_SECRET_KEY " +
				"(flowroute.secret_key), as deploy/PROVIDERS.md says." + orStranger,
			5, lasting, 0, stranger, []Code{FlowrouteAuth}},
		{WebhookAuth, Error, "tenant", "Your own sender refuses the credentials.",
			"Compare webhook.secret with the one that it has.",
			1, 0, 0, day, nil},
		{ProviderSlow, Warning, "provider", "A provider of texts responds slowly, or not at all.",
			"Look at its status page; SMSBRIDGE_PROVIDERS (providers) may name another one that is " +
				"asked next.",
			3, 0, minute, hour, []Code{TwilioAuth, FlowrouteAuth, WebhookAuth}},
		{Undelivered, Warning, "country", "No text to a country arrives.",
			"smsbridge show of one of the phones explains the provider's code, and smsbridge " +
				"compliance says what the country wants.",
			5, 0, minute, day, []Code{TwilioAuth, VerifyAuth, FlowrouteAuth, WebhookAuth, ProviderSlow}},
		{IdPDown, Error, "tenant", "The identity provider cannot be reached: links are not opened.",
			"Is it up, and do the hosts in SMSBRIDGE_IDP_HOSTS (idp_hosts) lead to it from here? " +
				"The bridge tries for five minutes after each yes.",
			3, 0, minute, hour, nil},
		{Callback, Warning, "tenant, or its endpoint", "Your app does not take what the bridge tells it.",
			"Is it up at the URLs in SMSBRIDGE_EVENTS (events.to) or callback.url, and does it respond " +
				"with 2xx? The bridge tries for a day.",
			3, 0, minute, hour, nil},
	}
}

// watchers are the findings about those who watch the bridge. No text waits for them.
func watchers() []Kind {
	return []Kind{
		{Collector, Warning, "", "The collector does not take the traces: they are dropped.",
			"Is it up at SMSBRIDGE_OTLP_URL (otlp_url), and is the key in SMSBRIDGE_OTLP_HEADERS " +
				"(otlp_headers) right? Texts do not wait for it.",
			1, 0, minute, hour, nil},
	}
}

// replicas are the findings about the processes that share a database.
func replicas() []Kind {
	return []Kind{
		{ConfigDiffers, Error, "", "Replicas on this database have different settings.",
			"Compare what smsbridge config says on each, and start those again that have older settings.",
			2, soon, 0, hour, nil},
		{KeyDiffers, Error, "", "Replicas on this database seal with different keys.",
			"Give all of them the same SMSBRIDGE_KEY (key), in the same order.",
			2, soon, 0, hour, nil},
		{Clock, Warning, "", "The clock of a replica and that of PostgreSQL differ by over five seconds.",
			"Have NTP set both, such as by chrony: chronyc tracking says how far a machine is off, and " +
				"smsbridge_database_clock_ahead_seconds which replica it is.",
			2, soon, minute, hour, nil},
		{VersionDiffers, Warning, "", "Replicas on this database have different versions.",
			"Update those that are older.",
			2, 10 * time.Minute, 0, hour, nil},
	}
}
