package db

import (
	"context"
	"fmt"
	"strings"
)

// Statement is a query and its parameters.
type Statement struct {
	Text string
	Args []any
}

// eventSizes are how many events one statement adds, falling. They are few, so that each text is
// prepared once for each connection. More than 32 at once are no cheaper on SQLite (measured).
var eventSizes = [...]int{32, 16, 8, 4, 3, 2, 1}

// eventColumns is how many columns an event has.
const eventColumns = 6

// addEvents are the texts for eventSizes: AddEvent with more rows.
var addEvents = func() (texts [len(eventSizes)]string) {
	for i, size := range eventSizes {
		var text strings.Builder
		text.WriteString(strings.TrimSpace(addEvent))
		for first := eventColumns + 1; first <= size*eventColumns; first += eventColumns {
			fmt.Fprintf(&text, ",\n($%d, $%d, $%d, $%d, $%d, $%d)",
				first, first+1, first+2, first+3, first+4, first+5)
		}
		texts[i] = text.String()
	}
	return texts
}()

// EventStatements are the statements that add events in their order, each with as many as one takes.
func EventStatements(events []AddEventParams) (statements []Statement) {
	for i, size := range eventSizes {
		for len(events) >= size {
			args := make([]any, 0, size*eventColumns)
			for _, e := range events[:size] {
				args = append(args, e.ID, e.Tenant, e.Subject, e.Name, e.Detail, e.At)
			}
			statements = append(statements, Statement{addEvents[i], args})
			events = events[size:]
		}
	}
	return statements
}

// AddEvents adds events, with few statements. It returns how many of them were added before an
// error.
func (q *Queries) AddEvents(ctx context.Context, events []AddEventParams) (added int, err error) {
	for _, s := range EventStatements(events) {
		if _, err := q.db.ExecContext(ctx, s.Text, s.Args...); err != nil {
			return added, err
		}
		added += len(s.Args) / eventColumns
	}
	return added, nil
}
