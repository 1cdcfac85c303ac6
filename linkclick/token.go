package linkclick

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// This file looks into the secrets that links carry, as far as they say what
// they are for.

// payloadOf returns the claims of a JWT (RFC 7519); nil if it is none. They
// are read, not verified: they only have to say what a link is for, and
// whoever forged them could have forged the link.
func payloadOf(jwt string) map[string]any {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal(raw, &claims) != nil {
		return nil
	}
	return claims
}

// carriesToken reports whether u holds anything that could identify one mail:
// a query beyond campaign parameters, a fragment or a long path segment.
func carriesToken(u *url.URL) bool {
	for name, values := range u.Query() {
		if !isCampaign(name) && strings.Join(values, "") != "" {
			return true
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if len(segment) >= minID && strings.ContainsAny(segment, "0123456789") {
			return true
		}
	}
	return len(u.Fragment) >= minID && strings.ContainsAny(u.Fragment, "0123456789")
}

// isCampaign names the parameters that tell where a visitor came from or what
// language he reads, and nothing about him.
func isCampaign(name string) bool {
	switch name {
	case "lang", "locale", "ui_locales", "hl", "ref", "source":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}
