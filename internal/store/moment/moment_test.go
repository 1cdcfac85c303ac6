//go:build !race

package moment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/moment"
)

// Ensure that a time survives the way into a row and back, to the millisecond, and that "not yet"
// does.
func TestMoment(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	for written, read := range map[time.Time]time.Time{
		{}: {},
		time.Date(2024, 3, 1, 12, 0, 0, 1_999_999, zone): time.Date(2024, 3, 1, 11, 0, 0, 1_000_000,
			time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC): time.Date(1969, 12, 31, 23, 59, 59, 0,
			time.UTC),
	} {
		column, err := moment.Of(written).Value()
		require.NoError(t, err)
		require.Equal(t, written.IsZero(), column == int64(0))
		back := moment.Of(time.Unix(1, 0)) // what was there before must not stay
		require.NoError(t, back.Scan(column))
		require.Equal(t, moment.Moment{Time: read}, back)
		require.Equal(t, moment.Of(written), back, "a moment is in memory what it is in a row")
	}
	noon := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	require.Equal(t, moment.Of(noon.Add(time.Hour)), moment.Of(noon).Add(time.Hour))
	var m moment.Moment
	for _, other := range []any{nil, "1709294400000", noon} {
		require.Error(t, m.Scan(other))
	}
}
