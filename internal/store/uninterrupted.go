package store

import (
	"context"
	"database/sql"
)

// uninterrupted runs the statements of a transaction on SQLite, each to its end. The context is
// looked at before each one. A statement with a context that may end costs two goroutines: one of
// database/sql and one of the driver wait for that. Here a statement is short, since it is on this
// machine's own disk, and a long change comes in parts.
type uninterrupted struct{ conn *sql.Conn }

// while returns a context that does not end, unless ctx has ended already: then nothing is run, see
// preparingConn.take.
func (u uninterrupted) while(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	return context.Background()
}

// ExecContext implements db.DBTX.
func (u uninterrupted) ExecContext(
	ctx context.Context, query string, args ...any,
) (sql.Result, error) {
	return u.conn.ExecContext(u.while(ctx), query, args...)
}

// PrepareContext implements db.DBTX.
func (u uninterrupted) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return u.conn.PrepareContext(u.while(ctx), query)
}

// QueryContext implements db.DBTX.
func (u uninterrupted) QueryContext(
	ctx context.Context, query string, args ...any,
) (*sql.Rows, error) {
	return u.conn.QueryContext(u.while(ctx), query, args...)
}

// QueryRowContext implements db.DBTX.
func (u uninterrupted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return u.conn.QueryRowContext(u.while(ctx), query, args...)
}
