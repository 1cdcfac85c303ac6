package store_test

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a database that cannot hold every text is refused by the name of its mistake.
func TestEncodingThatIsNotUTF8(t *testing.T) {
	address := storetest.EmptyPostgreSQL(t)
	admin, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.Path += "_latin"
	name := pgx.Identifier{strings.TrimPrefix(u.Path, "/")}.Sanitize()
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+name+
		" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	require.NoError(t, err)
	defer func() {
		_, err := admin.Exec(t.Context(), "DROP DATABASE "+name+" WITH (FORCE)")
		require.NoError(t, err)
		require.NoError(t, admin.Close(t.Context()))
	}()
	_, err = store.Open(t.Context(), store.Options{
		URL: u.String(), Key: make([]byte, 32), Log: slog.New(slog.DiscardHandler),
	})
	require.ErrorIs(t, err, store.ErrEncoding)
}
