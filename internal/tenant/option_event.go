package tenant

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"smsbridge/internal/settings"
)

const (
	eventSample = "app=https://app.acme.example/hook question.* text.undelivered"
	// mostEndpoints is how many addresses are told: each event is a row for each.
	mostEndpoints = 10
)

// eventOptions are about what the tenant's apps are told while it happens.
func eventOptions() []option {
	return []option{
		{Row: row{
			Key: "events.to", Variable: "SMSBRIDGE_EVENTS", Kind: settings.List, Off: true,
			Example: eventSample + ",crm=https://crm.acme.example/sms verification.approved",
			Doc: "The addresses that are told, at most ten: a name of yours, =, the address, and behind " +
				"blanks the types of events. question.* means all that begin so; without a type it is " +
				"all. Keep the name when you change the address: what waits, and what is replayed, goes " +
				"to the new one. Put no secret into the address.",
			Prevents: "Without it, an app asks again and again how a question ended. An event has the " +
				"phone, so the address must be your own.",
		}, Set: setEndpoints},
		{Row: row{
			Key: "events.secret", Variable: "SMSBRIDGE_EVENTS_SECRET", Kind: settings.Secrets, Off: true,
			Example: "env:ACME_EVENTS_SECRET",
			Doc: "What signs the events: whsec_ and 24 to 64 bytes in base64, such as from " +
				"`echo \"whsec_$(openssl rand -base64 32)\"`. Several while you change it: there is a " +
				"signature by each.",
			Prevents: "Without it, anyone could tell your app that a person said yes.",
		}, Set: settings.Keys(func(t *Tenant) *[]settings.Secret { return &t.Events.Secrets },
			judgeWhsec)},
	}
}

func setEndpoints(t *Tenant, v []string) *settings.Mistake {
	var all []Endpoint
	for i, written := range v {
		e, what, hint := readEndpoint(written)
		if slices.ContainsFunc(all, func(other Endpoint) bool { return other.Name == e.Name }) {
			what, hint = "has a name that is there twice", "give each address a name of its own"
		}
		if what != "" {
			return settings.Wrong(fmt.Sprintf("entry %d %s", i+1, what), hint)
		}
		all = append(all, e)
	}
	if len(all) > mostEndpoints {
		return settings.Wrong("has more than ten addresses", "have one of yours tell the others")
	}
	t.Events.To = all
	return nil
}

// readEndpoint reads an entry, or says what is wrong with it and what to do.
func readEndpoint(written string) (e Endpoint, what, hint string) {
	words := strings.Fields(written)
	if len(words) == 0 {
		return e, "is empty", "write it as " + eventSample
	}
	name, address, _ := strings.Cut(words[0], "=")
	u, err := url.Parse(address)
	switch {
	case !keyName.MatchString(name):
		return e, "does not begin with a name", "write it as " + eventSample +
			", with up to 32 of a–z, 0–9, hyphen and underscore before the ="
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" ||
		u.User != nil || u.Fragment != "":
		return e, "has no web address", "write it as https://host/path, without a user"
	}
	e = Endpoint{Name: name, URL: settings.SmallScheme(u, address), Types: words[1:]}
	for _, pattern := range e.Types {
		one := Endpoint{Types: []string{pattern}}
		if !slices.ContainsFunc(EventTypes(), one.Wants) {
			return e, "has " + settings.Quote(pattern) + ", which is no type of an event",
				"write one of " + strings.Join(EventTypes(), ", ")
		}
	}
	return e, "", ""
}

// checkEvents finds what is wrong with the settings of events together.
func (l *loader) checkEvents(t *Tenant, given settings.Given) {
	to, secret := given.Has("events.to"), given.Has("events.secret")
	plain := func(e Endpoint) bool { return strings.HasPrefix(e.URL, "http:") }
	switch {
	case to && !secret:
		l.Add(given.Place("events.secret"),
			settings.Wrong("is missing beside "+given.Place("events.to"), hintWhsec))
	case !to && secret:
		l.Add(given.Place("events.to"), settings.Wrong("is missing beside "+
			given.Place("events.secret"), "write it as "+eventSample))
	case slices.ContainsFunc(t.Events.To, plain) && len(t.Links.UnsafeAllow) == 0:
		l.Add(given.Place("events.to"), settings.Wrong("has plain http",
			"use https; for a test set-up see unsafe_allow"))
	}
}
