package phonemail

import (
	"errors"
	"strings"
)

// ErrNotOurs is returned for a mail address that is not a phone address of the
// scheme.
var ErrNotOurs = errors.New("not one of our phone addresses")

// The longest parts of a phone address. A prefix of 32, a plus sign and 15
// digits stay well below the 64 octets of a local part (RFC 5321, 4.5.3.1.1).
const (
	maxPrefix = 32
	maxDomain = 255 // RFC 5321, 4.5.3.1.2
	maxLabel  = 63  // RFC 1035, 2.3.4
)

// Scheme says how the phone addresses of one tenant are formed. With the prefix
// "acme" and the domain "sms.acme.example", +45 12 34 56 78 gets its mail at
// acme+4512345678@sms.acme.example.
type Scheme struct {
	Prefix string // see ValidPrefix
	Domain string // see ValidDomain
}

// ValidPrefix reports whether s can stand before the plus sign: 1 to 32 of a–z,
// 0–9, dot, underscore and hyphen. It starts with a letter or digit and has no
// two dots in a row (RFC 5322, 3.2.3 does not allow them). Capitals count as
// small letters.
func ValidPrefix(s string) bool {
	if s == "" || len(s) > maxPrefix || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && (i == 0 || !strings.Contains("._-", s[i:i+1])) {
			return false
		}
	}
	return true
}

// ValidDomain reports whether s can stand after the at sign: a host name of at
// least two labels and at most 255 octets, in ASCII. Internationalized domains
// are written in their xn-- form (RFC 5890, 2.3.2.1), address literals and a
// dot at the end are refused.
func ValidDomain(s string) bool {
	if len(s) > maxDomain {
		return false
	}
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		labels++
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return labels >= 2
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// Address returns the mail address of a phone, or "" for no number and for a pseudonym.
func (s Scheme) Address(n Number) string {
	if n.code == 0 {
		return ""
	}
	return s.Prefix + n.E164() + "@" + s.Domain
}

// Number returns the phone that a bare mail address stands for. Prefix and
// domain are compared without regard to capitals. Display names, quoted local
// parts, comments and percent signs are refused, even where a mail server would
// take them for the same address: see [ParseAddress].
//
// The error is [ErrNotOurs] for an address that is not of this scheme, else it
// wraps [ErrNumber]. It never contains the address.
func (s Scheme) Number(address string) (Number, error) {
	found, number, err := split(address)
	// Both sides are ASCII here, so EqualFold cannot take the Kelvin sign for a k.
	if err != nil || !strings.EqualFold(found.Prefix, s.Prefix) ||
		!strings.EqualFold(found.Domain, s.Domain) {
		return Number{}, ErrNotOurs
	}
	return ParseNumber(number)
}

// ParseAddress reads a phone address of any scheme, and returns the scheme in
// small letters. The address is a prefix that [ValidPrefix] accepts, a number as
// [ParseNumber] wants it, an at sign and a domain that [ValidDomain] accepts.
//
// The error is [ErrNotOurs] for an address of another form, else it wraps
// [ErrNumber]. It never contains the address.
func ParseAddress(address string) (Scheme, Number, error) {
	scheme, number, err := split(address)
	if err != nil {
		return Scheme{}, Number{}, err
	}
	n, err := ParseNumber(number)
	if err != nil {
		return Scheme{}, Number{}, err
	}
	return scheme, n, nil
}

// split takes an address apart at the last plus sign, which stays with the
// number. It judges prefix and domain, but not the number.
func split(address string) (scheme Scheme, number string, err error) {
	local, domain, _ := strings.Cut(address, "@")
	plus := strings.LastIndexByte(local, '+')
	if plus < 0 || !ValidPrefix(local[:plus]) || !ValidDomain(domain) {
		return Scheme{}, "", ErrNotOurs
	}
	return Scheme{strings.ToLower(local[:plus]), strings.ToLower(domain)}, local[plus:], nil
}
