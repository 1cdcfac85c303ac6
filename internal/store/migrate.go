package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migration/*.sql
var migrations embed.FS

// migrate brings our tables and River's to the newest version. The caller keeps other processes
// out meanwhile.
func migrate[T any](
	ctx context.Context, dialect goose.Dialect, conn *sql.DB, driver riverdriver.Driver[T],
	config *rivermigrate.Config,
) error {
	folder, err := fs.Sub(migrations, "migration")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, conn, folder, goose.WithDisableGlobalRegistry(true))
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
