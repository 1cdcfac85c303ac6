package store_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that a migration which must wait for a long reader of a table, as pg_dump is, lets those
// pass that come after it. It is done once the long reader has ended.
func TestMigrationLetsOthersPass(t *testing.T) {
	url := storetest.PostgreSQL(t)
	db, migrations := beside(t, url)
	_, err := migrations.DownTo(t.Context(), 27) // what follows alters the table of mails
	require.NoError(t, err)
	long, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = long.Rollback() }()
	const read = "SELECT COUNT(*) FROM mail"
	_, err = long.ExecContext(t.Context(), read)
	require.NoError(t, err)

	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	opened := make(chan error, 1)
	go func() {
		s, err := store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key, Log: log})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	const waits = `SELECT COUNT(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
	require.Eventually(t, func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(), waits).Scan(&waiting)
		return err == nil && waiting == 1
	}, time.Minute, 10*time.Millisecond)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	_, err = db.ExecContext(ctx, read)
	require.NoError(t, err, "a reader that comes after the migration")
	require.NoError(t, long.Rollback())
	require.NoError(t, <-opened)
	require.Regexp(t, `(?s)msg="migrating the tables" from=27 to=\d+.*`+
		`not yet migrated: trying again.*msg="the tables are migrated"`, said.String())
}
