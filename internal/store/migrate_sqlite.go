package store

import (
	"context"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// migrate needs no lock: the file of a bridge has one user.
func (e *sqliteEngine) migrate(
	ctx context.Context, driver *riversqlite.Driver, log *slog.Logger,
) error {
	all, err := newUpgrade(goose.DialectSQLite3, e.db, driver)
	if err != nil {
		return err
	}
	if needed, err := all.needed(ctx); err != nil || !needed {
		return err
	}
	return all.apply(ctx, log)
}
