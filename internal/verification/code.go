package verification

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode"

	"smsbridge/phonemail"
)

// The digits of a code. Twilio Verify has the same bounds
// (https://www.twilio.com/docs/verify/api/service).
const (
	MinDigits = 4
	MaxDigits = 10
)

// maxTyped is longer than any person types a code, with spaces between all digits.
const maxTyped = 32

// ErrCode says that something is not a code.
var ErrCode = fmt.Errorf("verification: a code is %d to %d digits", MinDigits, MaxDigits)

// Draw returns a random code of n digits, MinDigits to MaxDigits, each code as likely as every
// other.
func Draw(n int) string {
	if n < MinDigits || n > MaxDigits {
		// the settings and doors are checked before
		panic(fmt.Sprintf("verification: a code of %d digits", n))
	}
	bound := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	code, err := rand.Int(rand.Reader, bound)
	if err != nil {
		// crypto/rand's Reader never returns an error
		panic(errors.Join(errors.New("verification: no random numbers"), err))
	}
	return fmt.Sprintf("%0*d", n, code)
}

// ParseCode reads a code as people type it, spaces or hyphens between and around its digits,
// and returns the digits alone. ErrCode for anything else. A code that is copied may have spaces
// that do not break, and marks of its direction, which are in the category Cf.
func ParseCode(typed string) (string, error) {
	if len(typed) > maxTyped {
		return "", ErrCode
	}
	code := phonemail.PlainDigits(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Zs, unicode.Pd, unicode.Cf) {
			return -1
		}
		return r
	}, typed))
	if len(code) < MinDigits || len(code) > MaxDigits || strings.Trim(code, "0123456789") != "" {
		return "", ErrCode
	}
	return code, nil
}

// codeWording is the key of a code's words, for the operator who asks which text a phone got.
const codeWording = "code"

// FillUp is the code of so many digits that a whole number stands for, with zeros in front. Clients
// that compare numbers drop these zeros.
func FillUp(number string, digits int) string {
	number = strings.TrimLeft(number, "0")
	return strings.Repeat("0", max(0, digits-len(number))) + number
}
