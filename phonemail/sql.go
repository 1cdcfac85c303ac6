package phonemail

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"unique"

	"github.com/nyaruka/phonenumbers"
)

// Value implements [driver.Valuer]: a database keeps the full number in the
// E.164 form. The zero Number is an error, because no row is about no phone.
// The error wraps [ErrNumber].
func (n Number) Value() (driver.Value, error) {
	if n == (Number{}) {
		return nil, fmt.Errorf("%w: there is none to store", ErrNumber)
	}
	return n.E164(), nil
}

// Scan implements [sql.Scanner] for what [Number.Value] has stored. The number was
// judged by [ParseNumber] then. It is not judged again: the lengths that a country
// allows may have changed since, and a row that cannot be read any more is lost.
// A column that holds no number is an error, which wraps [ErrNumber] and does not
// show the column: an empty number would be texted as one.
func (n *Number) Scan(column any) error {
	var text string
	switch column := column.(type) {
	case string:
		text = column
	case []byte:
		text = string(column)
	default:
		return fmt.Errorf("%w: the column holds a %T", ErrNumber, column)
	}
	plain, ok := strings.CutPrefix(text, "+")
	code := 0
	if ok && isDigits(plain) {
		code = lengthOfCode(plain)
	}
	if code == 0 {
		return fmt.Errorf("%w: the column holds something else", ErrNumber)
	}
	*n = Number{unique.Make(plain), code}
	return nil
}

// lengthOfCode is how many of the digits are the country code, 0 when they begin with none. No code
// is the beginning of another (ITU-T E.164.1).
func lengthOfCode(plain string) int {
	for n := 1; n <= 3; n++ {
		code, err := strconv.Atoi(plain[:n])
		if err == nil && len(phonenumbers.GetRegionCodesForCountryCode(code)) > 0 {
			return n
		}
	}
	return 0
}
