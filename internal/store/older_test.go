package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that the keys of tables of each version can be told. A backup from before an update is
// restored under its key alone.
//
//test:unwatched
func TestTablesOfOlderVersions(t *testing.T) {
	for _, version := range []int64{2, 8, 12, 14, 18, 20, 27} {
		for name, database := range map[string]func(*testing.T) string{
			"sqlite": storetest.EmptySQLite, "postgres": storetest.EmptyPostgreSQL,
		} {
			t.Run(fmt.Sprint(version, name), func(t *testing.T) {
				url := database(t)
				conn, migrations := beside(t, url)
				_, err := migrations.UpTo(t.Context(), version)
				require.NoError(t, err)
				given, err := store.Keys(t.Context(), store.Options{URL: url, Key: keyOf("b")})
				require.NoError(t, err)
				id := given[0].ID
				insert(t, conn, "short_link", map[string]any{"id": "x", "link": "v1." + id + ".AAAA"})
				if version >= 12 {
					_, err := conn.ExecContext(t.Context(), "INSERT INTO seal_key (id) VALUES ($1)", id)
					require.NoError(t, err)
				}
				uses, err := store.Keys(t.Context(), store.Options{URL: url, Key: keyOf("a")})
				require.NoError(t, err)
				require.Len(t, uses, 2)
				require.Equal(t, store.KeyUse{ID: id, Values: 1}, uses[1])

				path, isSQLite := strings.CutPrefix(url, "sqlite:")
				if !isSQLite {
					return
				}
				restore := func(key string) (store.Copy, error) {
					o := store.Options{URL: url + ".restored", Key: keyOf(key)}
					restored, _, err := store.Restore(t.Context(), o, path, false, silent)
					return restored, err
				}
				_, err = restore("a")
				var missing *store.KeyError
				require.ErrorAs(t, err, &missing)
				require.Equal(t, id, missing.Missing)
				restored, err := restore("b")
				require.NoError(t, err)
				require.Equal(t, version, restored.Version)
				_, err = openWith(t, url+".restored", keyOf("b"))
				require.NoError(t, err)
			})
		}
	}
}
