package store_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/migration"
	"smsbridge/internal/store/storetest"
)

// beside opens the database at url as migrations see it.
func beside(t *testing.T, url string) (*sql.DB, *goose.Provider) {
	t.Helper()
	driver, source, dialect := "pgx", url, goose.DialectPostgres
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source, dialect = "sqlite", path, goose.DialectSQLite3
	}
	db, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	provider, err := goose.NewProvider(dialect, db, migration.Files)
	require.NoError(t, err)
	return db, provider
}

// A report to Twilio Verify that an older version kept as a verification keeps its id, so that the
// job that tells Verify finds it. It comes back when the migration is undone.
//
//test:unwatched
func TestReportsMove(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.EmptySQLite, "postgres": storetest.EmptyPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			db, migrations := beside(t, url(t))
			_, err := migrations.UpTo(t.Context(), 6)
			require.NoError(t, err)
			const old = `INSERT INTO verification (id, tenant, door, external_id, account, sender, phone,
				locale, state, code, renew, attempts, max_attempts, max_wrong, sends, max_sends, gap,
				notify, opened_at, sent_at, expires_at, ended_at, verify_sid, reported)
				VALUES ($1, 'acme', $2, '', 'AC1', '+1', '+4520123456', '', 'approved', '', 0, 0, 0, 0,
				0, 0, 0, 0, 7, 7, 7, 7, $3, $4)`
			for _, row := range [][]any{
				{"waits", "auth0_feedback", "+4520123456", ""},
				{"told", "auth0_feedback", "+4520123456", "matched"},
				{"ours", "api", "VE1", ""},
			} {
				_, err := db.ExecContext(t.Context(), old, row...)
				require.NoError(t, err)
			}
			read := func(query string) (all string) {
				require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&all))
				return all
			}
			const reports = `SELECT COUNT(*) || ' ' || MIN(id) || ' ' || MAX(id) || ' ' ||
				MIN(tenant || phone || at) || ' ' || MAX(result) FROM verify_report`
			const verifications = `SELECT COUNT(*) || ' ' || MIN(id || verify_sid || reported)
				FROM verification`
			_, err = migrations.UpTo(t.Context(), 8)
			require.NoError(t, err)
			require.Equal(t, "2 told waits acme+45201234567 matched", read(reports))
			require.Equal(t, "1 oursVE1", read(verifications))
			_, err = migrations.DownTo(t.Context(), 6)
			require.NoError(t, err)
			require.Equal(t, "3 oursVE1", read(verifications))
			require.Equal(t, "waits+4520123456",
				read("SELECT id || verify_sid || reported FROM verification WHERE id = 'waits'"))
			_, err = migrations.Up(t.Context())
			require.NoError(t, err)
			require.Equal(t, "2 told waits acme+45201234567 matched", read(reports))
		})
	}
}

// Wrong codes that an older version kept count in every class, so that an upgrade gives no new
// guesses. Codes that wait for Twilio Verify and verifications stay.
//
//test:unwatched
func TestGuessesMove(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.EmptySQLite, "postgres": storetest.EmptyPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			db, migrations := beside(t, url(t))
			_, err := migrations.UpTo(t.Context(), 8)
			require.NoError(t, err)
			for _, statement := range []string{
				`INSERT INTO guess (tenant, phone, wrong_at, last_at) VALUES
					('acme', '+4520123456', '7 8', 8), ('beta', '+4520123456', '9', 9)`,
				`INSERT INTO verification (id, tenant, door, external_id, account, sender, phone,
					locale, state, code, renew, attempts, max_attempts, max_wrong, sends, max_sends,
					gap, notify, opened_at, sent_at, expires_at, ended_at)
					SELECT id, 'acme', door, '', 'AC1', '+1', '+4520123456', '', 'pending', 'sealed',
					0, 0, 5, 10, 1, 3, 0, 0, 7, 7, 7, 0
					FROM (SELECT 'v1' AS id, 'api' AS door UNION ALL SELECT 'v2', 'auth0') AS old`,
				`INSERT INTO code_check (id, verification_id, tenant, code, verdict, asked_at)
					VALUES ('c1', 'v1', 'acme', 'sealed', '', 7)`,
			} {
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			read := func(query string) (all string) {
				require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&all))
				return all
			}
			_, err = migrations.Up(t.Context())
			require.NoError(t, err)
			for _, class := range []string{"claim", "app", "typed", "reply"} {
				require.Equal(t, "2 7 8 9 8 9", read(`SELECT COUNT(*) || ' ' || MIN(wrong_at) || ' ' ||
					MAX(wrong_at) || ' ' || MIN(last_at) || ' ' || MAX(last_at) FROM guess
					WHERE asker = '`+class+`'`))
			}
			require.Equal(t, "8", read("SELECT COUNT(*) || '' FROM guess"))
			require.Equal(t, "app", read("SELECT asker FROM verification WHERE id = 'v1'"))
			require.Equal(t, "typed", read("SELECT asker FROM verification WHERE id = 'v2'"))
			require.Equal(t, "c1sealed", read("SELECT id || code || door || source FROM code_check"))
			_, err = migrations.DownTo(t.Context(), 8)
			require.NoError(t, err)
			require.Equal(t, "2 7 8 9", read(`SELECT COUNT(*) || ' ' || MIN(wrong_at) || ' ' ||
				MAX(wrong_at) FROM guess`))
			_, err = migrations.Up(t.Context())
			require.NoError(t, err)
		})
	}
}

// An open question that an older version asked stays, and is about no link: a yes to it opens none.
// When the migration is undone, one open question of a phone, tenant and purpose is left.
//
//test:unwatched
func TestQuestionsGetAnAddress(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.EmptySQLite, "postgres": storetest.EmptyPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			db, migrations := beside(t, url(t))
			_, err := migrations.UpTo(t.Context(), 8)
			require.NoError(t, err)
			exec := func(statement string) {
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err, statement)
			}
			read := func(query string) (all string) {
				require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&all))
				return all
			}
			exec(`INSERT INTO challenge (id, mail_id, tenant, account, sender, phone, purpose, state,
				outcome, link, reply_code, clicks, submitted_at, hinted_at, late_at, wrong_codes,
				opened_at, expires_at, accepted_at, ended_at, coded)
				VALUES ('a', 'm', 'acme', 'AC1', '+1', '+4520123456', 'registration', 'open',
				'', 'sealed', '4821', 0, 0, 0, 0, 0, 7, 9, 0, 0, 0)`)
			exec(`INSERT INTO mail (id, tenant, phone, message_id, message_url, body, state, kind,
				reason, posted_at, received_at, ended_at)
				VALUES ('m', 'acme', '+4520123456', '1@idp', '', '', 'examined', '', '', 1, 2, 3)`)
			_, err = migrations.UpTo(t.Context(), 9)
			require.NoError(t, err)
			require.Equal(t, "asealedopen", read(`SELECT id || link || state || digest || recipient ||
				author || held_link || held_mail_id || held_digest FROM challenge`))
			require.Equal(t, "0 0", read(`SELECT asked_at || ' ' || clicks_before FROM challenge`))
			require.Equal(t, "m", read(`SELECT id || recipient FROM mail`))

			exec(`INSERT INTO challenge SELECT 'b', mail_id, tenant, account, sender, phone, purpose,
				state, outcome, link, reply_code, clicks, submitted_at, hinted_at, late_at, wrong_codes,
				opened_at, expires_at, accepted_at, ended_at, coded, 'x@y', digest, author, asked_at,
				held_mail_id, held_link, held_digest, clicks_before FROM challenge`)
			_, err = migrations.DownTo(t.Context(), 8)
			require.NoError(t, err)
			require.Equal(t, "a superseded", read(`SELECT id || ' ' || state || link FROM challenge
				WHERE state <> 'open'`))
			require.Equal(t, "b", read(`SELECT id FROM challenge WHERE state = 'open'`))
			_, err = migrations.UpTo(t.Context(), 9)
			require.NoError(t, err)
		})
	}
}
