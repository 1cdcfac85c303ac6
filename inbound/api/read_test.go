package api

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that whatever is sent as a body is read as said, or refused.
func FuzzParseFields(f *testing.F) {
	for _, seed := range []string{
		`{"phone":"+4520123456","code":"482913"}`, "{}", "", `{"phone":1}`, `{"phone":"a","phone":"b"}`,
		`{"phone":"a"}x`, `[]`, `{"phone":{"x":1}}`, `{"ph\u006fne":"a"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, p := parseFields(body, []string{"phone", "code"})
		if p != nil {
			require.Contains(t, []int{400, 422}, p.Status)
			return
		}
		var decoded map[string]string
		require.NoError(t, json.Unmarshal(body, &decoded), fmt.Sprintf("%q", body))
		require.Equal(t, decoded, fields)
	})
}
