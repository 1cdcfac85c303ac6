//go:build !race

package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a command says of a database without tables that it is not that of a bridge, and
// makes none.
func TestBesideEmptyDatabase(t *testing.T) {
	for name, place := range map[string]func(t *testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			url := place(t)
			storetest.Open(t, url, nil)
			conn := outside(t, url)
			_, err := conn.ExecContext(t.Context(), "DROP TABLE goose_db_version")
			require.NoError(t, err)
			_, err = store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key, Beside: true})
			require.ErrorIs(t, err, store.ErrEmpty)
			_, err = conn.ExecContext(t.Context(), "SELECT * FROM goose_db_version")
			require.Error(t, err)
		})
	}
}
