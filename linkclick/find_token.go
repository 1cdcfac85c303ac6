package linkclick

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// This file tells whether a link carries a secret. Without one it is the same in every
// mail, so that it does nothing for the reader of this one.

// minSecret is the length, in bytes, from which a parameter with a digit may be a secret.
const minSecret = 6

// carriesSecret reports whether u holds anything that could be the secret of one mail: in a
// parameter, in a segment of its path, or in its fragment.
func carriesSecret(u *url.URL) bool {
	for _, p := range parametersOf(u) {
		if !isCampaign(p.name) && !namesKnown(p.name) && looksSecret(p.value, minSecret) {
			return true
		}
	}
	route, _, _ := strings.Cut(u.Fragment, "?")
	return slices.ContainsFunc(segmentsOf(u.Path+"/"+route), func(segment string) bool {
		return looksSecret(segment, minID)
	})
}

// How many letters a secret without a digit has at least: of letters of both cases, or of capitals
// alone. Of those with 12 letters and digits, one in seven has no digit.
const (
	drawnLetters  = 12
	drawnCapitals = 20
)

// looksSecret reports whether s could have been drawn, and has at least least bytes. It has a
// digit, or it has capitals and is no name. Twice as many letters of both cases are no name for
// certain.
func looksSecret(s string, least int) bool {
	if len(s) < least || strings.ContainsAny(s, " /@") {
		return false
	}
	if strings.ContainsAny(s, "0123456789") {
		return true
	}
	switch {
	case !strings.ContainsFunc(s, unicode.IsUpper):
		return false
	case !strings.ContainsFunc(s, unicode.IsLower):
		return len(s) >= drawnCapitals
	}
	return len(s) >= 2*least || len(s) >= drawnLetters && !isNamed(s)
}

// isCampaign names the parameters that tell where a visitor came from or in which language, and
// nothing about the visitor.
func isCampaign(name string) bool {
	switch name {
	case "lang", "locale", "ui_locales", "hl", "ref", "source", "l", "theme":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}

// namesKnown names the parameters whose values are known to others than the reader of the mail.
func namesKnown(name string) bool {
	switch bareName(name) {
	case "client_id", "clientid", "app", "app_id", "email", "login_hint", "loginname", "login_name",
		"org", "orgid", "org_id", "organization", "project", "realm", "tenant", "tenantid",
		"tenant_id", "redirect", "redirect_to", "redirect_uri", "redirect_url", "redirecturl",
		"return", "returnto", "return_to", "return_url", "callback", "callbackurl", "callback_url",
		"continue", "continueurl", "continue_url", "next", "state", "nonce", "scope", "response_type",
		"user", "userid", "user_id", "user_name", "username", "uid", "version", "v", "apikey":
		return true
	}
	return false
}
