package callback

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Ensure that each type that a tenant may subscribe to is told of, and no other.
func TestTypes(t *testing.T) {
	require.ElementsMatch(t, tenant.EventTypes(), slices.Collect(maps.Values(types())))
}

// Ensure that about one event in eight has members that no document explains, and that it has them
// at each try.
func TestExtra(t *testing.T) {
	n := 0
	for range 8000 {
		id := store.NewID()
		require.Equal(t, isExtra(id), isExtra(id))
		if isExtra(id) {
			n++
		}
	}
	require.InDelta(t, 1000, n, 200)
}
