package text_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/text"
)

// Ensure that an operator reads what is wrong with a sender, a country or a code, whichever of
// Twilio's products says so. Nothing is said about what is not known.
func TestMeaning(t *testing.T) {
	t.Parallel()
	for code, part := range map[string]string{
		"21212": "TWILIO_FROM", "21606": "TWILIO_FROM", "21659": "TWILIO_FROM",
		"21660": "TWILIO_FROM", "21661": "TWILIO_FROM", "21701": "TWILIO_FROM",
		"21705": "TWILIO_FROM", "21408": "country", "60605": "country", "60203": "five codes",
		"60410": "Fraud Guard", "20429": "too many requests", "20003": "suspended",
		"21703": "reaches", "21704": "no sender", "30018": "registered", "30036": "waited",
		"30450": "SMS pumping", "30454": "trial", "60223": "does not send texts",
	} {
		require.Contains(t, text.Meaning(code), part, code)
		require.Equal(t, text.Meaning(code), text.Meaning("twilio rejected "+code))
	}
	for _, reason := range []string{"", "400", "1003", "not configured", "99999"} {
		require.Empty(t, text.Meaning(reason), reason)
	}
}
