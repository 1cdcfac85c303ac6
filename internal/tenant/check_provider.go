package tenant

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"smsbridge/internal/settings"
	"smsbridge/phonemail"
)

// What Verify allows one verification
// (https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts).
const (
	verifyLife     = 10 * time.Minute
	verifyAttempts = 5
)

// needs lists the settings that a provider cannot do without.
func needs(p Provider) []string {
	switch p {
	case ByTwilio:
		return []string{"twilio.account_sid", "twilio.auth_token", "twilio.from"}
	case ByVerify:
		return []string{"twilio.account_sid", "twilio.auth_token", "twilio_verify.service_sid"}
	case ByFlowroute:
		return []string{"flowroute.access_key", "flowroute.secret_key", "flowroute.number"}
	}
	return []string{"webhook.url", "webhook.secret"}
}

// checkProviders settles who sends, and finds what is missing for it. Left out, all providers send
// that are configured, those first that know most about a code.
func (l *loader) checkProviders(t *Tenant, given settings.Given) {
	if len(t.Sending.Providers) == 0 {
		t.Sending.Providers = configured(given)
	}
	if !slices.Contains(t.Sending.Providers, ByTwilio) {
		// Replies come back elsewhere, see Line.
		t.Sending.Twilio.From, t.Sending.Senders = "", nil
		t.Sending.Twilio.LinksFrom, t.Sending.LinksSenders = "", nil
	}
	reported := map[string]bool{}
	for _, p := range t.Sending.Providers {
		for _, key := range needs(p) {
			if !given.Has(key) && !reported[key] {
				reported[key] = true
				l.Add(given.Place(key), settings.Wrong("is missing", missingHint(key)))
			}
		}
	}
	l.checkReachable(t, given)
}

// configured returns the providers that have settings; Twilio when none has.
func configured(given settings.Given) (all []Provider) {
	isGiven := func(keys ...string) bool { return slices.ContainsFunc(keys, given.Has) }
	others := isGiven("flowroute.access_key", "webhook.url")
	for _, p := range []struct {
		name       Provider
		configured bool
	}{
		{ByVerify, isGiven("twilio_verify.service_sid")},
		{ByTwilio, isGiven("twilio.account_sid", "twilio.auth_token", "twilio.from") || !others},
		{ByFlowroute, isGiven("flowroute.access_key")},
		{ByWebhook, isGiven("webhook.url")},
	} {
		if p.configured {
			all = append(all, p.name)
		}
	}
	return all
}

// missingHint is what to do about a setting that is missing.
func missingHint(key string) string {
	for _, o := range tenantOptions() {
		if o.Key == key {
			return o.Missing
		}
	}
	return ""
}

// checkReachable finds texts that no provider sends, and replies that no provider brings.
func (l *loader) checkReachable(t *Tenant, given settings.Given) {
	if slices.Equal(t.Sending.Providers, []Provider{ByVerify}) {
		l.Add(given.Place("providers"), settings.Wrong(
			"has nobody but verify, which sends only codes",
			"add twilio, flowroute or webhook for all other texts"))
	}
	own := slices.Contains(t.Sending.Providers, ByVerify) && t.Sending.VerifyService.OwnCode
	if own && (t.Codes.ValidFor > verifyLife || t.Codes.Attempts > verifyAttempts) {
		l.Warn("tenant %s: a code of Twilio Verify's own counts for 10m and 5 attempts at most, "+
			"whatever code_valid_for and code_attempts say", t.Slug)
	}
	twoWay := slices.Contains(t.Sending.Providers, ByTwilio) ||
		slices.Contains(t.Sending.Providers, ByFlowroute)
	if !twoWay && t.Question.Answer != ByTap {
		l.Add(given.Place("answer"), settings.Wrong("wants replies, and no provider brings any",
			"let people tap instead: answer = tap"))
	}
	for _, sender := range t.Sending.Senders {
		if isAlphanumericSender(sender) && t.Question.Answer != ByTap {
			l.Add(given.Place("twilio.senders"), settings.Wrong(
				"has a name, to which nobody can reply",
				"use a number, or let people tap instead: answer = tap"))
		}
	}
}

// checkShared finds tenants whose replies at a Flowroute number cannot be told apart: one URL takes
// them all.
func (l *loader) checkShared(t, other *Tenant) {
	ours, theirs := t.Sending, other.Sending
	sameLines := ours.Twilio.AccountSID == theirs.Twilio.AccountSID &&
		ours.Twilio.From == theirs.Twilio.From && ours.Twilio.LinksFrom == theirs.Twilio.LinksFrom &&
		ours.Flowroute.Number == theirs.Flowroute.Number &&
		ours.Flowroute.LinksNumber == theirs.Flowroute.LinksNumber &&
		maps.Equal(ours.Senders, theirs.Senders) && maps.Equal(ours.LinksSenders, theirs.LinksSenders)
	if sameLines {
		return
	}
	for _, n := range []struct{ key, number string }{
		{"flowroute.number", ours.Flowroute.Number},
		{"flowroute.links_number", ours.Flowroute.LinksNumber},
	} {
		if n.number != "" &&
			(n.number == theirs.Flowroute.Number || n.number == theirs.Flowroute.LinksNumber) {
			l.Add(l.given[t].Place(n.key), settings.Wrong(
				"another tenant has the same number, and other senders beside it",
				"use a number of its own: its replies would all go to one of the two"))
		}
	}
}

var (
	alphanumericSender = regexp.MustCompile(`^[0-9A-Za-z +_&-]{1,11}$`)
	// A Messaging Service's SID that lost its end. SIDs are hexadecimal; no name of a sender is
	// that long and has only such letters behind MG.
	truncatedSID = regexp.MustCompile(`^MG[0-9a-f]{5,}$`)
)

// isAlphanumericSender reports whether a sender is a name.
//
// Source: https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
func isAlphanumericSender(s string) bool {
	return alphanumericSender.MatchString(s) && strings.ContainsFunc(s, unicode.IsLetter) &&
		!truncatedSID.MatchString(s)
}

// judgeSender wants a sender that can be replied to. checkAnswer says whether a name will do.
func judgeSender(s string) *settings.Mistake {
	_, err := phonemail.ParseNumber(s)
	switch {
	case err == nil || serviceSID.MatchString(s) || isAlphanumericSender(s):
		return nil
	case truncatedSID.MatchString(s) || strings.HasPrefix(s, "MG") && len(s) > 11:
		return settings.Wrong("is not a Messaging Service SID",
			"it is MG and 32 letters and digits: copy the whole of it")
	case strings.Trim(s, "+0123456789 ()-.") == "":
		return settings.Wrong("is not a number in international form",
			"write + and digits only, such as +15005550006; "+
				"put a short code into a Messaging Service (MG…)")
	}
	return settings.Wrong("is not a sender", "write a number that can receive texts (+…), "+
		"the SID of a Messaging Service of such numbers (MG…), "+
		"or a name of up to 11 letters and digits with answer = tap")
}
