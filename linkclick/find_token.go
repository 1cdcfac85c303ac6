package linkclick

import (
	"net/url"
	"strings"
)

// carriesToken reports whether u holds anything that could identify one mail: a query beyond
// campaign parameters, a fragment or a long path segment.
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

// isCampaign names the parameters that tell where a visitor came from or in which language, and
// nothing about the visitor.
func isCampaign(name string) bool {
	switch name {
	case "lang", "locale", "ui_locales", "hl", "ref", "source":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}
