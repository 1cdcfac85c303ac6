package phonemail_test

import (
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

func TestNumberInDatabase(t *testing.T) {
	number, err := phonemail.ParseNumber("+4512345678")
	require.NoError(t, err)
	column, err := number.Value()
	require.NoError(t, err)
	require.Equal(t, "+4512345678", column)
	for _, column := range []any{column, []byte("+4512345678")} {
		var back phonemail.Number
		require.NoError(t, back.Scan(column))
		require.Equal(t, number, back)
	}
	// A number whose length its country no longer has is still that number, and still masked.
	var old phonemail.Number
	require.NoError(t, old.Scan("+45123456789"))
	require.Equal(t, "+45*******89", old.String())
	require.Equal(t, "+45123456789", old.E164())
	_, err = phonemail.Number{}.Value()
	require.ErrorIs(t, err, phonemail.ErrNumber)
	// Never an empty number, and never a word of what the column holds.
	for _, column := range []any{
		"", "4512345678", "+0012345678", "+2101234567", "+45 12345678", "+4512", "someone", nil,
		int64(4512345678),
	} {
		kept := number
		err := kept.Scan(column)
		require.ErrorIs(t, err, phonemail.ErrNumber)
		require.NotContains(t, err.Error(), "12345678")
		require.NotContains(t, err.Error(), "someone")
		require.Equal(t, number, kept)
	}
}

// Ensure that a number comes back from a database as it was parsed, whatever its country.
func TestScanAgreesWithParse(t *testing.T) {
	seen := 0
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if example == nil {
			continue
		}
		number, err := phonemail.ParseNumber(phonenumbers.Format(example, phonenumbers.E164))
		require.NoError(t, err, region)
		var back phonemail.Number
		require.NoError(t, back.Scan(number.E164()))
		require.Equal(t, number, back)
		seen++
	}
	require.Greater(t, seen, 200)
}
