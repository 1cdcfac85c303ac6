package store

import (
	"context"
	"database/sql"
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
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("store: migrating: %w", err)
	}
	migrator, err := rivermigrate.New(driver, config)
	if err != nil {
		return fmt.Errorf("store: preparing the queue's migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("store: migrating the queue: %w", err)
	}
	return nil
}
