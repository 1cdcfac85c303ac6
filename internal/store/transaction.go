package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// inTransaction runs f in one transaction. An error of f undoes it and is returned as it is.
func inTransaction(
	ctx context.Context, conn *sql.DB, f func(tx *sql.Tx) error,
) (err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: beginning: %w", err)
	}
	defer func() {
		if err == nil {
			return
		}
		if lost := tx.Rollback(); !errors.Is(lost, sql.ErrTxDone) {
			err = errors.Join(err, lost)
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
