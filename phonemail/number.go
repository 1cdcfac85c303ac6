// Package phonemail turns phone numbers into mail addresses and back, for
// software that must reach people who have a phone but no mailbox.
//
// It promises three things:
//
//   - One phone, one number, one address. A [Number] has a single spelling, the
//     one a provider may text, and [Scheme.Number] undoes [Scheme.Address]
//     exactly.
//   - Nothing is guessed. What does not have the written form to the letter is
//     refused, also where libphonenumber would understand it.
//   - A [Number] does not leak. Printed, logged or marshaled by whatever means,
//     it shows its country code and its last two digits. Only [Number.E164],
//     [Number.Value] and [Scheme.Address] tell all of it, and no error of this
//     package contains any of its input.
package phonemail

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unique"

	"github.com/nyaruka/phonenumbers"
)

// ErrNumber is returned, wrapped with a reason, for what is not a phone number.
var ErrNumber = errors.New("not a phone number")

// The digits of a number, country code included. ITU-T E.164 (11/2010) 6.2.1
// sets the maximum; no public number that can receive a text is shorter than
// the minimum.
const (
	minDigits = 7
	maxDigits = 15
)

// Number is an international phone number. Numbers are compared with == and may
// be map keys; the zero value is no number.
type Number struct {
	// The digits without the plus sign. They are a handle, because fmt reads
	// unexported fields of other structs without calling our methods. It prints
	// a handle of a string as an address with every verb.
	digits unique.Handle[string]
	code   int // how many digits are the country code
}

// ParseNumber reads a number in the E.164 form: a plus sign and 7 to 15 ASCII
// digits that do not start with 0, and nothing around or between them. The
// length must be possible in its country, but the number need not be assigned:
// the numbering plans we know are always a little behind ([Policy] can ask for
// more). A number with a trunk prefix or carrier code, such as the 0 in
// +4407…, is refused: it is a second spelling of another number.
//
// The error wraps [ErrNumber].
func ParseNumber(s string) (Number, error) {
	plain, ok := strings.CutPrefix(s, "+")
	if !ok || !isDigits(plain) {
		return Number{}, fmt.Errorf("%w: want + and %d to %d digits", ErrNumber, minDigits, maxDigits)
	}
	if code, ok := quickly(plain); ok {
		return Number{unique.Make(plain), code}, nil
	}
	return slowly(plain)
}

// slowly reads the digits of a number with all that the library knows.
func slowly(plain string) (Number, error) {
	parsed, err := phonenumbers.Parse("+"+plain, "")
	if err != nil {
		return Number{}, fmt.Errorf("%w: unknown country code", ErrNumber)
	}
	// IsPossibleNumber would also pass what can only be dialed locally.
	if phonenumbers.IsPossibleNumberWithReason(parsed) != phonenumbers.IS_POSSIBLE {
		return Number{}, fmt.Errorf("%w: wrong length for its country", ErrNumber)
	}
	code := strconv.Itoa(int(parsed.GetCountryCode()))
	if plain != code+phonenumbers.GetNationalSignificantNumber(parsed) {
		return Number{}, fmt.Errorf("%w: has a trunk prefix", ErrNumber)
	}
	return Number{unique.Make(plain), len(code)}, nil
}

// isDigits reports whether s is 7 to 15 ASCII digits, the first of them not 0.
func isDigits(s string) bool {
	if len(s) < minDigits || len(s) > maxDigits || s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// E164 returns the full number, such as "+4512345678", or "" for no number. It
// is for providers and databases, never for logs, errors or metrics.
func (n Number) E164() string {
	if n == (Number{}) {
		return ""
	}
	return "+" + n.digits.Value()
}

// String returns the masked number, such as "+45******78", or "" for no number.
// The last two digits are shown only where at least four others stay hidden.
func (n Number) String() string {
	if n == (Number{}) {
		return ""
	}
	country, national := n.digits.Value()[:n.code], n.digits.Value()[n.code:]
	shown := 2
	if len(national) < shown+4 {
		shown = 0
	}
	hidden := len(national) - shown
	return "+" + country + strings.Repeat("*", hidden) + national[hidden:]
}

// Format implements [fmt.Formatter]: every verb shows the masked number.
func (n Number) Format(f fmt.State, verb rune) {
	if verb != 'q' {
		verb = 's'
	}
	fmt.Fprintf(f, fmt.FormatString(f, verb), n.String())
}

// LogValue implements [slog.LogValuer] with the masked number.
func (n Number) LogValue() slog.Value { return slog.StringValue(n.String()) }

// MarshalText implements [encoding.TextMarshaler], and with it JSON and YAML,
// with the masked number. There is no way back: a document that needs the
// number itself takes [Number.E164].
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// Country returns the ISO 3166-1 alpha-2 code of the number's country, such as
// "DK". It is "" for a number of no country (satellite and other global
// services). It is "" too for a number from an unassigned range of a country
// code that several countries share, such as +1 or +44.
func (n Number) Country() string {
	region := phonenumbers.GetRegionCodeForNumber(n.parsed())
	if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return ""
	}
	return region
}

// parsed returns the number as libphonenumber sees it.
func (n Number) parsed() *phonenumbers.PhoneNumber {
	if n == (Number{}) {
		return &phonenumbers.PhoneNumber{}
	}
	code, national := n.parts()
	value, _ := strconv.ParseUint(national, 10, 64)
	parsed := &phonenumbers.PhoneNumber{CountryCode: new(int32(code)), NationalNumber: &value}
	if len(national) < 2 || national[0] != '0' {
		return parsed
	}
	// A number of zeros alone ends with one that is its value.
	parsed.ItalianLeadingZero = new(true)
	zeros := len(national) - len(strings.TrimLeft(national[:len(national)-1], "0")) - 1
	if zeros != 1 {
		parsed.NumberOfLeadingZeros = new(int32(zeros))
	}
	return parsed
}

// IsCountry reports whether code is the ISO 3166-1 alpha-2 code, in capitals, of
// a country that has phone numbers.
func IsCountry(code string) bool {
	return phonenumbers.GetCountryCodeForRegion(code) != 0
}

// CountriesOf returns the ISO 3166-1 alpha-2 codes of the countries that have a calling code, such
// as "45", the largest first. It returns none for a calling code of no country.
func CountriesOf(callingCode string) []string {
	code, err := strconv.ParseUint(callingCode, 10, 16)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(phonenumbers.GetRegionCodesForCountryCode(int(code))),
		func(region string) bool { return !IsCountry(region) })
}
