package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"smsbridge/internal/store/db"
)

const (
	// blankedAtOnce is how many pages are looked at together: 800 kB. No webhook waits longer for them
	// than for a commit of many.
	blankedAtOnce = 200
	// mostBlanked is how many pages a file has in which a page is known by its first byte. In one of
	// 128 GB, a page that is none of a tree may begin with the same byte.
	mostBlanked = 1 << 25
)

// pagesFrom reads the pages from $1 to $2. The virtual table finds one page by its number, but for
// a range it reads all of them (https://sqlite.org/dbpage.html).
const pagesFrom = `WITH RECURSIVE wanted(number) AS (
		SELECT $1 UNION ALL SELECT number + 1 FROM wanted WHERE number < $2)
	SELECT pgno, data FROM wanted JOIN sqlite_dbpage ON pgno = number`

// blank overwrites the unallocated space of some pages, from one on. What is deleted or replaced is
// overwritten at once, see secure_delete. But when SQLite splits or joins pages, the copies of rows
// that it leaves there are not. Pages that were blanked before are hardly written to.
func (e *sqliteEngine) blank(ctx context.Context, first int64) (next int64, err error) {
	var pages int64
	row := e.readOnly.QueryRowContext(ctx, "SELECT page_count FROM pragma_page_count()")
	if err := row.Scan(&pages); err != nil {
		return 0, fmt.Errorf("store: counting the pages: %w", err)
	}
	if pages >= mostBlanked {
		return 0, errors.New("store: the database is too large for its unused parts to be" +
			" overwritten: move to PostgreSQL with smsbridge move")
	}
	last := min(first+blankedAtOnce-1, pages)
	left, err := leftovers(ctx, e.readOnly, first, last)
	if err == nil && len(left) > 0 {
		err = e.blankPages(ctx, left[0].number, left[len(left)-1].number)
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("store: overwriting unused parts of pages: %w", err)
	case last == pages:
		return 0, nil
	}
	return last + 1, nil
}

// blankPages overwrites what is left in some pages, which may have changed since they were read.
func (e *sqliteEngine) blankPages(ctx context.Context, first, last int64) error {
	return inTransaction(ctx, e.db, func(tx *sql.Tx) error {
		left, err := leftovers(ctx, tx, first, last)
		if err != nil {
			return err
		}
		for _, p := range left {
			clear(unallocated(p.number, p.content))
			const update = "UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1"
			if _, err := tx.ExecContext(ctx, update, p.number, p.content); err != nil {
				return err
			}
		}
		return nil
	})
}

// page is a page of a SQLite file. The first one has the number 1.
type page struct {
	number  int64
	content []byte
}

// leftovers returns the pages, in their order, that have something in their unallocated space.
func leftovers(ctx context.Context, from db.DBTX, first, last int64) (left []page, err error) {
	rows, err := from.QueryContext(ctx, pagesFrom, first, last)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	used := func(b byte) bool { return b != 0 }
	for rows.Next() {
		var (
			p       page
			content sql.RawBytes
		)
		if err := rows.Scan(&p.number, &content); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(unallocated(p.number, content), used) {
			p.content = slices.Clone(content)
			left = append(left, p)
		}
	}
	return left, rows.Err()
}

// unallocated is the part of a page between its pointers to cells and the cells. It is nil when the
// page is none of a tree.
//
// Source: https://sqlite.org/fileformat2.html section 1.6
func unallocated(number int64, content []byte) []byte {
	header := 0
	if number == 1 {
		header = 100 // after the header of the file
	}
	if len(content) < header+12 {
		return nil
	}
	pointers := header
	switch content[header] {
	case 10, 13: // a leaf of an index, of a table
		pointers += 8
	case 2, 5: // inside the tree of an index, of a table
		pointers += 12
	default:
		return nil
	}
	cells := int(binary.BigEndian.Uint16(content[header+3:]))
	from, to := pointers+2*cells, int(binary.BigEndian.Uint16(content[header+5:]))
	if to == 0 {
		to = 65536
	}
	if from > to || to > len(content) {
		return nil
	}
	return content[from:to]
}
