package outbound

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// alike reports whether a text in a provider's list can be one of ours. Twilio's Smart Encoding
// replaces quotes, dashes and blanks that would cost more segments. Its pages do not say whether
// the list shows a text as it was before. So one quote is as good as another here.
//
// Source: https://www.twilio.com/docs/messaging/services#smart-encoding
func alike(listed, ours string) bool { return listed == ours || plain(listed) == plain(ours) }

// plain writes a text with the quotes, dashes and blanks that every alphabet has.
func plain(body string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Pi, unicode.Pf), strings.ContainsRune("\"'`´‚„<>ʼ′″〝〞＂＇", r):
			return '\''
		case unicode.Is(unicode.Pd, r):
			return '-'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r): // such as a blank of no width
			return -1
		}
		return r
	}, body))
}
