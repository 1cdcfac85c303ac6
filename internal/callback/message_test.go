package callback

import (
	"maps"
	"slices"
	"strings"
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
		c := Callback{EventID: store.NewID(), Type: "limit.reached", Subject: "s", detail: "80 %"}
		body, err := Message(t.Context(), nil, c)
		require.NoError(t, err)
		again, err := Message(t.Context(), nil, c)
		require.NoError(t, err)
		require.Equal(t, body, again)
		switch strings.Count(string(body), `"extra":`) {
		case 2:
			n++
		case 1:
			t.Fatal("the event has one, and its data has not: " + string(body))
		}
	}
	require.InDelta(t, 1000, n, 200)
}
