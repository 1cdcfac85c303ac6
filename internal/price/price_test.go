package price_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/price"
)

const rest = "*,*,0.40,2026-11-27,a page\n"

// Ensure that the table of the program can be read, and has a price for every text.
func TestShipped(t *testing.T) {
	shipped := price.Shipped()
	require.False(t, shipped.Empty())
	for _, provider := range []string{"twilio", "verify", "flowroute", "webhook"} {
		for _, country := range []string{"DK", "US", "DE", "ZW"} {
			require.Positive(t, shipped.Segment(provider, country), "%s %s", provider, country)
		}
	}
}

// Ensure that the line which fits best counts.
func TestSegment(t *testing.T) {
	table, err := price.Read("# prices\n\n" + rest +
		"twilio,*,0.20,2026-11-27,a page\ntwilio,DK,0.05,2026-11-27,a page, with a comma\n")
	require.NoError(t, err)
	require.Equal(t, price.Dollar*5/100, table.Segment("twilio", "DK"))
	require.Equal(t, price.Dollar*20/100, table.Segment("twilio", "SE"))
	require.Equal(t, price.Dollar*40/100, table.Segment("flowroute", "DK"))
}

// Ensure that a mistake in an operator's file is refused, with its line and what is wrong.
func TestRead(t *testing.T) {
	for line, want := range map[string]string{
		"twilio,DK,0.05,2026-11-27":                  "line 2: price: not PROVIDER",
		"acme,DK,0.05,2026-11-27,a page":             "line 2: price: the provider",
		"twilio,Denmark,0.05,2026-11-27,a page":      "line 2: price: the country",
		"twilio,DK,-1,2026-11-27,a page":             "line 2: price: not an amount",
		"twilio,DK,NaN,2026-11-27,a page":            "line 2: price: not an amount",
		"twilio,DK,1e99,2026-11-27,a page":           "line 2: price: not an amount",
		"twilio,DK,0.05,27.11.2026,a page":           "line 2: price: the date",
		"twilio,DK,0.05,2026-11-27,":                 "line 2: price: the source",
		"*,*,0.05,2026-11-27,the same line as above": "line 2: price: the provider and country",
	} {
		_, err := price.Read(rest + line)
		require.ErrorContains(t, err, want, line)
	}
	_, err := price.Read("twilio,DK,0.05,2026-11-27,a page")
	require.ErrorIs(t, err, price.ErrNoRest)
}

// Ensure that amounts are exact and read well.
func TestMicro(t *testing.T) {
	for given, want := range map[string]string{
		"12.50": "12.50", "0": "0.00", "3": "3.00", "0.0085": "0.0085", "0.000001": "0.000001",
		"1000000": "1000000.00",
	} {
		amount, err := price.Parse(given)
		require.NoError(t, err, given)
		require.Equal(t, want, amount.String())
	}
	sum := price.Micro(0)
	for range 1000 {
		one, err := price.Parse("0.1")
		require.NoError(t, err)
		sum += one
	}
	require.Equal(t, 100*price.Dollar, sum)
}
