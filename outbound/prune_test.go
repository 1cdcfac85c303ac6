//go:build !race

package outbound

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/moment"
)

// oldRows has, for each table that is pruned, the columns of a row and their values: $1 is the
// row's key, $2 the time from which on its age counts, and $3 an id that was made then.
func oldRows() map[string]string {
	return map[string]string{
		"event": `(id, tenant, subject, name, detail, at) SELECT $3, 'acme', $1, '', '', $2`,
		"callback": `(id, event_id, tenant, endpoint, type, subject, detail, state, host, attempts,
			status, reason, at, due_at, next_at, ended_at)
			SELECT $3, $1, 'acme', 'app', 'text.sent', $1, '', 'due', '', 0, 0, '', $2, $2, 0, 0`,
		"text": `(id, challenge_id, tenant, account, sender, phone, purpose, body, segments, state,
			provider_id, error, deadline, created_at, sending_at, ended_at)
			SELECT $3, '', 'acme', '', '', '', 'prompt', '', 1, 'delivered', $3, '', 0, 0, 0, $2`,
		"challenge": `(id, mail_id, tenant, account, sender, phone, purpose, state, outcome, link,
			reply_code, clicks, submitted_at, hinted_at, late_at, wrong_codes, opened_at, expires_at,
			accepted_at, ended_at)
			SELECT $3, '', 'acme', '', '', '', '', 'denied', '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, $2`,
		"mail": `(id, tenant, phone, message_id, message_url, body, state, kind, reason, posted_at,
			received_at, ended_at) SELECT $3, 'acme', '', $3, '', '', 'refused', '', '', 0, 0, $2`,
		"durable_instance": `(id, tenant, instance_id, input, state, output, verification_id, digits,
			created_at, updated_at) SELECT $3, 'acme', $3, '', 'running', '', '', 4, 0, $2`,
		"verification": `(id, tenant, door, external_id, account, sender, phone, locale, state, code,
			renew, attempts, max_attempts, max_wrong, sends, max_sends, gap, notify, opened_at, sent_at,
			expires_at, ended_at)
			SELECT $3, 'acme', 'api', '', '', '', '', '', 'expired', '',
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $2`,
		"seen":       `(source, tenant, id, digest, at) SELECT 'mailgun', 'acme', $1, '', $2`,
		"short_link": `(id, tenant, challenge_id, link, expires_at) SELECT $1, 'acme', '', '', $2`,
		"guess":      `(tenant, phone, asker, wrong_at, last_at) SELECT 'acme', $1, 'app', '', $2`,
		"node": `(id, host, version, settings, key_id, since, seen_at)
			SELECT $1, '', '', '', '', $2, $2`,
		"pause":           `(tenant, who, wrong_at, last_at) SELECT 'acme', $1, '', $2`,
		"reply_guess":     `(phone, wrong_at, last_at) SELECT $1, '', $2`,
		"idempotency_key": `(tenant, key, digest, verification_id, at) SELECT 'acme', $1, '', '', $2`,
		"code_check": `(id, verification_id, tenant, code, verdict, asked_at)
			SELECT $1, '', 'acme', '', '', $2`,
		"auth0_notification": `(id, tenant, digest, user_id, verification_id, text_id, at)
			SELECT $1, 'acme', '', '', '', '', $2`,
		"auth0_lock": `(tenant, phone, at) SELECT 'acme', $1, $2`,
		"tally": `(key, window_at, texts, segments, money, alerted, recent, yes_at, answered,
			unanswered, open_at, probes, held_at) SELECT $1, $2, 1, 1, 1, 0, '', 0, 0, 0, 0, 0, 0`,
		"verify_report": `(id, tenant, phone, result, at) SELECT $1, 'acme', '', '', $2`,
		"operator_act":  `(id, operator, act, subject, detail, at) SELECT $3, 'anna', '', '', '', $2`,
		"operator_session": `(id, name, proof, opened_at, used_at)
			SELECT $1, 'anna', '', 0, $2`,
		"operator_guess": `(who, wrong, began_at) SELECT $1, 1, $2`,
	}
}

// age adds rows to a table that reached an age just now.
func (w *world) age(table string, age time.Duration, keys string) {
	w.t.Helper()
	at := w.clock().Add(-age)
	row := strings.NewReplacer("$1", "n.key", "$2", "$1", "$3", "'"+idAt(at)+"' || n.key").
		Replace(oldRows()[table])
	w.exec("INSERT INTO "+table+" "+row+" FROM ("+keys+") n", moment.Of(at))
}

// idAt is how the ids that are made at a time begin.
func idAt(at time.Time) string {
	return fmt.Sprintf("%08x-%04x-7000-8000-", at.UnixMilli()>>16, at.UnixMilli()&0xffff)
}

// Ensure that of each table that is pruned the rows go when they are too old, and not before.
func TestPrune(t *testing.T) {
	t.Parallel()
	require.Len(t, oldRows(), len(retentions()), "each table has a row to try it with")
	const year = 365 * 24 * time.Hour
	kept := map[string]time.Duration{
		"event": year, "callback": year, "text": year, "challenge": year, "mail": year,
		"durable_instance": year, "verification": year, "reply_guess": 24 * time.Hour,
		"seen": 48 * time.Hour, "short_link": 0, "guess": 24 * time.Hour, "pause": 24 * time.Hour,
		"idempotency_key": 48 * time.Hour, "code_check": 24 * time.Hour,
		"auth0_notification": 25 * time.Hour, "auth0_lock": 25 * time.Hour,
		"verify_report": 48 * time.Hour, "tally": 25 * time.Hour, "node": 24 * time.Hour,
		"operator_act": year, "operator_session": 12 * time.Hour, "operator_guess": 15 * time.Minute,
	}
	require.Len(t, kept, len(retentions()))
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
	t.Parallel()
	longtest.Skip(t)
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

// Ensure that a prune whose time is up goes on later. One at which tables fail does the rest, and
// tells of each: a number whose retention is over must not stay without a word.
func TestPruneThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.age("short_link", time.Hour, "SELECT 'old' AS key")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	w.snoozed(w.work(over, "prune", ""))
	for _, table := range []string{"seen", "reply", "opt_out"} {
		w.exec("DROP TABLE " + table)
	}
	err := w.work(t.Context(), "prune", "")
	for _, told := range []string{"dropping from seen", "replacing numbers", "table: opt_out"} {
		require.ErrorContains(t, err, told)
	}
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM short_link"))
}

// Ensure that the queue prunes without being asked to.
func TestPruneThroughTheQueue(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	w := quick(t)
	w.age("short_link", time.Hour, "SELECT 'old' AS key")
	ctx := context.Background() // the queue is stopped when the test's own context has ended
	require.NoError(t, w.Store.Start(ctx))
	t.Cleanup(func() { require.NoError(t, w.Store.Stop(ctx)) })
	require.Eventually(t, func() bool {
		return w.one("SELECT COUNT(*) FROM short_link") == "0"
	}, time.Minute, time.Millisecond)
}
