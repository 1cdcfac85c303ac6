package price_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/price"
)

// Ensure that prices are read as providers write them.
func TestReadTold(t *testing.T) {
	for given, want := range map[[2]string]price.Told{
		{"-0.00750", "USD"}: {Amount: 7_500, Currency: "USD", Segments: 2},
		{"0.004", "usd"}:    {Amount: 4_000, Currency: "USD", Segments: 2},
		{"0", "EUR"}:        {Amount: 0, Currency: "EUR", Segments: 2},
	} {
		told, err := price.ReadTold(given[0], given[1], 2)
		require.NoError(t, err)
		require.Equal(t, want, told)
		require.True(t, told.Known())
	}
	for _, segments := range []int{-1, 101} {
		told, err := price.ReadTold("1", "USD", segments)
		require.NoError(t, err)
		require.Zero(t, told.Segments)
	}
	require.False(t, price.Told{}.Known())
}

// Ensure that nothing else is taken for a price.
func TestReadToldRefuses(t *testing.T) {
	for _, given := range [][2]string{
		{"", "USD"}, {"null", "USD"}, {"NaN", "USD"}, {"Inf", "USD"}, {"1e9", "USD"}, {"1001", "USD"},
		{"0.01", ""}, {"0.01", "$"}, {"0.01", "US"}, {"0.01", "DOLLAR"}, {"0.01", "U5D"},
	} {
		told, err := price.ReadTold(given[0], given[1], 1)
		require.Error(t, err, given)
		require.False(t, told.Known())
	}
}

// Ensure that only prices far from the table's are said to be.
func TestFar(t *testing.T) {
	for told, want := range map[price.Micro]bool{
		0: false, 1: true, 49: true, 50: false, 100: false, 125: false, 126: true,
	} {
		require.Equal(t, want, price.Far(told, 100), told)
	}
}
