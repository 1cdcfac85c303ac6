package phonemail

import (
	"database/sql/driver"
	"fmt"
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

// Scan implements [sql.Scanner] with [ParseNumber]. A column that does not hold
// a number is an error, which wraps [ErrNumber] and does not show the column:
// an empty number would be texted as one.
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
	parsed, err := ParseNumber(text)
	if err != nil {
		return err
	}
	*n = parsed
	return nil
}
