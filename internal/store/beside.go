package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"smsbridge/internal/store/db"
)

// Beside runs f in one transaction on the database of a bridge that may be running. It migrates
// nothing, and there is no queue: f must make no job due.
func Beside(
	ctx context.Context, o Options, f func(ctx context.Context, tx *Tx) error,
) (err error) {
	conn, err := besideForWriting(&o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	sealer, err := o.sealer()
	if err != nil {
		return err
	}
	session, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: beginning: %w", err)
	}
	defer func() { _ = session.Rollback() }()
	now := time.Now()
	switch {
	case o.Now != nil:
		now = o.Now()
	case !strings.HasPrefix(o.URL, "sqlite:"):
		if err := session.QueryRowContext(ctx, clock).Scan(&now); err != nil {
			return fmt.Errorf("store: reading the clock: %w", err)
		}
	}
	events := &pending{}
	tx := &Tx{reader: reader{db.New(session), now, sealer}, events: events}
	if err := f(ctx, tx); err != nil {
		return err
	}
	if len(tx.jobs) > 0 {
		return errors.New("store: a job was made due where there is no queue")
	}
	if err := events.write(ctx, tx.Queries); err != nil {
		return err
	}
	return session.Commit()
}

// besideForWriting opens a database that another process may have open, and creates nothing.
func besideForWriting(o *Options) (*sql.DB, error) {
	reading, err := beside(o)
	path, isSQLite := strings.CutPrefix(o.URL, "sqlite:")
	if err != nil || !isSQLite {
		return reading, err
	}
	if err := reading.Close(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return openFile("file:" + (&url.URL{Path: path}).EscapedPath() +
		"?mode=rw&_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)" +
		"&_pragma=secure_delete(ON)")
}
