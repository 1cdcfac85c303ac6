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

// Statements are the names of the queries that a transaction has made, in order. Those of its
// commit, which writes the events, are there once it has ended.
type Statements struct {
	db.DBTX
	Names []string
}

// Watch notes the queries that are made from now on in the transaction of tx, also by its commit.
func Watch(tx *store.Tx) *Statements {
	s := &Statements{DBTX: *way(tx)}
	*way(tx) = s
	return s
}

// Exec runs a statement in the transaction of tx.
func Exec(ctx context.Context, tx *store.Tx, statement string) error {
	_, err := (*way(tx)).ExecContext(ctx, statement)
	return err
}

// way is the way of a transaction's queries into the database, which the whole transaction shares.
// It reaches into the generated code, so that the program needs no hook for it.
func way(tx *store.Tx) *db.DBTX {
	field := reflect.ValueOf(tx.Queries).Elem().FieldByName("db")
	return (*db.DBTX)(unsafe.Pointer(field.UnsafeAddr()))
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
