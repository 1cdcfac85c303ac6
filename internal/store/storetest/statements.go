package storetest

import (
	"context"
	"database/sql"
	"reflect"
	"strings"
	"unsafe"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Statements are the names of the queries that a transaction has made, in order.
type Statements struct {
	db.DBTX
	Names []string
}

// Watch notes the queries that tx makes from now on.
func Watch(tx *store.Tx) *Statements {
	s := &Statements{DBTX: through(tx)}
	tx.Queries = db.New(s)
	return s
}

// through is the way of a transaction's queries into the database. It reaches into the generated
// code, so that the program needs no hook for it.
func through(tx *store.Tx) db.DBTX {
	field := reflect.ValueOf(tx.Queries).Elem().FieldByName("db")
	return *(*db.DBTX)(unsafe.Pointer(field.UnsafeAddr()))
}

// note takes the name from a query of sqlc's, which begins with "-- name: NAME :KIND".
func (s *Statements) note(query string) {
	s.Names = append(s.Names, strings.Fields(query)[2])
}

// ExecContext implements db.DBTX.
func (s *Statements) ExecContext(
	ctx context.Context, query string, args ...any,
) (sql.Result, error) {
	s.note(query)
	return s.DBTX.ExecContext(ctx, query, args...)
}

// QueryContext implements db.DBTX.
func (s *Statements) QueryContext(
	ctx context.Context, query string, args ...any,
) (*sql.Rows, error) {
	s.note(query)
	return s.DBTX.QueryContext(ctx, query, args...)
}

// QueryRowContext implements db.DBTX.
func (s *Statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s.note(query)
	return s.DBTX.QueryRowContext(ctx, query, args...)
}
