package storetest

import (
	"context"
	"database/sql"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// lostTable is a table that no database has.
const lostTable = "table_that_was_lost"

// failing passes on the queries of a transaction, but for one, which asks for a table that there
// is not.
type failing struct {
	db.DBTX
	left int // queries until the one that fails
}

// lost reports whether the next query is the one that fails.
func (f *failing) lost() bool {
	f.left--
	return f.left == -1
}

const lostQuery = "SELECT 1 FROM " + lostTable

// ExecContext implements db.DBTX.
func (f *failing) ExecContext(
	ctx context.Context, query string, args ...any,
) (sql.Result, error) {
	if f.lost() {
		return f.DBTX.ExecContext(ctx, lostQuery)
	}
	return f.DBTX.ExecContext(ctx, query, args...)
}

// QueryContext implements db.DBTX.
func (f *failing) QueryContext(
	ctx context.Context, query string, args ...any,
) (*sql.Rows, error) {
	if f.lost() {
		return f.DBTX.QueryContext(ctx, lostQuery)
	}
	return f.DBTX.QueryContext(ctx, query, args...)
}

// QueryRowContext implements db.DBTX.
func (f *failing) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if f.lost() {
		return f.DBTX.QueryRowContext(ctx, lostQuery)
	}
	return f.DBTX.QueryRowContext(ctx, query, args...)
}

// FailEach runs step once for each statement of its transaction, and lets that statement fail in
// the database. Each time the transaction must return the failure. A rule that goes on commits half
// of its rows. One that makes a decision of it refuses a caller who did nothing wrong; decisions
// are the errors of such decisions. The last run meets no failure, and must succeed.
func (b Bench) FailEach(
	step func(ctx context.Context, tx *store.Tx) error, decisions ...error,
) {
	b.Helper()
	for n := 0; ; n++ {
		var f *failing
		err := b.Try(func(ctx context.Context, tx *store.Tx) error {
			f = &failing{*way(tx), n}
			*way(tx) = f
			return step(ctx, tx)
		})
		if f.left >= 0 {
			require.NoError(b, err)
			require.NotZero(b, n, "a step without a statement")
			return
		}
		require.ErrorContains(b, err, lostTable, "statement %d", n)
		for _, decision := range decisions {
			require.NotErrorIs(b, err, decision, "statement %d", n)
		}
	}
}
