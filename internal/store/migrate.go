package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"modernc.org/sqlite"

	"smsbridge/internal/store/migration"
)

// upgrade brings our tables and River's to the newest version.
type upgrade[T any] struct {
	conn   *sql.DB
	tables *goose.Provider
	queue  *rivermigrate.Migrator[T]
}

func newUpgrade[T any](
	dialect goose.Dialect, conn *sql.DB, driver riverdriver.Driver[T],
) (*upgrade[T], error) {
	alone := goose.WithDisableGlobalRegistry(true)
	tables, err := goose.NewProvider(dialect, conn, migration.Files, alone)
	if err != nil {
		return nil, fmt.Errorf("store: preparing migrations: %w", err)
	}
	quiet := &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)}
	queue, err := rivermigrate.New(driver, quiet)
	if err != nil {
		return nil, fmt.Errorf("store: preparing the queue's migrations: %w", err)
	}
	return &upgrade[T]{conn, tables, queue}, nil
}

// needed reports whether tables are missing or old. It returns a SchemaError when some are newer
// than the migrations of this program. It takes a version that cannot be read for a new database:
// apply meets any other reason again.
func (u *upgrade[T]) needed(ctx context.Context) (bool, error) {
	tables, _ := tableVersion(ctx, u.conn)
	if err := tooNew(tables, u.tables); err != nil {
		return false, err
	}
	all := u.queue.AllVersions()
	known := int64(all[len(all)-1].Version)
	queue, _ := readVersion(ctx, u.conn, "SELECT MAX(version) FROM river_migration")
	if queue > known {
		return false, &SchemaError{"queue tables", queue, known}
	}
	return tables < newest(u.tables) || queue < known, nil
}

// apply runs the migrations that are missing. The caller keeps other processes out meanwhile. It
// tells when it changes the tables of an older version: the bridge does not serve until it is done.
func (u *upgrade[T]) apply(ctx context.Context, log *slog.Logger) (err error) {
	if from, _ := tableVersion(ctx, u.conn); from != 0 {
		log.Info("migrating the tables", "from", from, "to", newest(u.tables))
		defer func() {
			if err == nil {
				log.Info("the tables are migrated")
			}
		}()
	}
	if _, err := u.queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("store: migrating the queue: %w", err)
	}
	// After the queue's: those rename tables, for which SQLite reads again what all tables are.
	if _, err := u.tables.Up(ctx); err != nil {
		return fmt.Errorf("store: migrating: %w", err)
	}
	return nil
}

// ErrOld says that the tables are of an older version, and that a bridge of this one has not yet
// brought them up to date.
var ErrOld = errors.New("store: the tables are of an older smsbridge")

// ErrEmpty says that the database has no tables of ours: it is not that of a bridge.
var ErrEmpty = errors.New("store: the database has no tables of smsbridge")

// undefinedTable is what PostgreSQL says of a table that is not there.
//
// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
const undefinedTable = "42P01"

// lacksTable reports whether an error says that there is no such table. SQLite has no code for it.
func lacksTable(err error) bool {
	var refused *pgconn.PgError
	var failed *sqlite.Error
	return errors.As(err, &refused) && refused.Code == undefinedTable ||
		errors.As(err, &failed) && strings.Contains(failed.Error(), "no such table")
}

// current returns an error unless the tables are of the newest version.
func current(ctx context.Context, dialect goose.Dialect, conn *sql.DB) error {
	alone := goose.WithDisableGlobalRegistry(true)
	provider, err := goose.NewProvider(dialect, conn, migration.Files, alone)
	if err != nil {
		return fmt.Errorf("store: reading migrations: %w", err)
	}
	version, err := tableVersion(ctx, conn)
	switch {
	case lacksTable(err):
		return ErrEmpty
	case err != nil:
		return fmt.Errorf("store: reading the version of the tables: %w", err)
	}
	if version < newest(provider) {
		return ErrOld
	}
	return tooNew(version, provider)
}

// tableVersion reads the version of our tables.
func tableVersion(ctx context.Context, conn *sql.DB) (int64, error) {
	const applied = "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied"
	return readVersion(ctx, conn, applied)
}

func readVersion(ctx context.Context, conn *sql.DB, query string) (version int64, err error) {
	err = conn.QueryRowContext(ctx, query).Scan(&version)
	return version, err
}

// newest is the version that the migrations of this program lead to.
func newest(provider *goose.Provider) int64 {
	sources := provider.ListSources()
	return sources[len(sources)-1].Version
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
	if known := newest(provider); version > known {
		return &SchemaError{"tables", version, known}
	}
	return nil
}
