package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// manyRows is more rows than are read at a time to be changed.
const manyRows = 230

// eachBeside runs a test on each database, with a connection from outside the store.
func eachBeside(t *testing.T, test func(t *testing.T, url string, conn *sql.DB)) {
	for name, database := range map[string]func(*testing.T) string{
		"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			conn, _ := beside(t, url)
			test(t, url, conn)
		})
	}
}

// Ensure that every value is sealed anew, however many there are, and in whatever order their rows
// lie: the old key goes next, and what was passed over would be lost.
func TestResealOfMany(t *testing.T) {
	eachBeside(t, func(t *testing.T, url string, conn *sql.DB) {
		a, b := keyOf("a"), keyOf("b")
		first, err := openWith(t, url, a)
		require.NoError(t, err)
		sealed := map[string]string{}
		require.NoError(t, first.Do(t.Context(), func(_ context.Context, tx *store.Tx) error {
			for i := range manyRows {
				id := fmt.Sprintf("%03d", i)
				p := store.Place{Table: "short_link", ID: id, Column: "link", Tenant: "acme"}
				sealed[id] = tx.Seal(p, []byte("secret "+id))
			}
			return nil
		}))
		for i := manyRows - 1; i >= 0; i-- {
			id := fmt.Sprintf("%03d", i)
			insert(t, conn, "short_link", map[string]any{"id": id, "tenant": "acme", "link": sealed[id]})
		}
		require.NoError(t, first.Close())
		both, err := openWith(t, url, b, a)
		require.NoError(t, err)
		moved, err := both.Reseal(t.Context())
		require.NoError(t, err)
		require.Equal(t, manyRows+1, moved, "with the digests' key")
		require.NoError(t, both.Close())
		_, err = openWith(t, url, b)
		require.NoError(t, err, "nothing needs the old key")
	})
}

// Ensure that the numbers go from all rows that are older than a time, however many there are, and
// in whatever order they lie. Younger rows keep theirs.
func TestPseudonymizeMany(t *testing.T) {
	eachBeside(t, func(t *testing.T, url string, conn *sql.DB) {
		s := storetest.Open(t, url, nil)
		const phone = "+4520123456"
		before := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
		for n := range manyRows + 3 {
			older := manyRows - n*101%(manyRows+3) // each once, in no order
			id := store.FirstID(before.Add(-time.Duration(older) * time.Millisecond))
			insert(t, conn, "reply", map[string]any{"id": id, "phone": phone})
		}
		// PostgreSQL reads a table that it knows to be small as it lies, unless it is asked to sort.
		_, err := conn.ExecContext(t.Context(), "ANALYZE reply")
		require.NoError(t, err)
		last, all := "", 0
		for {
			next, changed, err := s.Pseudonymize(t.Context(), "reply", last, before)
			require.NoError(t, err)
			if all += changed; next == "" {
				break
			}
			require.Greater(t, next, last)
			last = next
		}
		require.Equal(t, manyRows, all)
		require.Equal(t, []string{
			store.FirstID(before), store.FirstID(before.Add(time.Millisecond)),
			store.FirstID(before.Add(2 * time.Millisecond)),
		}, storetest.Strings(t, conn, "SELECT id FROM reply WHERE phone = $1 ORDER BY id", phone))
	})
}
