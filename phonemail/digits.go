package phonemail

import "strings"

// PlainDigits writes the digits of a text in ASCII: those that keyboards of Arabic, Persian and
// Urdu type, such as ٤, and full-width ones. All else stays as it is.
func PlainDigits(s string) string {
	return strings.Map(func(r rune) rune {
		for _, zero := range []rune{'٠', '۰', '０'} {
			if zero <= r && r <= zero+9 {
				return '0' + r - zero
			}
		}
		return r
	}, s)
}
