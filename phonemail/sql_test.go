package phonemail_test

import (
	"testing"

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
	_, err = phonemail.Number{}.Value()
	require.ErrorIs(t, err, phonemail.ErrNumber)
	// Never an empty number, and never a word of what the column holds.
	for _, column := range []any{"", "4512345678", "+45123456789", "someone", nil, int64(4512345678)} {
		kept := number
		err := kept.Scan(column)
		require.ErrorIs(t, err, phonemail.ErrNumber)
		require.NotContains(t, err.Error(), "12345678")
		require.NotContains(t, err.Error(), "someone")
		require.Equal(t, number, kept)
	}
}
