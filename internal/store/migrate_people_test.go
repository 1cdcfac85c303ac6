package store_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
	"smsbridge/phonemail"
)

// Rows of a version that had no limits, no digests and no test numbers stay as they were. Nothing
// was a test then, and no text has been counted. The way back loses only what the older version
// does not know.
//
//test:unwatched
func TestRowsOfOlderVersionsStay(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite": storetest.EmptySQLite, "postgres": storetest.EmptyPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			at := url(t)
			db, migrations := beside(t, at)
			_, err := migrations.UpTo(t.Context(), 16)
			require.NoError(t, err)
			tables := []string{"mail", "challenge", "text", "reply", "verification", "durable_instance"}
			const phone = "+4520123456"
			for _, table := range tables {
				for n := range 3 {
					row := map[string]any{
						"id": table + strconv.Itoa(n), "tenant": "acme", "phone": phone, "body": "", "packed": nil,
						"link": "", "held_link": "", "code": "", "input": `"` + phone + `"`,
					}
					if table == "challenge" {
						row["recipient"] = strconv.Itoa(n)
					}
					insert(t, db, table, row)
				}
			}
			exec := func(statement string) {
				t.Helper()
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err, statement)
			}
			one := func(query string) (value string) {
				t.Helper()
				require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&value), query)
				return value
			}
			exec("INSERT INTO opt_out (account, sender, phone, since) VALUES ('AC1', '+1', '" + phone +
				"', 7)")
			opened := storetest.Open(t, at, nil) // as the first start of this version does
			for _, table := range tables {
				require.Equal(t, "3 "+table+"0 "+table+"2",
					one("SELECT COUNT(*) || ' ' || MIN(id) || ' ' || MAX(id) FROM "+table), table)
			}
			require.Equal(t, "0", one("SELECT SUM(test) FROM challenge"))
			require.Equal(t, "0", one("SELECT SUM(test) FROM verification"))
			require.Equal(t, "3", one("SELECT COUNT(*) FROM text WHERE case_id = '' AND wording = ''"))
			require.Equal(t, "3",
				one("SELECT COUNT(*) FROM mail WHERE found = '' AND country = '' AND provider = ''"))
			require.Equal(t, "3", one("SELECT COUNT(*) FROM challenge WHERE click = ''"))
			require.Equal(t, "0", one("SELECT COUNT(*) FROM tally"))
			require.Equal(t, "+4520123456 7 reply",
				one("SELECT phone || ' ' || since || ' ' || via FROM opt_out"))
			number, err := phonemail.ParseNumber(phone)
			require.NoError(t, err)
			held, err := opened.HeldOn(t.Context(), number)
			require.NoError(t, err)
			require.Len(t, held, len(tables)+1)

			_, err = migrations.DownTo(t.Context(), 16)
			require.NoError(t, err)
			require.Equal(t, "+4520123456 7", one("SELECT phone || ' ' || since FROM opt_out"))
			for _, table := range tables {
				require.Equal(t, "3", one("SELECT COUNT(*) FROM "+table), table)
			}
			_, err = migrations.Up(t.Context())
			require.NoError(t, err)
			require.Equal(t, "3", one("SELECT COUNT(*) FROM verification WHERE test = 0"))
		})
	}
}
