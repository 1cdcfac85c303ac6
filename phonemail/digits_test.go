package phonemail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

// Ensure that the digits of each keyboard are read, and nothing else is changed.
func TestPlainDigits(t *testing.T) {
	for typed, plain := range map[string]string{
		"٠١٢٣٤٥٦٧٨٩": "0123456789", "۰۱۲۳۴۵۶۷۸۹": "0123456789", "０１２３４５６７８９": "0123456789",
		"نعم ٤٨٢١": "نعم 4821", "x/9:²٪：": "x/9:²٪：", "": "", "\xff٤": "\uFFFD4",
	} {
		require.Equal(t, plain, phonemail.PlainDigits(typed))
	}
}
