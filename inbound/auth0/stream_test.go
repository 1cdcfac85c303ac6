package auth0

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/phonemail"
)

func TestPhoneIn(t *testing.T) {
	const phone = "+4520123456"
	details := `{"request":{"phone":"` + phone + `","list":["` + phone + `",7,null]},` +
		`"masked":"XXXXXXX78","other":{"to":"+4520123457"}}`
	require.Equal(t, phonemail.Number{}, phoneIn(json.RawMessage(details), nil), "there are two")
	require.Equal(
		t,
		numberIn(phone),
		phoneIn(json.RawMessage(details), []string{"details", "request", "phone"}),
	)
	for _, path := range [][]string{
		{"details", "request"}, {"details", "masked"}, {"details", "x", "y"}, {"other"},
	} {
		require.Equal(t, phonemail.Number{}, phoneIn(json.RawMessage(details), path))
	}
	require.Equal(
		t,
		numberIn(phone),
		phoneIn(json.RawMessage(`[{"a":["`+phone+`"]},"`+phone+`"]`), nil),
	)
	require.Equal(t, phonemail.Number{}, phoneIn(nil, nil))
}

func FuzzAuth0Stream(f *testing.F) {
	f.Add(
		`{"log_id":"1","data":{"type":"s","strategy":"sms","user_id":"sms|1","user_name":"+4520123456"}}`,
	)
	f.Add(
		`[{"log_id":"2","data":{"type":"gd_auth_succeed","user_id":"u","details":{"a":["+4520123456"]` +
			`}}}]`,
	)
	f.Add(
		`{"specversion":"1.0","type":"user.created","id":"e","data":{"object":{"phone_number":"+45201` +
			`23456","phone_verified":true}}}`,
	)
	f.Add(`{"logs":[{"log_id":"3","data":{"type":"gd_auth_succeed","user_id":"u"}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		all, err := readStream([]byte(body))
		if err != nil {
			require.Empty(t, all)
			return
		}
		require.NotEmpty(t, all)
		require.LessOrEqual(t, len(all), maxStreamed)
		for _, one := range all {
			if f, ok := one.feedback(nil); ok {
				named := f.UserID != "" || f.Phone != phonemail.Number{}
				require.True(t, named, "feedback without a user and a phone")
			}
		}
	})
}
