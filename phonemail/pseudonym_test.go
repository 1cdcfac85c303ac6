package phonemail_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

// Ensure that a pseudonym stays what it is in a database, and that nothing takes it for a number
// that can be texted.
func TestPseudonym(t *testing.T) {
	const digest = "0123456789abcdefghijkl"
	gone := phonemail.Pseudonym(digest)
	require.True(t, gone.Erased())
	require.Equal(t, gone, phonemail.Pseudonym(digest))
	require.NotEqual(t, gone, phonemail.Pseudonym("x123456789abcdefghijkl"))

	column, err := gone.Value()
	require.NoError(t, err)
	for _, column := range []any{column, []byte(column.(string))} {
		var back phonemail.Number
		require.NoError(t, back.Scan(column))
		require.Equal(t, gone, back)
	}
	for _, broken := range []any{"#", "#" + digest[1:], "#" + digest + "x", digest} {
		var back phonemail.Number
		require.ErrorIs(t, back.Scan(broken), phonemail.ErrNumber)
	}

	require.Empty(t, gone.E164())
	require.Empty(t, gone.Country())
	require.Empty(t, phonemail.Scheme{Prefix: "acme", Domain: "sms.acme.example"}.Address(gone))
	require.ErrorIs(t, phonemail.Policy{Countries: []string{"*"}}.Check(gone), phonemail.ErrNumber)
	_, err = phonemail.ParseNumber(column.(string))
	require.ErrorIs(t, err, phonemail.ErrNumber)

	text, err := json.Marshal(gone)
	require.NoError(t, err)
	require.Equal(t, `"erased"`, string(text))
	require.Equal(t, "erased erased", fmt.Sprintf("%v %s", gone, gone))

	number, err := phonemail.ParseNumber("+4512345678")
	require.NoError(t, err)
	require.False(t, number.Erased())
	require.False(t, phonemail.Number{}.Erased())
}
