//go:build !race

package outbound

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/moment"
)

// tables are the bridge's own tables, as the database lists them. The queue's, whose names begin
// with river_, are pruned by the queue.
func (w *world) tables() (names []string) {
	w.t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if !strings.HasPrefix(w.databaseURL, "sqlite:") {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	for _, name := range w.all(query) {
		if !strings.HasPrefix(name, "river_") && name != "goose_db_version" {
			names = append(names, name)
		}
	}
	return names
}

// rows counts the rows of each table that has any.
func (w *world) rows() map[string]int {
	w.t.Helper()
	rows := map[string]int{}
	for _, table := range w.tables() {
		n, err := strconv.Atoi(w.one("SELECT COUNT(*) FROM " + table))
		require.NoError(w.t, err)
		if n > 0 {
			rows[table] = n
		}
	}
	return rows
}

// instance starts an instance of Azure Durable Functions, whose verification is ended in a state
// unless that is pending. Its text is sent.
func (w *world) instance(id, own, state string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *store.Tx) error {
		input := json.RawMessage(`"` + w.phone(otherPhone).E164() + `"`)
		_, err := azuredurable.Start(ctx, tx, w.tenant(), id, input)
		return err
	})
	w.exec("UPDATE durable_instance SET state = $1 WHERE instance_id = $2", own, id)
	w.exec("UPDATE text SET state = 'sent' WHERE verification_id IN"+
		" (SELECT id FROM verification WHERE external_id = $1)", id)
	if state != "pending" {
		w.exec("UPDATE verification SET state = $1, ended_at = $2 WHERE external_id = $3",
			state, moment.Of(w.clock()), id)
	}
}

// begun makes a flow that gets no further than so many steps.
func (w *world) begun(n, steps int) {
	w.t.Helper()
	f := w.newFlow(n)
	for _, s := range f.steps()[:steps] {
		w.do(func(ctx context.Context, tx *store.Tx) error { return f.take(ctx, tx, s) })
	}
}

// Ensure that a year after everything is over nothing is left of it, in whichever table. What is
// open stays, and so do opt-outs. A new table fails here until it has a retention.
func TestNothingIsLeftOfWhatIsOver(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.flows(0, 3)
		for table := range oldRows() {
			w.age(table, 0, "SELECT 'over' AS key")
		}
		w.instance("over", "running", "approved")
		w.instance("terminated", "terminated", "canceled")

		w.begun(10, 1) // a mail that is not examined
		w.begun(11, 2) // a question whose prompt is under way
		w.instance("open", "running", "pending")
		w.instance("held", "suspended", "approved")
		w.exec("INSERT INTO opt_out (account, sender, phone, since) VALUES ('a', 's', '+4512345678', 1)")
		require.NoError(t, w.work(t.Context(), "price_texts", ""))
		require.Len(t, w.rows(), len(w.tables()), "each table has a row to try it with")

		before := w.rows()
		w.wait(flowMemory - time.Hour)
		require.NoError(t, w.work(t.Context(), "prune", ""))
		for _, table := range []string{
			"event", "text", "challenge", "mail", "durable_instance", "verification",
		} {
			require.Equal(t, before[table], w.rows()[table], "%s goes too early", table)
		}
		w.wait(2 * time.Hour)
		require.NoError(t, w.work(t.Context(), "prune", ""))
		require.Equal(t, map[string]int{
			"mail": 1, "challenge": 1, "text": 1, "durable_instance": 2, "verification": 2,
			"opt_out": 1, "seal_key": 1, "secret": 1, "reply": 3, "price_pass": 3,
		}, w.rows())
		require.Equal(t, "0", w.one("SELECT COUNT(*) FROM opt_out WHERE phone LIKE '+%'"),
			"an opt-out of an older version has its digest")
		require.Equal(t, "received", w.one("SELECT state FROM mail"))
		require.Equal(t, "open", w.one("SELECT state FROM challenge"))
		require.Equal(t, "sending", w.one("SELECT state FROM text"))
		require.Equal(t, "2", w.one("SELECT COUNT(*) FROM durable_instance i"+
			" JOIN verification v ON v.id = i.verification_id"), "each instance knows how it ended")
	})
}

// Ensure that both count: when a row was made and when it ended. One of the two may come from a
// clock that is wrong.
func TestARowIsAsOldAsItsYoungerTime(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, table := range []string{
			"event", "text", "challenge", "mail", "durable_instance", "verification",
		} {
			row := strings.NewReplacer("$1", "''", "$2", "$1", "$3", "$2").Replace(oldRows()[table])
			old, now := w.clock().Add(-flowMemory-time.Hour), w.clock()
			w.exec("INSERT INTO "+table+" "+row, moment.Of(now), idAt(old)+"made long ago")
			w.exec("INSERT INTO "+table+" "+row, moment.Of(old), idAt(now)+"ended long ago")
		}
		before := w.rows()
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		require.Equal(w.t, before, w.rows())
	})
}

// used is how many bytes of a SQLite database's file are in use.
func (w *world) used() int {
	w.t.Helper()
	number := func(pragma string) int {
		n, err := strconv.Atoi(w.one("PRAGMA " + pragma))
		require.NoError(w.t, err)
		return n
	}
	return (number("page_count") - number("freelist_count")) * number("page_size")
}

// Ensure that a finished flow leaves few bytes. All but its reply end with retention: what comes
// later has their place in the file. Its rows in the queue go within the hour.
func TestBytesOfAFinishedFlow(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	w := quick(t)
	const flows, bound, boundOfReply = 1000, 7_250, 600
	empty := w.used()
	for first := 0; first < flows; first += 100 {
		w.flows(first, 100)
	}
	w.exec("DELETE FROM river_job")
	left := (w.used() - empty) / flows
	t.Logf("a finished flow leaves %d bytes", left)
	require.LessOrEqual(t, left, bound)

	w.wait(flowMemory + time.Hour)
	require.NoError(t, w.work(t.Context(), "prune", ""))
	require.Equal(t, map[string]int{"seal_key": 1, "secret": 1, "reply": flows}, w.rows())
	require.LessOrEqual(t, (w.used()-empty)/flows, boundOfReply)
}
