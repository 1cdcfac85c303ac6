package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"smsbridge/internal/store/moment"
	"smsbridge/phonemail"
)

// aging is a table whose rows outlive the retention of phones.
type aging struct {
	table string
	phone string // the column with the phone, or what makes the phone of it
	// set puts a pseudonym, $2, in the place of the number of the row $1. Where the number may stand
	// within a word that a caller chose, $3 is its digits.
	set    string
	digits bool // set has $3
	// first runs before: it makes room for what would be the same as another row.
	first string
}

// agings are all such tables. Rows of every other table with a phone are gone before.
func agings() []aging {
	return []aging{
		{table: "mail", phone: "phone", set: "phone = $2, recipient = ''",
			first: "DELETE FROM mail WHERE id = $1 AND EXISTS (SELECT 1 FROM mail o" +
				" WHERE o.tenant = mail.tenant AND o.message_id = mail.message_id AND o.phone = $2)"},
		// One that still says open must differ from others of its phone.
		{table: "challenge", phone: "phone",
			set: "phone = $2, recipient = CASE WHEN state = 'open' THEN id ELSE '' END," +
				" reference = replace(reference, $3, 'erased')", digits: true},
		{table: "text", phone: "phone", set: "phone = $2"},
		{table: "reply", phone: "phone", set: "phone = $2"},
		{table: "verification", phone: "phone",
			set: "phone = $2, external_id = replace(external_id, $3, 'erased')", digits: true},
		// The row's id keeps two instances apart whose ids had the same number.
		{table: "durable_instance", phone: phoneOfInput,
			set: "input = 'null', instance_id = replace(instance_id, $3, $2 || id)", digits: true},
	}
}

// phoneOfInput is the phone in the input of an instance, which is JSON: a string, or one that holds
// a string.
const phoneOfInput = `replace(replace(input, '"', ''), '\', '')`

// AgingTables are the tables in which Pseudonymize replaces numbers.
func AgingTables() (names []string) {
	for _, t := range agings() {
		names = append(names, t.table)
	}
	return names
}

// pseudonymizedAtOnce is how many rows are read, and changed in one transaction.
const pseudonymizedAtOnce = 200

// Pseudonymize replaces the numbers in the next rows of a table, by id, that were made before a
// time. Whether such a row has ended does not matter: nothing that a phone is asked counts for
// longer than a day. It returns the last id that it read, "" when there are no more rows, and how
// many it changed. It reads by the primary key, so that no flow pays for an index.
func (s *Store) Pseudonymize(
	ctx context.Context, table, after string, before time.Time,
) (last string, changed int, err error) {
	for _, t := range agings() {
		if t.table != table {
			continue
		}
		rows, err := s.aged(ctx, t, after, before)
		if err != nil || len(rows) == 0 {
			return "", 0, err
		}
		changed, err := s.pseudonymize(ctx, t, rows)
		return rows[len(rows)-1].id, changed, err
	}
	return "", 0, fmt.Errorf("store: the table %s keeps no number for long", table)
}

// agedRow is a row and what its phone's column holds.
type agedRow struct{ id, phone string }

func (s *Store) aged(
	ctx context.Context, t aging, after string, before time.Time,
) (all []agedRow, err error) {
	query := fmt.Sprintf("SELECT id, %s FROM %s WHERE id > $1 AND id < $2 ORDER BY id LIMIT %d",
		t.phone, t.table, pseudonymizedAtOnce)
	rows, err := s.engine.database().QueryContext(ctx, query, after, firstID(moment.Of(before)))
	if err != nil {
		return nil, fmt.Errorf("store: reading old rows of %s: %w", t.table, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var row agedRow
		if err := rows.Scan(&row.id, &row.phone); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func (s *Store) pseudonymize(
	ctx context.Context, t aging, rows []agedRow,
) (changed int, err error) {
	update := "UPDATE " + t.table + " SET " + t.set + " WHERE id = $1"
	err = inTransaction(ctx, s.engine.database(), func(tx *sql.Tx) error {
		for _, row := range rows {
			digits, plain := strings.CutPrefix(row.phone, "+")
			var phone phonemail.Number
			if !plain || phone.Scan(row.phone) != nil {
				continue
			}
			gone, err := s.digests.pseudonym(phone).Value()
			if err != nil {
				return err
			}
			if t.first != "" {
				if _, err := tx.ExecContext(ctx, t.first, row.id, gone); err != nil {
					return fmt.Errorf("store: replacing a number in %s: %w", t.table, err)
				}
			}
			args := []any{row.id, gone}
			if t.digits {
				args = append(args, digits)
			}
			if _, err := tx.ExecContext(ctx, update, args...); err != nil {
				return fmt.Errorf("store: replacing a number in %s: %w", t.table, err)
			}
			changed++
		}
		return nil
	})
	return changed, err
}

// EmptyLog empties SQLite's WAL, which has the pages as they were before. PostgreSQL keeps its own.
func (s *Store) EmptyLog(ctx context.Context) error {
	if e, isSQLite := s.engine.(*sqliteEngine); isSQLite {
		return e.emptyLog(ctx)
	}
	return nil
}

// Blank overwrites the unused parts of 200 pages of a SQLite file, so that none has an older row.
// Other transactions wait meanwhile. The first page has the number 1. Blank returns the one to go
// on with, 0 after the last. PostgreSQL overwrites by itself.
func (s *Store) Blank(ctx context.Context, first int64) (next int64, err error) {
	if e, isSQLite := s.engine.(*sqliteEngine); isSQLite {
		return e.blank(ctx, first)
	}
	return 0, nil
}
