package store_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

var (
	changes = regexp.MustCompile(`\n(?:UPDATE|DELETE FROM) (\w+)`)
	bundle  = regexp.MustCompile(`LIMIT 1000\n\)\s*$`)
	group   = regexp.MustCompile(`\([^()]*\)`)
)

// Ensure that a statement that changes a row names its whole primary key. A test that plays with
// one row sees no difference. Without the key, one move would change the rows of every person that
// are in the same state.
func TestOneRowIsChanged(t *testing.T) {
	several := map[string]string{
		"endOverdueCallbacks":         "the overdue callbacks of an endpoint, in portions",
		"suppressTextsOfChallenge":    "the texts of a question",
		"suppressTextsOfVerification": "the texts of a verification",
		"tellExpired":                 "verifications that share the id of a caller",
	}
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	seen := 0
	for name, statement := range queries(t) {
		match := changes.FindStringSubmatch(statement)
		if match == nil || several[name] != "" || bundle.MatchString(statement) {
			continue
		}
		_, where, _ := strings.Cut(statement, "WHERE")
		for group.MatchString(where) { // what is between parentheses may hold by another part
			where = group.ReplaceAllString(where, "")
		}
		require.NotContains(t, where, " OR ", name)
		key := lines(t, conn, "SELECT name FROM pragma_table_info($1) WHERE pk > 0", match[1])
		require.NotEmpty(t, key, name)
		for _, column := range key {
			require.Regexp(t, `\b`+column+` = \$\d`, where, name)
		}
		seen++
	}
	require.Greater(t, seen, 40)
}
