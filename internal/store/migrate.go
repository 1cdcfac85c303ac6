package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"

	"smsbridge/internal/store/migration"
)

// migrate brings our tables and River's to the newest version. The caller keeps other processes
// out meanwhile.
func migrate[T any](
	ctx context.Context, dialect goose.Dialect, conn *sql.DB,
	driver riverdriver.Driver[T], config *rivermigrate.Config,
) error {
	alone := goose.WithDisableGlobalRegistry(true)
	provider, err := goose.NewProvider(dialect, conn, migration.Files, alone)
	if err != nil {
		return fmt.Errorf("store: preparing migrations: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("store: reading the version of the tables: %w", err)
	}
	if err := tooNew(version, provider); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(driver, config)
	if err != nil {
		return fmt.Errorf("store: preparing the queue's migrations: %w", err)
	}
	if err := queueTooNew(ctx, conn, migrator); err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("store: migrating the queue: %w", err)
	}
	// After the queue's: those rename tables, for which SQLite reads again what all tables are.
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("store: migrating: %w", err)
	}
	return nil
}

// ErrOld says that the tables are of an older version, and that a bridge of this one has not yet
// brought them up to date.
var ErrOld = errors.New("store: the tables are of an older smsbridge")

// current returns an error unless the tables are of the newest version.
func current(ctx context.Context, dialect goose.Dialect, conn *sql.DB) error {
	alone := goose.WithDisableGlobalRegistry(true)
	provider, err := goose.NewProvider(dialect, conn, migration.Files, alone)
	if err != nil {
		return fmt.Errorf("store: reading migrations: %w", err)
	}
	var version int64
	const newest = "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied"
	if err := conn.QueryRowContext(ctx, newest).Scan(&version); err != nil {
		return fmt.Errorf("store: reading the version of the tables: %w", err)
	}
	sources := provider.ListSources()
	if version < sources[len(sources)-1].Version {
		return ErrOld
	}
	return tooNew(version, provider)
}

// SchemaError says that a newer smsbridge has migrated the database.
type SchemaError struct {
	Tables   string // "tables", or "queue tables" for River's
	Database int64  // their version
	Known    int64  // the newest version that this smsbridge knows
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("store: the database has %s of version %d, and this smsbridge knows them"+
		" up to version %d", e.Tables, e.Database, e.Known)
}

// tooNew returns a SchemaError when the tables are newer than the migrations of this program. It
// would not know what it must write.
func tooNew(version int64, provider *goose.Provider) error {
	sources := provider.ListSources()
	if known := sources[len(sources)-1].Version; version > known {
		return &SchemaError{"tables", version, known}
	}
	return nil
}

// queueTooNew does the same for River's tables.
func queueTooNew[T any](
	ctx context.Context, conn *sql.DB, migrator *rivermigrate.Migrator[T],
) error {
	all := migrator.AllVersions()
	known := int64(all[len(all)-1].Version)
	var version int64
	err := conn.QueryRowContext(ctx, "SELECT MAX(version) FROM river_migration").Scan(&version)
	if err == nil && version > known {
		return &SchemaError{"queue tables", version, known}
	}
	return nil // without the table it is a new database, and any other error comes again at once
}
