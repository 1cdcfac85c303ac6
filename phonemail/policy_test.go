package phonemail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

func TestPolicyCheck(t *testing.T) {
	danish := phonemail.Policy{Countries: []string{"DK", "SE"}}
	anywhere := phonemail.Policy{Countries: []string{phonemail.AnyCountry}}
	assigned := phonemail.Policy{Countries: []string{"DK"}, Valid: true}
	american := phonemail.Policy{Countries: []string{"US"}}
	british := phonemail.Policy{Countries: []string{"GB"}}
	for _, tt := range []struct {
		name   string
		policy phonemail.Policy
		number string
		want   error
	}{
		{"listed", danish, "+4520123456", nil},
		{"listed, unassigned", danish, "+4512345678", nil},
		{"other country of the list", danish, "+46701234567", nil},
		{"not listed", danish, "+12065551234", phonemail.ErrCountry},
		{"anywhere", anywhere, "+12065551234", nil},
		{"no countries", phonemail.Policy{}, "+4520123456", phonemail.ErrCountry},
		{"neighbor on the same country code", american, "+18765550123", phonemail.ErrCountry}, // Jamaica
		{"unknown country", british, "+447700900123", phonemail.ErrCountry},
		{"unknown country, anywhere", anywhere, "+447700900123", nil},
		{"assigned wanted and is", assigned, "+4520123456", nil},
		{"assigned wanted and is not", assigned, "+4512345678", phonemail.ErrInvalid},
		{"personal number, as Twilio's test number is", american, "+15005550006", nil},
		{"mobile", british, "+447400123456", nil},
		{"premium rate", american, "+19005551234", phonemail.ErrType},
		{"toll-free", american, "+18005551234", phonemail.ErrType},
		{"shared cost", british, "+448431234567", phonemail.ErrType},
		{"universal access", british, "+445512345678", phonemail.ErrType},
		{"pager", british, "+447640123456", phonemail.ErrType},
		{"satellite", anywhere, "+881612345678", phonemail.ErrType},
		{"Inmarsat", anywhere, "+870773123456", phonemail.ErrType},
		{"network, unassigned", anywhere, "+88312345678", phonemail.ErrType},
		{"international premium rate", anywhere, "+979123456789", phonemail.ErrType},
		{"international freephone", anywhere, "+80012345678", phonemail.ErrType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorIs(t, tt.policy.Check(mustNumber(t, tt.number)), tt.want)
		})
	}
	require.ErrorIs(t, anywhere.Check(phonemail.Number{}), phonemail.ErrNumber)
}
