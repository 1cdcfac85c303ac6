package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
	"smsbridge/linkclick"
	"smsbridge/phonemail"
)

// Ensure that each copy of a case has ids, a phone and a time of its own, and that its rows still
// belong together.
func TestFill(t *testing.T) {
	t.Run(kindSQLite, func(t *testing.T) {
		testFill(t, database{kind: kindSQLite, path: filepath.Join(t.TempDir(), "a.db")}, "BLOB",
			"x'00112233445566'")
	})
	t.Run(kindPostgres, func(t *testing.T) {
		root := storetest.PostgreSQL(t)
		d := database{kind: kindPostgres, root: root, name: fmt.Sprintf("bench_test_%d", os.Getpid())}
		require.NoError(t, d.create(t.Context(), nil))
		t.Cleanup(func() { require.NoError(t, d.drop(context.Background())) })
		testFill(t, d, "BYTEA", `'\x00112233445566'`)
	})
}

// idBefore begins as an id that was made so long ago.
func idBefore(d time.Duration) string {
	millis := time.Now().Add(-d).UnixMilli()
	return fmt.Sprintf("%08x-%04x-", millis>>16, millis&0xffff)
}

func testFill(t *testing.T, d database, blob, id string) {
	const n, copies = 3, 50
	eventID := uuid.Must(uuid.NewV7()).String()
	db, err := d.connect()
	require.NoError(t, err)
	defer db.Close()
	for _, statement := range []string{
		`CREATE TABLE mail (id TEXT PRIMARY KEY, phone TEXT, recipient TEXT, state TEXT,
			received_at BIGINT, sent_at BIGINT, event_id TEXT)`,
		`CREATE UNIQUE INDEX mail_same ON mail (phone, state)`,
		`CREATE TABLE text (id ` + blob + ` PRIMARY KEY, mail_id TEXT, serial BIGINT UNIQUE)`,
		`CREATE TABLE guess (phone TEXT PRIMARY KEY)`,
		`CREATE TABLE river_job (id BIGINT PRIMARY KEY, finalized_at TIMESTAMP)`,
		`INSERT INTO mail VALUES ('0197aaaa-0000', '` + phoneOf(n) + `', '` + addressOf(n) +
			`', 'done', 1700000000000, 0, '` + eventID + `')`,
		`INSERT INTO text VALUES (` + id + `, '0197aaaa-0000', 7)`,
		`INSERT INTO guess VALUES ('` + phoneOf(n-1) + `'), ('` + phoneOf(n) + `')`,
		`INSERT INTO river_job VALUES (1, CURRENT_TIMESTAMP), (2, NULL)`,
	} {
		_, err := db.Exec(statement)
		require.NoError(t, err, statement)
	}
	var said []string
	require.NoError(t, d.fill(t.Context(), []string{"guess", "mail", "river_job", "text"}, n, copies,
		func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }))
	require.Len(t, said, 4, "each table is progress")

	rows, err := d.count(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"mail": 1 + copies, "text": 1 + copies,
		"guess": 2 + 2*copies, "river_job": 2 + copies/queuesShare}, rows)
	for query, want := range map[string]int{
		"SELECT count(DISTINCT phone) FROM mail":                                1 + copies,
		"SELECT count(*) FROM mail m JOIN text t ON t.mail_id = m.id":           1 + copies,
		"SELECT count(*) FROM mail WHERE sent_at <> 0 OR state <> 'done'":       0,
		"SELECT count(*) FROM mail WHERE received_at < 1700000000000 - 3600000": copies,
		"SELECT count(*) FROM text WHERE length(id) = 7":                        1 + copies,
		"SELECT count(*) FROM mail WHERE id > '0197aaaa-0000'":                  0,
		"SELECT count(DISTINCT event_id) FROM mail":                             1 + copies,
		"SELECT count(*) FROM mail WHERE length(event_id) = 36 AND event_id < '" +
			idBefore(time.Hour) + "' AND event_id > '" + idBefore(24*time.Hour) + "'": copies,
		"SELECT count(*) FROM mail WHERE recipient = 'acme' || phone || '@" + mailDomain + "'": 1 +
			copies,
	} {
		got, err := stringsOf(t.Context(), db, query)
		require.NoError(t, err, query)
		require.Equal(t, []string{strconv.Itoa(want)}, got, query)
	}
	if d.kind == kindSQLite {
		got, err := stringsOf(t.Context(), db, "SELECT DISTINCT typeof(id) FROM text")
		require.NoError(t, err)
		require.Equal(t, []string{"blob"}, got)
	}
}

// Ensure that only what every flow adds is copied: its rows and jobs, and no keys or settings.
func TestGrowing(t *testing.T) {
	before := map[string]int64{"mail": 1, "seal_key": 1, "river_job": 6, "gone": 2}
	after := map[string]int64{"mail": 2, "text": 2, "seal_key": 1, "river_job": 12, "gone": 1,
		"price_pass":   3,
		"river_leader": 1}
	require.Equal(t, []string{"mail", "river_job", "text"}, growing(before, after))
}

// Ensure that a post has 10 kB and goes to a phone of its own. The mail that Mailgun keeps is
// signed, and has the link that the bridge finds.
func TestMail(t *testing.T) {
	s := newSecrets()
	m := newMailbox(s, true, "http://127.0.0.1:1", "http://127.0.0.1:2")
	now := time.Unix(1_700_000_000, 0)
	form := m.form(7, now)
	require.InDelta(t, mailSize, len(form), mailSize/20)
	require.NotEqual(t, string(form), string(m.form(8, now)))
	scheme, number, err := phonemail.ParseAddress(addressOf(7))
	require.NoError(t, err)
	require.Equal(t, slug, scheme.Prefix)
	n, ok := numberOf(number.E164())
	require.True(t, ok)
	require.Equal(t, 7, n)
	_, ok = numberOf("+4512345678")
	require.False(t, ok, "it is below all of ours")

	raw, err := m.raw(7, now)
	require.NoError(t, err)
	require.Contains(t, raw, "DKIM-Signature: ")
	mail, err := linkclick.ReadMIME(strings.NewReader(raw))
	require.NoError(t, err)
	found := linkclick.Find(mail, linkclick.Rule{Hosts: []string{"127.0.0.1:2"},
		UnsafeAllow: loopbacks()})
	require.Equal(t, m.link(7), found.URL, found.Why())
	n, ok = ticketNumber(m.ticket(7))
	require.True(t, ok)
	require.Equal(t, 7, n)
}
