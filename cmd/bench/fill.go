package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxOldCases is how many phones there are for old cases.
const maxOldCases = 3_000_000

// Old cases are copies of two flows that the bridge itself has finished in a template. So they
// have the schema of whatever binary is measured, and the bench knows none of its tables. What
// grew with the second flow is a table of cases. What only a first flow or a start writes is
// copied by none. A copy has ids, a phone and times of its own, by the rules of copied. The indexes
// are made anew when all is there: that is quicker than to keep them.

// firstOldPhone is a range of its own, beside that of the load.
const firstOldPhone = 4550_000_000

const (
	// queueTable has the finished jobs of the last hour. The old cases are of twenty hours.
	queueTable  = "river_job"
	queuesShare = 20
	// passTable has a row for each pass of a periodic job, which may come between two flows.
	passTable = "price_pass"
)

// uuidPattern is an id that tells the time at which it was made (RFC 9562 section 5.7).
const uuidPattern = "________-____-7___-____-____________"

// column is a column of a table.
type column struct {
	name, kind string // kind in small letters, as the database calls it
	unique     bool   // in a unique index or the primary key
}

// fill adds copies of the finished flows of the phones n-1 and n to the tables of cases.
func (d database) fill(
	ctx context.Context, tables []string, n, copies int, say func(format string, args ...any),
) error {
	if copies < 1 {
		return nil
	}
	db, err := d.connect()
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // a temporary table belongs to its connection
	if d.kind == kindSQLite {
		for _, pragma := range []string{"synchronous = OFF", "cache_size = -200000"} { // 200 MB
			if _, err := db.ExecContext(ctx, "PRAGMA "+pragma); err != nil {
				return err
			}
		}
	}
	for _, table := range tables {
		many := copies
		if table == queueTable {
			many /= queuesShare
		}
		say("%s: filling %s with %d copies of each case", d.kind, table, many)
		columns, err := columnsOf(ctx, db, d.kind, table)
		if err == nil {
			err = copyRows(ctx, db, d.kind, table, columns, n, many)
		}
		if err != nil {
			return fmt.Errorf("filling %s: %w", table, err)
		}
	}
	if d.kind == kindPostgres { // as its autovacuum does in time
		_, err = db.ExecContext(ctx, "ANALYZE")
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// columnsOf reads the columns of a table.
func columnsOf(ctx context.Context, db *sql.DB, kind, table string) ([]column, error) {
	query := `SELECT name, lower(type), pk > 0 OR EXISTS (
			SELECT 1 FROM pragma_index_list($1) i, pragma_index_info(i.name) c
			WHERE i."unique" AND c.name = t.name)
		FROM pragma_table_info($1) t`
	if kind == kindPostgres {
		query = `SELECT attname, format_type(atttypid, NULL), EXISTS (
				SELECT 1 FROM pg_index
				WHERE indrelid = a.attrelid AND indisunique AND attnum = ANY (indkey))
			FROM pg_attribute a
			WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped
			ORDER BY attnum`
	}
	rows, err := db.QueryContext(ctx, query, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var columns []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.unique); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

// growing names the tables of cases: those that have more rows than before. Of the queue's tables
// it is the one with the jobs.
func growing(before, after map[string]int64) (tables []string) {
	for table, n := range after {
		ofCases := table != passTable && !strings.HasPrefix(table, "river_")
		if n > before[table] && (ofCases || table == queueTable) {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	return tables
}

// copyRows copies the rows of a table, in one transaction.
func copyRows(
	ctx context.Context, db *sql.DB, kind, table string, columns []column, n, copies int,
) error {
	var names, values []string
	for _, c := range columns {
		names = append(names, `"`+c.name+`"`)
		values = append(values, c.copied(kind, n, copies, time.Now()))
	}
	drop, create, err := indexesOf(ctx, db, kind, table)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, statement := range slices.Concat(drop, []string{
		`CREATE TEMP TABLE bench_case AS SELECT * FROM "` + table + `"` + finished(table),
		`WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ` +
			strconv.Itoa(copies) + `) INSERT INTO "` + table + `" (` + strings.Join(names, ", ") +
			`) SELECT ` + strings.Join(values, ", ") + ` FROM number CROSS JOIN bench_case`,
		`DROP TABLE bench_case`,
	}, create) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// finished leaves out the jobs that are still to be done.
func finished(table string) string {
	if table == queueTable {
		return ` WHERE finalized_at IS NOT NULL`
	}
	return ""
}

// indexesOf returns the statements that drop the indexes of a table, and those that make them
// again. A primary key stays.
func indexesOf(
	ctx context.Context, db *sql.DB, kind, table string,
) (drop, create []string, err error) {
	names := `SELECT name FROM sqlite_master
		WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL ORDER BY name`
	made := `SELECT sql FROM sqlite_master
		WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL ORDER BY name`
	if kind == kindPostgres {
		const from = ` FROM pg_indexes WHERE schemaname = current_schema() AND tablename = $1
			AND NOT EXISTS (SELECT 1 FROM pg_constraint
				WHERE conname = indexname AND connamespace = to_regnamespace(schemaname))
			ORDER BY indexname`
		names, made = "SELECT indexname"+from, "SELECT indexdef"+from
	}
	if drop, err = stringsOf(ctx, db, names, table); err != nil {
		return nil, nil, err
	}
	for i, name := range drop {
		drop[i] = `DROP INDEX "` + name + `"`
	}
	create, err = stringsOf(ctx, db, made, table)
	return drop, create, err
}

// copied is the value of a column in the i-th of so many copies, as SQL. Copies were made one after
// the other, from a day ago on until an hour ago. An id that tells its time tells that one: the
// bridge would else take it for older than its row.
func (c column) copied(kind string, n, copies int, now time.Time) string {
	name := `"` + c.name + `"`
	digits := `printf('%08x', i)`
	if kind == kindPostgres {
		digits = `lpad(to_hex(i), 8, '0')`
	}
	shift := `- 75600000 + (CAST(i AS BIGINT) - 1) * 72000000 / ` + strconv.Itoa(copies)
	then := `(` + strconv.FormatInt(now.UnixMilli(), 10) + ` ` + shift + `)`
	first := `printf('%08x-%04x', ` + then + ` / 65536, ` + then + ` % 65536)`
	if kind == kindPostgres {
		first = `lpad(to_hex(` + then + ` / 65536), 8, '0') || '-' || lpad(to_hex(` + then +
			` % 65536), 4, '0')`
	}
	text := c.kind == "text"
	id := c.name == "id" || c.name == "key" || c.name == "token" || strings.HasSuffix(c.name, "_id")
	number := c.kind == "bigint" || c.kind == "integer"
	// Not the beginning of a window, which may be that of the day. If it were older still, the bridge
	// would drop a million counts while it is measured.
	moment := c.name == "at" || c.name == "deadline" ||
		strings.HasSuffix(c.name, "_at") && c.name != "window_at"
	switch {
	case text && id:
		return `CASE WHEN ` + name + ` = '' THEN '' WHEN ` + name + ` LIKE '` + uuidPattern +
			`' THEN ` + first + ` || substr(` + name + `, 14, 15) || ` + digits + ` ELSE ` + digits +
			` || substr(` + name + `, 9) END`
	case text:
		phone := func(flow int) string { // a phone has few rows in some tables, as in guess
			return fmt.Sprintf("CAST(%d + 2 * i AS TEXT)", firstOldPhone+flow)
		}
		one, other := strings.TrimPrefix(phoneOf(n-1), "+"), strings.TrimPrefix(phoneOf(n), "+")
		return `replace(replace(` + name + `, '` + one + `', ` + phone(0) + `), '` + other + `', ` +
			phone(1) + `)`
	case id && c.kind == "blob":
		return `CASE WHEN length(` + name + `) = 0 THEN ` + name + ` ELSE CAST(unhex(` + digits +
			`) || substr(` + name + `, 5) AS BLOB) END`
	case id && c.kind == "bytea":
		return `CASE WHEN length(` + name + `) = 0 THEN ` + name + ` ELSE decode(` + digits +
			`, 'hex') || substr(` + name + `, 5) END`
	case number && moment:
		return `CASE WHEN ` + name + ` = 0 THEN 0 ELSE ` + name + ` ` + shift + ` END`
	case number && (id || c.unique): // numbers before the first
		return name + ` - i * 1000`
	}
	return name
}
