package db

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

const (
	// mostTallies is how many rows one statement of Tallies takes.
	mostTallies = 32
	// tallyColumns is how many parameters a row has.
	tallyColumns = 10
)

// tallies are the texts of Tally for one row, for two, and so on.
var tallies = sync.OnceValue(func() (texts []string) {
	head, rest, _ := strings.Cut(tally, "VALUES ")
	_, tail, _ := strings.Cut(rest, "\nON CONFLICT")
	head = strings.Replace(head, ":one", ":many", 1)
	var rows []string
	for i := range mostTallies {
		var parameters strings.Builder
		for column := range tallyColumns {
			fmt.Fprintf(&parameters, "$%d, ", i*tallyColumns+column+1)
		}
		rows = append(rows, "("+parameters.String()+"0, 0, 0)")
		texts = append(texts, head+"VALUES "+strings.Join(rows, ",\n    ")+"\nON CONFLICT"+tail)
	}
	return texts
})

// Tallies is Tally for several rows, 32 at most, in one statement. The rows are locked in the
// order in which they are given. They come back in any order.
func (q *Queries) Tallies(ctx context.Context, rows []TallyParams) (now []Tally, err error) {
	args := make([]any, 0, len(rows)*tallyColumns)
	for _, r := range rows {
		args = append(args, r.Key, r.WindowAt, r.Texts, r.Segments, r.Money, r.Recent, r.YesAt,
			r.Answered, r.Unanswered, r.Probes)
	}
	found, err := q.db.QueryContext(ctx, tallies()[len(rows)-1], args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	now = make([]Tally, 0, len(rows))
	for found.Next() {
		var t Tally
		err := found.Scan(&t.Key, &t.WindowAt, &t.Texts, &t.Segments, &t.Money, &t.Alerted, &t.Recent,
			&t.YesAt, &t.Answered, &t.Unanswered, &t.OpenAt, &t.Probes, &t.HeldAt)
		if err != nil {
			return nil, err
		}
		now = append(now, t)
	}
	return now, found.Err()
}
