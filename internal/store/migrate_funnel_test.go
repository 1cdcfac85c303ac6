package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// Rows of a version that counted no mails and kept no tries stay as they were, on the way there and
// on the way back.
//
//test:unwatched
func TestMailsAndCallbacksOfOlderVersionsStay(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.EmptySQLite, "postgres": storetest.EmptyPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			db, migrations := beside(t, at)
			_, err := migrations.UpTo(t.Context(), 27)
			require.NoError(t, err)
			for _, table := range []string{"mail", "callback", "challenge"} {
				insert(t, db, table, map[string]any{
					"id": table, "tenant": "acme", "phone": "+4520123456", "body": "", "packed": nil,
					"link": "", "held_link": "", "state": "dead", "purpose": "app",
				})
			}
			one := func(query string) (value string) {
				t.Helper()
				require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&value), query)
				return value
			}
			storetest.Open(t, at, nil) // as the first start of this version does
			require.Equal(t, "mail  ", one("SELECT id || ' ' || country || ' ' || provider FROM mail"))
			require.Equal(t, "callback ",
				one("SELECT id || ' ' || tries FROM callback WHERE state = 'dead'"))
			require.Equal(t, "challenge", one("SELECT id FROM challenge WHERE purpose = 'app'"))
			_, err = migrations.DownTo(t.Context(), 27)
			require.NoError(t, err)
			require.Equal(t, "mail callback challenge", one("SELECT m.id || ' ' || c.id || ' ' || q.id"+
				" FROM mail m, callback c, challenge q"))
		})
	}
}
