//go:build !race

package azuredurable_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/azuredurable"
	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
)

// A list that is longer than what is looked at in one go is continued, and purged as a whole.
func TestLongList(t *testing.T) {
	longtest.Skip(t)
	each(t, func(t *testing.T, w world) {
		const many = 1203
		for from := 0; from < many; from += 401 {
			w.Do(func(ctx context.Context, tx *store.Tx) error {
				for n := from; n < from+401; n++ {
					id := fmt.Sprint("i", n)
					_, err := azuredurable.Start(ctx, tx, w.tenant, id, json.RawMessage("null"))
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		_, err := w.start("last", `"`+phone+`"`)
		require.NoError(t, err)
		w.Do(func(ctx context.Context, tx *store.Tx) error {
			found, token, err := azuredurable.List(
				ctx,
				tx,
				"acme",
				azuredurable.Filter{Statuses: []azuredurable.Status{azuredurable.Running}},
				"",
				10,
			)
			require.NoError(t, err)
			require.Empty(t, found)
			require.NotEmpty(t, token, "there is more to look at")
			found, token, err = azuredurable.List(
				ctx,
				tx,
				"acme",
				azuredurable.Filter{Statuses: []azuredurable.Status{azuredurable.Running}},
				token,
				10,
			)
			require.Len(t, found, 1)
			require.Empty(t, token)
			return err
		})
		purged, err := azuredurable.PurgeAll(t.Context(), w.Store, "acme", azuredurable.Filter{})
		require.NoError(t, err)
		require.Equal(t, many, purged)
		_, err = w.get("last")
		require.NoError(t, err)
	})
}
