//go:build !race

package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// fill adds rows about a phone to every table that has such rows, and rows that belong to them.
func fill(t *testing.T, conn *sql.DB, phone string, n int) {
	t.Helper()
	id := func(table string) string { return fmt.Sprintf("%s-%s-%d", table, phone[8:], n) }
	for table, values := range map[string]map[string]any{
		"mail":      {"state": "examined", "recipient": "acme" + phone + "@sms.acme.example"},
		"challenge": {"state": "confirmed", "recipient": "acme" + phone + "@sms.acme.example"},
		"text":      {"state": "delivered"}, "verification": {"state": "approved"}, "verify_report": {},
		"reply":            {},
		"durable_instance": {"input": `"` + phone + `"`},
		"event":            {"subject": id("text")},
		"short_link":       {"challenge_id": id("challenge")},
		"code_check":       {"verification_id": id("verification"), "code": ""},
	} {
		values["id"], values["tenant"], values["phone"] = id(table), "acme", phone
		for _, sealed := range []string{"body", "packed", "link", "held_link", "code"} {
			values[sealed] = nil
			if sealed != "packed" {
				values[sealed] = ""
			}
		}
		insert(t, conn, table, values)
	}
	for _, statement := range []string{
		"INSERT INTO guess (tenant, phone, asker, wrong_at, last_at) VALUES ($1, $2, 'app', '', 1)",
		"INSERT INTO auth0_lock (tenant, phone, at) VALUES ($1, $2, 1)",
		"INSERT INTO reply_guess (wrong_at, phone, last_at) VALUES ($1, $2, 1)",
	} {
		_, err := conn.ExecContext(t.Context(), statement, fmt.Sprint("acme", n), phone)
		if !strings.Contains(statement, "reply_guess") || n == 0 {
			require.NoError(t, err)
		}
	}
}

// Ensure that after an erasure no table and no file holds the number. Other phones lose nothing,
// and a reply and an opt-out stay as digests.
func TestErasePhone(t *testing.T) {
	longtest.Skip(t)
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			s, conn := storetest.Open(t, url, nil), outside(t, url)
			const gone, kept = "+4520123456", "+4520123457"
			for n := range 130 {
				fill(t, conn, gone, n)
				fill(t, conn, kept, n)
			}
			_, err := conn.ExecContext(t.Context(), "INSERT INTO opt_out (account, sender, phone, since)"+
				" VALUES ('a', 's', $1, 1)", gone)
			require.NoError(t, err)
			number := func(e164 string) phonemail.Number {
				n, err := phonemail.ParseNumber(e164)
				require.NoError(t, err)
				return n
			}
			held, err := s.HeldOn(t.Context(), number(gone))
			require.NoError(t, err)
			require.Len(t, held, 11)
			others, err := s.HeldOn(t.Context(), number(kept))
			require.NoError(t, err)

			erased, err := s.ErasePhone(t.Context(), number(gone))
			require.NoError(t, err)
			require.Empty(t, erased.Busy)
			require.Equal(t, []store.TableRows{{Table: "reply", Rows: 130}, {Table: "opt_out", Rows: 1}},
				erased.Kept)
			require.Len(t, erased.Gone, 9)
			for _, t0 := range erased.Gone {
				require.Contains(t, []int64{130, 1}, t0.Rows, t0.Table)
			}
			after, err := s.HeldOn(t.Context(), number(kept))
			require.NoError(t, err)
			require.Equal(t, others, after)
			require.Empty(t, found(t, conn, gone[1:]))
			for _, table := range []string{"event", "short_link", "code_check"} {
				var n int
				query := "SELECT COUNT(*) FROM " + table
				require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&n))
				require.Equal(t, 130, n, table)
			}
			var words int
			require.NoError(t, conn.QueryRowContext(t.Context(),
				"SELECT COUNT(*) FROM reply WHERE word = '' AND phone LIKE '#%'").Scan(&words))
			require.Equal(t, 130, words)
			require.NoError(t, s.Read(t.Context(), func(ctx context.Context, v store.View) error {
				require.True(t, v.Pseudonym(number(gone)).Erased())
				return nil
			}))
			if path, isSQLite := strings.CutPrefix(url, "sqlite:"); isSQLite {
				for _, end := range []string{"", "-wal", "-shm"} {
					bytes, err := os.ReadFile(path + end)
					require.NoError(t, err)
					require.Zero(t, strings.Count(string(bytes), gone[1:]), "smsbridge.db%s", end)
				}
			}
		})
	}
}

// outside opens a database from outside its store.
func outside(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		// as the store writes
		driver, source = "sqlite", "file:"+path+"?_pragma=secure_delete(ON)&_pragma=busy_timeout(5000)"
	}
	conn, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// found are the columns of all tables, the queue's too, in which a value has some digits.
func found(t *testing.T, conn *sql.DB, digits string) (columns []string) {
	t.Helper()
	for _, c := range textColumns(t, conn) {
		table, column, _ := strings.Cut(c, ".")
		var n int
		query := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE CAST(%s AS TEXT) LIKE '%%%s%%'",
			table, column, digits)
		require.NoError(t, conn.QueryRowContext(t.Context(), query).Scan(&n))
		if n > 0 {
			columns = append(columns, c)
		}
	}
	return columns
}

// textColumns are all columns of all tables, as table.column.
func textColumns(t *testing.T, conn *sql.DB) (all []string) {
	t.Helper()
	query := "SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c" +
		" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
	rows, err := conn.QueryContext(t.Context(), query)
	if err != nil {
		rows, err = conn.QueryContext(t.Context(), "SELECT table_name || '.' || column_name"+
			" FROM information_schema.columns WHERE table_schema = 'public'"+
			" AND table_name IN (SELECT table_name FROM information_schema.tables"+
			" WHERE table_type = 'BASE TABLE' AND table_schema = 'public')")
	}
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		all = append(all, one)
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(all), 100)
	return all
}

// Ensure that what is held about a phone is told in the order in which it was made, whichever row
// changed last.
func TestHeldInOrder(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		phone := b.Phone()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			for _, id := range []string{"1", "2"} {
				if err := tx.AddText(ctx, db.AddTextParams{ID: id, Phone: phone}); err != nil {
					return err
				}
				added := db.AddReplyParams{ID: id, ProviderID: id, Phone: phone}
				if _, err := tx.AddReply(ctx, added); err != nil {
					return err
				}
			}
			return nil
		})
		b.Exec("UPDATE text SET segments = 2 WHERE id = '1'")
		b.Exec("UPDATE reply SET word = 'yes' WHERE id = '1'")
		held, err := b.Store.HeldOn(b.Context(), phone)
		require.NoError(b, err)
		for i, table := range []string{"text", "reply"} {
			require.Equal(b, table, held[i].Table)
			require.Equal(b, []any{"1", "2"}, []any{held[i].Rows[0]["id"], held[i].Rows[1]["id"]})
		}
	})
}

// Ensure that what is held about a phone is shown as times and words. A sealed value is not shown,
// and what says nothing is left out.
func TestHeldIsShown(t *testing.T) {
	storetest.EachBench(t, func(b storetest.Bench) {
		phone := b.Phone()
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			sealed := db.AddTextParams{ID: "1", Phone: phone, Body: "SEALED", Deadline: tx.Moment()}
			sent := db.AddTextParams{ID: "2", Phone: phone, CreatedAt: tx.Moment()}
			return errors.Join(tx.AddText(ctx, sealed), tx.AddText(ctx, sent))
		})
		at := b.Now().UnixMilli()
		b.Exec("INSERT INTO verify_report (id, tenant, phone, result, at)"+
			" VALUES ('3', 'acme', $1, '', $2)", phone, at)
		b.Exec("INSERT INTO opt_out (account, sender, phone, since, number)"+
			" VALUES ('a', 's', $1, $2, 'SEALED')", phone, at)
		held, err := b.Store.HeldOn(b.Context(), phone)
		require.NoError(b, err)
		require.Len(b, held, 3)
		texts, report, optOut := held[0].Rows, held[1].Rows[0], held[2].Rows[0]
		require.Equal(b, []any{"sealed", b.Now(), nil, nil, phone.E164()},
			[]any{texts[0]["body"], texts[0]["deadline"], texts[0]["created_at"], texts[0]["error"],
				texts[0]["phone"]})
		require.Equal(b, []any{nil, nil, b.Now(), int64(0)},
			[]any{texts[1]["body"], texts[1]["deadline"], texts[1]["created_at"], texts[1]["segments"]})
		require.Equal(b, []any{"acme", b.Now()}, []any{report["tenant"], report["at"]})
		require.Equal(b, []any{"sealed", b.Now()}, []any{optOut["number"], optOut["since"]})
	})
}

// Ensure that what a worker has in hand stays, and that the caller is told.
func TestEraseLeavesWhatIsInHand(t *testing.T) {
	url := storetest.SQLite(t)
	s, conn := storetest.Open(t, url, nil), outside(t, url)
	const phone = "+4520123456"
	fill(t, conn, phone, 0)
	n, err := phonemail.ParseNumber(phone)
	require.NoError(t, err)
	for _, states := range []map[string]string{
		{"text": "due", "challenge": "accepted", "mail": "received"},
		{"text": "unclear", "challenge": "accepted", "mail": "received"},
		{"text": "sending", "challenge": "clicking", "mail": "received"},
	} {
		for table, state := range states {
			_, err := conn.ExecContext(t.Context(), "UPDATE "+table+" SET state = $1", state)
			require.NoError(t, err)
		}
		erased, err := s.ErasePhone(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, []store.TableRows{
			{Table: "text", Rows: 1}, {Table: "challenge", Rows: 1}, {Table: "mail", Rows: 1},
		}, erased.Busy)
	}
	_, err = conn.ExecContext(t.Context(), "UPDATE text SET state = 'sent'")
	require.NoError(t, err)
	erased, err := s.ErasePhone(t.Context(), n)
	require.NoError(t, err)
	require.Len(t, erased.Busy, 2)
	require.Equal(t, []store.TableRows{{Table: "text", Rows: 1}}, erased.Gone)
}

// Ensure that a command neither makes a database nor migrates one, and works beside a bridge.
func TestBeside(t *testing.T) {
	url := storetest.SQLite(t)
	open := func(url string) (*store.Store, error) {
		return store.Open(t.Context(), store.Options{URL: url, Key: storetest.Key, Beside: true})
	}
	_, err := open(url + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = os.Stat(strings.TrimPrefix(url, "sqlite:") + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
	bridge := storetest.Open(t, url, nil)
	command, err := open(url)
	require.NoError(t, err)
	for _, s := range []*store.Store{bridge, command} {
		require.NoError(t, s.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			return tx.Record(ctx, "acme", "x", "x", "")
		}))
	}
	require.NoError(t, command.Close())
	_, err = outside(t, url).ExecContext(t.Context(),
		"DELETE FROM goose_db_version "+
			"WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	require.NoError(t, err)
	_, err = open(url)
	require.ErrorIs(t, err, store.ErrOld)
}

// Ensure that the connection that writes reads no table whole for an erased row, but short ones.
func TestErasedRowCostsLittle(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	short := []string{"SCAN auth0_notification", "SCAN idempotency_key", "SCAN short_link"}
	for _, statement := range store.ErasedAlso() {
		for _, line := range lines(t, conn, "EXPLAIN QUERY PLAN "+statement, "id") {
			if strings.HasPrefix(line, "SCAN") {
				require.Contains(t, short, line, statement)
			}
		}
	}
}
