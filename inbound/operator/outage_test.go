//go:build !race

package operator_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// Ensure that an operator stays logged in while the database does not respond, on both databases:
// pages say that they cannot be shown now, and what is followed is asked for again.
func TestLoginOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	longtest.Skip(t)
	each(t, func(t *testing.T, p pages) {
		b := p.login(t, "anna")
		require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
		rename := func(from, to string) {
			p.Do(t, func(ctx context.Context, tx *store.Tx) error {
				return storetest.Exec(ctx, tx, "ALTER TABLE "+from+" RENAME TO "+to)
			})
		}
		rename("operator_session", "away")
		for _, path := range []string{"/operator/cases", "/operator/login", "/operator/river/api/jobs"} {
			require.Equal(t, http.StatusServiceUnavailable, b.get(path).StatusCode, path)
			require.Empty(t, b.page.Header.Get("Set-Cookie"), path)
		}
		live := b.get("/operator/cases/live")
		require.Equal(t, http.StatusOK, live.StatusCode, "a browser asks again")
		require.Equal(t, "text/event-stream", live.Header.Get("Content-Type"))
		rename("away", "operator_session")
		require.Equal(t, http.StatusOK, b.get("/operator/cases").StatusCode)
	})
}
