package tenant

import (
	"slices"
	"strings"
	"time"

	"smsbridge/internal/settings"
	"smsbridge/internal/wording"
)

// doorSections are about the doors that other services' clients find familiar.
func doorSections() []section {
	return []section{
		{"A door for Flowroute's clients", "A door for clients of Flowroute's SMS verification " +
			"service (sms-verification), with that service's settings. Wrong codes count against " +
			"{code_wrong} like all others.", flowrouteDoorOptions()},
		{"A door for Durable Functions' clients", "A door for clients of Azure Durable Functions " +
			"that use its sample of phone verification, E4_SmsPhoneVerification, on the address " +
			"of the bridge.", durableDoorOptions()},
	}
}

func flowrouteDoorOptions() []option {
	return []option{
		{Row: row{
			Key: "flowroute_door.addr", Variable: "SMSBRIDGE_FLOWROUTE_ADDR", Restart: true,
			Local: true, Example: "127.0.0.1:8000",
			Doc:      "Where it listens, for this tenant alone. Without an address there is no door.",
			Prevents: "It is plain http: put TLS in front of it, or its key can be read on the way.",
		}, Set: settings.ListenAddr("write host:port, such as 127.0.0.1:8000",
			func(t *Tenant) *string { return &t.Doors.Flowroute.Addr })},
		{Row: row{
			Key: "flowroute_door.key", Variable: "SMSBRIDGE_FLOWROUTE_DOOR_KEY", Kind: settings.Secrets,
			Doc: "What it asks for, as a bearer token or as the password in the client's URL. At least " +
				"24 characters (openssl rand -hex 24); several while you change it.",
			Prevents: "Without a key anyone could text at your cost, so it may only be left out on the " +
				"loopback interface.",
		}, Set: keys(func(t *Tenant) *[]KeyCheck { return &t.Doors.Flowroute.Keys })},
		{Row: row{
			Key: "flowroute_door.code_length", Variable: "SMSBRIDGE_FLOWROUTE_CODE_LENGTH",
			Default: "4", Example: "6",
			Doc:      "CODE_LENGTH: digits of a code, 4 to 10.",
			Prevents: "4 digits are few for ten wrong codes a day; the start warns of it.",
		}, Set: settings.Count(4, 10, func(t *Tenant) *int { return &t.Doors.Flowroute.CodeLength })},
		{Row: row{
			Key: "flowroute_door.code_expiration", Variable: "SMSBRIDGE_FLOWROUTE_CODE_EXPIRATION",
			Default:  "1h",
			Doc:      "CODE_EXPIRATION: how long a code counts, 1m to 24h.",
			Prevents: "A long life gives the thief of a phone more time.",
		}, Set: life(func(t *Tenant) *time.Duration { return &t.Doors.Flowroute.CodeExpiration })},
		{Row: row{
			Key: "flowroute_door.retries_allowed", Variable: "SMSBRIDGE_FLOWROUTE_RETRIES_ALLOWED",
			Default:  "3",
			Doc:      "RETRIES_ALLOWED: how many codes may be presented, 1 to 10.",
			Prevents: "Each more is one more guess at the code.",
		}, Set: settings.Count(1, 10, func(t *Tenant) *int { return &t.Doors.Flowroute.RetriesAllowed })},
		{Row: row{
			Key: "flowroute_door.auth_message", Variable: "SMSBRIDGE_FLOWROUTE_AUTH_MESSAGE",
			Default: wording.AuthMessage, Example: "{{.Code}} is your code for {{.Name}}.",
			Doc: "AUTH_MESSAGE: the wording, with {{.Code}} and {{.Name}}. ORG_NAME is " +
				"{org_name}.",
			Prevents: "Clients' tests read the bare code on the first line of the default.",
		}, Set: setAuthMessage},
	}
}

func setAuthMessage(t *Tenant, v []string) *settings.Mistake {
	text, fault := wording.ParseCode(v[0])
	if v[0] == wording.AuthMessage {
		text = wording.Text{}
	}
	if fault == nil {
		t.Doors.Flowroute.authMessageText = text
	}
	return mistake(fault)
}

func durableDoorOptions() []option {
	return []option{
		{Row: row{
			Key: "durable_door.code", Variable: "SMSBRIDGE_DURABLE_CODE", Kind: settings.Secrets,
			Example: "env:ACME_DURABLE_CODE",
			Doc: "The system key, code=… in its URLs. At least 24 characters; several while you " +
				"change it. Without one there is no door.",
			Prevents: "A key that is easy to guess lets anyone text at your cost.",
		}, Set: keys(func(t *Tenant) *[]KeyCheck { return &t.Doors.Durable.Codes })},
		{Row: row{
			Key: "durable_door.code_length", Default: "4", Example: "6",
			Doc:      "Digits of a code, 4 to 10.",
			Prevents: "The sample's 4 digits are few for ten wrong codes a day; the start warns of it.",
		}, Set: settings.Count(4, 10, func(t *Tenant) *int { return &t.Doors.Durable.CodeLength })},
		{Row: row{
			Key: "durable_door.valid_for", Default: "90s",
			Doc:      "How long the code counts, 1m to 24h.",
			Prevents: "The sample's clients give up after 90 s; a longer life helps only a thief.",
		}, Set: life(func(t *Tenant) *time.Duration { return &t.Doors.Durable.ValidFor })},
		{Row: row{
			Key: "durable_door.attempts", Default: "4",
			Doc:      "How many codes may be presented, 1 to 10.",
			Prevents: "Each more is one more guess at the code.",
		}, Set: settings.Count(1, 10, func(t *Tenant) *int { return &t.Doors.Durable.Attempts })},
	}
}

// keys takes keys of a door, of which only the digests are kept.
func keys(field func(*Tenant) *[]KeyCheck) settings.Setter[Tenant] {
	return func(t *Tenant, v []string) *settings.Mistake {
		var all []KeyCheck
		for _, key := range v {
			if len(key) < minKey || settings.JudgeKey(key) != nil {
				return settings.Wrong("is too short, or has characters that no key has",
					"make one with: openssl rand -hex 24")
			}
			all = append(all, NewKeyCheck(key))
		}
		*field(t) = all
		return nil
	}
}

// checkDoors finds what is wrong with the settings of the doors together.
func (l *loader) checkDoors(t *Tenant, given settings.Given) {
	f := t.Doors.Flowroute
	switch {
	case !given.Has("flowroute_door.addr") && len(f.Keys) > 0:
		l.Add(given.Place("flowroute_door.addr"), settings.Wrong(
			"is missing beside "+given.Place("flowroute_door.key"),
			"write where to listen, such as 127.0.0.1:8000"))
	case f.Addr != "" && !given.Has("flowroute_door.key") && !settings.IsLoopbackAddr(f.Addr):
		l.Add(given.Place("flowroute_door.key"), settings.Wrong(
			"is missing, and the door is not on the loopback interface",
			"make one with: openssl rand -hex 24, or listen on 127.0.0.1"))
	}
	l.checkAuthMessage(t, given)
	if f.Addr != "" {
		l.warnOdds(t, f.CodeLength, "flowroute_door.code_length")
	}
	if len(t.Doors.Durable.Codes) > 0 {
		l.warnOdds(t, t.Doors.Durable.CodeLength, "durable_door.code_length")
	}
}

func (l *loader) checkAuthMessage(t *Tenant, given settings.Given) {
	code := strings.Repeat("8", t.Doors.Flowroute.CodeLength)
	text := t.FlowrouteDoorText(code)
	if fault := wording.Judge(text); fault != nil {
		l.Add(given.Place("flowroute_door.auth_message"), mistake(fault))
	} else if !strings.Contains(text, code) {
		l.Add(given.Place("flowroute_door.auth_message"),
			settings.Wrong("does not say the code", "put {{.Code}} into it"))
	}
}

// warnOdds warns of codes that are shorter than the number of wrong ones a day allows.
func (l *loader) warnOdds(t *Tenant, digits int, keys string) {
	codes := 1
	for range digits {
		codes *= 10
	}
	if t.Codes.Wrong*leastOdds > codes {
		l.Warn("tenant %s: %d guesses a day at codes of %d digits are better odds than 1 in %d "+
			"(%s, code_wrong)", t.Slug, t.Codes.Wrong, digits, leastOdds, keys)
	}
}

// leastOdds are the odds of guessing a phone's code within a day: one in this many, or less.
const leastOdds = 100_000

// checkDoorsTogether finds doors that could not both be opened.
func (l *loader) checkDoorsTogether(s Settings) {
	for i, t := range s.Tenants.all {
		place := l.given[t].Place
		if sameListener(t.Doors.Flowroute.Addr, s.Addr) {
			l.Add(place("flowroute_door.addr"),
				settings.Wrong("is where the bridge itself listens", "choose another port"))
		}
		for _, other := range s.Tenants.all[:i] {
			if sameListener(t.Doors.Flowroute.Addr, other.Doors.Flowroute.Addr) {
				l.Add(place("flowroute_door.addr"), settings.Wrong("is another tenant's",
					"choose another port: it tells whose request it is"))
			}
			shared := func(c KeyCheck) bool { return slices.Contains(other.Doors.Durable.Codes, c) }
			if slices.ContainsFunc(t.Doors.Durable.Codes, shared) {
				l.Add(place("durable_door.code"), settings.Wrong("is another tenant's",
					"every tenant has keys of its own: they tell whose request it is"))
			}
		}
	}
}
