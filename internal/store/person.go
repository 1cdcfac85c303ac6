package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"smsbridge/phonemail"
)

// This file finds and erases all that is held about one phone. No flow pays for an index by phone:
// what is here reads whole tables, for people that have a reason to ask. A connection that writes
// does so only with the short tables that also names: their rows live for a day or two.

// held is a table with rows about phones.
type held struct {
	table string
	key   []string // the columns that name a row, or a part that has at most one for a phone
	phone string   // the column with the phone, or what makes the phone of it
	// busy holds for rows that a worker has in hand right now. They cannot go before it is done.
	busy string
	// also are statements for each row that goes. $1 is its id.
	also []string
}

const eventsOfRow = "DELETE FROM event WHERE subject = $1"

// heldTables are all tables with rows about phones, children before their parents. Replies and
// opt-outs are not among them: they stay, without the number; see ErasePhone.
func heldTables() []held {
	byID := []string{"id"}
	return []held{
		{table: "text", key: byID, phone: "phone", busy: "state IN ('due', 'sending', 'unclear')",
			also: []string{eventsOfRow, "DELETE FROM auth0_notification WHERE text_id = $1"}},
		{table: "challenge", key: byID, phone: "phone", busy: "state IN ('accepted', 'clicking')",
			also: []string{eventsOfRow, "DELETE FROM short_link WHERE challenge_id = $1"}},
		{table: "mail", key: byID, phone: "phone", busy: "state = 'received'",
			also: []string{eventsOfRow}},
		{table: "verification", key: byID, phone: "phone",
			also: []string{
				eventsOfRow, "DELETE FROM code_check WHERE verification_id = $1",
				"DELETE FROM auth0_notification WHERE verification_id = $1",
				"DELETE FROM idempotency_key WHERE verification_id = $1",
				"DELETE FROM event WHERE subject IN (SELECT id FROM durable_instance" +
					" WHERE verification_id = $1 AND verification_id <> '')",
				"DELETE FROM durable_instance WHERE verification_id = $1 AND verification_id <> ''",
			}},
		{table: "durable_instance", key: byID, phone: phoneOfInput, also: []string{eventsOfRow}},
		{table: "verify_report", key: byID, phone: "phone", also: []string{eventsOfRow}},
		{table: "guess", key: []string{"tenant", "phone", "asker"}, phone: "phone"},
		{table: "reply_guess", key: []string{"phone"}, phone: "phone"},
		{table: "auth0_lock", key: []string{"tenant", "phone"}, phone: "phone"},
	}
}

// Erased is what became of the rows about a phone.
type Erased struct {
	Gone []TableRows // deleted
	Kept []TableRows // without the number: a keyed digest is in its place
	Busy []TableRows // a worker has them in hand; they are as they were
}

// ErasePhone deletes all that is held about a phone. A reply keeps the provider's id, because the
// provider's signature has no time: only its row keeps an old yes from being taken again. An
// opt-out keeps its digest, or the phone would be texted for having been forgotten. Nothing else
// stays. Each transaction is short, so that a running bridge goes on.
func (s *Store) ErasePhone(ctx context.Context, phone phonemail.Number) (e Erased, err error) {
	gone := s.digests.pseudonym(phone)
	for _, t := range heldTables() {
		n, err := s.deleteHeld(ctx, t, phone, gone)
		if err != nil {
			return e, err
		}
		e.Gone = addRows(e.Gone, t.table, n)
		if t.busy == "" {
			continue
		}
		var busy int64
		query := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE %s IN ($1, $2)", t.table, t.phone)
		row := s.engine.beside().QueryRowContext(ctx, query, phone, gone)
		if err := row.Scan(&busy); err != nil {
			return e, fmt.Errorf("store: counting what is in hand: %w", err)
		}
		e.Busy = addRows(e.Busy, t.table, busy)
	}
	replies, err := s.eraseReplies(ctx, phone, gone)
	if err != nil {
		return e, err
	}
	e.Kept = addRows(e.Kept, "reply", replies)
	const keep = "UPDATE opt_out SET phone = $2, number = '' WHERE phone IN ($1, $2)"
	done, err := s.engine.database().ExecContext(ctx, keep, phone, gone)
	if err != nil {
		return e, fmt.Errorf("store: erasing a number in opt_out: %w", err)
	}
	optOuts, err := done.RowsAffected()
	if err != nil {
		return e, err
	}
	e.Kept = addRows(e.Kept, "opt_out", optOuts)
	return e, s.engine.scrub(ctx)
}

func addRows(all []TableRows, table string, n int64) []TableRows {
	if n == 0 {
		return all
	}
	return append(all, TableRows{table, n})
}

// erasedAtOnce is how many rows of a phone go in one transaction.
const erasedAtOnce = 100

// deleteHeld deletes the rows of a table about a phone that no worker has in hand.
func (s *Store) deleteHeld(
	ctx context.Context, t held, phone, gone phonemail.Number,
) (all int64, err error) {
	idle := ""
	if t.busy != "" {
		idle = " AND NOT (" + t.busy + ")"
	}
	names := strings.Join(t.key, ", ")
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s IN ($1, $2)%s LIMIT %d",
		names, t.table, t.phone, idle, erasedAtOnce)
	for {
		keys, err := s.keysOf(ctx, query, len(t.key), phone, gone)
		if err != nil || len(keys) == 0 {
			return all, err
		}
		n, err := s.deleteRows(ctx, t, idle, keys)
		if all += n; err != nil || n == 0 {
			return all, err
		}
	}
}

// keysOf are the keys of the rows that a query finds.
func (s *Store) keysOf(
	ctx context.Context, query string, columns int, args ...any,
) (keys [][]any, err error) {
	rows, err := s.engine.beside().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: finding what is held: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		key := make([]any, columns)
		for i := range key {
			key[i] = new(string)
		}
		if err := rows.Scan(key...); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

func (s *Store) deleteRows(
	ctx context.Context, t held, idle string, keys [][]any,
) (all int64, err error) {
	conditions := make([]string, len(t.key))
	for i, column := range t.key {
		conditions[i] = fmt.Sprintf("%s = $%d", column, i+1)
	}
	remove := "DELETE FROM " + t.table + " WHERE " + strings.Join(conditions, " AND ") + idle
	err = inTransaction(ctx, s.engine.database(), func(tx *sql.Tx) error {
		for _, key := range keys {
			done, err := tx.ExecContext(ctx, remove, key...)
			if err != nil {
				return fmt.Errorf("store: erasing from %s: %w", t.table, err)
			}
			n, err := done.RowsAffected()
			if err != nil {
				return err
			}
			for _, also := range t.also {
				if n == 0 {
					break
				}
				if _, err := tx.ExecContext(ctx, also, key...); err != nil {
					return fmt.Errorf("store: erasing what belongs to %s: %w", t.table, err)
				}
			}
			all += n
		}
		return nil
	})
	return all, err
}

// eraseReplies leaves of the replies of a phone what keeps them from being taken again. It returns
// how many there are.
func (s *Store) eraseReplies(
	ctx context.Context, phone, gone phonemail.Number,
) (all int64, err error) {
	query := fmt.Sprintf("SELECT id FROM reply WHERE phone IN ($1, $2) AND id > $3"+
		" ORDER BY id LIMIT %d", erasedAtOnce)
	for last := any(""); ; {
		keys, err := s.keysOf(ctx, query, 1, phone, gone, last)
		if err != nil || len(keys) == 0 {
			return all, err
		}
		if err := s.eraseReply(ctx, gone, keys); err != nil {
			return all, err
		}
		all += int64(len(keys))
		last = keys[len(keys)-1][0]
	}
}

// eraseReply does so for some replies, in one transaction.
func (s *Store) eraseReply(ctx context.Context, gone phonemail.Number, keys [][]any) error {
	const keep = "UPDATE reply SET phone = $2, word = '', challenge_id = '' WHERE id = $1"
	return inTransaction(ctx, s.engine.database(), func(tx *sql.Tx) error {
		for _, key := range keys {
			_, err := tx.ExecContext(ctx, eventsOfRow, key[0])
			if err == nil {
				_, err = tx.ExecContext(ctx, keep, key[0], gone)
			}
			if err != nil {
				return fmt.Errorf("store: erasing a number in reply: %w", err)
			}
		}
		return nil
	})
}

// HeldTable is what one table holds about a phone: a value for each column of each row.
type HeldTable struct {
	Table string           `json:"table"`
	Rows  []map[string]any `json:"rows"`
}

// HeldOn returns all that is held about a phone, table by table, in the order of the keys: ids sort
// by time. Times are RFC 3339. A sealed value is told of, not shown: it is a link, a code or a text
// on its way.
func (s *Store) HeldOn(ctx context.Context, phone phonemail.Number) (all []HeldTable, err error) {
	gone := s.digests.pseudonym(phone)
	byID := []string{"id"}
	tables := append(heldTables(), held{table: "reply", key: byID, phone: "phone"},
		held{table: "opt_out", key: byID, phone: "phone"})
	for _, t := range tables {
		query := fmt.Sprintf("SELECT * FROM %s WHERE %s IN ($1, $2) ORDER BY %s",
			t.table, t.phone, strings.Join(t.key, ", "))
		var rows []map[string]any
		err := s.patiently(ctx, func(ctx context.Context) (err error) {
			rows, err = s.heldRows(ctx, t.table, query, phone, gone)
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			all = append(all, HeldTable{t.table, rows})
		}
	}
	return all, nil
}

func (s *Store) heldRows(
	ctx context.Context, table, query string, phone, gone phonemail.Number,
) (all []map[string]any, err error) {
	rows, err := s.engine.beside().QueryContext(ctx, query, phone, gone)
	if err != nil {
		return nil, fmt.Errorf("store: reading what %s holds: %w", table, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, column := range columns {
			if v := shownValue(table, column, *values[i].(*any)); v != nil {
				row[column] = v
			}
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// shownValue is a column's value as it is shown, nil for nothing to show.
func shownValue(table, column string, value any) any {
	for _, c := range sealedColumns() {
		if c.table == table && c.column == column {
			switch v := value.(type) {
			case nil:
				return nil
			case string:
				if v == "" {
					return nil
				}
			}
			return "sealed"
		}
	}
	isTime := strings.HasSuffix(column, "_at") || column == "at" || column == "since" ||
		column == "deadline"
	switch v := value.(type) {
	case int64:
		switch {
		case isTime && v == 0:
			return nil
		case isTime:
			return time.UnixMilli(v).UTC()
		}
	case string:
		if v == "" {
			return nil
		}
	case []byte:
		return string(v)
	}
	return value
}
