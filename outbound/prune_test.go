package outbound

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/moment"
)

// exec changes the database behind the store's back.
func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	driver, source := "pgx", w.databaseURL
	if path, ok := strings.CutPrefix(w.databaseURL, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	require.NoError(w.t, err)
	defer db.Close()
	_, err = db.ExecContext(w.t.Context(), statement, args...)
	require.NoError(w.t, err)
}

// oldRows has, for each table that is pruned, the columns of a row and their values: $1 is the
// row's key, $2 the time from which on its age counts.
func oldRows() map[string]string {
	return map[string]string{
		"seen":            `(source, tenant, id, digest, at) SELECT 'mailgun', 'acme', $1, '', $2`,
		"short_link":      `(id, tenant, challenge_id, link, expires_at) SELECT $1, 'acme', '', '', $2`,
		"guess":           `(tenant, phone, asker, wrong_at, last_at) SELECT 'acme', $1, 'app', '', $2`,
		"pause":           `(tenant, who, wrong_at, last_at) SELECT 'acme', $1, '', $2`,
		"reply_guess":     `(phone, wrong_at, last_at) SELECT $1, '', $2`,
		"idempotency_key": `(tenant, key, digest, verification_id, at) SELECT 'acme', $1, '', '', $2`,
		"code_check": `(id, verification_id, tenant, code, verdict, asked_at)
			SELECT $1, '', 'acme', '', '', $2`,
		"auth0_notification": `(id, tenant, digest, user_id, verification_id, text_id, at)
			SELECT $1, 'acme', '', '', '', '', $2`,
		"auth0_lock":    `(tenant, phone, at) SELECT 'acme', $1, $2`,
		"verify_report": `(id, tenant, phone, result, at) SELECT $1, 'acme', '', '', $2`,
	}
}

// age adds rows to a table that reached an age just now.
func (w *world) age(table string, age time.Duration, keys string) {
	w.t.Helper()
	row := strings.NewReplacer("$1", "n.key", "$2", "$1").Replace(oldRows()[table])
	w.exec("INSERT INTO "+table+" "+row+" FROM ("+keys+") n", moment.Of(w.clock().Add(-age)))
}

// Ensure that of each table that is pruned the rows go when they are too old, and not before.
func TestPrune(t *testing.T) {
	require.Len(t, oldRows(), len(retentions()), "each table has a row to try it with")
	kept := map[string]time.Duration{
		"seen": 48 * time.Hour, "short_link": 0, "guess": 24 * time.Hour, "pause": 24 * time.Hour,
		"idempotency_key": 48 * time.Hour, "code_check": 24 * time.Hour,
		"auth0_notification": 25 * time.Hour, "auth0_lock": 25 * time.Hour,
		"verify_report": 48 * time.Hour,
	}
	each(t, func(w *world) {
		for table, age := range kept {
			w.age(table, age, "SELECT 'kept' AS key")
			w.age(table, age+time.Millisecond, "SELECT 'dropped' AS key UNION ALL SELECT 'as well'")
		}
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		for table := range kept {
			require.Equal(w.t, "1", w.one("SELECT COUNT(*) FROM "+table), table)
		}
		w.wait(time.Millisecond)
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		for table := range kept {
			require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM "+table), table)
		}
	})
}

// Ensure that no transaction drops more than 1,000 rows, and that all go nevertheless.
func TestPruneInBatches(t *testing.T) {
	const many = `WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 2500)
		SELECT CAST(i AS TEXT) AS key FROM k`
	each(t, func(w *world) {
		for _, r := range retentions() {
			w.age(r.table, r.kept+time.Hour, many)
			var dropped int64
			w.do(func(ctx context.Context, tx *store.Tx) (err error) {
				dropped, err = r.drop(tx, ctx, tx.Moment().Add(-r.kept))
				return err
			})
			require.EqualValues(w.t, 1000, dropped, r.table)
			require.Equal(w.t, "1500", w.one("SELECT COUNT(*) FROM "+r.table), r.table)
		}
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		for _, r := range retentions() {
			require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM "+r.table), r.table)
		}
	})
}

// Ensure that a prune whose time is up goes on later, and that one at which a table fails fails
// after the others.
func TestPruneThatDoesNotEnd(t *testing.T) {
	w := quick(t)
	w.age("short_link", time.Hour, "SELECT 'old' AS key")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	w.snoozed(w.work(over, "prune", ""))
	w.exec("DROP TABLE seen")
	require.ErrorContains(t, w.work(t.Context(), "prune", ""), "dropping from seen")
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM short_link"))
}

// Ensure that the queue prunes without being asked to.
func TestPruneThroughTheQueue(t *testing.T) {
	w := quick(t)
	w.age("short_link", time.Hour, "SELECT 'old' AS key")
	ctx := context.Background() // the queue is stopped when the test's own context has ended
	require.NoError(t, w.Store.Start(ctx))
	t.Cleanup(func() { require.NoError(t, w.Store.Stop(ctx)) })
	require.Eventually(t, func() bool {
		return w.one("SELECT COUNT(*) FROM short_link") == "0"
	}, 20*time.Second, time.Millisecond)
}
