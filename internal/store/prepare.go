package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

// openFile opens a SQLite database whose connections prepare each generated statement once. River's
// SQLite driver hands its statements over as text, and SQLite would compile each one at each use.
// PostgreSQL needs none of this: pgx prepares each statement once for each connection, also under
// database/sql.
func openFile(name string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, fmt.Errorf("store: opening: %w", err)
	}
	return sql.OpenDB(preparing{connector}), nil
}

// preparing makes the connections.
type preparing struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T lacks a method", conn), conn.Close())
	}
	return &preparingConn{sqliteConn: able, statements: map[string]*prepared{}}, nil
}

// sqliteConn is what database/sql wants of a connection to SQLite.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// preparingConn keeps the statements that it has prepared. One goroutine at a time uses it:
// database/sql sees to that.
type preparingConn struct {
	sqliteConn
	statements map[string]*prepared
}

// prepared is a statement that is kept. It is busy while the rows of its last query are open.
type prepared struct {
	statement
	busy bool
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// generated is how each statement begins that sqlc has generated, ours and River's. Their number is
// fixed. Others, such as migrations, come once.
const generated = "-- name: "

// mostPrepared bounds the statements that are kept, should a text ever vary.
const mostPrepared = 512

// take returns the kept statement for a text. It is nil when there is none to keep, or it is busy.
// It returns the error of a context that has ended.
func (c *preparingConn) take(ctx context.Context, text string) (*prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	kept := c.statements[text]
	switch {
	case kept != nil && kept.busy:
		return nil, nil
	case kept != nil:
		return kept, nil
	case !strings.HasPrefix(text, generated) || len(c.statements) == mostPrepared:
		return nil, nil
	}
	made, err := c.PrepareContext(ctx, unnumbered(text))
	if err != nil {
		return nil, err
	}
	able, ok := made.(statement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("store: %T lacks a method", made), made.Close())
	}
	kept = &prepared{statement: able}
	c.statements[text] = kept
	return kept, nil
}

// unnumbered returns a statement whose parameters ?1, ?2 and so on stand in this order, each once,
// with plain question marks. Any other statement stays. The driver asks SQLite for the name of each
// numbered parameter at each use, and SQLite looks through those before it.
func unnumbered(text string) string {
	var b strings.Builder
	rest, n := text, 0
	for {
		before, after, found := strings.Cut(rest, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		after, numbered := strings.CutPrefix(after, strconv.Itoa(n))
		if !numbered || after != "" && after[0] >= '0' && after[0] <= '9' {
			return text
		}
		b.WriteByte('?')
		rest = after
	}
}

// ExecContext implements driver.ExecerContext.
func (c *preparingConn) ExecContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Result, error) {
	kept, err := c.take(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case kept == nil:
		return c.sqliteConn.ExecContext(ctx, text, args)
	}
	return kept.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *preparingConn) QueryContext(
	ctx context.Context, text string, args []driver.NamedValue,
) (driver.Rows, error) {
	kept, err := c.take(ctx, text)
	switch {
	case err != nil:
		return nil, err
	case kept == nil:
		return c.sqliteConn.QueryContext(ctx, text, args)
	}
	rows, err := kept.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	kept.busy = true
	return &preparedRows{rows, kept}, nil
}

// Close implements driver.Conn.
func (c *preparingConn) Close() error {
	var errs []error
	for _, kept := range c.statements {
		errs = append(errs, kept.Close())
	}
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// preparedRows are the rows of a kept statement.
type preparedRows struct {
	driver.Rows
	kept *prepared
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	r.kept.busy = false
	return r.Rows.Close()
}
