package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// This file makes the connections to PostgreSQL, and looks whether they will do.

// Connections of one replica. Those of the store are for the lanes and as many readers. River has
// its own: a listener, a fetch, a batch of ended jobs, an election, and two for its upkeep. With
// one pool for both, lanes that wait for a slow database would keep River from holding its
// leadership: it is elected, steps down and is elected again, and no job is fetched meanwhile.
const (
	storeConns = 2 * postgresLanes
	queueConns = 6
)

// A server that is gone does not say so. So a connection that is not made, or does not answer, is
// given up soon: callers wait for it, and it keeps its place in the pool. pgx would wait two
// minutes for the former, and without end for the latter.
const (
	connectTimeout = 5 * time.Second // if the URL has no connect_timeout
	pingTimeout    = 2 * time.Second // of a connection that was idle for a second
)

// URLError says which part of the URL of a PostgreSQL database cannot be used.
type URLError struct{ Part string }

func (e *URLError) Error() string {
	return "store: the database URL cannot be used, for " + e.Part
}

// CheckURL returns a URLError unless the URL of a database can be used. It looks for no database.
func CheckURL(url string) error {
	if strings.HasPrefix(url, "sqlite:") {
		return nil
	}
	_, err := parseURL(url)
	return err
}

// parseURL reads a URL, which may say things of pools that PostgreSQL itself refuses. The error of
// pgx is not passed on, since it may quote the password.
func parseURL(address string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(address)
	if err == nil {
		return config, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, &URLError{"its form"}
	}
	all := u.Query()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		others := maps.Clone(all)
		delete(others, name)
		u.RawQuery = others.Encode()
		if _, err := pgxpool.ParseConfig(u.String()); err == nil {
			return nil, &URLError{fmt.Sprintf("its parameter %q", name)}
		}
	}
	return nil, &URLError{"its host, its port or several parameters"}
}

// pools are how the pools of the store and of River are made. A URL with pool_max_conns says how
// many connections the store may have; River has its own all the same.
func pools(url string) (config, own *pgxpool.Config, err error) {
	if config, err = parseURL(url); err != nil {
		return nil, nil, err
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = storeConns
	}
	config.MaxConns = max(config.MaxConns, 2) // a migration holds its lock on one of them
	config.ConnConfig.ConnectTimeout = cmp.Or(config.ConnConfig.ConnectTimeout, connectTimeout)
	config.PingTimeout = cmp.Or(config.PingTimeout, pingTimeout)
	// After a failover the name may still be that of the old primary. A connection to that one would
	// stay in the pool, and nothing could be recorded on it.
	if config.ConnConfig.ValidateConnect == nil {
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	own = config.Copy()
	own.MaxConns, own.MinConns, own.MinIdleConns = queueConns, 0, 0
	return config, own, nil
}

// connect makes the pools. Their connections are opened when they are needed.
func (e *postgresEngine) connect(ctx context.Context, url string) error {
	config, own, err := pools(url)
	if err != nil {
		return err
	}
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return errors.New("store: the pool cannot be made")
	}
	if e.queue, err = pgxpool.NewWithConfig(ctx, own); err != nil {
		return errors.New("store: the queue's pool cannot be made")
	}
	e.db = stdlib.OpenDBFromPool(e.pool)
	return nil
}

// ErrPooler says that what answers is no PostgreSQL server, but a pooler that has a connection for
// each transaction.
var ErrPooler = errors.New("store: a pooler is between the bridge and PostgreSQL that has a " +
	"connection for each transaction")

// ErrEncoding says that the database cannot hold every text: its encoding is not UTF8.
var ErrEncoding = errors.New("store: the encoding of the database is not UTF8")

// sessions returns ErrPooler unless each connection is a session of PostgreSQL's. It returns
// ErrEncoding for a database that cannot hold every text.
func (e *postgresEngine) sessions(ctx context.Context) error {
	shared, err := e.sharesSessions(ctx)
	if errors.Is(err, ErrEncoding) {
		return err
	}
	if err != nil {
		return fmt.Errorf("store: PostgreSQL does not answer: %w", err)
	}
	if shared {
		return ErrPooler
	}
	return nil
}

// sharesSessions reports whether a pooler shares sessions between transactions. Behind such a one
// LISTEN hears nothing, and the lock of a migration stays. In a direct session the process is the
// one that was named when the session began, and no more is asked. A pooler names none, and may
// have sessions all the same.
func (e *postgresEngine) sharesSessions(ctx context.Context) (bool, error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	told := conn.Conn().PgConn().ParameterStatus
	encoding := told("server_encoding") // a pooler may not say it
	if encoding == "SQL_ASCII" {        // which keeps every byte as it comes
		encoding = told("client_encoding")
	}
	if encoding != "" && encoding != "UTF8" {
		return false, ErrEncoding
	}
	process, err := processOf(ctx, conn)
	if err != nil || process == conn.Conn().PgConn().PID() {
		return false, err
	}
	// The other one's transaction takes the process that the first one has left, if it may.
	tx, err := e.pool.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	taken, err := processOf(ctx, tx)
	if err != nil {
		return false, err
	}
	now, err := processOf(ctx, conn)
	return taken == process || now != process, err
}

// processOf asks which process of the server responds. It prepares no statement, since a pooler may
// not know of it the next time.
func processOf(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (process uint32, err error) {
	const asked = "SELECT pg_backend_pid()"
	err = conn.QueryRow(ctx, asked, pgx.QueryExecModeSimpleProtocol).Scan(&process)
	return process, err
}
