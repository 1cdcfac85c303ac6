// Package moment is how the database keeps time: in a BIGINT, as milliseconds since 1970 in UTC,
// and zero for "not yet". SQLite and PostgreSQL keep it alike.
//
// It is for the generated queries and for the rules that write rows. It promises that a [Moment]
// reads back from both databases as it was written.
package moment

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Moment is a time in a row. The zero Moment is "not yet". It has the methods of [time.Time]; its
// field Time is for what wants a time.Time.
type Moment struct{ time.Time }

// Of returns t to the millisecond, in UTC.
func Of(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{time.UnixMilli(t.UnixMilli()).UTC()}
}

// Add returns the Moment that is d later.
func (m Moment) Add(d time.Duration) Moment { return Of(m.Time.Add(d)) }

// Value implements [driver.Valuer].
func (m Moment) Value() (driver.Value, error) {
	if m.IsZero() {
		return int64(0), nil
	}
	return m.UnixMilli(), nil
}

// Scan implements [sql.Scanner].
func (m *Moment) Scan(column any) error {
	millis, ok := column.(int64)
	if !ok {
		return fmt.Errorf("moment: the column holds a %T and not a BIGINT", column)
	}
	*m = Moment{}
	if millis != 0 {
		m.Time = time.UnixMilli(millis).UTC()
	}
	return nil
}
