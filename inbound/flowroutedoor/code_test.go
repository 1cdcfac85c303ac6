package flowroutedoor

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/web"
)

func FuzzParseCode(f *testing.F) {
	for _, number := range []string{"1234", " 0042", "-1", "99999999999", "", "1_0", "٤"} {
		f.Add(number, 4)
	}
	f.Fuzz(func(t *testing.T, number string, digits int) {
		digits = 4 + max(digits, -digits)%7
		code, ok := parseCode(number, max(4, digits))
		if !ok {
			require.NotRegexp(t, `^[0-9]+$`, number)
			return
		}
		require.Regexp(t, `^[0-9]{4,10}$`, code, "the rule takes it")
		if plain := strings.TrimLeft(number, "0"); len(code) == digits &&
			anyInteger.MatchString(number) &&
			!strings.ContainsAny(number, "+- \t\n\v\f\r") {
			require.Equal(t, plain, strings.TrimLeft(code, "0"))
		}
	})
}

func FuzzReadLoose(f *testing.F) {
	for _, body := range []string{
		`{"auth_id":"a","recipient":1}`, `{"a":1e9}`, "[]", `{"a":null}`, `{"a":"\ud800"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for _, value := range web.ReadLoose(r) {
			if text := web.Loose(value); isAuthID(text) {
				require.NotContains(t, text, "\x00")
			}
		}
	})
}
