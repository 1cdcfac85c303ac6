package phonemail

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"unique"
)

// Value implements [driver.Valuer]: a database keeps the full number in the
// E.164 form, or its pseudonym. The zero Number is an error, because no row is about no phone.
// The error wraps [ErrNumber].
func (n Number) Value() (driver.Value, error) {
	if n == (Number{}) {
		return nil, fmt.Errorf("%w: there is none to store", ErrNumber)
	}
	if n.Erased() {
		return n.digits.Value(), nil
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
	if digest, erased := strings.CutPrefix(text, mark); erased && len(digest) == digestSize {
		*n = Pseudonym(digest)
		return nil
	}
	plain, ok := strings.CutPrefix(text, "+")
	code := 0
	if ok && isDigits(plain) {
		_, code = planOf(plain)
	}
	if code == 0 {
		return fmt.Errorf("%w: the column holds something else", ErrNumber)
	}
	*n = Number{unique.Make(plain), code}
	return nil
}
