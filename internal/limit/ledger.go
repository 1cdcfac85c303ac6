package limit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/moment"
)

// ledger is what the callers of one transaction count. The rows of a day and of a country are
// those of nearly all transactions. So they are read without a lock when a text is judged, and
// are written and locked at the very end, in one order. What was read may have changed meanwhile.
// Then the texts are judged anew by what the rows say, and if one of them must not be sent, the
// callers are run again.
type ledger struct {
	read  map[string]db.Tally       // as the database had it
	now   map[string]db.Tally       // with what was counted since
	adds  map[string]db.TallyParams // what was counted
	texts []count                   // that were judged and may be sent

	turned map[string]bool       // rows of countries whose breaker turned
	days   map[string]spending   // rows of a day of which an operator may have to be told
	said   map[string]string     // what an operator is told once a day, by row
	fixes  map[string]difference // corrections of rows of this day
	locked bool
}

// ledgerOf is the ledger of a transaction.
func ledgerOf(tx *store.Tx) *ledger {
	l := store.Shared(tx, func(ctx context.Context, tx *store.Tx, l *ledger) error {
		return l.end(ctx, tx)
	})
	if l.read == nil {
		*l = ledger{
			read: map[string]db.Tally{}, now: map[string]db.Tally{}, adds: map[string]db.TallyParams{},
		}
	}
	return l
}

// load reads the rows with the keys of others, at most eight. In a transaction that must succeed
// it locks the row of all texts first. No other transaction can write a row then.
func (l *ledger) load(ctx context.Context, tx *store.Tx, rows []db.TallyParams) error {
	if tx.Surely() && !l.locked {
		if _, err := tx.Tallies(ctx, []db.TallyParams{widest(tx.Moment())}); err != nil {
			return fmt.Errorf("limit: locking: %w", err)
		}
		l.locked = true
	}
	var missing [8]string
	n := 0
	for _, r := range rows {
		if _, known := l.read[r.Key]; !known {
			missing[n] = r.Key
			n++
		}
	}
	if n == 0 {
		return nil
	}
	found, err := tx.TalliesOf(ctx, db.TalliesOfParams{
		Key1: missing[0], Key2: missing[1], Key3: missing[2], Key4: missing[3], Key5: missing[4],
		Key6: missing[5], Key7: missing[6], Key8: missing[7],
	})
	if err != nil {
		return fmt.Errorf("limit: reading: %w", err)
	}
	for _, key := range missing[:n] {
		l.read[key] = db.Tally{Key: key}
	}
	for _, row := range found {
		l.read[row.Key] = row
	}
	for _, key := range missing[:n] {
		l.now[key] = l.read[key]
		if add, counted := l.adds[key]; counted {
			l.now[key] = apply(l.read[key], add)
		}
	}
	return nil
}

// add counts rows.
func (l *ledger) add(rows []db.TallyParams) {
	for _, r := range rows {
		if row, known := l.now[r.Key]; known {
			l.now[r.Key] = apply(row, r)
		}
	}
	l.sum(rows)
}

// sum adds rows to those that are to be written.
func (l *ledger) sum(rows []db.TallyParams) {
	for _, r := range rows {
		sum, counted := l.adds[r.Key]
		if !counted {
			l.adds[r.Key] = r
			continue
		}
		sum.Texts, sum.Segments, sum.Money = sum.Texts+r.Texts, sum.Segments+r.Segments,
			sum.Money+r.Money
		sum.Answered, sum.Unanswered = sum.Answered+r.Answered, sum.Unanswered+r.Unanswered
		sum.Probes, sum.Recent = sum.Probes+r.Probes, newest(sum.Recent+r.Recent)
		if r.YesAt.After(sum.YesAt.Time) {
			sum.YesAt = r.YesAt
		}
		l.adds[r.Key] = sum
	}
}

// longestRecent is how much of the times of a phone is kept.
const longestRecent = 32 * stampDigits

// newest is what is kept of the times of a phone.
func newest(recent string) string { return recent[max(0, len(recent)-longestRecent):] }

// apply is what the query Tally makes of a row.
func apply(row db.Tally, p db.TallyParams) db.Tally {
	same := !row.WindowAt.Before(p.WindowAt.Time)
	if !same {
		row.Texts, row.Segments, row.Money, row.Alerted, row.WindowAt = 0, 0, 0, 0, p.WindowAt
		if row.OpenAt.IsZero() {
			row.Answered, row.Unanswered = 0, 0
		}
	}
	row.Texts, row.Segments, row.Money = row.Texts+p.Texts, row.Segments+p.Segments, row.Money+p.Money
	row.Answered, row.Unanswered = row.Answered+p.Answered, row.Unanswered+p.Unanswered
	row.Probes += p.Probes
	row.Recent = newest(row.Recent + p.Recent)
	if p.YesAt.After(row.YesAt.Time) {
		row.YesAt = p.YesAt
	}
	return row
}

// same reports whether two states of a row count the same.
func same(a, b db.Tally) bool {
	return a.Texts == b.Texts && a.Segments == b.Segments && a.Money == b.Money &&
		a.Answered == b.Answered && a.Unanswered == b.Unanswered && a.Probes == b.Probes &&
		a.Recent == b.Recent && a.HeldAt.Equal(b.HeldAt.Time) && a.OpenAt.Equal(b.OpenAt.Time) &&
		a.YesAt.Equal(b.YesAt.Time) && a.WindowAt.Equal(b.WindowAt.Time)
}

// rowsAtOnce is how many rows one statement writes.
const rowsAtOnce = 32

// end writes what was counted, the row of all texts first and the others by their keys.
func (l *ledger) end(ctx context.Context, tx *store.Tx) error {
	if len(l.adds) == 0 && len(l.fixes) == 0 {
		return nil // texts that were refused leave nothing
	}
	l.add([]db.TallyParams{widest(tx.Moment())})
	keys := slices.Sorted(maps.Keys(l.adds)) // "all" sorts before every other
	got := make(map[string]*db.Tally, len(keys))
	for some := range slices.Chunk(keys, rowsAtOnce) {
		rows := make([]db.TallyParams, 0, len(some))
		for _, key := range some {
			rows = append(rows, l.adds[key])
		}
		found, err := tx.Tallies(ctx, rows)
		if err != nil {
			return fmt.Errorf("limit: counting: %w", err)
		}
		for i := range found {
			got[found[i].Key] = &found[i]
		}
	}
	if !l.holds(got) {
		return store.ErrConflict
	}
	return l.settle(ctx, tx, got)
}

// holds reports whether every text that was judged may be sent also by what the rows say now that
// they are locked. A row that no one else has changed was judged rightly.
func (l *ledger) holds(got map[string]*db.Tally) bool {
	var moved map[string]db.Tally
	for key, read := range l.read {
		add, counted := l.adds[key]
		if !counted || same(*got[key], apply(read, add)) {
			continue
		}
		// Whether a breaker turns depends on the whole row.
		if row := got[key]; l.turned[key] || !row.OpenAt.IsZero() || !read.OpenAt.IsZero() {
			return false
		}
		if moved == nil {
			moved = map[string]db.Tally{}
		}
		moved[key] = *got[key]
	}
	if len(moved) == 0 {
		return true
	}
	for _, c := range l.texts {
		if _, phone := moved[c.toPhone]; phone || c.held(moved) || c.over(moved) != nil {
			return false
		}
	}
	return true
}

// settle does what follows from what the rows say now that they are locked.
func (l *ledger) settle(ctx context.Context, tx *store.Tx, got map[string]*db.Tally) error {
	for _, key := range slices.Sorted(maps.Keys(l.turned)) {
		row := l.now[key]
		err := tx.SetBreaker(ctx, db.SetBreakerParams{
			Key: key, OpenAt: row.OpenAt, Probes: row.Probes, Answered: row.Answered,
			Unanswered: row.Unanswered,
		})
		if err != nil {
			return fmt.Errorf("limit: turning a breaker: %w", err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.days)) {
		if err := l.days[key].alert(ctx, tx, *got[key]); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.said)) {
		if got[key].Texts != l.adds[key].Texts {
			continue // said before on this day
		}
		if err := tell(ctx, tx, "", "limit.price", l.said[key]); err != nil {
			return err
		}
	}
	today := moment.Of(tx.Moment().Truncate(day))
	for _, key := range slices.Sorted(maps.Keys(l.fixes)) {
		fix := l.fixes[key]
		err := tx.CorrectTally(ctx, db.CorrectTallyParams{
			Key: key, WindowAt: today, Segments: fix.segments, Money: fix.money,
		})
		if err != nil {
			return fmt.Errorf("limit: correcting: %w", err)
		}
	}
	return nil
}
