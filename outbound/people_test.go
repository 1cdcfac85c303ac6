//go:build !race

package outbound

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/challenge"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
)

// columns are all columns of the bridge's own tables and of the queue's, as table.column.
func (w *world) columns() (all []string) {
	w.t.Helper()
	query := "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c" +
		" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
	if !strings.HasPrefix(w.databaseURL, "sqlite:") {
		query = "SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c" +
			" JOIN information_schema.tables t ON t.table_name = c.table_name" +
			" AND t.table_schema = c.table_schema" +
			" WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
	}
	return w.all(query)
}

// holding are the columns in which a value has some digits.
func (w *world) holding(digits string) (found []string) {
	w.t.Helper()
	for _, c := range w.columns() {
		table, column, _ := strings.Cut(c, ".")
		n := w.one(fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE CAST(%s AS TEXT) LIKE '%%%s%%'",
			table, column, digits))
		if n != "0" {
			found = append(found, c)
		}
	}
	return found
}

// Ensure that the numbers of finished flows are there until the retention is over, and nowhere
// afterwards: in no table, in none of the queue's, and in no file. The rows stay, and those of one
// phone are still known as of one.
func TestNumbersGoAfterTheRetention(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.flows(0, 3)
		w.instance("my"+otherPhone[1:], "running", "approved")
		phones := w.all("SELECT DISTINCT phone FROM text")
		require.Greater(t, len(phones), 1)
		rows := w.rows()
		w.wait(w.Settings.Retention - time.Hour)
		require.NoError(t, w.work(t.Context(), "prune", ""))
		for _, phone := range phones {
			require.NotEmpty(t, w.holding(phone[1:]), "too early")
		}
		w.wait(2 * time.Hour)
		require.NoError(t, w.work(t.Context(), "prune", ""))
		w.blanks()
		for _, phone := range phones {
			require.Empty(t, w.holding(phone[1:]))
		}
		for _, table := range []string{"mail", "challenge", "text", "reply", "verification", "event"} {
			require.Equal(t, rows[table], w.rows()[table], table)
		}
		require.Len(t, w.all("SELECT DISTINCT phone FROM text"), len(phones))
		require.Equal(t, "null", w.one("SELECT input FROM durable_instance"))
		if path, isSQLite := strings.CutPrefix(w.databaseURL, "sqlite:"); isSQLite {
			for _, end := range []string{"", "-wal"} {
				bytes, err := os.ReadFile(path + end)
				require.NoError(t, err)
				for _, phone := range phones {
					found := regexp.MustCompile(regexp.QuoteMeta(phone[1:])).FindAllIndex(bytes, -1)
					require.Empty(t, found, "smsbridge.db%s", end)
				}
			}
		}
		require.NoError(t, w.work(t.Context(), "prune", ""), "and once more")
	})
}

// Ensure that no byte of a number stays in a file although the try that replaced the numbers ended
// before it had emptied the WAL.
func TestNumbersGoAfterATryThatEnded(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.flows(0, 3)
	require.NoError(t, w.work(t.Context(), "prune", ""))
	w.blanks()
	phones := w.all("SELECT DISTINCT phone FROM text")
	w.wait(w.Settings.Retention + time.Hour)
	for _, table := range store.AgingTables() {
		_, err := w.replaceNumbersIn(t.Context(), table)
		require.NoError(t, err)
	}
	held := func() (n int) {
		bytes, err := os.ReadFile(strings.TrimPrefix(w.databaseURL, "sqlite:"))
		require.NoError(t, err)
		for _, phone := range phones {
			n += strings.Count(string(bytes), phone[1:])
		}
		return n
	}
	require.Positive(t, held())
	require.NoError(t, w.work(t.Context(), "prune", ""))
	require.Zero(t, w.walBytes(), "numbers are in the WAL until it is emptied")
	w.blanks()
	require.Zero(t, held())
}

// Ensure that no copy of a row which SQLite left behind when it moved rows between pages keeps a
// number: once a day such parts of the file are overwritten.
func TestNoCopyOfANumberStays(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	w := quick(t)
	w.flows(0, 1)
	w.blanks() // the day's
	held := func() int {
		bytes, err := os.ReadFile(strings.TrimPrefix(w.databaseURL, "sqlite:"))
		require.NoError(t, err)
		return strings.Count(string(bytes), otherPhone[1:])
	}
	// How many copies SQLite leaves depends on ids that are drawn: nearly always some.
	for round := 0; held() == 0; round++ {
		require.Less(t, round, 10, "SQLite leaves no copies: nothing need be overwritten")
		w.growTexts(round)
		w.wait(w.Settings.Retention + time.Hour)
		for _, table := range store.AgingTables() {
			_, err := w.replaceNumbersIn(t.Context(), table)
			require.NoError(t, err)
		}
		require.NoError(t, w.Store.EmptyLog(t.Context()))
	}
	require.Equal(t, "0", w.one("SELECT COUNT(*) FROM text WHERE phone = '"+otherPhone+"'"))
	w.blanks()
	require.Zero(t, held())
}

// blanks does the job blank until the whole file has been looked at.
func (w *world) blanks() {
	w.t.Helper()
	var snooze *river.JobSnoozeError
	for range 1000 {
		err := w.work(w.t.Context(), "blank", "")
		if err == nil {
			return
		}
		require.ErrorAs(w.t, err, &snooze)
	}
	w.t.Fatal("the job does not end")
}

// Ensure that a pass over the file is followed by another when a number was replaced meanwhile: it
// may have missed that. Otherwise it is not, because a pass reads the whole file.
func TestBlankingBeginsAgain(t *testing.T) {
	t.Parallel()
	w := quick(t)
	w.flows(0, 3)
	w.blankFrom.Store(2) // a pass is under way
	w.blanked.Store(true)
	w.wait(w.Settings.Retention + time.Hour)
	require.NoError(t, w.work(t.Context(), "prune", ""))
	w.blanks()
	require.False(t, w.blanked.Load(), "a number was replaced after this pass had begun")
	w.blanks()
	require.True(t, w.blanked.Load())
	require.NoError(t, w.work(t.Context(), "prune", ""))
	require.True(t, w.blanked.Load(), "nothing was left to replace")
}

// growTexts makes texts in the order of their ids, so that pages are full. Then the rows grow, one
// after the other, so that pages are split.
func (w *world) growTexts(round int) {
	for i := range 1500 {
		id := fmt.Sprintf("00%d%08d", round, i) // made long ago
		w.exec("INSERT INTO text (id, challenge_id, verification_id, tenant, account, sender, phone,"+
			" purpose, body, segments, state, provider_id, error, deadline, created_at, sending_at,"+
			" ended_at) VALUES ($1, '', '', 'acme', '', '', $2, 'prompt', '', 1, 'sent', '', $3, 0, $4,"+
			" 0, 1)", id, otherPhone, strings.Repeat("x", i*i%61), w.clock().UnixMilli())
	}
	for digit := range 10 {
		w.exec("UPDATE text SET error = $1 WHERE id LIKE $2", strings.Repeat("y", 40+30*digit),
			fmt.Sprintf("00%d%%%d", round, digit))
	}
}

// Ensure that a WAL which another process reads is emptied soon after it has been read. The log
// warns once, however long that takes.
func TestWALIsEmptiedLater(t *testing.T) {
	t.Parallel()
	longtest.Skip(t) // SQLite waits for the reader for seconds
	w := quick(t)
	w.flows(0, 1)
	reader, err := sql.Open("sqlite", strings.TrimPrefix(w.databaseURL, "sqlite:"))
	require.NoError(t, err)
	defer reader.Close()
	reading, err := reader.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var n int
	require.NoError(t, reading.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM text").Scan(&n))
	w.wait(w.Settings.Retention + time.Hour)
	var snooze *river.JobSnoozeError
	require.ErrorAs(t, w.work(t.Context(), "prune", ""), &snooze)
	require.Equal(t, emptyAgain, snooze.Duration)
	w.snoozed(w.work(t.Context(), "prune", ""))
	require.Equal(t, 1, strings.Count(w.log.String(), `"level":"WARN"`), "each try warns")
	require.NoError(t, reading.Rollback())
	require.NoError(t, w.work(t.Context(), "prune", ""))
	require.Contains(t, w.log.String(), "no older rows stay")
	require.Zero(t, w.walBytes())
}

// walBytes is how long the WAL of the SQLite file is.
func (w *world) walBytes() int64 {
	w.t.Helper()
	info, err := os.Stat(strings.TrimPrefix(w.databaseURL, "sqlite:") + "-wal")
	require.NoError(w.t, err)
	return info.Size()
}

// Ensure that a mail that came again after its first number was replaced does not keep the number.
func TestTheSameMailAfterTheRetention(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for range 2 {
			w.exec("INSERT INTO mail (id, tenant, phone, message_id, message_url, body, state, kind,"+
				" reason, posted_at, received_at, ended_at)"+
				" VALUES ($1, 'acme', $2, 'same', '', '', 'refused', '', '', 0, 0, 1)",
				idAt(w.clock())+w.clock().String(), otherPhone)
			w.wait(w.Settings.Retention + time.Hour)
			require.NoError(t, w.work(t.Context(), "prune", ""))
			require.Empty(t, w.holding(otherPhone[1:]))
			require.Equal(t, "1", w.one("SELECT COUNT(*) FROM mail"))
		}
	})
}

// Ensure that a person who comes back under an instance's id with the own number keeps no number of
// others: the same id may be there twice, when the first one is old.
func TestNumbersGoWhenAnIDComesAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for range 2 {
			w.instance("my"+otherPhone[1:], "running", "approved")
			w.wait(w.Settings.Retention + time.Hour)
			require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
			require.Empty(w.t, w.holding(otherPhone[1:]))
		}
		require.Equal(w.t, "2", w.one("SELECT COUNT(*) FROM durable_instance"))
	})
}

// Ensure that a number goes that an app packed twice into an instance's input, or escaped, and that
// it is told to the person before.
func TestNumbersGoFromPackedInputs(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		start := func(input string) {
			w.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := azuredurable.Start(ctx, tx, w.tenant(), "a", json.RawMessage(input))
				return err
			})
		}
		for _, input := range []string{
			`"` + otherPhone + `"`, `"\"` + otherPhone + `\""`, `"\u002b` + otherPhone[1:] + `"`,
			`"\u002b\u0034` + otherPhone[2:] + `"`,
		} {
			w.do(func(ctx context.Context, tx *store.Tx) error {
				return text.OptOut(ctx, tx, w.line(), w.phone(otherPhone))
			})
			start(input)
			held, err := w.Store.HeldOn(w.t.Context(), w.phone(otherPhone))
			require.NoError(w.t, err)
			require.True(w.t, slices.ContainsFunc(held, func(h store.HeldTable) bool {
				return h.Table == "durable_instance"
			}), input)
			_, err = w.Store.ErasePhone(w.t.Context(), w.phone(otherPhone))
			require.NoError(w.t, err)
			require.Empty(w.t, w.holding(otherPhone[1:]), input)
			require.Equal(w.t, "0", w.one("SELECT COUNT(*) FROM durable_instance"))

			start(input)
			w.wait(w.Settings.Retention + time.Hour)
			require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
			require.Empty(w.t, w.holding(otherPhone[1:]), input)
			w.exec("DELETE FROM durable_instance")
		}
	})
}

// Ensure that with a person goes what the timeline says of their instances, and of codes of others
// that Twilio Verify was told of. One instance has a code; the other phone had opted out by then.
func TestErasedRowsLeaveNoEvent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.instance("first", "completed", "approved")
		w.do(func(ctx context.Context, tx *store.Tx) error {
			return text.OptOut(ctx, tx, w.line(), w.phone(otherPhone))
		})
		w.instance("second", "failed", "pending")
		require.Equal(w.t, "4", w.one("SELECT COUNT(*) FROM event WHERE name LIKE 'durable.%'"))
		w.do(func(ctx context.Context, tx *store.Tx) error {
			id, err := verification.ReportPhone(ctx, tx, "acme", w.phone(otherPhone))
			if err != nil {
				return err
			}
			return tx.Record(ctx, "acme", id, "auth0.forwarded", "action")
		})
		_, err := w.Store.ErasePhone(w.t.Context(), w.phone(otherPhone))
		require.NoError(w.t, err)
		require.Equal(w.t, []string{"opt_out.set"}, w.all("SELECT name FROM event"))
	})
}

// Ensure that a number goes from what an app calls its question.
func TestNumbersGoFromReferences(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := challenge.AskApp(ctx, tx, w.tenant(), challenge.AppQuestion{
				ID: store.NewID(), Phone: w.phone(phone), Subject: "OK?", Life: time.Hour,
				Reference: "delivery-" + phone[1:],
			})
			return err
		})
		w.wait(w.Settings.Retention + time.Hour)
		require.NoError(w.t, w.work(w.t.Context(), "sweep", ""))
		require.NoError(w.t, w.work(w.t.Context(), "prune", ""))
		require.Empty(w.t, w.holding(phone[1:]))
		require.Equal(w.t, "delivery-erased", w.one("SELECT reference FROM challenge"))
	})
}
