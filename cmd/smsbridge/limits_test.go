package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
)

// Ensure that the hold of a tenant that the settings have lost can be ended: it would hold again
// when the tenant comes back. No other scope that there is not is held or released.
func TestReleaseOfALostTenant(t *testing.T) {
	i := openInsider(t)
	require.NoError(t, i.store.Do(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return limit.Hold(ctx, tx, limit.Scope{Tenant: "lost"})
	}))
	status, said := i.says(t, "", "hold", "--tenant", "lost")
	require.Equal(t, exitMistake, status, said)
	status, said = i.says(t, "", "release", "--tenant", "lost")
	require.Zero(t, status, said)
	require.Equal(t, "released: tenant lost\n", said)
	for _, args := range [][]string{{"--tenant", "lost"}, {"--country", "XX"}, {"--country", "SE"}} {
		status, said = i.says(t, "", append([]string{"release"}, args...)...)
		require.Equal(t, exitMistake, status, said)
	}
	require.Contains(t, said, "not held: to SE")
	_, said = i.says(t, "", "limits")
	require.Equal(t, "nothing is near its limit, and nothing is held\n", said)
}
