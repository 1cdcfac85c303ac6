package storetest

import (
	"database/sql"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// OtherClock makes the clock of a PostgreSQL database differ from that of this process, for those
// who connect from now on. It returns a connection.
func OtherClock(t *testing.T, url string, ahead time.Duration) *sql.DB {
	t.Helper()
	outside, err := sql.Open("pgx", url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, outside.Close()) })
	seconds := strconv.Itoa(int(ahead.Seconds()))
	_, err = outside.ExecContext(t.Context(), `CREATE SCHEMA other;
		CREATE FUNCTION other.now() RETURNS timestamptz STABLE LANGUAGE sql
			AS $$ SELECT pg_catalog.now() + interval '`+seconds+` seconds' $$;
		CREATE FUNCTION other.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
			AS $$ SELECT pg_catalog.clock_timestamp() + interval '`+seconds+` seconds' $$;
		DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = other, pg_catalog, public',
			current_database()); END $$`)
	require.NoError(t, err)
	return outside
}
