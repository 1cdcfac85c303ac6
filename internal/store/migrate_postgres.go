package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// migrationLock is the advisory lock under which one replica migrates while the others wait. The
// number means nothing; no other user of the database may take it.
const migrationLock = 7_726_274_343

// A migration that waits for a table holds up all who come after it, the replicas that work among
// them. So it waits a moment, lets them pass, and tries again. The moment is longer than the second
// after which PostgreSQL ends an autovacuum that is in the way.
//
// Source: https://www.postgresql.org/docs/current/runtime-config-locks.html (deadlock_timeout)
const (
	waitForTable = "SET lock_timeout = '2s'"
	letOthers    = 3 * time.Second
)

// migrate waits for another replica only if something is to be migrated, and then looks again.
func (e *postgresEngine) migrate(
	ctx context.Context, driver *riverpgxv5.Driver, log *slog.Logger,
) error {
	all, err := newUpgrade(goose.DialectPostgres, e.db, driver)
	if err != nil {
		return err
	}
	if needed, err := all.needed(ctx); err != nil || !needed {
		return err
	}
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("store: waiting to migrate: %w", err)
	}
	defer conn.Release()
	var free bool
	row := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(migrationLock))
	if err = row.Scan(&free); err == nil && !free {
		log.Info("another replica migrates the tables: waiting for it")
		_, err = conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock))
	}
	if err != nil {
		return fmt.Errorf("store: waiting to migrate: %w", err)
	}
	needed, err := all.needed(ctx)
	if needed && err == nil {
		err = e.upgrade(ctx, log)
	}
	_, unlockErr := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)",
		int64(migrationLock))
	return errors.Join(err, unlockErr)
}

// upgrade migrates on connections of its own, which wait for no table for long. What was migrated
// before a try failed stays so.
func (e *postgresEngine) upgrade(ctx context.Context, log *slog.Logger) error {
	config := e.pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = 2, 0, 0
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, waitForTable)
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return errors.New("store: the pool that migrates cannot be made")
	}
	defer pool.Close()
	conn := stdlib.OpenDBFromPool(pool)
	defer conn.Close()
	all, err := newUpgrade(goose.DialectPostgres, conn, riverpgxv5.New(pool))
	if err != nil {
		return err
	}
	for {
		if err := all.apply(ctx, log); !inTheWay(err) {
			return err
		}
		log.Warn("the tables are in use, by pg_dump or the like, and not yet migrated: trying again")
		select {
		case <-ctx.Done():
			return fmt.Errorf("store: waiting to migrate: %w", ctx.Err())
		case <-time.After(letOthers):
		}
	}
}

// inTheWay reports whether a migration failed because others use a table: it waited too long, or
// PostgreSQL ended it to resolve a deadlock.
//
// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
func inTheWay(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "55P03" || refused.Code == "40P01")
}
