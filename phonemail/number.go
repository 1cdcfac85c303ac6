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
	"strings"
	"unique"
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

// Number is an international phone number, or the [Pseudonym] of one that was erased. Numbers are
// compared with == and may be map keys; the zero value is no number.
type Number struct {
	// The digits without the plus sign, or of a pseudonym the mark and its digest. They are a
	// handle, because fmt reads unexported fields of other structs without calling our methods. It
	// prints a handle of a string as an address with every verb.
	digits unique.Handle[string]
	code   int // how many digits are the country code, 0 for a pseudonym
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
	p, digits := planOf(plain)
	switch {
	case digits == 0:
		return Number{}, fmt.Errorf("%w: unknown country code", ErrNumber)
	case rangeOf(p.root, plain[digits:])&hasTrunk != 0:
		return Number{}, fmt.Errorf("%w: has a trunk prefix", ErrNumber)
	case p.lengths&(1<<(len(plain)-digits)) == 0:
		return Number{}, fmt.Errorf("%w: wrong length for its country", ErrNumber)
	}
	return Number{unique.Make(plain), digits}, nil
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

// E164 returns the full number, such as "+4512345678", or "" for no number and for a pseudonym. It
// is for providers and databases, never for logs, errors or metrics.
func (n Number) E164() string {
	if n.code == 0 {
		return ""
	}
	return "+" + n.digits.Value()
}

// String returns the masked number, such as "+45******78", "erased" for a pseudonym, or "" for no
// number.
// The last two digits are shown only where at least four others stay hidden.
func (n Number) String() string {
	if n == (Number{}) {
		return ""
	}
	if n.Erased() {
		return "erased"
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
	p, o := n.look()
	return p.country(o)
}

// look returns what is known of a number: the plan of its calling code, and its range.
func (n Number) look() (*plan, outcome) {
	if n.code == 0 {
		return &plans[0], 0
	}
	plain := n.digits.Value()
	p, digits := planOf(plain)
	return p, rangeOf(p.root, plain[digits:])
}
