package azuredurable

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/verification"
)

func FuzzParams(f *testing.F) {
	for _, query := range []string{
		"timeout=1&pollingInterval=0.5", "createdTimeFrom=2023-11-14T22:13:20Z&runtimeStatus=Running",
		"timeout=1e999&pollingInterval=-0", "instanceIdPrefix=%00",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values := map[string][]string{}
		for pair := range strings.SplitSeq(raw, "&") {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = append(values[name], value)
		}
		q := readParams(values)
		if wait, refused := q.wait(); refused == "" && wait != (waiting{}) {
			require.Positive(t, wait.timeout)
			require.LessOrEqual(t, wait.timeout, maxWait)
			require.GreaterOrEqual(t, wait.interval, minLook)
			require.LessOrEqual(t, wait.interval, maxLook)
		}
		if filter, refused := q.filter(); refused == "" {
			require.True(t, store.IsText(filter.Prefix))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	for _, body := range []string{"1234", `"0042"`, `"\"42\""`, "null", "1e9", `"\"\\\"1\\\"\""`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		payload := unpack(body)
		if wholeNumber.MatchString(payload) {
			require.Regexp(t, `^[0-9]{4,10}$`, verification.FillUp(payload, 4), "the rule takes it")
		}
	})
}
